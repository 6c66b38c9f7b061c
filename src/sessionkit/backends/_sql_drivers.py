"""Drivers of the SQL backends: the arguments for their connections, and how to see that the server has closed an idle connection.

Attributes with an underscore belong to the drivers, which have no public way to the same fact. A test checks each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from selectors import EVENT_READ
from typing import Any, NamedTuple

from sqlalchemy import URL

from ._sql_time import wait_for
from ._sqlite_files import find_path
from ._sqlite_waiting import wait_while_locked
from ._sqlite_write_lock import find_write_lock
from ._time_limits import time_left

__all__ = ["ASYNC", "BLOCKING", "Driver"]


class Driver(NamedTuple):
    """The differences between drivers.

    Attributes:
        package: the name under which pip installs the driver.
        arguments: returns arguments of `connect` for a URL and a time limit in seconds.
        is_stale: returns whether the server has closed an idle connection, without sending anything.
    """

    package: str
    arguments: Callable[[URL, float], dict[str, Any]]
    is_stale: Callable[[Any], bool] | None = None


def _psycopg(url: URL, timeout: float) -> dict[str, Any]:
    asked = url.query.get("options", "")
    ours = f"-c statement_timeout={_limit_statement(timeout)}"
    return {"options": f"{asked} {ours}".strip(), "connect_timeout": 2}  # 2: libpq's least


def _asyncpg(url: URL, timeout: float) -> dict[str, Any]:
    return {
        "timeout": timeout,
        "server_settings": {"statement_timeout": str(_limit_statement(timeout))},
    }


def _limit_statement(timeout: float) -> int:
    """Return the milliseconds after which PostgreSQL cancels a statement.

    The time is shorter than the client's, so that the server does nothing that the client counts as failed.
    """
    return int(timeout * 900)


def _asyncmy(url: URL, timeout: float) -> dict[str, Any]:
    # By default, a statement that waits for a row's lock waits for up to 50 seconds, even if its client has gone.
    return {
        "connect_timeout": timeout,
        "init_command": "SET SESSION innodb_lock_wait_timeout = 1",
    }


def _pymysql(url: URL, timeout: float) -> dict[str, Any]:
    return {**_asyncmy(url, timeout), "read_timeout": timeout, "write_timeout": timeout}


def _sqlite(url: URL, timeout: float) -> dict[str, Any]:
    return wait_while_locked(time_left)


def _aiosqlite(url: URL, timeout: float) -> dict[str, Any]:
    # aiosqlite's thread does not know how much time is left. Each statement that writes takes the lock for itself, because an event
    # loop may stop between two statements.
    path = find_path(url)
    return wait_while_locked(lambda: timeout, lambda: find_write_lock(path, lambda: timeout))


def _psycopg_is_stale(connection: Any) -> bool:
    return connection.closed or _is_readable(connection)


def _asyncpg_is_stale(connection: Any) -> bool:
    # The event loop may not have looked at the socket yet.
    return connection.is_closed() or _is_readable(_socket(connection))


def _pymysql_is_stale(connection: Any) -> bool:
    return not connection.open or _is_readable(connection._sock)  # noqa: SLF001


def _asyncmy_is_stale(connection: Any) -> bool:
    # Earlier versions of asyncmy do not show what has arrived. With them, the next statement fails, and the one after it succeeds.
    received = getattr(connection, "_proto", None)
    return received is not None and (
        received.eof or received.length > received.pos or _is_readable(_socket(connection))
    )


def _socket(connection: Any) -> Any:
    return connection._transport.get_extra_info("socket")  # noqa: SLF001


def _is_readable(file: Any) -> bool:
    """Return whether anything has arrived. On an idle connection, this can only be its end, or an error before its end."""
    return bool(wait_for(file, EVENT_READ, 0))


BLOCKING = {
    "psycopg": Driver("psycopg[binary]", _psycopg, _psycopg_is_stale),
    "pymysql": Driver("pymysql", _pymysql, _pymysql_is_stale),
    "pysqlite": Driver("", _sqlite),
}
"""Drivers of `SQLBackend`, by the name that a URL has for them."""

ASYNC = {
    "psycopg": Driver("psycopg[binary]", _psycopg, _psycopg_is_stale),
    "asyncpg": Driver("asyncpg", _asyncpg, _asyncpg_is_stale),
    "asyncmy": Driver("asyncmy", _asyncmy, _asyncmy_is_stale),
    "aiosqlite": Driver("aiosqlite", _aiosqlite),
}
"""Drivers of `AsyncSQLBackend`."""
