"""Encrypted sessions for Starlette: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket

from sessionkit.adapters import (
    ApiDecorator,
    PageDecorator,
    Refusal,
    Refuse,
    ScopeSession,
    api_guard,
    page_guard,
)
from sessionkit.adapters import ScopeSessionMiddleware as SessionMiddleware

__all__ = ["ScopeSession", "SessionMiddleware", "require_session_api", "require_session_page"]


def _guarded(refuse: Refuse, endpoint: Any) -> Any:
    """Guard a function or a method, plain or not, of HTTP or a websocket."""
    if not iscoroutinefunction(endpoint):

        @wraps(endpoint)
        def plain(*args: Any, **named: Any) -> Any:
            try:
                refused = refuse(_connection(endpoint, args, named))
                return endpoint(*args, **named) if refused is None else _carried(refused)
            finally:
                del args, named  # a traceback shows the variables of this frame

        return plain

    @wraps(endpoint)
    async def guarded(*args: Any, **named: Any) -> Any:
        connection = _connection(endpoint, args, named)
        try:
            refused = refuse(connection)
            if refused is None:
                return await endpoint(*args, **named)
            # 1008: "violates its policy" (RFC 6455 section 7.4.1); before it is accepted the client gets a 403.
            return (
                await connection.close(1008)
                if isinstance(connection, WebSocket)
                else _carried(refused)
            )
        finally:
            del args, named, connection  # a traceback shows the variables of this frame

    return guarded


def _connection(
    endpoint: object, args: tuple[Any, ...], named: dict[str, Any]
) -> HTTPConnection[Any]:
    """The request or websocket that an endpoint is called with: in a method it is not the first argument."""
    found: list[HTTPConnection[Any]] = [
        one for one in (*args, *named.values()) if isinstance(one, HTTPConnection)
    ]
    if not found:
        raise TypeError(
            f"{endpoint!r} was called without a request: the guards are for endpoints and their methods"
        )
    return found[0]


def _carried(refused: Refusal) -> Response:
    return Response(refused.body, refused.status, dict(refused.headers))


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
