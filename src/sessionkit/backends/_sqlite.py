"""Keep sessions in an SQLite file: for all processes of one machine, without a server."""

# ruff: noqa: S608 - the statements are put together from constants

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from .._session.tracebacks import clears_frames
from ..errors import ConfigurationError
from ._places import Placed
from ._protocols import REMOVAL_DELAY, TIDIED, Record
from ._sqlite_advice import FOURTH_SLASH
from ._sqlite_connections import Connections, Transaction
from ._time_limits import TimeLimit

__all__ = ["SQLiteBackend"]

_LEVELS = ("OFF", "NORMAL", "FULL", "EXTRA")

_FIELDS = "key, owner, generation, created_at, updated_at, expires_at, version, sealed"
_OF_TODAY = (
    "generation = coalesce((SELECT o.generation FROM sessionkit_owner AS o"
    " WHERE o.owner = sessionkit_session.owner), 0)"
)
_NAMED = f"key = ? AND owner = ? AND {_OF_TODAY}"
_REFUSED = "EXISTS (SELECT 1 FROM sessionkit_owner WHERE owner = :owner AND revoked_at >= :since)"

# No RETURNING: SQLite 3.35 has it, and Python runs with older ones (RHEL 8).
_LOAD = f"SELECT {_FIELDS} FROM sessionkit_session WHERE {_NAMED}"
_INSERT = f"""
    INSERT INTO sessionkit_session ({_FIELDS})
    SELECT :key, :owner, coalesce((SELECT generation FROM sessionkit_owner WHERE owner = :owner), 0),
        :created_at, :updated_at, :expires_at, :version, :sealed
    WHERE NOT {_REFUSED}
    ON CONFLICT (key) DO NOTHING"""
_IS_INSERTED = f"""
    SELECT 1 FROM sessionkit_session
    WHERE key = :key AND owner = :owner AND version = :version AND {_OF_TODAY} AND NOT {_REFUSED}"""
_REPLACE = f"""
    UPDATE sessionkit_session SET updated_at = ?, expires_at = ?, version = ?, sealed = ?
    WHERE {_NAMED} AND version = ?"""
_TOUCH = f"""
    UPDATE sessionkit_session SET updated_at = max(updated_at, ?), expires_at = max(expires_at, ?)
    WHERE {_NAMED}"""
_DELETE = "DELETE FROM sessionkit_session WHERE key = ? AND owner = ?"
_LIST = (
    f"SELECT {_FIELDS} FROM sessionkit_session WHERE owner = ? AND expires_at > ? AND {_OF_TODAY}"
)
_RAISE_GENERATION = """
    INSERT INTO sessionkit_owner (owner, generation, revoked_at) VALUES (?, 1, ?)
    ON CONFLICT (owner) DO UPDATE
    SET generation = generation + 1, revoked_at = max(revoked_at, excluded.revoked_at)"""
_COUNT_LIVE = """
    SELECT count(*) FROM sessionkit_session WHERE owner = ? AND key IS NOT ? AND expires_at > ?"""
_DELETE_OTHERS = "DELETE FROM sessionkit_session WHERE owner = ? AND key IS NOT ?"
_KEEP = """
    UPDATE sessionkit_session
    SET generation = (SELECT o.generation FROM sessionkit_owner AS o WHERE o.owner = :owner)
    WHERE owner = :owner"""
_PURGE = """
    DELETE FROM sessionkit_session WHERE rowid IN (
        SELECT rowid FROM sessionkit_session WHERE expires_at < ? ORDER BY expires_at LIMIT ?)"""


