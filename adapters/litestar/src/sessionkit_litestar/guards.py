"""The guards: for a handler, a controller, a router or the application."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.response import Response

from sessionkit.adapters import Refusal, Refuse, make_hooks

__all__ = ["NotSignedIn", "require_session_api", "require_session_page"]

Connection = ASGIConnection[Any, Any, Any, Any]


class NotSignedIn(HTTPException):
    """The exception that the guards raise. The response is a `Refusal`, unless the application has a handler for it or for its status."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            status_code=refusal.status, detail="Not authenticated", headers=dict(refusal.headers)
        )
        self.refusal = refusal


def _carry(request: Any, error: NotSignedIn) -> Response[bytes]:
    headers = dict(error.refusal.headers)
    media_type = headers.pop("Content-Type")
    return Response(
        error.refusal.body, status_code=error.refusal.status, headers=headers, media_type=media_type
    )


def _check(refuse: Refuse, connection: Connection, handler: BaseRouteHandler) -> None:
    refused = refuse(connection)
    if refused is None:
        return
    if connection.scope["type"] == ScopeType.WEBSOCKET:
        raise WebSocketException(
            detail="not authenticated", code=1008
        )  # "violates its policy" (RFC 6455 section 7.4.1)
    # The exception handlers of this request. Ours is added unless the application has one.
    state: Any = connection._connection_state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as Litestar's own session code does
    state.exception_handlers = {NotSignedIn: _carry, **(state.exception_handlers or {})}
    raise NotSignedIn(refused)


require_session_api, require_session_page = make_hooks(_check)
