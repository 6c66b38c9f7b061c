"""The time limit of an SQL backend's operation: a deadline that every wait of a blocking driver looks at."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from contextvars import ContextVar
from selectors import DefaultSelector
from threading import Thread
from time import monotonic
from typing import Any

__all__ = ["WaitsInTime", "connect_in_time", "time_left", "time_limit"]

# Outside an operation (a pool that is closed, say) nobody waits for an answer.
_deadline: ContextVar[float] = ContextVar("sessionkit_sql_deadline", default=0.0)


@contextmanager
def time_limit(seconds: float) -> Generator[None, None, None]:
    """Give the operations of a block this many seconds in all."""
    token = _deadline.set(monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def time_left() -> float:
    """Return the seconds that the running operation still has; never zero, which drivers refuse or take for endless."""
    return max(_deadline.get() - monotonic(), 0.001)


def connect_in_time(connect: Callable[[], Any]) -> Any:
    """Connect in a thread, so that a time limit holds.

    The look-up of a host name has no time limit, and libpq's own is at least 2 seconds for each address.

    Args:
        connect: opens a connection and returns it. One that comes too late is closed.
    """
    connected: Future[Any] = Future()

    def run() -> None:
        try:
            connection = connect()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            if connected.set_running_or_notify_cancel():
                connected.set_exception(error)
            return
        if connected.set_running_or_notify_cancel():
            connected.set_result(connection)
        else:
            connection.close()

    Thread(target=run, name="sessionkit-connect", daemon=True).start()
    try:
        return connected.result(time_left())
    except FutureTimeoutError:
        connected.cancel()
        raise


class WaitsInTime:
    """A mixin for psycopg's connection, which has no time limit for an answer.

    Attributes:
        too_late: the error to raise.
    """

    too_late: type[Exception]

    def wait(self: Any, generator: Any, *arguments: Any, **named: Any) -> Any:
        """Drive a generator that yields what to wait for, as psycopg does, until the operation's time is over."""
        try:
            wanted = next(generator)
            with DefaultSelector() as selector:
                selector.register(self, wanted)
                while ready := selector.select(time_left()):
                    wanted = generator.send(ready[0][1])
                    selector.modify(self, wanted)
        except StopIteration as finished:
            return finished.value
        # An answer may still come, for nobody: the connection cannot be used again.
        self.close()
        raise self.too_late
