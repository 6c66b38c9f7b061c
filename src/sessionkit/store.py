"""The session store: settings in, verbs and gateways out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from difflib import get_close_matches
from functools import partial, wraps
from inspect import signature
from typing import Any, NoReturn, TypeVar, cast

from . import asgi, wsgi
from ._cookies.settings import CookieSettings
from ._crypto.keyring import KeyRing
from ._environment import apply_variables
from ._exchange.config import Clock, Settings, barrier_keys
from ._exchange.exchange import Exchange
from ._exchange.importers import bind_importers
from ._exchange.request import HeaderRequest, RequestInfo, is_activity
from ._requests.current import activated, get_current
from ._requests.lookup import (
    Excluded,
    find_exchange,
    find_open,
    iterate_held,
    open_unanswered,
    select_store,
)
from ._requests.recognition import HasEnv, HasEnviron, HasScope, RequestLike, as_cookie_header
from ._requests.responses import ResponseLike
from ._session.events import OnEvent, logger
from ._session.identity import Guard, Identity, resolve
from ._session.json import JSON, Serializer
from ._session.lifetime import Lifetime
from ._session.tracebacks import clears_frames
from .errors import ConfigurationError, NoActiveRequestError
from .formats import Format, Importer, Native
from .verbs import Verbs

__all__ = ["SessionStore"]

F = TypeVar("F", bound=Callable[..., None])


def _says_where(init: F, /) -> F:
    """Decorate `__init__`: an argument of another name is a TypeError that says where it belongs."""
    known = signature(init).parameters

    @wraps(init)
    def call(*args: Any, **named: Any) -> None:
        for name in named:
            if name not in known:
                near = get_close_matches(name, known, 1)
                meant = _ELSEWHERE.get(name) or (f"{near[0]}=..." if near else None)
                raise TypeError(
                    f"SessionStore has no argument {name}" + (f": give {meant}" if meant else "")
                )
        init(*args, **named)

    return cast("F", call)


_ELSEWHERE = {
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
"""Where what other libraries take themselves is said here."""


class SessionStore(Verbs[RequestLike, ResponseLike, HasEnviron | HasEnv | HasScope]):
    """Encrypted sessions in cookies: the settings, the verbs, and the gateways that carry them.

    Args:
        secret: one secret or several, each at least 32 random bytes (`python -m sessionkit secret`). The first
            seals, all open.
        lifetime: when sessions end.
        cookie: how cookies are set.
        format: how a session becomes a token.
        audience: tenant or stage; a token of one audience does not exist for another.
        accept: other cookies to take a session from when no cookie of ours is in the request.
        guard: whether a session is that of a signed-in user. None is the format's own, else `has_user`.
        identity: who that user is. None is the format's own, else `subject`.
        login_keys: top-level keys that count as a signed-in user beside the `user` (`("user_id",)`). The default guard and
            the default identity know them, and those of a framework; one that is given does not.
        renews: whether a request counts as activity; by default not prefetches and OPTIONS.
        serializer: JSON; `fast_json()` with the extra `speed`.
        on_event: called with an `Event` when something was refused, ignored or dropped.
        clock: seconds since the epoch.

    Raises:
        ConfigurationError: a setting cannot work; it says which rule and how to mend it.
    """

    __slots__ = ("_importers", "_keys", "_ring", "_serializer", "settings")

    @clears_frames
    @_says_where
    def __init__(
        self,
        secret: str | bytes | Sequence[str | bytes],
        *,
        lifetime: Lifetime | None = None,
        cookie: CookieSettings | None = None,
        format: Format | None = None,
        audience: str = "",
        accept: Sequence[Importer] = (),
        guard: Guard | None = None,
        identity: Identity | None = None,
        login_keys: Sequence[str] = (),
        renews: Callable[[RequestInfo], bool] = is_activity,
        serializer: Serializer = JSON,
        on_event: OnEvent | None = None,
        clock: Clock = time.time,
    ) -> None:
        _see_type("lifetime", lifetime, Lifetime)
        _see_type("cookie", cookie, CookieSettings)
        _see_type("audience", audience, str)
        lifetime = Lifetime() if lifetime is None else lifetime
        cookie = CookieSettings() if cookie is None else cookie
        format = Native() if format is None else format
        if format.traits.read_only:
            raise ConfigurationError(
                f"{format.traits.title} sessions can only be imported: give accept=[Importer({format!r}, until=...)]"
            )
        login_keys = _keys_of(login_keys)
        name = cookie.name or format.cookie_name(host_only=cookie.host_only, secure=cookie.secure)
        traits = format.traits
        priority = traits.priority if cookie.priority == "auto" else cookie.priority
        judges = resolve((guard, identity), (traits.guard, traits.identity), login_keys)
        cookie = replace(cookie, name=name, priority=priority)
        self._keys = format.keys(secret)
        self._ring = KeyRing.shared(secret)
        self._importers = tuple(self._with_keys(one, secret) for one in accept)
        if cookie.secure:
            _refuse_django_default(secret)
            for one in accept:
                _refuse_django_default(one.secret)
        self._serializer = serializer
        make_codec = partial(
            format.codec, self._keys, name=name, audience=audience, lifetime=lifetime
        )
        settings = Settings(
            lifetime=lifetime,
            cookie=cookie,
            format=format,
            codec=make_codec(serializer=serializer),
            serializer=serializer,
            make_codec=make_codec,
            audience=audience,
            guard=judges[0],
            identity=judges[1],
            given=(guard, identity),
            login_keys=login_keys,
            renews=renews,
            on_event=on_event,
            clock=clock,
            barrier_keys=barrier_keys(self._ring, name, audience),
        )
        self.settings: Settings = bind_importers(
            settings, self._importers, (self._keys, self._ring), serializer
        )
        self._warn()

    def _with_keys(
        self, importer: Importer, secret: str | bytes | Sequence[str | bytes]
    ) -> tuple[Importer, Any, KeyRing]:
        """Return an importer with its keys and those of its barrier: the store's, where its secrets have names."""
        own = secret if importer.secret is None else importer.secret
        ring = self._ring if isinstance(own, Mapping) else KeyRing.shared(own)
        return importer, importer.format.keys(own), ring

    @classmethod
    @clears_frames
    def from_env(cls, environ: Mapping[str, str] | None = None, **settings: Any) -> SessionStore:
        """A store from the `SESSIONKIT_*` variables.

        Args:
            environ: the variables; the process's own when None.
            **settings: of `SessionStore`. They win over the variables; `lifetime` and `cookie` field by field, so that
                `lifetime=Lifetime(absolute=3600)` leaves `SESSIONKIT_IDLE` what it is.

        Raises:
            ConfigurationError: a variable is unknown or cannot work (the message names it), or `SESSIONKIT_SECRET` is
                missing.
        """

        def make(values: dict[str, Any]) -> SessionStore:
            if "secret" not in values:
                raise ConfigurationError(
                    "SESSIONKIT_SECRET is not set: `python -m sessionkit secret` makes one"
                )
            return cls(**values)

        return apply_variables(make, os.environ if environ is None else environ, settings)

    def for_audience(self, audience: str) -> SessionStore:
        """The same store for another tenant or stage; the key ring is shared, the tokens are not.

        Args:
            audience: ASCII without NUL; it becomes part of every key.

        Raises:
            ConfigurationError: it cannot be part of a key.
        """
        made = object.__new__(SessionStore)
        settings = self.settings
        make_codec = partial(
            settings.format.codec,
            self._keys,
            name=settings.name,
            audience=audience,
            lifetime=settings.lifetime,
        )
        made._keys, made._ring, made._serializer, made._importers = (
            self._keys,
            self._ring,
            self._serializer,
            self._importers,
        )
        made.settings = bind_importers(
            replace(
                settings,
                audience=audience,
                codec=make_codec(serializer=self._serializer),
                make_codec=make_codec,
                barrier_keys=barrier_keys(self._ring, settings.name, audience),
            ),
            self._importers,
            (self._keys, self._ring),
            self._serializer,
        )
        return made

    def wsgi(self, app: Any, *, exclude: str | Iterable[str] = ()) -> wsgi.SessionMiddleware:
        """Sessions for a WSGI application (PEP 3333).

        Args:
            app: the application.
            exclude: globs of paths without sessions; `*` matches a slash too.
        """
        return wsgi.SessionMiddleware(app, self, exclude=exclude)

    def asgi(
        self, app: Any, *, exclude: str | Iterable[str] = (), origins: Iterable[str] | None = None
    ) -> asgi.SessionMiddleware:
        """Sessions for an ASGI application.

        Args:
            app: the application.
            exclude: globs of paths without sessions; `*` matches a slash too.
            origins: the values of `Origin` from which websockets are accepted, on excluded paths too; None does not look.
        """
        return asgi.SessionMiddleware(app, self, exclude=exclude, origins=origins)

    def begin(self, request: RequestInfo, *, owned: bool = True) -> Exchange:
        """An exchange over a request; nothing is decrypted until a verb asks.

        Args:
            request: the view of the request.
            owned: whether the caller will write what `commit` says into the response.
        """
        return Exchange(self.settings, request, owned=owned)

    @clears_frames
    def exchange(
        self, cookie_header: str | Mapping[str, str] | None = None, **request: Any
    ) -> AbstractContextManager[Exchange]:
        """A request of which there is nothing but a Cookie header: for scripts, jobs and tests.

        The block has it as the current request; at its end it is committed (as a 500 when the block raises),
        and `response_headers` of the exchange holds what a response would carry.

        Args:
            cookie_header: as a browser sends it; or a dict of cookies, as `sessionkit.testing.session_cookies` gives them.
                None is no cookie.
            **request: `method`, `path`, `query`, `scheme` (https by default) and `headers`.

        Returns:
            A context manager that gives the `Exchange`.

        Raises:
            TypeError: it is something else: bytes, an environ, a scope, a request.
        """
        return activated(self.begin(HeaderRequest(as_cookie_header(cookie_header), **request)))

    def _exchange(self, request: RequestInfo | None) -> Exchange | Excluded:
        if request is not None:
            return find_exchange(request, self.settings) or open_unanswered(request, self.settings)
        one = find_open(select_store(iterate_held(get_current()), self.settings))
        if one is None or not one.settings.same_store(self.settings):
            raise NoActiveRequestError(
                f"the current request is served by another store than that of the cookie {self.settings.name!r}"
            )
        return one

    def _warn(self) -> None:
        settings = self.settings
        if settings.cookie.domain is not None or settings.cookie.path != "/":
            logger.warning(
                "the cookie %r is not a __Host- cookie: sibling hosts can plant one in a visitor's browser",
                settings.name,
            )
        if settings.cookie.same_site == "None":
            logger.warning(
                "SameSite=None: every site can send requests with the session; check Origin, on websockets too"
            )
        if settings.lifetime.absolute is None:
            logger.warning("absolute=None: a stolen cookie can be kept alive for ever")

    def __repr__(self) -> str:
        return f"<SessionStore {self.settings.name!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a SessionStore holds keys and does not pickle: build it where it is needed"
        )

    def __copy__(self) -> SessionStore:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SessionStore:
        return self


def _see_type(key: str, value: object, kind: type) -> None:
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(f"{key} must be {kind.__name__}, not {type(value).__name__}")


def _keys_of(given: Sequence[str]) -> tuple[str, ...]:
    keys: tuple[Any, ...] = tuple(given)
    if isinstance(given, str) or not all(isinstance(key, str) and key for key in keys):
        raise ConfigurationError('login_keys must be a sequence of keys, such as ["user_id"]')
    return keys


def _refuse_django_default(
    secret: str | bytes | Sequence[str | bytes] | Mapping[Any, str | bytes] | None,
) -> None:
    if isinstance(secret, Mapping):
        secret = list(secret.values())
    for one in [secret] if isinstance(secret, (str, bytes)) else secret or ():
        if (one if isinstance(one, bytes) else one.encode("utf-8", "replace")).startswith(
            b"django-insecure-"
        ):
            raise ConfigurationError(
                "a secret is the one that django-admin startproject wrote, which is for development: make a real one"
            )
