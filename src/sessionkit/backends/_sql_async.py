"""Keep sessions in a PostgreSQL, MySQL, MariaDB or SQLite database, with an async driver."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import URL, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from ..errors import BackendError
from ._places import Placed
from ._protocols import Record
from ._sql_engines import (
    check_limits,
    close_patiently,
    make_async_engine,
    make_async_permit,
    make_lock,
)
from ._sql_retries import explain, run
from ._sql_statements import CREATION, METADATA, Statements, create_tables
from ._sql_warnings import collect_warnings
from ._time_limits import TimeLimit

__all__ = ["AsyncSQLBackend"]

T = TypeVar("T")


class _Pool(NamedTuple):
    """The connections for an event loop, the permits of its operations, and the lock of its writes."""

    engine: AsyncEngine
    permit: AbstractAsyncContextManager[None]
    write_lock: AbstractAsyncContextManager[None]


class AsyncSQLBackend(Placed):
    """Keep sessions in a database, as `SQLBackend` does, with an async driver: psycopg, asyncpg, asyncmy, aiosqlite.

    One object serves several event loops, with a pool for each.

    Attributes:
        metadata: the tables, for Alembic's `target_metadata`.
    """

    metadata: MetaData = METADATA

    def __init__(
        self,
        url_or_engine: str | URL | AsyncEngine,
        *,
        clock: Callable[[], float] = time.time,
        pool_size: int = 10,
        timeout: float = 2.5,
    ) -> None:
        """Make a backend. It connects when it is first used.

        Args:
            url_or_engine: SQLAlchemy's URL of the database, with a driver: `postgresql+asyncpg://`, `mysql+asyncmy://`,
                `sqlite+aiosqlite:///`. You can also pass an async engine of the application, for the event loop to which it
                belongs. The backend then uses its listeners and its `schema_translate_map`.
            clock: the time in seconds since the epoch, for what has expired.
            pool_size: how many connections are opened at most for an event loop. An operation waits for a free one.
            timeout: seconds that an operation may take in all, at most 3.
        """
        check_limits(pool_size, timeout)
        self._place = (url_or_engine,)
        self._clock = clock
        self._pool_size = pool_size
        self._timeout = timeout
        self._pid = os.getpid()
        self._pools: dict[asyncio.AbstractEventLoop, _Pool] = {}
        self._of_parent: list[dict[asyncio.AbstractEventLoop, _Pool]] = []
        self._abandoned: set[asyncio.Task[Any]] = set()
        if isinstance(url_or_engine, AsyncEngine):
            close_patiently(url_or_engine)
            given = url_or_engine.execution_options(isolation_level="AUTOCOMMIT")
            self._make: Callable[[], AsyncEngine] = lambda: given
        else:
            self._make = partial(make_async_engine, url_or_engine, pool_size, timeout)
            self._make()  # raises if the URL or the driver is wrong
        self._owned = not isinstance(url_or_engine, AsyncEngine)
        self._statements = Statements(clock, owns_engine=self._owned)

    async def load(self, key: str, owner: str) -> Record | None:
        """Return a record, or None."""
        reply = self._run(self._statements.load, key, owner)
        del key, owner  # no exception shows them in this frame
        return await reply

    async def insert(self, record: Record, since: float) -> bool:
        """Add a record, unless its key exists with another version or the owner was revoked since."""
        reply = self._write(self._statements.insert, record, since)
        del record
        return await reply

    async def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace a record that has this version; return the record that is there if it has another."""
        reply = self._write(self._statements.replace, record, version)
        del record, version
        return await reply

    async def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Move a record's times forward."""
        reply = self._write(self._statements.touch, key, owner, updated_at, expires_at)
        del key, owner
        return await reply

    async def delete(self, key: str, owner: str) -> Record | None:
        """Remove a record and return it."""
        reply = self._write(self._statements.delete, key, owner)
        del key, owner
        return await reply

    async def of(self, owner: str) -> list[Record]:
        """Return the records of an owner that have not expired."""
        reply = self._run(self._statements.of, owner)
        del owner
        return await reply

    async def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Remove the records of an owner, and refuse records that a request from before `at` would insert."""
        reply = self._write(self._statements.revoke, owner, at, keep)
        del owner, keep
        return await reply

    async def purge(self, now: int, limit: int) -> int:
        """Remove at most `limit` records that expired more than `REMOVAL_DELAY` seconds ago."""
        return await self._write(self._statements.purge, now, limit)

    async def warnings(self) -> list[str]:
        """Ask the server for its settings; return a sentence about each setting that may lose sessions or bring ended ones back."""
        return await self._run(collect_warnings, self._clock)

    async def create_tables(self) -> None:
        """Create the tables that do not exist yet. With Alembic, make a migration from `metadata` instead."""
        await self._write(create_tables, limit=max(CREATION, self._timeout))

    async def aclose(self) -> None:
        """Close every connection of the running event loop, unless the engine is the application's."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None and self._owned:
            await self._within(self._timeout, pool.engine.dispose())

    async def _write(self, operation: Callable[..., T], *arguments: Any, limit: float = 0) -> T:
        reply = self._run(operation, *arguments, writes=True, limit=limit)
        del arguments
        return await reply

    async def _run(
        self,
        operation: Callable[..., T],
        *arguments: Any,
        writes: bool = False,
        limit: float = 0,
    ) -> T:
        seconds = limit or self._timeout
        attempt = self._attempt(seconds, writes, operation, arguments)
        del arguments
        return await self._within(seconds, attempt)

    async def _within(self, seconds: float, attempt: Coroutine[Any, Any, T | BackendError]) -> T:
        """Wait for an operation. A driver that cannot be stopped in time is not waited for; it ends by itself."""
        task = asyncio.create_task(attempt)
        del attempt
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)
        try:
            await asyncio.wait((task,), timeout=seconds)
        finally:
            task.cancel()
        if not task.done():
            raise BackendError(
                f"the session backend did not reply within {seconds:g} seconds: check that the database server is up, reachable "
                "for this process, and not overloaded"
            )
        outcome = task.result()
        if isinstance(outcome, BackendError):
            raise outcome
        return outcome

    async def _attempt(
        self,
        seconds: float,
        writes: bool,
        operation: Callable[..., T],
        arguments: tuple[Any, ...],
    ) -> T | BackendError:
        """Return the result of an operation; or return its error, without the frames in which it was raised."""
        try:
            pool = self._pool()
            lock = pool.write_lock if writes else nullcontext()
            with TimeLimit(seconds):
                async with lock, pool.permit, pool.engine.connect() as connection:
                    return await connection.run_sync(run, operation, *arguments)
        # Drivers raise their own errors, and errors of sockets and of the operating system.
        except Exception as error:  # noqa: BLE001
            return explain(error)

    def _pool(self) -> _Pool:
        if self._pid != os.getpid():
            # The connections belong to the parent process, which still uses them. They are kept here, so that none is closed.
            self._of_parent.append(self._pools)
            self._pools = {}
            self._pid = os.getpid()
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for other in list(self._pools):  # another thread may have another loop
                if other.is_closed():
                    self._pools.pop(other, None)
            engine = self._make()
            # An engine of the application has a pool of its own kind and size.
            permit = make_async_permit(self._pool_size) if self._owned else nullcontext()
            lock = make_lock(engine, self._pool_size, owned=self._owned)
            pool = self._pools[loop] = _Pool(engine, permit, lock)
        return pool
