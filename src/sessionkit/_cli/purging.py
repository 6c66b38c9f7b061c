"""Remove expired sessions from a backend of either kind, a batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from .._exchange.performing import is_async
from .._exchange.settings import Clock
from ..backends import AnyBackend

__all__ = ["purge"]

BATCH = 50
"""Few enough that a login beside the purge does not wait."""


def purge(backend: AnyBackend, clock: Clock, *, limit: int | None) -> Generator[int, None, None]:
    """Remove expired sessions, and yield the number after each batch. At the end the backend is closed.

    Args:
        backend: the backend.
        clock: returns the seconds since the epoch.
        limit: the most sessions to remove; None removes all.

    Raises:
        BackendError: the backend failed.
    """
    ours: Any = backend
    loop = asyncio.new_event_loop() if is_async(backend) else None

    def finish(reply: Any) -> Any:
        return reply if loop is None else loop.run_until_complete(reply)

    left = limit
    try:
        while left is None or left > 0:
            batch = BATCH if left is None else min(BATCH, left)
            removed: int = finish(ours.purge(int(clock()), batch))
            yield removed
            if removed < batch:
                return
            left = None if left is None else left - removed
    finally:
        finish(ours.close() if loop is None else ours.aclose())
        if loop is not None:
            loop.close()
