"""Encrypted sessions for Litestar: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, overload

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, WebSocketException
from litestar.handlers import BaseRouteHandler
from litestar.response import Response

from sessionkit import get_session
from sessionkit.request import ASGIRequest
from sessionkit.required import Refusal, api_refusal, page_refusal

from .backend import LitestarSession, SessionKitBackend, SessionKitConfig, SessionMiddleware

__all__ = [
    "LitestarSession", "NotSignedIn", "SessionKitBackend", "SessionKitConfig", "SessionMiddleware", "require_session_api",
    "require_session_page",
]  # fmt: skip

Connection = ASGIConnection[Any, Any, Any, Any]


class NotSignedIn(HTTPException):
    """What the guards raise: its answer is a `Refusal`, unless the application has a handler for it or for its status."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(status_code=refusal.status, detail="Not authenticated", headers=dict(refusal.headers))
        self.refusal = refusal


def _carry(request: Any, error: NotSignedIn) -> Response[bytes]:
    headers = dict(error.refusal.headers)
    media_type = headers.pop("Content-Type", "text/plain")
    return Response(error.refusal.body, status_code=error.refusal.status, headers=headers, media_type=media_type)


def require_session_api(connection: Connection, handler: BaseRouteHandler) -> None:
    """A guard for signed-in users: everybody else gets 401 and a JSON body; a websocket is closed (1008)."""
    _guard(connection, api_refusal)


@overload
def require_session_page(connection: Connection, handler: BaseRouteHandler, /) -> None: ...
@overload
def require_session_page(
    *, login_url: str = ..., logout_url: str = ..., default: str = ...
) -> Callable[[Connection, BaseRouteHandler], None]: ...
def require_session_page(connection: Any = None, handler: Any = None, /, **urls: str) -> Any:
    """A guard for pages: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        connection: Litestar's, where the guard is used bare.
        handler: see there.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        _guard(connection, lambda: page_refusal(ASGIRequest(cast("Any", connection.scope)), **urls))

    return guard if connection is None else guard(connection, handler)


def _guard(connection: Connection, refusal: Callable[[], Refusal]) -> None:
    if get_session(connection) is not None:
        return
    if connection.scope["type"] == ScopeType.WEBSOCKET:
        raise WebSocketException(detail="not authenticated", code=1008)  # "violates its policy" (RFC 6455 section 7.4.1)
    # The handlers of this request; ours is there unless the application has one.
    state: Any = connection._connection_state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as Litestar's own session code does
    state.exception_handlers = {NotSignedIn: _carry, **(state.exception_handlers or {})}
    raise NotSignedIn(refusal())
