"""Fair semaphores: users of something scarce, such as the connections of a pool, get it in the order in which they ask.

The pools of SQLAlchemy and of redis-py give a connection that becomes free to whoever asks first after that. Under load, new
users overtake the waiting ones all the time, and some wait until their time limit, although each use takes only milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from weakref import WeakSet

from ..errors import BackendError

__all__ = ["AsyncFairSemaphore", "AsyncPermit", "FairSemaphore", "Permit"]


class FairSemaphore:
    """A first-in-first-out semaphore for threads, with a time limit."""

    def __init__(self, count: int) -> None:
        """Let this many threads have a permit at the same time."""
        self._count = count
        self.reset()
        _every.add(self)

    def reset(self) -> None:
        """Forget all users. A child process does this, because the threads of its parent do not exist in it."""
        self._changing = threading.Lock()
        self._free = self._count
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, seconds: float) -> bool:
        """Take a permit; wait while there is none, or while threads wait that asked earlier.

        Args:
            seconds: how long to wait.

        Returns:
            Whether the thread has a permit. If it has none, the time is over.
        """
        ticket = threading.Lock()
        ticket.acquire()
        has_asked = has_begun = False
        try:
            with self._changing:
                if self._free:
                    self._free -= 1
                    has_begun = True
                else:
                    has_asked = True
                    self._waiting.append(ticket)
            if has_asked:
                has_begun = ticket.acquire(timeout=seconds)
        except BaseException:  # of a signal handler, or because a greenlet is killed
            if has_begun:
                self.release()
            elif has_asked:
                self._give_up(ticket)
            raise
        if not has_begun:
            self._give_up(ticket)
        return has_begun

    def release(self) -> None:
        """Give a permit back, or hand it to the thread that has waited longest."""
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            elif self._free < self._count:
                self._free += 1

    def _give_up(self, ticket: threading.Lock) -> None:
        with self._changing:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return
        self.release()  # this thread was handed its permit too late


_every: WeakSet[FairSemaphore] = WeakSet()


def _reset_all() -> None:  # pragma: no cover - coverage does not see the end of a child process
    for one in list(_every):
        one.reset()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_reset_all)


class Permit:
    """A context manager that has a permit of a semaphore during its `with` block. Several threads can enter it."""

    def __init__(self, semaphore: FairSemaphore, limit: Callable[[], float], too_late: str) -> None:
        """Name the semaphore.

        Args:
            semaphore: the semaphore.
            limit: returns how many seconds to wait at most.
            too_late: the text of the `BackendError` that is raised after that.
        """
        self._semaphore = semaphore
        self._limit = limit
        self._too_late = too_late

    def __enter__(self) -> None:
        if not self._semaphore.acquire(self._limit()):
            raise BackendError(self._too_late)

    def __exit__(self, *error: object) -> None:
        self._semaphore.release()


class AsyncFairSemaphore:
    """A first-in-first-out semaphore for the tasks of one event loop, with a time limit.

    `asyncio.Semaphore` is unfair in early versions of Python 3.10.
    """

    def __init__(self, count: int) -> None:
        """Let this many tasks have a permit at the same time."""
        self._free = count
        self._waiting: deque[asyncio.Future[bool]] = deque()

    async def acquire(self, seconds: float) -> bool:
        """Take a permit, as `FairSemaphore.acquire` does."""
        if self._free:
            self._free -= 1
            return True
        loop = asyncio.get_running_loop()
        ticket: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(ticket)
        alarm = loop.call_later(seconds, _settle, ticket, False)
        try:
            return await ticket
        except asyncio.CancelledError:
            if not ticket.cancelled() and ticket.result():
                self.release()  # it was handed over in the moment in which the task was cancelled
            raise
        finally:
            alarm.cancel()

    def release(self) -> None:
        """Give a permit back, or hand it to the task that has waited longest."""
        while self._waiting:
            if _settle(self._waiting.popleft(), True):
                return
        self._free += 1


def _settle(ticket: asyncio.Future[bool], is_ours: bool) -> bool:
    """Tell a waiting task whether it has a permit; return whether it still waited."""
    if ticket.done():
        return False
    ticket.set_result(is_ours)
    return True


class AsyncPermit:
    """An async context manager that has a permit during its `async with` block, as `Permit` has. Several tasks can enter it."""

    def __init__(
        self, semaphore: AsyncFairSemaphore, limit: Callable[[], float], too_late: str
    ) -> None:
        self._semaphore = semaphore
        self._limit = limit
        self._too_late = too_late

    async def __aenter__(self) -> None:
        if not await self._semaphore.acquire(self._limit()):
            raise BackendError(self._too_late)

    async def __aexit__(self, *error: object) -> None:
        self._semaphore.release()
