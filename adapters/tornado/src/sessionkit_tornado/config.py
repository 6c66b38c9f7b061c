"""The store and the gateway of an application, made from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

from tornado.web import Application

from sessionkit import ConfigurationError, SessionStore
from sessionkit.adapters import FrameworkKeys, Gateway, check_store, clears_frames

__all__ = ["gateway_of"]


class TornadoGateway(Gateway):
    """The gateway of an application, whose handlers await a backend."""

    call = "Application(handlers, sessionkit=store)"
    awaits = True


_gateways: WeakKeyDictionary[Application, tuple[object, Gateway]] = WeakKeyDictionary()


@clears_frames
def gateway_of(application: Application) -> Gateway:
    """Return the gateway of an application; a new one when its settings have changed.

    Raises:
        ConfigurationError: there is neither a store nor a secret to make one from, or the secret is too weak.
        TypeError: the setting `sessionkit` is not a store.
    """
    settings = application.settings
    given: Any = settings.get("sessionkit") or (
        settings.get("cookie_secret"),
        settings.get("key_version"),
    )
    known = _gateways.get(application)
    if known is not None and known[0] == given:
        return known[1]
    if isinstance(given, tuple):
        store = SessionStore(_secrets_of(settings))
    else:
        check_store(given, TornadoGateway.call)
        store = given
    gateway = TornadoGateway(application, store, framework=FrameworkKeys())
    _gateways[application] = given, gateway
    return gateway


def _secrets_of(settings: Mapping[str, Any]) -> list[str | bytes]:
    """Return the secrets of `cookie_secret`: one secret, or those of all versions, with that of `key_version` first."""
    secret = settings.get("cookie_secret")
    if not secret:
        raise ConfigurationError(
            "no session store: give the application a setting, sessionkit=SessionStore(...), or a cookie_secret"
        )
    if not isinstance(secret, dict):
        return [secret]
    versions = cast("dict[int, str | bytes]", secret)
    current = settings.get("key_version")
    if current not in versions:
        raise ConfigurationError(
            "cookie_secret is a dict: the setting key_version must name the one that seals"
        )
    return [versions[current], *(one for version, one in versions.items() if version != current)]
