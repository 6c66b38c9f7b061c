"""Let the threads of a process write to an SQLite file one by one, in the order in which they ask.

SQLite lets a writer that waits look again now and then: of many threads that write all the time, one can wait for seconds.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path
from types import TracebackType

from ..errors import BackendError

__all__ = ["Turn", "Turns", "find_turn"]


class Turns:
    """A first-in-first-out lock with a time limit."""

    def __init__(self) -> None:
        """Make a lock that nobody holds."""
        self._changing = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> None:
        """Wait for the turn of this thread.

        Raises:
            BackendError: it has not come within these seconds.
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
        """Give the turn to the thread that has waited longest."""
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
        self.release()  # the turn came too late


class Turn:
    """The turn of one write, as a context manager."""

    def __init__(self, turns: Turns, timeout: float) -> None:
        """Name the lock, and how many seconds to wait for it."""
        self._turns = turns
        self._timeout = timeout

    def __enter__(self) -> None:
        self._turns.acquire(self._timeout)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._turns.release()


_OF_FILES: dict[Path, Turns] = {}

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    # A thread that the child process does not have may hold one.
    os.register_at_fork(after_in_child=_OF_FILES.clear)


def find_turn(path: Path, timeout: float) -> Turn:
    """Return the context manager of a write to this file. All writers of the process share its lock."""
    return Turn(_OF_FILES.setdefault(path, Turns()), timeout)
