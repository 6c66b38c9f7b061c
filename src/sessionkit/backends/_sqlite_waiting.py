"""Connections to an SQLite file whose statements wait while another writer has locked it, and notice at once when it is free."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast
from weakref import ref

__all__ = ["LOCKED", "wait_while_locked"]

LOCKED = "database is locked"
"""The text of SQLite's error for a file that another connection has locked."""

_POLLING = 0.01
"""Seconds for which SQLite itself polls for the end of a lock."""


class WaitingCursor(sqlite3.Cursor):
    """A cursor whose statements are executed again while the file is locked.

    Left to itself, SQLite polls only every 0.1 s, and misses the moments when the file is free. For some locks it does not wait
    at all, for example when several processes switch a new file to a write-ahead log.
    """

    def execute(self, sql: str, parameters: Any = (), /) -> WaitingCursor:
        """Execute a statement; execute it again while the file is locked."""
        connection = cast("WaitingConnection", self.connection)
        until = time.monotonic() + connection.limit()
        with connection.find_permit(sql):
            while True:
                try:
                    super().execute(sql, parameters)
                except sqlite3.OperationalError as error:
                    if str(error) != LOCKED or time.monotonic() > until:
                        raise
                else:
                    return self
                time.sleep(0.001)


class WaitingConnection(sqlite3.Connection):
    """A connection whose cursors wait.

    Attributes:
        limit: returns how many seconds a statement may wait.
        permit: what a write holds; None if whoever executes a statement holds it already.
    """

    limit: Callable[[], float]
    permit: Callable[[], AbstractContextManager[None]] | None
    _latest: ref[sqlite3.Cursor] | None = None

    def find_permit(self, sql: str) -> AbstractContextManager[None]:
        """Return the permit for a statement; an empty one if it only reads, or if its transaction has locked the file already."""
        if self.permit is None or self.in_transaction or not sql.startswith(_WRITES):
            return _NO_PERMIT
        return self.permit()

    def cursor(self, factory: Any = WaitingCursor, /) -> Any:
        """Return a cursor."""
        cursor = super().cursor(factory)
        self._latest = ref(cursor)
        return cursor

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """Execute a statement with a cursor of its own."""
        return self.cursor().execute(sql, parameters)

    def close(self) -> None:
        """Close the connection, and end a statement whose rows were not all read, because its caller was cancelled.

        SQLite would keep the connection, and the file locked, until Python has freed the cursor, which a traceback may refer to.
        """
        cursor = None if self._latest is None else self._latest()
        if cursor is not None:
            self._latest = None
            cursor.close()
        super().close()


_WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN")

_NO_PERMIT = nullcontext()


def wait_while_locked(
    limit: Callable[[], float], permit: Callable[[], AbstractContextManager[None]] | None = None
) -> dict[str, Any]:
    """Return arguments of `sqlite3.connect`, for a connection whose statements wait for other writers.

    Args:
        limit: returns how many seconds a statement may wait at most. It is called when a statement begins.
        permit: returns what a statement that writes holds; None if whoever executes it holds it already.
    """
    members = {
        "limit": staticmethod(limit),
        "permit": None if permit is None else staticmethod(permit),
    }
    kind = type("Connection", (WaitingConnection,), members)
    return {"factory": kind, "timeout": _POLLING}
