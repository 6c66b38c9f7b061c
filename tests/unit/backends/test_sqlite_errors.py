"""What SQLiteBackend raises when its file cannot be used: what happened, what to do, and nothing of a session."""

import errno
import os
import sqlite3
import threading
import traceback

import pytest
from stopwatch import Stopwatch

from sessionkit import BackendError
from sessionkit.backends import SQLiteBackend
from sessionkit.backends._sqlite_connections import make_error

from .sqlite_files import NOW, locked, record


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def backend(path):
    made = SQLiteBackend(path, timeout=0.05, clock=lambda: NOW)
    yield made
    made.close()


def calls(backend):
    return [
        lambda: backend.load("canary-key", "canary-owner"),
        lambda: backend.insert(record(), NOW),
        lambda: backend.replace(record(version=b"another"), b"canary-nonce"),
        lambda: backend.touch("canary-key", "canary-owner", NOW, NOW),
        lambda: backend.delete("canary-key", "canary-owner"),
        lambda: backend.of("canary-owner"),
        lambda: backend.revoke("canary-owner", NOW, None),
        lambda: backend.purge(NOW, 10),
    ]


def assert_tells_nothing(error):
    """No text, cause or variable of our frames has anything of a session."""
    assert "canary" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "sessionkit" in frame.f_globals["__name__"]:
            assert "canary" not in repr(frame.f_locals)


def test_a_file_of_another_kind_is_an_error_that_tells_nothing(backend, path):
    path.write_bytes(b"not a database" * 100)
    for call in calls(backend):
        with pytest.raises(
            BackendError, match="file is not a database.*Correct the path"
        ) as failure:
            call()
        assert_tells_nothing(failure.value)


def test_a_damaged_file_is_an_error_and_a_mended_one_works_again(backend, path):
    for number in range(7):
        backend.insert(record(), NOW)
        with backend._connections.use() as connection:
            connection.execute("DROP TABLE sessionkit_session")
        with pytest.raises(BackendError, match="no such table") as failure:
            calls(backend)[number]()
        assert_tells_nothing(failure.value)
    assert backend.insert(record(), NOW)


def test_a_writer_that_keeps_the_file_locked_is_an_error(backend, path):
    backend.insert(record(), NOW)
    other = locked(path, "BEGIN IMMEDIATE")
    for number, call in enumerate(calls(backend)):
        if number in (0, 5):
            call()  # readers do not wait
            continue
        with pytest.raises(
            BackendError, match="database is locked.*longer than `timeout`"
        ) as failure:
            call()
        assert_tells_nothing(failure.value)
    other.close()
    assert backend.insert(record("later"), NOW)


def test_threads_that_cannot_open_a_file_do_not_wait_for_one_another(path):
    backend, errors = SQLiteBackend(path, timeout=1, clock=lambda: NOW), []
    other = locked(path, "CREATE TABLE notes (text)")
    other.execute("BEGIN IMMEDIATE")

    def load():
        with pytest.raises(BackendError, match="database is locked") as caught:
            backend.load("canary-key", "canary-owner")
        errors.append(caught.value)

    threads = [threading.Thread(target=load) for _ in range(12)]
    with Stopwatch() as watch:
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    other.close()
    backend.close()
    assert len(errors) == 12
    assert watch.seconds < 3  # one by one, they would take 6


def test_a_file_that_stays_locked_cannot_be_opened(backend, path):
    other = locked(path, "CREATE TABLE notes (text)")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BackendError, match="database is locked"):
        backend.insert(record(), NOW)
    other.close()


def test_a_full_disk_is_an_error_and_leaves_the_sessions_as_they_were(backend):
    backend.insert(record(), NOW)
    with backend._connections.use() as connection:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size
    with pytest.raises(BackendError, match="database or disk is full.*make room") as failure:
        backend.insert(record("long", sealed=bytes(100_000)), NOW)
    assert_tells_nothing(failure.value)
    assert backend.of("canary-owner") == [record()]
    assert backend.insert(record("long", sealed=bytes(100_000)), NOW)


def test_a_folder_that_is_removed_later_is_an_error(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    backend = SQLiteBackend(folder / "sessions.db")
    folder.rmdir()
    with pytest.raises(
        BackendError, match="No such file or directory.*its folder must exist"
    ) as failure:
        backend.insert(record(), NOW)
    assert_tells_nothing(failure.value)


def test_a_file_that_may_not_be_written_is_told(path):
    sqlite3.connect(path).close()
    path.touch()
    only_read = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as failure:
        only_read.execute("CREATE TABLE notes (text)")
    only_read.close()
    assert str(make_error(path, failure.value)) == (
        f"the session backend cannot use {path}: attempt to write a readonly database"
        " (allow this user to write the file and its folder)"
    )


def test_a_process_with_too_many_open_files_is_told_what_to_do(path):
    failure = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    assert str(make_error(path, failure)) == (
        f"the session backend cannot use {path}: Too many open files (each thread, or greenlet, has a connection of its own."
        " Allow the process more files, or use SQLBackend with SQLite, which has a pool)"
    )
