"""Threads for blocking backends: those of the event loop's default executor."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from ..backends._fair_semaphores import AsyncFairSemaphore
from ..errors import BackendError
from .unfinished_work import hold

__all__ = ["read_in_thread", "write_in_thread"]

_PATIENCE = 10.0
"""Seconds to wait for a thread. The backend's own time limit counts from the moment in which the thread begins."""

_BUSY = (
    "the session backend is busy: writes of other requests were in every thread of the event loop for {seconds:g} seconds. Look for"
    " what is slow, or for a program that has locked the SQLite file, or take an async backend"
)

_writing: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncFairSemaphore] = WeakKeyDictionary()


async def read_in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of a backend that changes nothing."""
    return await asyncio.to_thread(function, *args)


async def write_in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of a backend that may wait for other writes, in their order. One thread is left to others.

    While an SQLite file is locked, each write waits in its thread. If writes used all threads, then reads would wait too, and
    whatever the application does in threads. If the waiting task is cancelled, the thread is in use until the write has ended.

    Raises:
        BackendError: no thread was free in time.
    """
    loop = asyncio.get_running_loop()
    semaphore = _writing.get(loop)
    if semaphore is None:
        semaphore = _writing[loop] = AsyncFairSemaphore(max(1, _count_threads(loop) - 1))
    if not await semaphore.acquire(_PATIENCE):
        # Otherwise clients that write and hang up would let all others wait for ever.
        raise BackendError(_BUSY.format(seconds=_PATIENCE))
    work = asyncio.ensure_future(asyncio.to_thread(function, *args))
    work.add_done_callback(lambda _: semaphore.release())
    hold(work)
    return await asyncio.shield(work)


def _count_threads(loop: asyncio.AbstractEventLoop) -> int:
    """Return the number of threads of an event loop's default executor."""
    # An application may have set an executor. There is no public way to this.
    own: Any = getattr(loop, "_default_executor", None)
    count: int = getattr(own, "_max_workers", min(32, (os.cpu_count() or 1) + 4))
    return count
