"""Make SQLAlchemy's engines for the SQL backends, with a small pool and with time limits that work with every driver."""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from sqlalchemy import (
    URL,
    AsyncAdaptedQueuePool,
    Engine,
    QueuePool,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import in_greenlet

from ..errors import ConfigurationError
from ._connecting import connect_in_time
from ._fair_semaphores import AsyncFairSemaphore, AsyncPermit, FairSemaphore, Permit
from ._sql_drivers import ASYNC, BLOCKING, Driver
from ._sql_retries import NO_CONNECTION
from ._sql_time import WaitsInTime
from ._sqlite_files import find_file, find_path, is_in_memory
from ._sqlite_write_lock import BUSY, find_write_lock
from ._time_limits import time_left

__all__ = [
    "check_limits",
    "close_patiently",
    "find_lock",
    "make_async_engine",
    "make_async_permit",
    "make_engine",
    "make_lock",
    "make_permit",
]


def check_limits(pool_size: int, timeout: float) -> None:
    """Raise an error if a setting of a backend cannot work."""
    if pool_size < 1:
        raise ConfigurationError(
            "pool_size must be 1 or more: without a connection nobody is served"
        )
    if not 0 < timeout <= 3:
        raise ConfigurationError(
            "timeout must be more than 0 and at most 3 seconds: a visitor waits for it"
        )


def make_engine(url: str | URL, pool_size: int, timeout: float) -> Engine:
    """Return an engine with a blocking driver. It connects when it is first used."""
    made, driver = _read_url(url, "SQLBackend", BLOCKING)
    try:
        engine = create_engine(
            made, poolclass=QueuePool, **_arguments(made, driver, pool_size, timeout)
        )
    except ImportError:
        raise _not_installed(driver) from None
    if made.get_driver_name() != "pysqlite":
        _hold_the_time_limit(engine)
    _refuse_stale_connections(engine, driver)
    _refuse_removed_files(engine)
    return engine


def make_async_engine(url: str | URL, pool_size: int, timeout: float) -> AsyncEngine:
    """Return an engine with an async driver. It connects when it is first used, for the event loop of that moment."""
    made, driver = _read_url(url, "AsyncSQLBackend", ASYNC)
    try:
        engine = create_async_engine(
            made, poolclass=AsyncAdaptedQueuePool, **_arguments(made, driver, pool_size, timeout)
        )
    except ImportError:
        raise _not_installed(driver) from None
    _refuse_stale_connections(engine.sync_engine, driver)
    _refuse_removed_files(engine.sync_engine)
    if made.get_driver_name() == "aiosqlite":
        logging.getLogger("aiosqlite").addFilter(_is_of_others)
    close_patiently(engine)
    return engine


def _is_of_others(record: logging.LogRecord) -> bool:
    """Return whether a log line is not about our tables: at DEBUG, aiosqlite logs the parameters of each statement."""
    return "sessionkit_" not in record.getMessage()


def close_patiently(engine: AsyncEngine) -> None:
    """Have each connection of aiosqlite closed by its own thread, and no sooner; leave other drivers as they are.

    SQLAlchemy waits for that in a task of its own. If the waiting task is cancelled once more (by its caller, then at the end of
    `asyncio.run`), SQLAlchemy stops the thread, but its own task waits on, and `asyncio.run` never returns.

    Args:
        engine: an engine, which may be the application's.
    """
    if engine.driver != "aiosqlite":
        return
    dialect: Any = engine.dialect
    stop = dialect.do_terminate

    def close(connection: Any) -> None:
        # Outside a greenlet, for example in the garbage collector, nothing can be waited for.
        (dialect.do_close if in_greenlet() else stop)(connection)

    dialect.do_terminate = close


def make_permit(pool_size: int) -> Permit:
    """Return the permits of a pool, one for each connection. An operation that has a permit need not wait for a connection."""
    return Permit(FairSemaphore(pool_size), _time_to_wait, NO_CONNECTION)


def make_async_permit(pool_size: int) -> AsyncPermit:
    """Return the permits of a pool, as `make_permit` does, for the tasks of one event loop."""
    return AsyncPermit(AsyncFairSemaphore(pool_size), _time_to_wait, NO_CONNECTION)


def _time_to_wait() -> float:
    """Return a little less than the whole time, so that the error says for what the operation waited."""
    return time_left() * 0.9


def find_lock(engine: Engine) -> AbstractContextManager[None]:
    """Return the context manager of every write: for an SQLite file its write lock, for a server one that does nothing."""
    if engine.dialect.name != "sqlite":
        return nullcontext()
    return find_write_lock(find_path(engine.url), time_left)


def make_lock(
    engine: AsyncEngine, pool_size: int, *, owned: bool
) -> AbstractAsyncContextManager[None]:
    """Return the context manager of every write in an event loop. Writes enter it in the order in which they ask.

    Args:
        engine: the engine.
        pool_size: the number of its connections.
        owned: whether the engine is ours. The connections of such an engine wait for the write lock of an SQLite file
            themselves. Half of them may do so; the other half is for readers.
    """
    if engine.dialect.name != "sqlite":
        return nullcontext()
    semaphore = AsyncFairSemaphore(max(1, pool_size // 2) if owned else 1)
    return AsyncPermit(semaphore, _time_to_wait, BUSY)


def _read_url(url: str | URL, backend: str, drivers: dict[str, Driver]) -> tuple[URL, Driver]:
    """Return the URL and its driver; raise an error for an unknown driver. No error shows the URL, because it contains a password."""
    try:
        made = make_url(url)
        name = made.get_driver_name()
        driver = drivers[name]
    except (ArgumentError, KeyError, ValueError):  # for example for a port that is not a number
        raise ConfigurationError(
            f"{backend} needs a URL such as postgresql+psycopg://user@host/database, with one of these drivers:"
            f" {', '.join(drivers)}"
        ) from None
    if name in ("pysqlite", "aiosqlite") and is_in_memory(made):
        raise ConfigurationError(
            f"{backend} needs a file: in memory, SQLite gives each connection a database of its own. MemoryBackend() keeps"
            " sessions in memory"
        )
    return made, driver


def _not_installed(driver: Driver) -> ConfigurationError:
    return ConfigurationError(
        f"the driver that the URL names is not installed: pip install '{driver.package}'"
    )


def _arguments(url: URL, driver: Driver, pool_size: int, timeout: float) -> dict[str, Any]:
    return {
        "connect_args": driver.arguments(url, timeout),
        # In autocommit, each statement is a transaction, without BEGIN before it and ROLLBACK after it.
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
        # After an error a connection is never used again (`run`), so none returns to the pool in a transaction.
        "pool_reset_on_return": None,
        # No key, owner or payload in an error or a log line.
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": 0,
        # An operation has a permit before it asks the pool, so it need not wait.
        "pool_timeout": timeout,
    }


def _refuse_stale_connections(engine: Engine, driver: Driver) -> None:
    """Check each connection when it is taken from the pool, and replace one that the server has closed."""
    is_stale = driver.is_stale
    if is_stale is None:
        return

    @event.listens_for(engine, "checkout")
    def check(connection: Any, record: Any, proxy: Any) -> None:
        if is_stale(record.driver_connection):
            raise DisconnectionError


def _refuse_removed_files(engine: Engine) -> None:
    """Have each connection to an SQLite file replaced by another one, once the file was removed, or replaced by another."""
    if engine.dialect.name != "sqlite":
        return
    path = find_path(engine.url)

    @event.listens_for(engine, "connect")
    def note(connection: Any, record: Any) -> None:
        record.info[_FILE] = find_file(path)

    @event.listens_for(engine, "checkout")
    def check(connection: Any, record: Any, proxy: Any) -> None:
        if record.info[_FILE] != find_file(path):
            raise DisconnectionError


_FILE = "sessionkit_file"


def _hold_the_time_limit(engine: Engine) -> None:
    """Apply the time limit of an operation to every call of psycopg and PyMySQL."""
    if engine.driver == "psycopg":

        @event.listens_for(engine, "do_connect")
        def connect_waiting(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
            bases = (WaitsInTime, dialect.dbapi.Connection)
            waits: Any = type("Connection", bases, {"too_late": dialect.dbapi.OperationalError})
            return connect_in_time(partial(waits.connect, *arguments, **named), time_left())

        return

    def set_limit(connection: Any) -> None:
        connection._read_timeout = connection._write_timeout = time_left()  # noqa: SLF001

    @event.listens_for(engine, "do_connect")
    def connect_limited(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
        connect = partial(dialect.dbapi.connect, *arguments, **named)
        connection = connect_in_time(connect, time_left())
        set_limit(connection)
        return connection

    @event.listens_for(engine, "checkout")
    def limit(connection: Any, record: Any, proxy: Any) -> None:
        set_limit(connection)
