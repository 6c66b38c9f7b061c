"""A store from an application's settings: those that Flask and Quart give their own sessions, and dotted ones as files have them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .cookies import CookieSettings
from .environment import PREFIX
from .events import logger
from .lifetime import FOUR_HUNDRED_DAYS, Lifetime
from .store import SessionStore

__all__ = ["store_of", "store_of_dotted", "values_of"]

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
