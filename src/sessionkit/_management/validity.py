"""Ask the backend again whether the session of a request is valid."""

from __future__ import annotations

from .._exchange.exchange import Exchange
from .._exchange.operations import Load
from ..backends import Record
from .steps import Steps

__all__ = ["check_alive"]


def check_alive(exchange: Exchange) -> Steps[bool]:
    """Check again whether the session of a request is valid, and drop it if not. Without a backend, only its expiry is checked.

    Args:
        exchange: the request's exchange.
    """
    if not exchange.looked_at:
        exchange.get()
    server = exchange.server
    current = None if server is None else server.current
    if current is not None:
        # Another request may have moved the expiry, so the record is loaded before the times are checked.
        record: Record | None = yield Load(current.key, current.owner)
        exchange.refresh(record)
    return exchange.get() is not None
