"""The sessions of the project for applications that Django does not serve, such as the consumers of Channels."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from django.conf import settings

from sessionkit.adapters import ASGIRequest, find_serving
from sessionkit.asgi import Receive, Scope, Send, SessionMiddleware

from .config import gateway

__all__ = ["asgi"]


def asgi(
    app: Any, *, exclude: str | Iterable[str] = (), origins: Iterable[str] | None = None
) -> SessionMiddleware:
    """Put the sessions of the project around an ASGI application, such as the `ProtocolTypeRouter` of Channels.

    Consumers find the session in `scope["session"]`, with or without `AuthMiddlewareStack`, which takes `scope["user"]` from
    this session. A change is saved if it is made before the websocket is accepted, or before the response starts.

    Args:
        app: the application; Django's own (`get_asgi_application()`) may be in it.
        exclude: globs of paths that have no session.
        origins: the values of `Origin` from which websockets are accepted; None accepts all.

    Raises:
        ImproperlyConfigured: a setting cannot work.
    """
    engine: Any = import_module(settings.SESSION_ENGINE).SessionStore

    async def with_session(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = find_serving(ASGIRequest(scope))
        if exchange is not None:
            scope["session"] = engine(exchange=exchange)
        await app(scope, receive, send)

    return SessionMiddleware(with_session, gateway(), exclude=exclude, origins=origins)