class SQLiteBackend(Placed):
    """Keep sessions in an SQLite file, for every process of a machine that opens it. It needs no server and no package.

    The file is made at the first operation, readable by its owner only. Each thread has a connection; SQLite lets one
    of them write at a time. With gevent or eventlet, each client of the server needs one; `SQLBackend` with SQLite has a pool.
    The file must be on a local disk: on a network file system SQLite cannot lock it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        synchronous: str = "FULL",
        timeout: float = 5,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Name the file. It is opened at the first operation.

        Args:
            path: the file, in a folder that exists. A relative path starts at the present working directory.
            synchronous: SQLite's setting of this name. With `"FULL"`, every write survives a power loss. `"NORMAL"` is
                faster, but a power loss may undo the last writes, logouts included.
            timeout: how many seconds an operation waits in all: for other threads, for other processes, and while it opens the file.
            clock: the time in seconds since the epoch, for what has expired.

        Raises:
            ConfigurationError: the path is not a file, its folder does not exist, or SQLite has no such setting.
        """
        name = os.fspath(path)
        if name == ":memory:" or not name:
            raise ConfigurationError(
                "SQLiteBackend needs a file, so that every thread and process finds the sessions: give a path, or use"
                " MemoryBackend()"
            )
        if name.startswith(("file:", "sqlite:")):
            raise ConfigurationError(
                f"SQLiteBackend takes a path, not a URL: leave out '{name[: name.index(':') + 1]}' and the slashes after it. "
                "(SESSIONKIT_BACKEND takes a URL.)"
            )
        self._path = Path(name).absolute()
        self._place = (self._path,)
        if self._path.is_dir():
            raise ConfigurationError(f"{self._path} is a folder: give the path of a file in it")
        if not self._path.parent.is_dir():
            relative = "" if Path(name).is_absolute() else f" ({name} is relative. {FOURTH_SLASH})"
            raise ConfigurationError(
                f"the folder of {self._path} does not exist: create it, or correct the path{relative}"
            )
        self._synchronous = synchronous.upper()
        if self._synchronous not in _LEVELS:
            raise ConfigurationError(
                f"synchronous={synchronous!r} is not a setting of SQLite: give one of {', '.join(_LEVELS)}"
            )
        self._clock = clock
        self._timeout = timeout
        self._connections = Connections(self._path, self._synchronous)

    @clears_frames
    def load(self, key: str, owner: str) -> Record | None:
        """Return a record, or None."""
        with TimeLimit(self._timeout), self._connections.use() as connection:
            return _load(connection, key, owner)

    @clears_frames
    def insert(self, record: Record, since: float) -> bool:
        """Add a record, unless its key exists with another version or the owner was revoked since."""
        values = {**record._asdict(), "since": since}
        with (
            TimeLimit(self._timeout),
            self._connections.lock_writes(),
            self._connections.use() as connection,
            Transaction(connection),
        ):
            connection.execute(_PURGE, (self._clock() - REMOVAL_DELAY, TIDIED))
            if connection.execute(_INSERT, values).rowcount == 1:
                return True
            return connection.execute(_IS_INSERTED, values).fetchone() is not None

    @clears_frames
    def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace a record that has this version; return the record that is there if it has another."""
        key, owner, _, _, *values = record
        with (
            TimeLimit(self._timeout),
            self._connections.lock_writes(),
            self._connections.use() as connection,
        ):
            if connection.execute(_REPLACE, (*values, key, owner, version)).rowcount == 1:
                return True
            present = _load(connection, key, owner)
        if present is None:
            return False
        return present.version == record.version or present

    @clears_frames
    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Move a record's times forward."""
        with (
            TimeLimit(self._timeout),
            self._connections.lock_writes(),
            self._connections.use() as connection,
        ):
            return connection.execute(_TOUCH, (updated_at, expires_at, key, owner)).rowcount == 1

    @clears_frames
    def delete(self, key: str, owner: str) -> Record | None:
        """Remove a record and return it."""
        with (
            TimeLimit(self._timeout),
            self._connections.lock_writes(),
            self._connections.use() as connection,
            Transaction(connection),
        ):
            present = _load(connection, key, owner)
            connection.execute(_DELETE, (key, owner))
            return present

    @clears_frames
    def of(self, owner: str) -> list[Record]:
        """Return the records of an owner that have not expired."""
        with TimeLimit(self._timeout), self._connections.use() as connection:
            return [Record(*row) for row in connection.execute(_LIST, (owner, self._clock()))]

    @clears_frames
    def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Remove the records of an owner, and refuse records that a request from before `at` would insert."""
        with (
            TimeLimit(self._timeout),
            self._connections.lock_writes(),
            self._connections.use() as connection,
            Transaction(connection),
        ):
            connection.execute(_RAISE_GENERATION, (owner, at))
            (ended,) = connection.execute(_COUNT_LIVE, (owner, keep, self._clock())).fetchone()
            connection.execute(_DELETE_OTHERS, (owner, keep))
            connection.execute(_KEEP, {"owner": owner})
            return int(ended)

    @clears_frames
    def purge(self, now: int, limit: int) -> int:
        """Remove at most `limit` records that expired more than `REMOVAL_DELAY` seconds ago."""
        with (
            TimeLimit(self._timeout),
            self._connections.lock_writes(),
            self._connections.use() as connection,
            Transaction(connection),
        ):
            # SQLite treats a negative limit as no limit.
            return connection.execute(_PURGE, (now - REMOVAL_DELAY, max(0, limit))).rowcount

    def close(self) -> None:
        """Close the connections of all threads of this process. A later operation opens new ones."""
        self._connections.close()

    @clears_frames
    def warnings(self) -> list[str]:
        """Return a sentence about each risk of losing sessions: by a power loss, or by the file system."""
        found: list[str] = []
        if self._synchronous in ("OFF", "NORMAL"):
            found.append(
                f"SQLiteBackend(synchronous={self._synchronous!r}) may lose the last writes in a power loss, so that a"
                " session lives on after its logout: synchronous='FULL' keeps them."
            )
        with TimeLimit(self._timeout), self._connections.use() as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal":
            found.append(
                f"The file system of {self._path} does not support SQLite's write-ahead log: readers wait for writers,"
                " and on a network file system a session may be lost. Move the file to a local disk."
            )
        return found


def _load(connection: sqlite3.Connection, key: str, owner: str) -> Record | None:
    row = connection.execute(_LOAD, (key, owner)).fetchone()
    return None if row is None else Record(*row)
