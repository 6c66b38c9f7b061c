"""The time limit of an SQL backend's operation: a deadline that is checked at every wait of a blocking driver."""

from __future__ import annotations

import select
from contextvars import ContextVar
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from typing import Any

__all__ = ["TimeLimit", "WaitsInTime", "time_left", "wait_for"]

# Outside an operation (for example when a pool is closed) nobody waits for an answer.
_deadline: ContextVar[float] = ContextVar("sessionkit_sql_deadline", default=0.0)


class TimeLimit:
    """Give the operations of a `with` block this many seconds in all."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(monotonic() + self._seconds)

    def __exit__(self, *error: object) -> None:
        _deadline.reset(self._token)


def time_left() -> float:
    """Return the seconds that remain for the running operation. The result is never zero, which drivers refuse or treat as endless."""
    return max(_deadline.get() - monotonic(), 0.001)


def wait_for(file: Any, wanted: int, seconds: float) -> int:
    """Wait until a connection can be read or written. If it has ended or failed, both are reported.

    For one wait on one connection, a selector of the standard library would take several times as long.

    Args:
        file: the connection, or its socket.
        wanted: `EVENT_READ` or `EVENT_WRITE` of `selectors`, or both.
        seconds: how long to wait at most.

    Returns:
        The possible ones of `wanted`; 0 if the time is over.
    """
    reads, writes = wanted & EVENT_READ, wanted & EVENT_WRITE
    if not hasattr(select, "poll"):  # on Windows, and with eventlet
        ready = select.select((file,) if reads else (), (file,) if writes else (), (), seconds)
        return (reads if ready[0] else 0) | (writes if ready[1] else 0)
    poll = select.poll()
    poll.register(file, (select.POLLIN if reads else 0) | (select.POLLOUT if writes else 0))
    for _, events in poll.poll(seconds * 1000):
        reads = reads if events & ~select.POLLOUT else 0
        return reads | (writes if events & ~select.POLLIN else 0)
    return 0


class WaitsInTime:
    """A mixin for psycopg's connection, which has no time limit for an answer.

    Attributes:
        too_late: the error to raise.
    """

    too_late: type[Exception]

    def wait(self: Any, generator: Any, *arguments: Any, **named: Any) -> Any:
        """Run a generator of psycopg, which yields what to wait for, until it ends or the operation's time is over."""
        try:
            wanted = next(generator)
            while ready := wait_for(self, wanted, time_left()):
                wanted = generator.send(ready)
        except StopIteration as finished:
            return finished.value
        # An answer for which nobody waits may still arrive, so the connection cannot be used again.
        self.close()
        raise self.too_late
