"""Websockets. Sanic responds to the handshake before the handler runs, so the session must be saved with the handshake."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from sanic import Request

from sessionkit import Exchange
from sessionkit.adapters import Phase, asettle

from .gateway import SanicGateway
from .requests import SanicRequest

__all__ = ["Sockets"]


class Sockets:
    """The websockets of an application. The methods are handlers of Sanic's signals.

    Args:
        gateway: the application's gateway.
    """

    def __init__(self, gateway: SanicGateway) -> None:
        self.gateway = gateway

    async def on_send(self, data: object) -> None:
        """Put the session into the bytes of a handshake. Sanic sends only these bytes as a buffer, which can be changed."""
        if type(data) is not bytearray or not data.startswith(b"HTTP/1.1 101 "):
            return
        request = Request.get_current()
        exchange = self.gateway.serving(SanicRequest(request))
        if exchange is not None and exchange.phase is Phase.OPEN:
            lines = "".join(
                f"{name}: {value}\r\n" for name, value in await _accept(exchange, request)
            )
            second = data.index(b"\n") + 1
            data[second:second] = lines.encode("latin-1")

    async def on_routed(self, request: Request[Any, Any], handler: object, **_: Any) -> None:
        """Close the session of a websocket for writing under ASGI, where Sanic's handshake sends no headers."""
        exchange = self.gateway.serving(SanicRequest(request))
        is_socket = request.app.asgi and request.scope["type"] == "websocket"
        if exchange is not None and is_socket and hasattr(handler, "is_websocket"):
            await _accept(exchange, request)


async def _accept(exchange: Exchange, request: Request[Any, Any]) -> tuple[tuple[str, str], ...]:
    """Close an exchange, and return the fields of its handshake; from then on the task of the socket can read the session."""
    if exchange.place is not None:
        exchange.place.take_over()
    await asettle(exchange, 101)
    # The application's middleware runs in the task of the request, and the handler in one that Sanic adds later.
    exchange.tasks = _Tasks(exchange.tasks or (), request.app.websocket_tasks)
    return exchange.commit(101).add


class _Tasks(Collection[object]):
    """The tasks that two collections contain now.

    Args:
        parts: the collections.
    """

    def __init__(self, *parts: Collection[object]) -> None:
        self._parts = parts

    def __contains__(self, task: object) -> bool:
        return any(task in part for part in self._parts)

    def __iter__(self) -> Iterator[object]:
        return chain(*self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))
