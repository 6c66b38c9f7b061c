"""The store and the gateway of a Django project, made from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from django.conf import global_settings, settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    RequestInfo,
    SessionStore,
    is_activity,
)
from sessionkit.adapters import (
    FrameworkKeys,
    Gateway,
    clears_frames,
    merge_settings,
    name_settings,
)

from .expiry import ends, transient

__all__ = ["gateway", "project_store"]

KEYS = FrameworkKeys(
    login=("_auth_user_id",),  # django.contrib.auth
    dropped=("_csrftoken",),  # CSRF_USE_SESSIONS
    transient=transient,
    ends=ends,
)


COOKIE = {
    "name": "SESSION_COOKIE_NAME",
    "path": "SESSION_COOKIE_PATH",
    "domain": "SESSION_COOKIE_DOMAIN",
    "secure": "SESSION_COOKIE_SECURE",
    "http_only": "SESSION_COOKIE_HTTPONLY",
    "same_site": "SESSION_COOKIE_SAMESITE",
    "transient": "SESSION_EXPIRE_AT_BROWSER_CLOSE",
}
"""The setting of each field of the cookie."""

DEFAULTS = {
    name: getattr(global_settings, name)
    for name in ("SECRET_KEY_FALLBACKS", "SESSION_COOKIE_AGE", *COOKIE.values())
}
"""The default of each setting but `SECRET_KEY` that can keep a store from being made."""


class ProjectGateway(Gateway):
    """The gateway of the project. The middleware awaits the backend or calls it, depending on how Django calls the middleware."""

    awaits = True


@cache
def gateway() -> Gateway:
    """Return the gateway of the project.

    Raises:
        ImproperlyConfigured: a setting cannot work; the message says which one and how to correct it.
    """
    try:
        return ProjectGateway(None, project_store())
    except (ConfigurationError, TypeError) as error:
        raise ImproperlyConfigured(f"sessionkit: {error}") from error


@cache
def project_store() -> SessionStore:
    """Return the store of the project, which knows the users of `django.contrib.auth`.

    Raises:
        ConfigurationError, TypeError: a setting cannot work.
    """
    return _read_settings().for_framework(KEYS)


@clears_frames
def _read_settings() -> SessionStore:
    given: Any = getattr(settings, "SESSIONKIT", {})
    if not isinstance(given, dict):
        raise ConfigurationError(
            'SESSIONKIT must be a dict, such as {"secret": ...} or {"store": ...}'
        )
    asked = cast("dict[str, Any]", given)
    if "store" not in asked:
        config = {name: getattr(settings, name) for name in ("SECRET_KEY", *DEFAULTS)}
        return name_settings(lambda read: _make_store(read, asked), config, DEFAULTS)
    store = asked["store"]
    if len(asked) > 1 or not isinstance(store, SessionStore):
        raise ConfigurationError(
            'SESSIONKIT["store"] must be a SessionStore and stand alone: give the other settings to SessionStore(...)'
        )
    return store


def _make_store(config: Mapping[str, Any], asked: dict[str, Any]) -> SessionStore:
    """Make the store from Django's own settings and those of `SESSIONKIT`."""
    if not isinstance(asked.get("backend"), str):
        return SessionStore(**_with_defaults(config, asked))
    rest = {name: value for name, value in asked.items() if name != "backend"}
    variables = {"SESSIONKIT_BACKEND": asked["backend"]}
    return SessionStore.from_env(variables, **_with_defaults(config, rest))


def _defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the store that follow from Django's own settings.

    `SESSION_COOKIE_AGE` counts from the last write, or, with `SESSION_SAVE_EVERY_REQUEST`, from the last request. The
    absolute limit is 400 days, because no browser keeps a cookie longer.
    """
    path, domain = config["SESSION_COOKIE_PATH"], config["SESSION_COOKIE_DOMAIN"]
    secure, same_site = config["SESSION_COOKIE_SECURE"], config["SESSION_COOKIE_SAMESITE"] or "Lax"
    host_only = bool(secure and path == "/" and not domain)
    named = settings.is_overridden("SESSION_COOKIE_NAME")
    return {
        "secret": [config["SECRET_KEY"], *config["SECRET_KEY_FALLBACKS"]],
        "renews": is_activity if settings.SESSION_SAVE_EVERY_REQUEST else _never,
        "cookie": CookieSettings(
            # None is __Host-session, which a browser guards.
            name=config["SESSION_COOKIE_NAME"] if named or not host_only else None,
            path=path,
            domain=domain or None,
            secure=bool(secure),
            http_only=bool(config["SESSION_COOKIE_HTTPONLY"]),
            # Django takes it in any case.
            same_site=cast("Any", same_site.capitalize())
            if isinstance(same_site, str)
            else same_site,
            transient=config["SESSION_EXPIRE_AT_BROWSER_CLOSE"],
        ),
    }


def _with_defaults(config: Mapping[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the store from Django's own settings, merged with those in `SESSIONKIT`."""
    defaults = _defaults(config)
    cookie = {
        field: getattr(defaults["cookie"], field)
        for field, setting in COOKIE.items()
        if settings.is_overridden(setting)
    }
    return merge_settings(
        defaults,
        asked,
        cookie=cookie,
        idle=config["SESSION_COOKIE_AGE"],
        states_idle=settings.is_overridden("SESSION_COOKIE_AGE"),
    )


def _never(request: RequestInfo, /) -> bool:
    return False


def _forget(**_: Any) -> None:
    """Forget the store and the gateway, because a test has overridden a setting."""
    gateway.cache_clear()
    project_store.cache_clear()


setting_changed.connect(_forget, dispatch_uid="sessionkit_django.config")
