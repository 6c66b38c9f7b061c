"""SQLite through SQLAlchemy holds the rules of a backend; `SQLiteBackend` does without SQLAlchemy."""

import asyncio
import atexit
import os
import shutil
import sqlite3
import tempfile
import threading
from functools import cache

import pytest
from sql_clients import new

from sessionkit import BackendError
from sessionkit.backends import AsyncSQLBackend, SQLBackend
from sessionkit.testing import backend_conformance
from sessionkit.testing._clients import blocking as make_blocking


@cache
def path():
    ours = os.getpid()
    folder = tempfile.mkdtemp(prefix="sessionkit-sqlite-")
    atexit.register(lambda: shutil.rmtree(folder) if os.getpid() == ours else None)
    file = f"{folder}/sessions.db"
    backend = SQLBackend(f"sqlite:///{file}")
    backend.create_tables()
    backend.close()
    return file


def blocking(*, clock):
    return SQLBackend(f"sqlite:///{path()}", clock=clock)


def awaited(*, clock):
    return AsyncSQLBackend(f"sqlite+aiosqlite:///{path()}", clock=clock)


TestSQLite = backend_conformance(blocking, make_second=blocking, in_process=True)
TestAiosqlite = backend_conformance(awaited, make_second=awaited, in_process=True)


@pytest.mark.parametrize("kind", [SQLBackend, AsyncSQLBackend])
def test_no_connection_goes_on_with_a_file_that_has_been_removed_or_replaced(tmp_path, kind):
    file, loop, record = tmp_path / "sessions.db", asyncio.new_event_loop(), new()
    driver = "aiosqlite" if kind is AsyncSQLBackend else "pysqlite"
    backend = kind(f"sqlite+{driver}:///{file}")
    client = make_blocking(backend, loop)

    def remove():
        for one in list(tmp_path.iterdir()):
            one.unlink()

    try:
        SQLBackend(f"sqlite:///{file}").create_tables()
        assert client.insert(record, 0) is True
        remove()
        with pytest.raises(BackendError, match="no tables"):
            client.load(record.key, record.owner)
        remove()
        SQLBackend(f"sqlite:///{file}").create_tables()
        assert client.load(record.key, record.owner) is None
        assert client.insert(record, 0) is True
    finally:
        client.close()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.mark.parametrize("kind", [SQLBackend, AsyncSQLBackend])
def test_a_file_that_cannot_be_opened_is_told_with_the_fourth_slash_of_a_url(
    tmp_path, monkeypatch, kind
):
    monkeypatch.chdir(tmp_path)
    driver, loop = "aiosqlite" if kind is AsyncSQLBackend else "pysqlite", asyncio.new_event_loop()
    client = make_blocking(kind(f"sqlite+{driver}:///var/lib/app/sessions.db"), loop)
    message = "cannot use its SQLite file: unable to open database file .its folder must exist.*sqlite:////var"
    before = {*threading.enumerate()}
    try:
        with pytest.raises(BackendError, match=message):
            client.load("key", "owner")
    finally:
        client.close()
        # The thread of an aiosqlite connection that could not be opened tells the event loop that it ends.
        for thread in {*threading.enumerate()} - before:
            while thread.is_alive():
                loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()


def test_another_error_of_sqlite_shows_no_text(tmp_path):
    file = tmp_path / "sessions.db"
    backend = SQLBackend(f"sqlite:///{file}")
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE sessionkit_session (key TEXT)")
        other.execute("CREATE TABLE sessionkit_owner (owner TEXT)")
    other.close()
    with pytest.raises(
        BackendError, match=r"did not reply in time: OperationalError\. Check"
    ) as told:
        backend.load("key", "owner")
    assert "column" not in str(told.value)
    backend.close()
