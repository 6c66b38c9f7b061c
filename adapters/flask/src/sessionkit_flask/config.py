"""A store from Flask's own settings."""

from __future__ import annotations

import logging
from typing import Any, cast

from flask import Flask

from sessionkit import CookieSettings, Lifetime, SessionStore

__all__ = ["settings_of", "store_of"]

LONGEST = 400 * 86_400
"""Seconds: browsers keep no cookie longer (RFC 6265bis section 5.5), so that a session that rolls has an end too."""

logger = logging.getLogger("sessionkit")


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


def settings_of(app: Flask) -> tuple[Any, ...]:
    """The values from which a store is made, to see whether they have changed."""
    config = cast("dict[str, Any]", app.config)
    return (*map(config.get, NAMES), *(config.get("SECRET_KEY_FALLBACKS") or ()))


def store_of(app: Flask, settings: dict[str, Any]) -> SessionStore | None:
    """A store from the settings of an application, those given on top; None while there is no `SECRET_KEY`.

    A session that does not say `session.permanent` is forgotten when the browser closes, as Flask has it. With
    `SESSION_REFRESH_EACH_REQUEST` (Flask's default) `PERMANENT_SESSION_LIFETIME` is how long a session may be idle,
    else how long it lives.
    """
    config = cast("dict[str, Any]", app.config)
    secrets: Any = settings.get("secret") or [key for key in (app.secret_key, *(config.get("SECRET_KEY_FALLBACKS") or ())) if key]
    if not secrets:
        return None
    seconds = int(app.permanent_session_lifetime.total_seconds())
    rolling = config["SESSION_REFRESH_EACH_REQUEST"]
    lifetime = Lifetime(idle=seconds, absolute=max(seconds, LONGEST)) if rolling else Lifetime(rolling=False, absolute=seconds)
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
    if not (cookie.secure or app.debug or app.testing):
        logger.warning("SESSION_COOKIE_SECURE is not set: the session goes over plain http too, and its cookie is no __Host- cookie")
    found: dict[str, Any] = {"secret": secrets, "lifetime": lifetime, "cookie": cookie}
    return SessionStore(**(found | settings))
