"""The store and the gateway of a Django project, made from its settings."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from django.conf import settings
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


class ProjectGateway(Gateway):
    """The gateway of the project; the middleware awaits the backend, or calls it, as Django calls the middleware."""

    awaits = True


@cache
def gateway() -> Gateway:
    """Return the gateway of the project.

    Raises:
        ImproperlyConfigured: a setting cannot work; it says which and how to mend it.
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
    if isinstance(asked.get("backend"), str):
        rest = {name: value for name, value in asked.items() if name != "backend"}
        variables = {"SESSIONKIT_BACKEND": asked["backend"]}
        return SessionStore.from_env(variables, **_with_defaults(rest))
    if "store" not in asked:
        return SessionStore(**_with_defaults(asked))
    store = asked["store"]
    if len(asked) > 1 or not isinstance(store, SessionStore):
        raise ConfigurationError(
            'SESSIONKIT["store"] must be a SessionStore and stand alone: give the other settings to SessionStore(...)'
        )
    return store


def _defaults() -> dict[str, Any]:
    """Return the arguments of the store that follow from Django's own settings.

    `SESSION_COOKIE_AGE` counts from the last write, or, with `SESSION_SAVE_EVERY_REQUEST`, from the last request; a
    session ends for good after 400 days, since no browser keeps a cookie longer.
    """
    name = settings.SESSION_COOKIE_NAME
    path, domain, secure = (
        settings.SESSION_COOKIE_PATH,
        settings.SESSION_COOKIE_DOMAIN,
        settings.SESSION_COOKIE_SECURE,
    )
    host_only = bool(secure and path == "/" and not domain)
    named = settings.is_overridden("SESSION_COOKIE_NAME")
    return {
        "secret": [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
        "renews": is_activity if settings.SESSION_SAVE_EVERY_REQUEST else _never,
        "cookie": CookieSettings(
            name=name if named or not host_only else None,  # __Host-session, which a browser guards
            path=path,
            domain=domain or None,
            secure=bool(secure),
            http_only=bool(settings.SESSION_COOKIE_HTTPONLY),
            same_site=settings.SESSION_COOKIE_SAMESITE or "Lax",
            transient=settings.SESSION_EXPIRE_AT_BROWSER_CLOSE,
        ),
    }


def _with_defaults(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the store that Django's own settings and `SESSIONKIT` say together."""
    defaults = _defaults()
    cookie = {
        field: getattr(defaults["cookie"], field)
        for field, setting in COOKIE.items()
        if settings.is_overridden(setting)
    }
    return merge_settings(
        defaults,
        asked,
        cookie=cookie,
        idle=settings.SESSION_COOKIE_AGE,
        states_idle=settings.is_overridden("SESSION_COOKIE_AGE"),
    )


def _never(request: RequestInfo, /) -> bool:
    return False


def _forget(**_: Any) -> None:
    """Forget the store and the gateway: a test has overridden a setting."""
    gateway.cache_clear()
    project_store.cache_clear()


setting_changed.connect(_forget, dispatch_uid="sessionkit_django.config")
