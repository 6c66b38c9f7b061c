"""The app for `INSTALLED_APPS`. With it, `manage.py check` checks the settings of the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .config import gateway
from .engine import SessionStore
from .middleware import SessionMiddleware

__all__ = ["SessionKitConfig", "check_deployment", "check_settings"]


class SessionKitConfig(AppConfig):
    """The app; it has no models."""

    name = "sessionkit_django"
    verbose_name = "Encrypted sessions"

    def ready(self) -> None:
        """Register the checks."""
        checks.register(check_settings, checks.Tags.security)
        checks.register(check_deployment, checks.Tags.security, deploy=True)


def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Return an error for each setting that keeps sessions from working."""
    found: list[checks.CheckMessage] = []
    try:
        gateway()
    except ImproperlyConfigured as error:
        found.append(
            checks.Error(
                str(error),
                hint="See SESSIONKIT and SESSION_* in the settings.",
                id="sessionkit.E001",
            )
        )
    if not _is(f"{settings.SESSION_ENGINE}.SessionStore", SessionStore):
        found.append(
            checks.Error('SESSION_ENGINE is not "sessionkit_django.engine".', id="sessionkit.E002")
        )
    if not any(_is(path, SessionMiddleware) for path in settings.MIDDLEWARE):
        hint = "Put it where django.contrib.sessions.middleware.SessionMiddleware stands."
        found.append(
            checks.Error(
                '"sessionkit_django.SessionMiddleware" is not in MIDDLEWARE.',
                hint=hint,
                id="sessionkit.E003",
            )
        )
    return found


def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Return a warning for a setting that is not for production (`manage.py check --deploy`)."""
    try:
        secure = gateway().settings.cookie.secure
    except ImproperlyConfigured:
        return []
    hint = "Set SESSION_COOKIE_SECURE = True; it also makes the name __Host-session possible."
    return (
        []
        if secure
        else [
            checks.Warning(
                "The session's cookie goes over plain http too.", hint=hint, id="sessionkit.W001"
            )
        ]
    )


def _is(path: str, kind: type) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, kind)
