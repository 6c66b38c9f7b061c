"""The threads of a process write to an SQLite file one by one, in the order in which they ask."""

import signal
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from sessionkit import BackendError
from sessionkit.backends import SQLiteBackend, _sqlite_write_lock
from sessionkit.backends._sqlite_files import find_path, is_in_memory
from sessionkit.backends._sqlite_waiting import wait_while_locked
from sessionkit.backends._sqlite_write_lock import WriteLock, find_write_lock

from .sqlite_files import NOW, record


def test_a_thread_that_writes_all_the_time_lets_another_write(tmp_path):
    path = tmp_path / "sessions.db"
    backends = [SQLiteBackend(path, timeout=2, clock=lambda: NOW) for _ in range(2)]
    wrote = threading.Event()

    def write_on():
        while not wrote.is_set():
            backends[0].touch("canary-key", "canary-owner", NOW, NOW)

    backends[0].insert(record(), NOW)
    threads = [threading.Thread(target=write_on) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        assert all(backends[1].insert(record(str(n)), NOW) for n in range(20))
    finally:
        wrote.set()
        for thread in threads:
            thread.join()
    for backend in backends:
        backend.close()


@pytest.mark.parametrize("name", ["link.db", "folder/../sessions.db"])
def test_a_file_has_one_lock_whatever_it_is_called(tmp_path, name):
    path = tmp_path / "sessions.db"
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.db").symlink_to(path)
    other = SQLiteBackend(tmp_path / name, timeout=0.1, clock=lambda: NOW)
    with find_write_lock(path, lambda: 1), pytest.raises(BackendError, match="other threads"):
        other.insert(record(), NOW)
    assert other.insert(record(), NOW)
    other.close()


def test_after_a_long_write_the_file_is_left_to_other_processes_for_a_moment():
    semaphore = WriteLock()
    assert semaphore.acquire(1)
    semaphore._began -= 0.04
    semaphore.release()
    assert semaphore.acquire(1)
    assert semaphore._began - semaphore._ended >= 0.003


def test_a_signal_that_ends_the_pause_leaves_the_file_to_others(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_sqlite_write_lock, "_LOOKING", 60)
    semaphore, handler = WriteLock(), signal.signal(signal.SIGALRM, interrupt)
    assert semaphore.acquire(1)
    semaphore._began -= 600
    semaphore.release()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            semaphore.acquire(1)
    finally:
        signal.signal(signal.SIGALRM, handler)
    semaphore._ended = 0
    assert semaphore.acquire(0)


def test_nobody_who_comes_too_late_pauses():
    semaphore = WriteLock()
    assert semaphore.acquire(1)
    assert not semaphore.acquire(0)


def test_a_turn_that_nobody_has_ended_is_over_after_half_a_minute():
    semaphore = WriteLock()
    assert semaphore.acquire(0)
    semaphore._began -= 29
    assert [semaphore.acquire(0) for _ in range(2)] == [False, False]
    semaphore._began -= 2
    assert [semaphore.acquire(0) for _ in range(3)] == [False, True, False]


def test_a_turn_that_was_only_slow_ends_after_another_without_making_room_for_two():
    semaphore = WriteLock()
    assert semaphore.acquire(0)
    semaphore._began -= 31
    assert [semaphore.acquire(0) for _ in range(2)] == [False, True]
    semaphore.release()
    semaphore.release()
    assert [semaphore.acquire(0) for _ in range(2)] == [True, False]


def test_a_file_whose_turn_was_lost_can_be_written_again(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    backend = SQLiteBackend(tmp_path / "sessions.db", timeout=0.05, clock=lambda: NOW)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(WriteLock, "release", interrupt)  # just when it begins
        backend.insert(record(), NOW)
    with pytest.raises(BackendError, match="other threads"):
        backend.insert(record("second"), NOW)
    monkeypatch.setattr(_sqlite_write_lock, "_LONGEST", 0)
    with pytest.raises(BackendError, match="other threads"):
        backend.insert(record("second"), NOW)
    assert backend.insert(record("second"), NOW)
    backend.close()


def test_a_statement_that_writes_has_a_turn_and_one_in_a_transaction_does_not(tmp_path):
    semaphore, had = WriteLock(), []

    @contextmanager
    def permit():
        assert semaphore.acquire(0)
        yield
        had.append(None)
        semaphore.release()

    connection = sqlite3.connect(
        tmp_path / "file.db", isolation_level=None, **wait_while_locked(lambda: 1, permit)
    )
    counts = {}
    for sql in (
        "CREATE TABLE t (n)",
        "INSERT INTO t VALUES (1)",
        "SELECT n FROM t",
        "BEGIN IMMEDIATE",
        "UPDATE t SET n = 2",
        "COMMIT",
        "DELETE FROM t",
    ):
        connection.execute(sql)
        counts[sql.split()[0]] = len(had)
        had.clear()
    connection.close()
    assert counts == {
        "CREATE": 0, "INSERT": 1, "SELECT": 0, "BEGIN": 1, "UPDATE": 0, "COMMIT": 0, "DELETE": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "query", "path"),
    [
        ("sessions.db", {}, "sessions.db"),
        ("folder/../sessions.db", {}, "sessions.db"),
        ("/folder/sessions.db", {}, "/folder/sessions.db"),
        ("file:sessions.db", {}, "file:sessions.db"),
        ("file:sessions.db", {"uri": "true"}, "sessions.db"),
        ("file:my%20sessions.db", {"uri": "true", "mode": "rw"}, "my sessions.db"),
        ("file:///folder/sessions.db", {"uri": "true"}, "/folder/sessions.db"),
        (None, {}, ""),
    ],
)
def test_the_path_of_a_url_is_the_file_that_sqlalchemy_opens(name, query, path):
    found = find_path(SimpleNamespace(database=name, query=query))
    assert found == Path.cwd() / path


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        (None, {}, True),
        (":memory:", {}, True),
        ("sessions.db", {"mode": "memory"}, False),
        ("file::memory:", {}, False),
        ("file::memory:", {"uri": "true"}, True),
        ("file:a", {"uri": "true", "mode": "memory"}, True),
        ("file:a", {"uri": "true", "mode": "rwc"}, False),
    ],
)
def test_a_url_may_name_a_database_in_memory(name, query, expected):
    assert is_in_memory(SimpleNamespace(database=name, query=query)) is expected
