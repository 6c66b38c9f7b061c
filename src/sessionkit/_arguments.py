"""Check the arguments of `SessionStore`: raise errors and log warnings, and say where a misplaced argument belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import iscoroutinefunction, signature
from typing import Any, TypeVar, cast

from ._cookies.settings import CookieSettings
from ._exchange.performing import is_async
from ._exchange.settings import MAX_RECORD, Settings
from ._session.events import logger
from ._session.given_arguments import refuse_unknown
from ._session.lifetime import Lifetime
from .backends import AsyncBackend, Backend
from .errors import ConfigurationError
from .formats import Importer

__all__ = [
    "check_backend",
    "check_function",
    "check_importers",
    "check_login_keys",
    "check_type",
    "explain_misplaced",
    "refuse_django_default",
    "warn",
]

F = TypeVar("F", bound=Callable[..., None])

_PLACES = {
    **{name: f"lifetime=Lifetime({name}=...)" for name in signature(Lifetime).parameters},
    **{name: f"cookie=CookieSettings({name}=...)" for name in signature(CookieSettings).parameters},
    "cookie_name": "cookie=CookieSettings(name=...)",
    "cookies": "cookie=CookieSettings(...)",
    "expires": "lifetime=Lifetime(absolute=...)",
    "httponly": "cookie=CookieSettings(http_only=...)",
    "https_only": "cookie=CookieSettings(secure=...)",
    "key": "secret=...",
    "max_age": "lifetime=Lifetime(absolute=...), or idle=... for a limit that activity moves",
    "password": "secret=...",
    "samesite": "cookie=CookieSettings(same_site=...)",
    "secret_key": "secret=...",
    "session_cookie": "cookie=CookieSettings(name=...)",
    "timeout": "lifetime=Lifetime(idle=...)",
}
"""The right place for each setting that other libraries take as an argument of the store."""


def explain_misplaced(init: F, /) -> F:
    """Decorate `__init__` so that an unknown argument raises a TypeError that says where the setting belongs."""
    known = signature(init).parameters

    @wraps(init)
    def call(*args: Any, **named: Any) -> None:
        if len(args) > 2:
            raise TypeError(
                "SessionStore takes one argument without a name, the secret: give the others by name, such as "
                "SessionStore(secret, lifetime=Lifetime(...)); an application goes to store.wsgi(app) or store.asgi(app)"
            )
        refuse_unknown("SessionStore", named, known, _PLACES)
        if len(args) < 2 and "secret" not in named:
            raise TypeError(
                "SessionStore needs a secret: `python -m sessionkit secret` makes one. SessionStore.from_env() takes it from "
                "the variable SESSIONKIT_SECRET"
            )
        init(*args, **named)

    return cast("F", call)


def check_type(key: str, value: object, kind: type) -> None:
    """Raise ConfigurationError if an argument has another type."""
    if not isinstance(value, kind):
        raise ConfigurationError(f"{key} must be {kind.__name__}, not {type(value).__name__}")


def check_function(key: str, function: object) -> None:
    """Raise ConfigurationError if an argument is not a function, or one that must be awaited.

    Nothing awaits the functions of a store. A coroutine object counts as true, so an async guard would let everybody pass.
    """
    if not callable(function):
        raise ConfigurationError(f"{key} must be a function, not {type(function).__name__}")
    called = getattr(function, "__call__", None)  # noqa: B004  # it is looked at, not asked for
    if iscoroutinefunction(function) or iscoroutinefunction(called):
        raise ConfigurationError(
            f"{key} is async, and the store does not await it: give a plain function"
        )


def check_importers(given: object) -> None:
    """Raise ConfigurationError if an argument is not a sequence of importers, or if the `convert` of one is not a plain function.

    Whatever such a `convert` returns is not a session, so that no visitor would be imported, and nobody told.
    """
    if not isinstance(given, Sequence) or not all(
        isinstance(one, Importer) for one in cast("Sequence[object]", given)
    ):
        raise ConfigurationError(
            "accept must be a sequence of importers, such as [Importer(FlaskCookie(), until=...)]"
        )
    for importer in cast("Sequence[Importer]", given):
        if importer.convert is not None:
            check_function("convert", importer.convert)
        if importer.name is not None:
            check_type("name", importer.name, str)


def check_backend(backend: object, max_record: object, max_sessions: object) -> None:
    """Raise ConfigurationError if these cannot be the arguments of a store for sessions on the server.

    Args:
        backend: the argument `backend`.
        max_record: the argument `max_record`.
        max_sessions: the argument `max_sessions`.
    """
    if backend is not None:
        _check_methods(backend)
    for name, value in (("max_record", max_record), ("max_sessions", max_sessions)):
        if value is None and name == "max_sessions":
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigurationError(f"{name} must be a whole number of at least 1")
    if max_sessions is not None and backend is None:
        raise ConfigurationError(
            "max_sessions needs a backend, since nobody knows how many cookies a user has: give backend=..., or leave max_sessions out"
        )
    if max_record != MAX_RECORD and backend is None:
        raise ConfigurationError(
            "max_record needs a backend: the limit of a session in cookies is cookie=CookieSettings(max_bytes=...)"
        )


def _check_methods(backend: object) -> None:
    """Raise ConfigurationError if an object lacks methods of a backend."""
    if isinstance(backend, type):
        raise ConfigurationError(
            f"backend={backend.__name__} is a class: give an object of it, {backend.__name__}(...)"
        )
    given, is_awaited = type(backend).__name__, is_async(backend)
    methods = [name for name in vars(AsyncBackend if is_awaited else Backend) if name[0] != "_"]
    missing = [name for name in methods if not hasattr(backend, name)]
    if "load" in missing:
        raise ConfigurationError(
            f"{given} is not a backend: give an object of sessionkit.backends, such as SQLiteBackend('sessions.db') or "
            "RedisBackend('redis://localhost')"
        )
    if missing:
        raise ConfigurationError(
            f"{given} is not a backend: it has no {', '.join(missing)}. Add what is missing"
        )
    if not is_awaited:
        for name in methods:
            if iscoroutinefunction(getattr(backend, name)):
                raise ConfigurationError(
                    f"{given} is not a backend: {name} is a coroutine function and load is not. Make all methods async, or none"
                )


def check_login_keys(given: Sequence[str]) -> tuple[str, ...]:
    """Return login keys as a tuple, or raise ConfigurationError if they are not a sequence of keys."""
    keys: tuple[Any, ...] = tuple(given)
    if isinstance(given, str) or not all(isinstance(key, str) and key for key in keys):
        raise ConfigurationError('login_keys must be a sequence of keys, such as ["user_id"]')
    return keys


def refuse_django_default(
    secret: str | bytes | Sequence[str | bytes] | Mapping[Any, str | bytes] | None,
) -> None:
    """Raise ConfigurationError for a secret that `django-admin startproject` wrote."""
    if isinstance(secret, Mapping):
        secret = list(secret.values())
    for one in [secret] if isinstance(secret, (str, bytes)) else secret or ():
        if (one if isinstance(one, bytes) else one.encode("utf-8", "replace")).startswith(
            b"django-insecure-"
        ):
            raise ConfigurationError(
                "a secret is the one that django-admin startproject wrote, which is for development: `python -m sessionkit secret` "
                "makes a real one"
            )


def warn(settings: Settings) -> None:
    """Log a warning for each setting that weakens every session of a store."""
    if settings.cookie.domain is not None or settings.cookie.path != "/":
        logger.warning(
            "the cookie %r is not a __Host- cookie: sibling hosts can plant one in a visitor's browser. If one host and the path / are "
            "enough, leave domain= and path= out",
            settings.name,
        )
    if settings.cookie.same_site == "None":
        logger.warning(
            "SameSite=None: every site can send requests with the session; check Origin, on websockets too"
        )
    lifetimes = (settings.lifetime, *settings.lifetimes.values())
    if any(lifetime.absolute is None for lifetime in lifetimes):
        logger.warning(
            "absolute=None: a stolen cookie can be kept alive for ever. Set a limit, or revoke sessions that are kept in a backend"
        )
