"""SQLiteBackend beside the contract: its file and its connections."""

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
import time
import traceback
import weakref
from pathlib import Path

import pytest

from sessionkit import BackendError, ConfigurationError
from sessionkit.backends import SQLiteBackend, _sqlite_connections
from sessionkit.testing import backend_conformance

from .sqlite_files import NOW, locked, record

FOLDER = tempfile.TemporaryDirectory()


def make(clock):
    return SQLiteBackend(Path(FOLDER.name) / "sessions.db", clock=clock)


TestSQLiteBackend = backend_conformance(make, make_second=make, in_process=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


@pytest.fixture
def backend(path):
    made = SQLiteBackend(path, timeout=0.05, clock=lambda: NOW)
    yield made
    made.close()


def open_files(path):
    """The connections of this process to the file."""
    links = Path("/proc/self/fd").iterdir()
    return [one for one in links if one.is_symlink() and one.readlink() == path]


def test_the_file_is_made_at_the_first_operation_for_its_owner_only(backend, path):
    assert not path.exists()
    backend.insert(record(), NOW)
    for name in ("sessions.db", "sessions.db-wal", "sessions.db-shm"):
        assert stat.S_IMODE((path.parent / name).stat().st_mode) == 0o600


def test_the_permissions_of_a_file_that_exists_stay(backend, path):
    path.touch(0o644)
    path.chmod(0o640)
    backend.insert(record(), NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_another_object_finds_the_sessions_of_a_closed_one(backend, path):
    backend.insert(record(), NOW)
    backend.close()
    assert open_files(path) == []
    again = SQLiteBackend(path)
    assert again.load("canary-key", "canary-owner") == record()
    again.close()


def test_a_relative_path_means_the_folder_of_the_moment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = SQLiteBackend("sessions.db")
    monkeypatch.chdir("/")
    backend.insert(record(), NOW)
    backend.close()
    assert (tmp_path / "sessions.db").exists()


def test_a_closed_backend_opens_the_file_again(backend):
    backend.insert(record(), NOW)
    backend.close()
    backend.close()
    assert backend.load("canary-key", "canary-owner") == record()


def test_the_connection_of_a_thread_that_ended_is_closed(backend, path):
    backend.insert(record(), NOW)
    for _ in range(20):
        thread = threading.Thread(target=backend.load, args=("canary-key", "canary-owner"))
        thread.start()
        thread.join()
    assert len(backend._connections._process.all) == 1
    # SQLite keeps a file open while another connection of the process has a lock, and gives it to the next one.
    assert len(open_files(path)) <= 3


def test_close_closes_the_connections_of_all_threads(path):
    # Both threads write at once, and a busy machine lets one of them wait.
    backend = SQLiteBackend(path, timeout=5, clock=lambda: NOW)
    done, end = threading.Barrier(3), threading.Event()

    def use():
        backend.load("canary-key", "canary-owner")
        done.wait(5)
        end.wait(5)
        assert backend.insert(record(str(threading.get_ident())), NOW)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    done.wait(5)
    assert len(open_files(path)) == 2
    backend.close()
    assert open_files(path) == []
    end.set()
    for thread in threads:
        thread.join()
    assert len(backend.of("canary-owner")) == 2
    backend.close()


def test_a_call_that_close_overtakes_opens_a_new_connection(backend):
    backend.insert(record(), NOW)
    (held,) = backend._connections._process.all

    class Overtaken(contextlib.nullcontext):
        def acquire(self):
            held.close()

        def release(self):
            pass

    held.lock = Overtaken()
    assert backend.load("canary-key", "canary-owner") == record()
    assert backend._connections._process.of_thread.connection is not held


@pytest.mark.parametrize("before", [[], ["other"]], ids=["removed", "replaced"])
def test_no_thread_goes_on_with_a_file_that_has_been_removed_or_replaced(backend, path, before):
    backend.insert(record("first"), NOW)
    for one in list(path.parent.iterdir()):
        one.unlink()
    for key in before:
        with contextlib.closing(SQLiteBackend(path, clock=lambda: NOW)) as another:
            another.insert(record(key), NOW)
    assert backend.insert(record("later"), NOW)
    found = []
    thread = threading.Thread(target=lambda: found.extend(backend.of("canary-owner")))
    thread.start()
    thread.join()
    assert sorted(one.key for one in found) == ["later", *before]


def test_a_file_that_has_been_removed_with_its_folder_is_an_error(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    backend = SQLiteBackend(folder / "sessions.db")
    backend.insert(record(), NOW)
    shutil.rmtree(folder)
    with pytest.raises(BackendError, match="its folder must exist"):
        backend.load("canary-key", "canary-owner")


def test_close_waits_for_the_call_of_another_thread(backend):
    backend.insert(record(), NOW)
    closing = threading.Thread(target=backend.close)
    with backend._connections.use() as connection:
        closing.start()
        closing.join(0.05)
        assert connection.execute("SELECT key FROM sessionkit_session").fetchall() == [
            ("canary-key",)
        ]
    closing.join()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("call", [SQLiteBackend.close, lambda backend: backend.of("ada")])
def test_what_a_parent_process_has_opened_is_neither_used_nor_closed(backend, call):
    backend.insert(record(), NOW)
    (held,) = backend._connections._process.all
    _, end, (sqlite, _), _ = held._end.detach()
    held._end = weakref.finalize(held, end, sqlite, -1)
    backend._connections._process.pid = -1
    call(backend)
    assert held.is_open
    inherited = held._sqlite
    process = _sqlite_connections._INHERITED.pop()
    del process, held
    assert _sqlite_connections._INHERITED.pop() is inherited
    inherited.close()


def in_child(run):
    """Whether a function returns true in a child process."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if run() else 1)
        finally:
            traceback.print_exc()
            os._exit(2)
    return child


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_has_connections_of_its_own(backend, path):
    backend.insert(record(), NOW)

    def use():
        inherited = open_files(path)
        backend.close()  # closes nothing of the parent
        return (
            open_files(path) == inherited
            and backend.load("canary-key", "canary-owner") == record()
            and backend.insert(record("child"), NOW)
        )

    assert os.waitpid(in_child(use), 0)[1] == 0
    assert {one.key for one in backend.of("canary-owner")} == {"canary-key", "child"}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_in_a_child_process_closes_nothing_of_the_parent(backend):
    backend.insert(record(), NOW)
    (held,) = backend._connections._process.all
    backend._connections._process.pid = -1  # as a child sees it that C has forked
    backend._connections.suspend().release()
    assert held.is_open
    held.close()


def test_a_fork_in_a_child_process_does_not_wait_for_a_thread_of_the_parent(backend):
    connections = backend._connections
    inherited = connections._process
    inherited.opening.acquire()  # by a thread that the child does not have
    inherited.pid = -1
    fork = threading.Thread(target=lambda: connections.suspend().release(), daemon=True)
    fork.start()
    fork.join(5)
    waits = fork.is_alive()
    inherited.opening.release()
    assert not waits


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_waits_for_the_call_of_another_thread_and_no_connection_crosses_it(backend, path):
    backend.insert(record(), NOW)
    begun, found = threading.Event(), []

    def call():
        with backend._connections.use() as connection:
            begun.set()
            time.sleep(0.1)
            found.append(connection.execute("SELECT key FROM sessionkit_session").fetchone())

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait(5)
    child = in_child(lambda: not open_files(path) and backend.of("canary-owner") == [record()])
    assert [("canary-key",)] == found
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    assert backend.insert(record("later"), NOW)


def test_processes_that_open_a_new_file_at_once_all_succeed(path):
    backend = SQLiteBackend(path)
    reader, writer = os.pipe()

    def use():
        os.close(writer)
        os.read(reader, 1)  # ends for all when the parent closes the pipe
        return backend.insert(record(str(os.getpid())), NOW)

    children = [in_child(use) for _ in range(6)]
    os.close(reader)
    os.close(writer)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    backend.close()


def test_opening_waits_for_a_process_that_writes_in_the_old_journal(path):
    other = locked(path, "CREATE TABLE notes (text)")
    other.execute("BEGIN IMMEDIATE")
    backend = SQLiteBackend(path, timeout=5)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(backend.insert(record(), NOW)))
    thread.start()
    thread.join(0.05)
    assert answers == []
    other.execute("COMMIT")
    thread.join()
    other.close()
    backend.close()
    assert answers == [True]


@pytest.mark.parametrize("path", [":memory:", ""])
def test_a_database_in_memory_is_refused(path):
    with pytest.raises(ConfigurationError, match=r"MemoryBackend\(\)"):
        SQLiteBackend(path)


@pytest.mark.parametrize("url", ["file:sessions.db?mode=ro", "sqlite:///sessions.db"])
def test_a_url_is_refused(url):
    scheme = url[: url.index(":")]
    with pytest.raises(ConfigurationError, match=f"takes a path, not a URL: leave out '{scheme}:'"):
        SQLiteBackend(url)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="is a folder: give the path of a file in it"):
        SQLiteBackend(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"does not exist: create it, or correct the path"):
        SQLiteBackend(tmp_path / "missing" / "sessions.db")


def test_a_relative_path_to_a_missing_folder_tells_of_the_fourth_slash_of_a_url(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"missing/a\.db is relative\. .*sqlite:////var"):
        SQLiteBackend("missing/a.db")
    with pytest.raises(ConfigurationError, match=r"correct the path\Z"):
        SQLiteBackend(tmp_path / "missing" / "a.db")


def test_an_unknown_durability_is_refused(path):
    with pytest.raises(ConfigurationError, match="give one of OFF, NORMAL, FULL, EXTRA"):
        SQLiteBackend(path, synchronous="SAFE")


@pytest.mark.parametrize(
    ("level", "number"), [("off", 0), ("NORMAL", 1), ("FULL", 2), ("EXTRA", 3)]
)
def test_every_connection_has_the_durability_that_was_asked_for(path, level, number):
    backend = SQLiteBackend(path, synchronous=level)
    with backend._connections.use() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (number,)
    backend.close()


def test_a_durable_file_has_no_warnings(backend):
    assert backend.warnings() == []


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_a_warning_tells_that_a_power_loss_may_undo_a_logout(path, level):
    backend = SQLiteBackend(path, synchronous=level)
    (told,) = backend.warnings()
    backend.close()
    assert "lives on after its logout: synchronous='FULL'" in told


def test_a_warning_tells_that_there_is_no_write_ahead_log(backend):
    with backend._connections.use() as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    (told,) = backend.warnings()
    assert "Move the file to a local disk" in told


def test_an_insert_removes_up_to_four_expired_records(backend, path):
    backend.insert(record("live", expires_at=NOW + 9000), NOW)
    for n in range(6):
        backend.insert(record(f"expired {n}"), NOW)
    backend.close()
    later = SQLiteBackend(path, clock=lambda: NOW + 161)
    later.insert(record("new", expires_at=NOW + 9000), NOW)
    with later._connections.use() as connection:
        keys = connection.execute("SELECT key FROM sessionkit_session ORDER BY key").fetchall()
    later.close()
    assert len(keys) == 4
    assert {("live",), ("new",)} < set(keys)


def test_a_negative_limit_purges_nothing(backend):
    backend.insert(record(), NOW)
    assert backend.purge(NOW + 1000, -1) == 0
    assert backend.purge(NOW + 1000, 1) == 1
