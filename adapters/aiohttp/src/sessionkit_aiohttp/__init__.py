"""Encrypted sessions for aiohttp: `await get_session(request)` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from typing import Any

from aiohttp import web

from sessionkit import SessionStore
from sessionkit.adapters import (
    ApiDecorator,
    FrameworkKeys,
    PageDecorator,
    Refuse,
    api_guard,
    page_guard,
)

from . import verbs
from .front import Front
from .session import AiohttpSession, get_session, new_session

__all__ = [
    "AiohttpSession",
    "get_session",
    "new_session",
    "require_session_api",
    "require_session_page",
    "setup",
    "verbs",
]

KEYS = FrameworkKeys(login=("AIOHTTP_SECURITY",))  # aiohttp-security's identity


def setup(app: web.Application, store: SessionStore, *, exclude: str | Iterable[str] = ()) -> None:
    """Serve sessions to an application and those below it.

    Args:
        app: the application; its sub-applications need no setup of their own.
        store: the store.
        exclude: globs of paths without sessions; `*` matches a slash too.
    """
    front = Front(app, store, exclude=exclude, framework=KEYS)
    app.middlewares.insert(0, front.serve)
    app.on_response_prepare.append(front.prepare)


def _guarded(refuse: Refuse, handler: Any) -> Any:
    @wraps(handler)
    async def guarded(*args: Any) -> Any:
        # of a function, of a method of some object, of a web.View
        request = args[-1].request if isinstance(args[-1], web.View) else args[-1]
        try:
            refused = refuse(request)
            if refused is None:
                return await handler(*args)
        finally:
            del args, request  # a traceback shows the variables of this frame
        return web.Response(status=refused.status, headers=refused.headers, body=refused.body)

    return guarded


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
