"""No connection to an SQLite file crosses a fork.

SQLite keeps locks in the memory of the process. In a child that is made while another thread is in a call, they would be locked
for ever.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Protocol
from weakref import WeakSet

__all__ = ["suspend_at_forks"]


class Suspendable(Protocol):
    """The connections of a backend."""

    def suspend(self) -> threading.Lock:
        """Close every connection; open no other until the lock that is returned is released."""
        ...


_every: WeakSet[Suspendable] = WeakSet()
_forking: Any = threading.RLock()
_suspended: list[threading.Lock] = []


def suspend_at_forks(connections: Suspendable) -> None:
    """Have connections closed before each fork. Both processes open new ones when they need them.

    Args:
        connections: the connections of a backend.
    """
    with _forking:
        _every.add(connections)


def _suspend_all() -> None:
    _forking.acquire()
    _suspended.extend(one.suspend() for one in list(_every))


def _resume_all() -> None:
    # Otherwise an exception has ended the wait for it (of a signal handler, or because a greenlet was killed): another thread forks.
    if not _forking._is_owned():  # noqa: SLF001
        return
    while _suspended:
        _suspended.pop().release()
    _forking.release()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(
        before=_suspend_all, after_in_parent=_resume_all, after_in_child=_resume_all
    )
