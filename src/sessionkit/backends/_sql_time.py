"""Apply the time limit of an operation to every wait of a blocking SQL driver."""

from __future__ import annotations

import select
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from ._time_limits import time_left

__all__ = ["WaitsInTime", "wait_for"]


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
    """A mixin for psycopg's connection, which has no time limit for a reply.

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
        # A reply for which nobody waits may still arrive, so the connection cannot be used again.
        self.close()
        raise self.too_late
