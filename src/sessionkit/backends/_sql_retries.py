"""Run an operation of an SQL backend, repeat it if the server has rolled it back, and explain its errors."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..errors import BackendError
from ._sqlite_advice import find_advice
from ._time_limits import time_left

__all__ = ["NO_CONNECTION", "explain", "run"]

NO_CONNECTION = "no connection of the session backend's pool was free in time: raise pool_size, or look for what is slow"
"""The text of the error for an operation that has waited too long for a connection."""

T = TypeVar("T")

_TRIES = 10
_WORTH_TRYING = 0.05
"""The seconds that must remain for another try."""

_PASSING = frozenset(
    {
        "40001",  # PostgreSQL: serialization failure
        "40P01",  # PostgreSQL: deadlock
        "23505",  # PostgreSQL: two first revocations of an owner at once
        1020,  # MariaDB: a row has changed since the transaction's first read
        1062,  # MySQL: two first revocations of an owner at once
        1205,  # MySQL: waited too long for a row's lock
        1213,  # MySQL: deadlock
    }
)
"""Errors with which the server rolls back an operation that can succeed at the next try."""

_NO_TABLES = frozenset({"42P01", 1146})


def run(connection: Connection, operation: Callable[..., T], *arguments: Any) -> T:
    """Run an operation, and run it again if the server has rolled it back because of another one.

    After an error the connection is never used again, because a transaction may be open, or a reply may still arrive.

    Args:
        connection: a connection in autocommit mode.
        operation: a function of the connection and the arguments. It is one atomic step, so it can be repeated.
        *arguments: the arguments.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return operation(connection, *arguments)
        except BaseException as error:
            # SQLite keeps a file locked while a cursor exists whose rows were not all read, because the task was cancelled.
            traceback.clear_frames(error.__traceback__)
            connection.invalidate()
            if tries == _TRIES or not _is_passing(error) or time_left() < _WORTH_TRYING:
                raise
        connection.rollback()  # sends nothing: the next statement opens another connection


def explain(error: Exception) -> BackendError:
    """Return the error for the application, without the text of the driver's error, which may show parameters."""
    if isinstance(error, BackendError):
        return error
    if isinstance(error, PoolTimeoutError):
        return BackendError(NO_CONNECTION)
    cause = _cause(error)
    code = _code(cause)
    advice = find_advice(str(cause)) if isinstance(cause, sqlite3.Error) else None
    if advice is not None:
        # The text is one of a few that SQLite has, without parameters.
        return BackendError(f"the session backend cannot use its SQLite file: {cause} ({advice})")
    if code in _NO_TABLES or "no such table" in str(cause):
        return BackendError(
            "the database has no tables of the session backend: call create_tables() once, or run a migration made from"
            " the backend's `metadata`"
        )
    kind = type(cause).__name__
    return BackendError(
        f"the session backend could not be reached, failed, or did not reply in time: {kind}{f' ({code})' if code else ''}. "
        "Check the URL (host, user, password, database), and that the server is up and reachable for this process"
    )


def _is_passing(error: BaseException) -> bool:
    return _code(_cause(error)) in _PASSING


def _cause(error: BaseException) -> BaseException | None:
    """Return the error of the driver, which SQLAlchemy has wrapped if it has sent the statement."""
    return error.orig if isinstance(error, DBAPIError) else error


def _code(error: BaseException | None) -> str | int | None:
    """Return the number of MySQL, or the SQLSTATE of PostgreSQL, by which an error says what it is."""
    first = error.args[0] if error is not None and error.args else None
    return first if isinstance(first, int) else getattr(error, "sqlstate", None)
