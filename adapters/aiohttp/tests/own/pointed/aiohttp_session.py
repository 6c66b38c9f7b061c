"""What aiohttp-session's own tests import, over the adapter: its names, and none of its storages."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sessionkit import SessionStore
from sessionkit_aiohttp import get_session, new_session, setup

__all__ = [
    "SESSION_KEY",
    "STORAGE_KEY",
    "AbstractStorage",
    "Session",
    "SimpleCookieStorage",
    "get_session",
    "new_session",
    "session_middleware",
]

SESSION_KEY, STORAGE_KEY = "aiohttp_session", "aiohttp_session_storage"
STORE = SessionStore("aiohttp-session's tests: 0123456789abcdefghijklmnopqrstuvwxyz")


class SimpleCookieStorage:
    """The store stands in its place."""


class AbstractStorage:
    """Imported, and of no use with the adapter."""


class Session:
    """Imported, and of no use with the adapter."""


def session_middleware(storage: object) -> Any:
    """The adapter's middleware, marked: an application that is given it gets the rest of `setup` too."""
    app = web.Application()
    setup(app, STORE)
    (middleware,) = app.middlewares

    @web.middleware
    async def marked(request: web.Request, handler: Any) -> Any:
        return await middleware(request, handler)

    marked.signals = tuple(app.on_response_prepare)
    return marked


made = web.Application.__init__


def init(self: web.Application, *args: Any, middlewares: Any = (), **named: Any) -> None:
    made(self, *args, middlewares=middlewares, **named)
    for middleware in middlewares:
        self.on_response_prepare.extend(getattr(middleware, "signals", ()))


web.Application.__init__ = init  # type: ignore[method-assign]
