"""Encrypted sessions for Sanic: `request.ctx.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, cast

from sanic import HTTPResponse, Sanic
from sanic.server.websockets.connection import WebSocketConnection
from sanic.server.websockets.impl import WebsocketImplProtocol

from sessionkit import SessionStore
from sessionkit.adapters import Extension, Refusal, clears_frames, make_guards

from .gateway import SanicGateway, SanicSession
from .sockets import Sockets
from .verbs import (
    create_session,
    delete_session,
    get_exchange,
    get_session,
    rotate_session,
    save_session,
    session_of,
    touch_session,
    update_session,
)

__all__ = [
    "SanicSession", "SessionKit", "create_session", "delete_session", "get_exchange", "get_session", "require_session_api",
    "require_session_page", "rotate_session", "save_session", "session_of", "touch_session", "update_session",
]  # fmt: skip


class SessionKit(Extension[Sanic[Any, Any]]):
    """Sessions for a Sanic application: serves `request.ctx.session`, and the verbs in every form.

    Args:
        app: the application. If it is made elsewhere, leave it out here and call `init_app` there.
        store: the store; without one it is made from the `SESSIONKIT_*` variables.
        exclude: globs of paths without sessions; `*` matches a slash too.
    """

    @clears_frames
    def __init__(
        self,
        app: Sanic[Any, Any] | None = None,
        store: SessionStore | None = None,
        *,
        exclude: str | Iterable[str] = (),
    ) -> None:
        self.exclude = [exclude] if isinstance(exclude, str) else list(exclude)
        super().__init__(app, store=store)

    def _serve(self, app: Sanic[Any, Any]) -> None:
        gateway = SanicGateway(app, self.store or SessionStore.from_env(), self.exclude)
        app.add_signal(gateway.on_request, "http.lifecycle.handle")
        app.add_signal(gateway.on_exception, "http.lifecycle.exception")
        app.add_signal(gateway.on_handled, "http.handler.after")
        cast("Any", app).register_middleware(
            gateway.on_response, "response", priority=sys.maxsize
        )  # the last of them
        app.add_signal(gateway.on_sent, "http.lifecycle.response")
        app.add_signal(gateway.on_close, "http.lifecycle.complete")
        # Sanic has cancelled the requests then. Before the application's own listeners, which may close the backend.
        app.register_listener(gateway.on_stop, "after_server_stop", priority=-sys.maxsize)
        sockets = Sockets(gateway)
        app.add_signal(sockets.on_routed, "http.routing.after")
        app.add_signal(sockets.on_send, "http.lifecycle.send")


def _respond(refusal: Refusal, *args: Any, **_: Any) -> Any:
    for one in args:
        if isinstance(one, (WebSocketConnection, WebsocketImplProtocol)):
            return one.close(1008)  # "violates its policy" (RFC 6455 section 7.4.1)
    return HTTPResponse(refusal.body, refusal.status, dict(refusal.headers))


require_session_api, require_session_page = make_guards(_respond)
