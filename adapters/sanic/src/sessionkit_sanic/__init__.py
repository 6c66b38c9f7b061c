"""Encrypted sessions for Sanic: `request.ctx.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any, cast

from sanic import HTTPResponse, Request, Sanic
from sanic.server.websockets.connection import WebSocketConnection
from sanic.server.websockets.impl import WebsocketImplProtocol

from sessionkit import SessionStore
from sessionkit.adapters import (
    ApiDecorator,
    Extension,
    PageDecorator,
    Refuse,
    api_guard,
    check_app,
    page_guard,
)

from .front import Front, SanicSession
from .sockets import Sockets
from .verbs import (
    create_session,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    touch_session,
    update_session,
)

__all__ = [
    "SanicSession", "SessionKit", "create_session", "delete_session", "get_exchange", "get_session", "require_session_api",
    "require_session_page", "rotate_session", "touch_session", "update_session",
]  # fmt: skip


class SessionKit(Extension[Sanic[Any, Any]]):
    """Sessions for a Sanic application: serves `request.ctx.session`, and the verbs in every form.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made of the `SESSIONKIT_*` variables.
        exclude: globs of paths without sessions; `*` matches a slash too.
    """

    def __init__(
        self,
        app: Sanic[Any, Any] | None = None,
        *,
        store: SessionStore | None = None,
        exclude: str | Iterable[str] = (),
    ) -> None:
        self.exclude = [exclude] if isinstance(exclude, str) else list(exclude)
        super().__init__(app, store=store)

    def init_app(self, app: Sanic[Any, Any]) -> None:
        """Serve an application; one object can serve several."""
        check_app(app, self.call)
        front = Front(app, self.store or SessionStore.from_env(), self.exclude)
        app.add_signal(front.begun, "http.lifecycle.handle")
        app.add_signal(front.handled, "http.handler.after")
        cast("Any", app).register_middleware(
            front.streamed, "response", priority=sys.maxsize
        )  # the last of them
        app.add_signal(front.answered, "http.lifecycle.response")
        app.add_signal(front.closed, "http.lifecycle.complete")
        sockets = Sockets(front)
        app.add_signal(sockets.routed, "http.routing.after")
        app.add_signal(sockets.sending, "http.lifecycle.send")


def _guarded(refuse: Refuse, handler: Any) -> Any:
    def refused(args: tuple[Any, ...]) -> Any:
        # The request is the first argument, or the second of a method.
        answer = refuse(next(cast("Any", arg) for arg in args if isinstance(arg, Request)))
        if answer is None:
            return None
        socket = next(
            (arg for arg in args if isinstance(arg, (WebSocketConnection, WebsocketImplProtocol))),
            None,
        )
        if socket is not None:
            return socket.close(1008)  # "violates its policy" (RFC 6455 section 7.4.1)
        return HTTPResponse(answer.body, answer.status, dict(answer.headers))

    @wraps(handler)
    def guarded(*args: Any, **named: Any) -> Any:
        return refused(args) or handler(*args, **named)

    @wraps(handler)
    async def guarded_async(*args: Any, **named: Any) -> Any:
        no = refused(args)
        if no is None:
            return await handler(*args, **named)
        return await no if isawaitable(no) else no

    return guarded_async if iscoroutinefunction(handler) else guarded


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
