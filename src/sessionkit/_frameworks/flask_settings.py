"""The settings of Flask and Quart: a store made from an application's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from .._cookies.settings import CookieSettings
from .._session.events import logger
from .._session.lifetime import Lifetime
from .._session.tracebacks import clears_frames
from ..store import SessionStore
from .merged_settings import merge_settings, name_settings

__all__ = ["complete_config", "read_values", "store_from_config"]

COOKIE = {
    "name": ("SESSION_COOKIE_NAME", "session"),
    "path": ("SESSION_COOKIE_PATH", None),
    "domain": ("SESSION_COOKIE_DOMAIN", None),
    "secure": ("SESSION_COOKIE_SECURE", False),
    "http_only": ("SESSION_COOKIE_HTTPONLY", True),
    "same_site": ("SESSION_COOKIE_SAMESITE", None),
    "partitioned": ("SESSION_COOKIE_PARTITIONED", False),
}
"""The setting of each field of the cookie, and its default in these frameworks."""

NAMES = (
    "SECRET_KEY",
    "APPLICATION_ROOT",
    "PERMANENT_SESSION_LIFETIME",
    "SESSION_REFRESH_EACH_REQUEST",
    *(setting for setting, _ in COOKIE.values()),
)
"""The settings that a store is made from, beside `SECRET_KEY_FALLBACKS`."""

PERMANENT = timedelta(days=31)
"""The default of `PERMANENT_SESSION_LIFETIME`."""

DEFAULTS = {
    "SECRET_KEY_FALLBACKS": None,
    "APPLICATION_ROOT": "/",
    "PERMANENT_SESSION_LIFETIME": PERMANENT,
    "SESSION_REFRESH_EACH_REQUEST": True,
    **dict(COOKIE.values()),
}
"""The default of each setting but `SECRET_KEY`."""


def read_values(app: Any) -> tuple[Any, ...]:
    """Return all values from which a store is made, to notice a changed setting. These frameworks read their settings at each request.

    Args:
        app: the application. A subclass of the user may set the two settings that the application has as attributes.
    """
    config = app.config
    return (
        *map(config.get, NAMES),
        *(config.get("SECRET_KEY_FALLBACKS") or ()),
        getattr(app, "secret_key", None),
        getattr(app, "permanent_session_lifetime", None),
    )


def complete_config(app: Any) -> Mapping[str, Any]:
    """Return the configuration of an application with the settings that the application has as attributes."""
    attributes = {
        name: getattr(app, name.lower())
        for name in ("SECRET_KEY", "PERMANENT_SESSION_LIFETIME")
        if hasattr(app, name.lower())
    }
    return {**app.config, **attributes}


@clears_frames
def store_from_config(
    config: Mapping[str, Any], settings: Mapping[str, Any], *, for_development: bool
) -> SessionStore | None:
    """Make a store from the configuration of an application.

    As in these frameworks, the browser forgets the cookie when it closes, unless the session is permanent. With
    `SESSION_REFRESH_EACH_REQUEST` (their default), `PERMANENT_SESSION_LIFETIME` is the idle limit, and the absolute limit is
    400 days, because no browser keeps a cookie longer. Without it, `PERMANENT_SESSION_LIFETIME` is the absolute limit.

    Args:
        config: the application's configuration.
        settings: arguments of `SessionStore`, which win over `config`; a lifetime and cookie settings do so field by field.
        for_development: whether to log no warning about a cookie that is not Secure.

    Returns:
        The store, or None while there is no secret.

    Raises:
        ConfigurationError: a setting cannot work. The message names it.
    """
    store = name_settings(lambda read: _make_store(read, settings), config, DEFAULTS)
    if not (store is None or store.settings.cookie.secure or for_development):
        logger.warning(
            "SESSION_COOKIE_SECURE is not set: the session goes over plain http too, and its cookie is not a __Host- cookie. Set it to"
            " True in production"
        )
    return store


def _make_store(config: Mapping[str, Any], settings: Mapping[str, Any]) -> SessionStore | None:
    secrets: Any = settings.get("secret") or [
        key
        for key in (config.get("SECRET_KEY"), *(config.get("SECRET_KEY_FALLBACKS") or ()))
        if key
    ]
    if not secrets:
        return None
    permanent = config["PERMANENT_SESSION_LIFETIME"]
    seconds = int(permanent.total_seconds()) if isinstance(permanent, timedelta) else permanent
    name = config["SESSION_COOKIE_NAME"]
    same_site: Any = config["SESSION_COOKIE_SAMESITE"] or "Lax"
    cookie = CookieSettings(
        # The frameworks' default name becomes `__Host-session` if browsers accept this prefix.
        name=None if name == "session" else name,
        path=config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"],
        domain=config["SESSION_COOKIE_DOMAIN"] or None,
        secure=config["SESSION_COOKIE_SECURE"],
        http_only=config["SESSION_COOKIE_HTTPONLY"],
        # These frameworks take it in any case.
        same_site=cast("Any", same_site.capitalize()) if isinstance(same_site, str) else same_site,
        partitioned=config.get("SESSION_COOKIE_PARTITIONED", False),
        transient=True,
    )
    stated = {
        field: getattr(cookie, field)
        for field, (setting, default) in COOKIE.items()
        if config.get(setting, default) != default
    }
    # By default, the path is the root of the application, and a session is not permanent.
    stated |= {"path": cookie.path, "transient": True}
    made: dict[str, Any] = {"secret": secrets, "cookie": cookie}
    idle: int | None = seconds
    if not config["SESSION_REFRESH_EACH_REQUEST"]:
        given, idle = settings.get("lifetime"), None
        fields: dict[str, Any] = dict(given.given) if isinstance(given, Lifetime) else {}
        # A lifetime for which an idle limit is passed is rolling.
        fields = {"rolling": "idle" in fields, "absolute": seconds, **fields}
        made["lifetime"] = Lifetime(**fields)
        if isinstance(given, Lifetime):
            settings = {**settings, "lifetime": made["lifetime"]}
    return SessionStore(
        **merge_settings(
            made, settings, cookie=stated, idle=idle, states_idle=permanent != PERMANENT
        )
    )
