"""The write lock of an SQLite file: the threads of a process write one by one, in the order in which they ask.

A waiting writer of SQLite only polls. If many threads write without a pause, one of them can wait for seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ._fair_semaphores import FairSemaphore, Permit

__all__ = ["BUSY", "find_write_lock"]

_SHARE = 0.1
"""The part of its time for which a process that writes all the time leaves the file to other processes."""

_LOOKING = 0.005
"""Seconds after which a writer of another process has looked at the file. SQLite polls, at most this long apart."""

_LONGEST = 30.0
"""Seconds after which the lock has no holder any more: a signal handler has raised an exception just when its release began."""


class WriteLock(FairSemaphore):
    """The lock of the writers of a process, which they hold one at a time, in the order in which they ask.

    Other processes only poll. If this one had no pause, they would miss most of the moments in which the file is free. On a
    slow disk some of their writers would wait for too long.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._began = self._ended = 0.0

    def acquire(self, seconds: float) -> bool:
        """Take the lock, after a pause if the write before was long and has just ended."""
        if not super().acquire(seconds):
            self._end_lost_turn()
            return False
        try:
            pause = min((self._ended - self._began) * _SHARE, _LOOKING)
            left = self._ended + pause - time.monotonic()
            if left > 0.001:  # less takes longer than it says
                time.sleep(left)
            self._began = time.monotonic()
        except BaseException:  # of a signal handler
            super().release()
            raise
        return True

    def _end_lost_turn(self) -> None:
        # A slow writer may also hold it for so long. Then two write at once for a while, and SQLite has them take turns.
        now = time.monotonic()
        if now - self._began > _LONGEST:
            self._began = now  # those who wait now release it once
            super().release()

    def release(self) -> None:
        """Release the lock."""
        try:
            self._ended = time.monotonic()
        finally:  # a signal handler may raise an exception: now, or in a call of `super`
            FairSemaphore.release(self)


_OF_FILES: dict[str, WriteLock] = {}

BUSY = (
    "the session backend is busy: other threads of this process write to the SQLite file all the time, or wait for another"
    " process that has locked it. Use fewer threads, or a database server, or look for a program that keeps the file open"
)
"""The text of the error for a write that has waited too long for other writes of its process."""


def find_write_lock(path: Path, limit: Callable[[], float]) -> Permit:
    """Return the write lock of a file, which all threads of the process share.

    Args:
        path: the file, as an absolute path. It may be a symbolic link to the file.
        limit: returns how many seconds to wait for the lock at most.
    """
    name = _resolve(path)
    semaphore = _OF_FILES.get(name) or _OF_FILES.setdefault(name, WriteLock())
    return Permit(semaphore, limit, BUSY)


@lru_cache
def _resolve(path: Path) -> str:
    return os.path.realpath(path)
