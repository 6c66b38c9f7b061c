"""Connect to a server within a time limit that also holds while the name of the host is looked up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from threading import Thread
from typing import Any

__all__ = ["connect_in_time"]


def connect_in_time(connect: Callable[[], Any], seconds: float) -> Any:
    """Connect in a thread, and return the connection.

    The look-up of a host name has no time limit. Other limits, such as libpq's and that of a socket, hold for each address.

    Args:
        connect: opens a connection and returns it. One that comes too late is closed.
        seconds: how long to wait.
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
        return connected.result(seconds)
    except FutureTimeoutError:
        connected.cancel()
        raise
