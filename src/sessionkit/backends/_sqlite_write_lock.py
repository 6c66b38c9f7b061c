"""The write lock of an SQLite file: the threads of a process write one by one, in the order in which they ask.

A waiting writer of SQLite only polls. If many threads write without a pause, one of them can wait for seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ._turns import Turn, Turns

__all__ = ["find_write_lock"]

_OF_FILES: dict[Path, Turns] = {}

_BUSY = (
    "the session backend is busy: other threads of this process write to the SQLite file all the time. Use"
    " fewer threads, or a database server"
)


def find_write_lock(path: Path, limit: Callable[[], float]) -> Turn:
    """Return the write lock of a file, which all threads of the process share.

    Args:
        path: the file, as an absolute path.
        limit: returns how many seconds to wait for the lock at most.
    """
    turns = _OF_FILES.get(path) or _OF_FILES.setdefault(path, Turns(1))
    return Turn(turns, limit, _BUSY)
