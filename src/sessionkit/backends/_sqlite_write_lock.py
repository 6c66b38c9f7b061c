"""The write lock of an SQLite file: the threads of a process write one by one, in the order in which they ask.

A waiting writer of SQLite only polls. If many threads write without a pause, one of them can wait for seconds.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from ..errors import BackendError

__all__ = ["FairLock", "WriteLock", "find_write_lock"]


class FairLock:
    """A first-in-first-out lock with a time limit."""

    def __init__(self) -> None:
        """Make a lock that nobody holds."""
        self._changing = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> None:
        """Acquire the lock; wait while other threads hold it or have asked for it earlier.

        Args:
            timeout: how many seconds to wait.

        Raises:
            BackendError: the lock was not free in time.
        """
        with self._changing:
            if not self._is_held:
                self._is_held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        is_ours = False
        try:
            is_ours = ticket.acquire(timeout=timeout)
        finally:
            if not is_ours:
                self._give_up(ticket)
        if not is_ours:
            raise BackendError(
                "the session backend is busy: other threads of this process write to the SQLite file all the time. Use"
                " fewer threads, or a database server"
            )

    def release(self) -> None:
        """Release the lock, or hand it to the thread that has waited longest."""
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False

    def _give_up(self, ticket: threading.Lock) -> None:
        with self._changing:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return
        self.release()  # the lock was handed to this thread too late


class WriteLock:
    """A context manager that holds a lock during one write."""

    def __init__(self, lock: FairLock, limit: Callable[[], float]) -> None:
        """Name the lock, and what returns the seconds to wait for it."""
        self._lock = lock
        self._limit = limit

    def __enter__(self) -> None:
        self._lock.acquire(self._limit())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()


_OF_FILES: dict[Path, FairLock] = {}

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    # A lock may be held by a thread that does not exist in the child process.
    os.register_at_fork(after_in_child=_OF_FILES.clear)


def find_write_lock(path: Path, limit: Callable[[], float]) -> WriteLock:
    """Return the write lock of a file, which all threads of the process share.

    Args:
        path: the file, as an absolute path.
        limit: returns how many seconds to wait for the lock at most.
    """
    return WriteLock(_OF_FILES.setdefault(path, FairLock()), limit)
