"""The connections to an SQLite file: one for each thread of each process, and what their errors mean."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ..errors import BackendError
from ._fair_semaphores import Permit
from ._sqlite_advice import UNOPENED, find_advice
from ._sqlite_files import File, find_file
from ._sqlite_forks import suspend_at_forks
from ._sqlite_waiting import LOCKED, wait_while_locked
from ._sqlite_write_lock import find_write_lock
from ._time_limits import time_left

__all__ = ["Connections", "Transaction"]

_TABLES = (
    """CREATE TABLE IF NOT EXISTS sessionkit_session (
        key TEXT NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        generation INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        version BLOB NOT NULL,
        sealed BLOB NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS sessionkit_session_owner ON sessionkit_session (owner)",
    "CREATE INDEX IF NOT EXISTS sessionkit_session_expires_at ON sessionkit_session (expires_at)",
    """CREATE TABLE IF NOT EXISTS sessionkit_owner (
        owner TEXT NOT NULL PRIMARY KEY,
        generation INTEGER NOT NULL,
        revoked_at REAL NOT NULL
    ) WITHOUT ROWID""",
)

_INHERITED: list[object] = []
"""Connections of the parent process. SQLite forbids a child process to use or close them."""


class Connection:
    """A connection of one thread. It is a context manager; `Connections.use` has already acquired its lock."""

    def __init__(self, path: Path, file: File | None, sqlite: sqlite3.Connection) -> None:
        """Hold an open connection.

        Args:
            path: the path of the file.
            file: the file that had this path just before it was opened.
            sqlite: the connection.
        """
        self.lock = threading.RLock()
        self.is_open = True
        self._is_used = False
        self._path = path
        self._file = file
        self._sqlite = sqlite
        # When the thread has ended. Not `__del__`: the garbage collector might take the connection of SQLite first.
        self._end = weakref.finalize(self, _close_unused, sqlite, os.getpid())

    def __enter__(self) -> sqlite3.Connection:
        return self._sqlite

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if isinstance(error, sqlite3.Error):
                self.close()  # the next call opens a new connection, because the file may have been repaired
                raise make_error(self._path, error) from None
            if self._sqlite.in_transaction:
                # A signal handler has raised an exception just after BEGIN: the next write would never be committed.
                self.close()
        finally:
            self._is_used = False
            self.lock.release()

    def begin(self) -> bool:
        """Acquire the lock for a call of this thread, or return False if the connection cannot be used any more."""
        self.lock.acquire()
        is_usable = False
        try:
            if self._is_used:
                # A signal handler has raised an exception when the last call ended, which therefore still holds the lock.
                self.close()
                self.lock.release()
            is_usable = self._is_used = self._check_file()
        finally:
            if not is_usable:
                self.lock.release()
        return is_usable

    def _check_file(self) -> bool:
        """Return whether the connection is open; close it first if its file was removed, or replaced by another.

        SQLite does not notice that. It would go on with a file that no other connection finds.
        """
        if self.is_open and find_file(self._path) != self._file:
            self.close()
        return self.is_open

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._end.detach()
        self._sqlite.close()


def _close_unused(sqlite: sqlite3.Connection, pid: int) -> None:
    """Close the connection of a thread that has ended, or of a backend that is gone; keep one of the parent process.

    Args:
        sqlite: the connection.
        pid: the process that opened it.
    """
    if pid == os.getpid():
        sqlite.close()
    else:
        _INHERITED.append(sqlite)


class Transaction:
    """Several statements as one step. The write lock is acquired first, because two readers that both want to write would block."""

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        """Name the connection."""
        self._sqlite = sqlite

    def __enter__(self) -> None:
        self._sqlite.execute("BEGIN IMMEDIATE")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._sqlite.execute("COMMIT")
        finally:
            if self._sqlite.in_transaction:  # after a full disk, SQLite has already rolled it back
                self._sqlite.execute("ROLLBACK")


class _Process:
    """The connections of one process, since its first call or since the last `close`."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self.write_lock = find_write_lock(path, time_left)
        self.opening = threading.Lock()
        self.of_thread = threading.local()
        self.all: weakref.WeakSet[Connection] = weakref.WeakSet()


class Connections:
    """The connections of a backend, by process and thread. Wait for a connection, and use it, only within a `TimeLimit`."""

    def __init__(self, path: Path, synchronous: str) -> None:
        """Keep the settings, and open no connection yet."""
        self._path = path
        self._synchronous = synchronous
        self._process = self._start()
        suspend_at_forks(self)

    def lock_writes(self) -> Permit:
        """Return the lock that a write holds, so that the threads of this process write one by one. Enter it before `use`.

        Entering it raises `BackendError` if other threads write for too long.
        """
        return self._of_this_process().write_lock

    def use(self) -> Connection:
        """Return the connection of this thread, locked: leaving its `with` block unlocks it.

        Raises:
            BackendError: the file cannot be opened.
        """
        while True:
            process = self._of_this_process()
            connection: Connection | None = getattr(process.of_thread, "connection", None)
            if connection is None or not connection.is_open:
                connection = self._open(process)
            if connection.begin():  # otherwise `close` was faster, or the file is another one
                return connection

    def close(self) -> None:
        """Close every connection of this process, each when its call has ended."""
        process, self._process = self._process, self._start()
        if process.pid != os.getpid():
            _INHERITED.append(process)
            return
        with process.opening:
            connections = list(process.all)
        for connection in connections:
            with connection.lock:
                connection.close()

    def suspend(self) -> threading.Lock:
        """Close every connection of this process, each when its call has ended; open no other until the lock is released.

        Returns:
            The lock.
        """
        process = self._of_this_process()
        process.opening.acquire()
        try:
            for connection in list(process.all):
                with connection.lock:
                    connection.close()
        except BaseException:  # of a signal handler
            process.opening.release()
            raise
        return process.opening

    def _start(self) -> _Process:
        return _Process(self._path)

    def _of_this_process(self) -> _Process:
        process = self._process
        if process.pid != os.getpid():
            _INHERITED.append(process)
            process = self._process = self._start()
        return process

    def _open(self, process: _Process) -> Connection:
        # A thread may hold this lock until its time limit, so without a limit here each thread would wait for all before it.
        if not process.opening.acquire(timeout=time_left()):
            raise make_error(self._path, sqlite3.OperationalError(LOCKED))
        try:
            create_private(self._path)
            file = find_file(self._path)
            connection = Connection(self._path, file, self._connect())
        except (sqlite3.Error, OSError) as error:
            failure = make_error(self._path, error)
        else:
            process.all.add(connection)
            process.of_thread.connection = connection
            return connection
        finally:
            process.opening.release()
        raise failure

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(
            self._path,
            isolation_level=None,
            check_same_thread=False,  # `close` may run in another thread, and a lock separates the two
            **wait_while_locked(time_left),
        )
        try:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA journal_mode = WAL")
            for statement in _TABLES:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection


def create_private(path: Path) -> None:
    """Create the file for its owner only, if it does not exist. SQLite's other files have the permissions of this one."""
    with suppress(FileExistsError):
        # Only for a file that is not open yet: closing an open file would drop the locks of this process on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def make_error(path: Path, error: Exception) -> BackendError:
    """Return the error for an error of SQLite or of the file system, with what to do."""
    if isinstance(error, OSError):
        text = str(error.strerror)
        advice = find_advice(text) or find_advice(UNOPENED)
    else:
        text = str(error)
        advice = find_advice(text)
    return BackendError(
        f"the session backend cannot use {path}: {text}" + (f" ({advice})" if advice else "")
    )
