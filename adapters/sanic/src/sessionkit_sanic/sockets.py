"""Saves a session with the handshake of a websocket, which Sanic answers before the handler runs."""

from __future__ import annotations

from typing import Any

from sanic import Request

from sessionkit import Exchange
from sessionkit.adapters import Phase

from .carriers import SanicRequest
from .front import Front

__all__ = ["Sockets"]


class Sockets:
    """The websockets of an application; the methods are for Sanic's signals.

    Args:
        front: the application's gateway.
    """

    def __init__(self, front: Front) -> None:
        self.front = front

    async def sending(self, data: object) -> None:
        """Bytes are about to be sent. Those of a handshake alone are a buffer, which takes what is put into it here."""
        if type(data) is not bytearray or not data.startswith(b"HTTP/1.1 101 "):
            return
        request = Request.get_current()
        exchange = self.front.serving(SanicRequest(request))
        if exchange is not None and exchange.phase is Phase.OPEN:
            lines = "".join(f"{name}: {value}\r\n" for name, value in _accepted(exchange, request))
            second = data.index(b"\n") + 1
            data[second:second] = lines.encode("latin-1")

    async def routed(self, request: Request[Any, Any], handler: object, **_: Any) -> None:
        """Under ASGI Sanic's handshake takes no headers: a session is closed to writing before anybody tries."""
        exchange = self.front.serving(SanicRequest(request))
        if exchange is not None and request.app.asgi and hasattr(handler, "is_websocket"):
            _accepted(exchange, request)


def _accepted(exchange: Exchange, request: Request[Any, Any]) -> tuple[tuple[str, str], ...]:
    """What goes out with a handshake; from then on the session is read, by the task that serves the socket."""
    exchange.tasks = request.app.websocket_tasks
    return exchange.commit(101).add
