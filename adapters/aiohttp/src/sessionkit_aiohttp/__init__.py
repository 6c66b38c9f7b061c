"""Encrypted sessions for aiohttp: `await get_session(request)` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from sessionkit import SessionStore
from sessionkit.adapters import FrameworkKeys, Refusal, clears_frames, make_guards

from . import verbs
from .gateway import AiohttpGateway
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


@clears_frames
def setup(app: web.Application, store: SessionStore, *, exclude: str | Iterable[str] = ()) -> None:
    """Serve sessions to an application and those below it.

    Args:
        app: the application; its sub-applications need no setup of their own.
        store: the store.
        exclude: globs of paths without sessions; `*` matches a slash too.
    """
    gateway = AiohttpGateway(app, store, exclude=exclude, framework=KEYS)
    app.middlewares.insert(0, gateway.serve)
    app.on_response_prepare.append(gateway.prepare)
    # Before the application's own, which may close the backend.
    app.on_cleanup.insert(0, gateway.on_cleanup)


def _respond(refusal: Refusal, *_: Any) -> web.Response:
    return web.Response(status=refusal.status, headers=refusal.headers, body=refusal.body)


require_session_api, require_session_page = make_guards(_respond, is_async=lambda _: True)
