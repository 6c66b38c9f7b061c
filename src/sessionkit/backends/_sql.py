"""Keep sessions in a PostgreSQL, MySQL, MariaDB or SQLite database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, MetaData

from .._session.tracebacks import clears_frames
from ._places import Placed
from ._protocols import Record
from ._sql_engines import check_limits, find_lock, make_engine, make_permit
from ._sql_retries import explain, run
from ._sql_statements import CREATION, METADATA, Statements, create_tables
from ._sql_warnings import collect_warnings
from ._time_limits import TimeLimit

__all__ = ["SQLBackend"]

T = TypeVar("T")

_NO_LOCK = nullcontext()


class SQLBackend(Placed):
    """Keep sessions in a database, through SQLAlchemy: PostgreSQL (psycopg), MySQL and MariaDB (PyMySQL), SQLite.

    Loading costs one round trip, and so does saving. A login costs two, because it also removes up to four expired records.
    The backend has its own pool of connections. With the application's pool, a request that still holds a connection when
    the session is saved would need a second one.

    Attributes:
        metadata: the tables, for Alembic's `target_metadata`.
    """

    metadata: MetaData = METADATA

    def __init__(
        self,
        url_or_engine: str | URL | Engine,
        *,
        clock: Callable[[], float] = time.time,
        pool_size: int = 10,
        timeout: float = 2.5,
    ) -> None:
        """Make a backend. It connects when it is first used.

        Args:
            url_or_engine: SQLAlchemy's URL of the database, with a driver: `postgresql+psycopg://`, `mysql+pymysql://`,
                `sqlite:///` (four slashes for an absolute path). You can also pass an engine of the application. The backend
                then uses its pool, its listeners and its `schema_translate_map`; the application must take care of time
                limits and forks.
            clock: the time in seconds since the epoch, for what has expired.
            pool_size: how many connections a process opens at most. An operation waits for a free one.
            timeout: seconds that an operation may take in all, at most 3.
        """
        check_limits(pool_size, timeout)
        self._place = (url_or_engine,)
        self._clock = clock
        self._timeout = timeout
        self._pid = os.getpid()
        self._replacing = Lock()
        self._owned = not isinstance(url_or_engine, Engine)
        # An engine of the application has a pool of its own kind and size.
        self._permit = make_permit(pool_size) if self._owned else nullcontext()
        self._statements = Statements(clock, owns_engine=self._owned)
        self._engine: Engine = (
            make_engine(url_or_engine, pool_size, timeout)
            if not isinstance(url_or_engine, Engine)
            else url_or_engine.execution_options(isolation_level="AUTOCOMMIT")
        )

    @clears_frames
    def load(self, key: str, owner: str) -> Record | None:
        """Return a record, or None."""
        return self._run(self._statements.load, key, owner)

    @clears_frames
    def insert(self, record: Record, since: float) -> bool:
        """Add a record, unless its key exists with another version or the owner was revoked since."""
        return self._write(self._statements.insert, record, since)

    @clears_frames
    def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace a record that has this version; return the record that is there if it has another."""
        return self._write(self._statements.replace, record, version)

    @clears_frames
    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Move a record's times forward."""
        return self._write(self._statements.touch, key, owner, updated_at, expires_at)

    @clears_frames
    def delete(self, key: str, owner: str) -> Record | None:
        """Remove a record and return it."""
        return self._write(self._statements.delete, key, owner)

    @clears_frames
    def of(self, owner: str) -> list[Record]:
        """Return the records of an owner that have not expired."""
        return self._run(self._statements.of, owner)

    @clears_frames
    def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Remove the records of an owner, and refuse records that a request from before `at` would insert."""
        return self._write(self._statements.revoke, owner, at, keep)

    @clears_frames
    def purge(self, now: int, limit: int) -> int:
        """Remove at most `limit` records that expired more than `REMOVAL_DELAY` seconds ago."""
        return self._write(self._statements.purge, now, limit)

    def warnings(self) -> list[str]:
        """Ask the server for its settings; return a sentence about each setting that may lose sessions or bring ended ones back."""
        return self._run(collect_warnings, self._clock)

    def create_tables(self) -> None:
        """Create the tables that do not exist yet. With Alembic, make a migration from `metadata` instead."""
        self._write(create_tables, limit=max(CREATION, self._timeout))

    def close(self) -> None:
        """Close every connection, unless the engine is the application's. A later operation opens new ones."""
        if self._owned:
            self._engine.dispose()

    def _write(self, operation: Callable[..., T], *arguments: Any, limit: float | None = None) -> T:
        return self._run(operation, *arguments, lock=find_lock(self._engine), limit=limit)

    def _run(
        self,
        operation: Callable[..., T],
        *arguments: Any,
        lock: AbstractContextManager[None] = _NO_LOCK,
        limit: float | None = None,
    ) -> T:
        if self._owned and self._pid != os.getpid():
            self._leave_connections_to_parent()
        try:
            with (
                TimeLimit(limit or self._timeout),
                lock,
                self._permit,
                self._engine.connect() as connection,
            ):
                return run(connection, operation, *arguments)
        # Drivers raise their own errors, and errors of sockets and of the operating system.
        except Exception as error:  # noqa: BLE001
            failure = explain(error)
        # The error is raised here without a context, because the driver's frames and texts contain parameters.
        raise failure

    def _leave_connections_to_parent(self) -> None:
        """Begin a pool of this process after a fork: the parent goes on with the connections of the earlier one."""
        with self._replacing:
            if self._pid != os.getpid():
                self._engine.dispose(close=False)
                # Last: a thread that finds its process id here uses the engine.
                self._pid = os.getpid()
