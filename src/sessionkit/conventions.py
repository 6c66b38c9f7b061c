"""What frameworks share: the sessions and settings of Flask and Quart, and dotted settings as configuration files have them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from .cookies import CookieSettings
from .environment import PREFIX
from .events import logger
from .lifetime import FOUR_HUNDRED_DAYS, Lifetime
from .native import LazyContents
from .settings import NativeKeys
from .store import SessionStore

__all__ = ["KEYS", "ConventionalGateway", "ConventionalSession", "store_of", "store_of_dotted", "values_of"]

G = TypeVar("G")

KEYS = NativeKeys(
    login=("_user_id",),  # Flask-Login
    transient=lambda contents: not contents["_permanent"] if "_permanent" in contents else None,
)
"""What is to be known of the sessions of Flask and Quart."""

NAMES = (
    "SECRET_KEY",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_PATH",
    "APPLICATION_ROOT",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_PARTITIONED",
    "PERMANENT_SESSION_LIFETIME",
    "SESSION_REFRESH_EACH_REQUEST",
)

DOTTED = "sessionkit."


def values_of(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values from which a store is made, to see whether they have changed: these frameworks read them at each request."""
    return (*map(config.get, NAMES), *(config.get("SECRET_KEY_FALLBACKS") or ()))


class ConventionalSession(LazyContents):
    """What `session` is in Flask and Quart, for a class that mixes their `SessionMixin` in."""

    @property
    def accessed(self) -> bool:
        """Whether it was looked at; Flask sets it whenever it hands the session out."""
        return self.exchange.looked_at

    @accessed.setter
    def accessed(self, value: bool) -> None: ...

    @property
    def modified(self) -> bool:
        """Whether it differs from what came, nested values included; to set it is allowed and not needed."""
        return self.exchange.changed

    @modified.setter
    def modified(self, value: bool) -> None: ...

    def __getitem__(self, key: str) -> Any:
        """The value; flashed messages as the tuples that the framework puts in."""
        value = super().__getitem__(key)
        return [tuple(cast("Iterable[str]", one)) for one in value] if key == "_flashes" else value


class ConventionalGateway(Generic[G]):
    """The gateway in front of an application; made anew when the application's settings change, as they are read at each request.

    Args:
        config: the application's.
        make: from a store to a gateway.
        store: the store; None for one of those settings.
        settings: of `SessionStore`, instead of what those say.
        for_development: whether a cookie that is not Secure deserves no warning.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        make: Callable[[SessionStore], G],
        *,
        store: SessionStore | None,
        settings: Mapping[str, Any],
        for_development: Callable[[], bool],
    ) -> None:
        self._config, self._make, self._store, self._settings, self._for_development = config, make, store, settings, for_development
        self._made: tuple[object, G | None] = (None, None)

    @property
    def current(self) -> G | None:
        """The gateway; None while there is no secret key."""
        now = (self._store,) if self._store is not None else values_of(self._config)
        before, gateway = self._made
        if now != before:
            store = self._store or store_of(self._config, self._settings, for_development=self._for_development())
            gateway = None if store is None else self._make(store)
            self._made = now, gateway
        return gateway


def store_of(config: Mapping[str, Any], settings: Mapping[str, Any], *, for_development: bool) -> SessionStore | None:
    """A store from the settings of an application.

    A session that does not say so itself is forgotten when the browser closes, as these frameworks have it. With
    `SESSION_REFRESH_EACH_REQUEST` (their default) `PERMANENT_SESSION_LIFETIME` is how long a session may be idle, and
    it ends for good after 400 days, since no browser keeps a cookie longer; without, it is how long a session lives.

    Args:
        config: the application's.
        settings: of `SessionStore`, instead of what `config` says.
        for_development: whether a cookie that is not Secure deserves no warning.

    Returns:
        None while there is no secret.
    """
    secrets: Any = settings.get("secret") or [key for key in (config.get("SECRET_KEY"), *(config.get("SECRET_KEY_FALLBACKS") or ())) if key]
    if not secrets:
        return None
    permanent = config["PERMANENT_SESSION_LIFETIME"]
    seconds = int(permanent.total_seconds()) if isinstance(permanent, timedelta) else permanent
    rolling = config["SESSION_REFRESH_EACH_REQUEST"]
    lifetime = Lifetime(idle=seconds, absolute=max(seconds, FOUR_HUNDRED_DAYS)) if rolling else Lifetime(rolling=False, absolute=seconds)
    name = config["SESSION_COOKIE_NAME"]
    cookie = CookieSettings(
        name=None if name == "session" else name,  # then it is __Host-session where a browser takes it
        path=config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"],
        domain=config["SESSION_COOKIE_DOMAIN"] or None,
        secure=config["SESSION_COOKIE_SECURE"],
        http_only=config["SESSION_COOKIE_HTTPONLY"],
        same_site=config["SESSION_COOKIE_SAMESITE"] or "Lax",
        partitioned=config.get("SESSION_COOKIE_PARTITIONED", False),
        transient=True,
    )
    made: dict[str, Any] = {"secret": secrets, "lifetime": lifetime, "cookie": cookie, **settings}
    store = SessionStore(**made)
    if not (store.settings.cookie.secure or for_development):
        logger.warning("SESSION_COOKIE_SECURE is not set: the session goes over plain http too, and its cookie is no __Host- cookie")
    return store


def store_of_dotted(config: Mapping[str, Any], settings: Mapping[str, Any]) -> SessionStore:
    """A store from dotted settings, which are the `SESSIONKIT_*` variables by another name (`sessionkit.cookie_secure`).

    Pyramid and Bottle read such names from their configuration files. What these do not say the environment may.

    Args:
        config: the application's; what does not begin with `sessionkit.` is not looked at.
        settings: of `SessionStore`, instead of what `config` and the environment say.

    Raises:
        ConfigurationError: one is unknown or malformed (it names the variable), or there is no secret.
    """
    named = {name[len(DOTTED) :]: str(value) for name, value in config.items() if name.startswith(DOTTED)}
    dotted = {PREFIX + name.upper(): value for name, value in named.items()}
    return SessionStore.from_env({**os.environ, **dotted}, **settings)
