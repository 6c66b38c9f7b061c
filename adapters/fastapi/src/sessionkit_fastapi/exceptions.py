"""The exceptions that the guards raise."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, WebSocketException
from fastapi.requests import HTTPConnection
from fastapi.responses import Response

from sessionkit.adapters import Refusal

__all__ = ["NotSignedIn", "make_exception"]


class NotSignedIn(HTTPException):
    """The exception that the guards raise. The response is a `Refusal`, unless the application handles the exception or its status."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status, "Not authenticated", dict(refusal.headers))
        self.refusal = refusal


def make_exception(refusal: Refusal, request: HTTPConnection) -> Exception:
    """Return the exception whose response is a refusal. For a websocket, it closes the connection, which refuses the handshake."""
    if request.scope["type"] == "websocket":
        return WebSocketException(
            1008, "not authenticated"
        )  # "violates its policy" (RFC 6455 section 7.4.1)
    # Starlette looks up handlers here. Ours is found at the route, so the response passes through every middleware.
    handlers, _ = request.scope.get("starlette.exception_handlers", ({}, {}))
    handlers.setdefault(NotSignedIn, _carry)
    return NotSignedIn(refusal)


async def _carry(request: Any, error: NotSignedIn) -> Response:
    return Response(error.refusal.body, error.refusal.status, dict(error.refusal.headers))
