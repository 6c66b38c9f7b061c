"""Writers of an SQLite file through SQLAlchemy wait for each other, in the order in which they ask, and not for ever."""

import asyncio
import gc
import os
import sqlite3
import threading

import aiosqlite
import pytest
from sql_clients import new
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
from stopwatch import Stopwatch

from sessionkit import BackendError
from sessionkit.backends import AsyncSQLBackend, SQLBackend
from sessionkit.backends._sql_engines import make_async_engine
from sessionkit.backends._sqlite_write_lock import find_write_lock
from sessionkit.testing._clients import blocking


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sessions.db"
    SQLBackend(f"sqlite:///{path}").create_tables()
    return path


@pytest.fixture
def other(file):
    """A connection of another program."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


def wait_for(lock, count):
    for _ in range(10_000):
        if len(lock._semaphore._waiting) >= count:
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"only {len(lock._semaphore._waiting)} wait")


def test_threads_write_in_the_order_in_which_they_ask(file):
    backends = [SQLBackend(f"sqlite:///{file}") for _ in range(2)]
    lock, order = find_write_lock(file, lambda: 5.0), []

    def write(number):
        assert backends[number % 2].insert(new(), 0) is True
        order.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    with lock:
        for count, thread in enumerate(threads, 1):
            thread.start()
            wait_for(lock, count)
        # Readers wait for nobody, even though more threads write than the pool has connections.
        assert backends[0].load("key", "owner") is None
        assert backends[1].of("owner") == []
    for thread in threads:
        thread.join()
    assert sorted(order) == list(range(12))
    assert max(abs(number - place) for place, number in enumerate(order)) <= 2


def test_tasks_write_in_the_order_in_which_they_ask(file, other):
    backend, order = AsyncSQLBackend(f"sqlite+aiosqlite:///{file}"), []

    async def write(number):
        assert await backend.insert(new(), 0) is True
        order.append(number)

    async def main():
        other.execute("BEGIN IMMEDIATE")
        tasks = [asyncio.create_task(write(number)) for number in range(12)]
        await asyncio.sleep(0.1)
        assert await backend.load("key", "owner") is None
        assert order == []
        other.execute("ROLLBACK")
        await asyncio.gather(*tasks)
        await backend.aclose()

    asyncio.run(main())
    # Half of the ten connections wait for the file at once.
    assert sorted(order) == list(range(12))
    assert max(abs(number - place) for place, number in enumerate(order)) <= 5


def test_a_thread_that_waits_too_long_says_for_what(file):
    backend = SQLBackend(f"sqlite:///{file}", timeout=0.1)
    with (
        find_write_lock(file, lambda: 1.0),
        pytest.raises(BackendError, match="other threads of this process write to the SQLite file"),
    ):
        backend.insert(new(), 0)
    assert backend.insert(new(), 0) is True


@pytest.mark.parametrize("operation", ["insert", "replace", "touch", "delete", "revoke", "purge"])
def test_a_locked_file_is_waited_for_in_all_as_long_as_the_time_limit_says(file, other, operation):
    record = new()
    arguments = {
        "insert": (record, 0),
        "replace": (record, b"version"),
        "touch": (record.key, record.owner, 0, 0),
        "delete": (record.key, record.owner),
        "revoke": (record.owner, 0, None),
        "purge": (0, 4),
    }[operation]
    backend = SQLBackend(f"sqlite:///{file}", timeout=0.5)
    other.execute("BEGIN IMMEDIATE")
    with (
        Stopwatch() as watch,
        pytest.raises(
            BackendError, match="its SQLite file: database is locked .another process or thread"
        ),
    ):
        getattr(backend, operation)(*arguments)
    assert 0.3 < watch.seconds < 1
    other.execute("ROLLBACK")
    getattr(backend, operation)(*arguments)


def test_a_writer_notices_when_the_file_is_free(file, other):
    backend = SQLBackend(f"sqlite:///{file}", timeout=3)
    other.execute("BEGIN IMMEDIATE")
    ended = threading.Timer(0.2, other.execute, ["ROLLBACK"])
    ended.start()
    assert backend.insert(new(), 0) is True
    ended.join()


def test_a_child_process_does_not_wait_for_a_thread_of_its_parent(file):
    backend = SQLBackend(f"sqlite:///{file}", timeout=3)
    with find_write_lock(file, lambda: 1.0):
        child = os.fork()
        if child == 0:
            try:
                backend.insert(new(), 0)
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("engine", ["its own", "the application's"])
def test_an_event_loop_ends_although_a_write_was_cancelled_twice(file, other, engine, order):
    """Its caller cancels it, and so does the end of the loop, as that of `asyncio.run` does: all tasks, in any order."""
    url = f"sqlite+aiosqlite:///{file}"

    async def write():
        given = create_async_engine(url, connect_args={"timeout": 0.5})
        backend = AsyncSQLBackend(url if engine == "its own" else given, timeout=0.5)
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(backend.insert(new(), 0))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0.1)

    async def end(tasks):
        for task in sorted(tasks, key=lambda task: int(task.get_name()[5:]))[::order]:
            task.cancel()
        await asyncio.wait(tasks)

    def run():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(write())
        loop.run_until_complete(end(asyncio.all_tasks(loop)))
        loop.close()

    running = threading.Thread(target=run, daemon=True)
    running.start()
    running.join(20)
    assert not running.is_alive()


@pytest.mark.parametrize("engine", ["its own", "the application's"])
def test_a_logout_that_is_cancelled_before_its_record_is_read_does_not_lock_the_file(
    file, other, engine, monkeypatch
):
    url, record = f"sqlite+aiosqlite:///{file}", new()
    reading = asyncio.Event()

    async def never(self):
        reading.set()
        await asyncio.Event().wait()

    async def main():
        backend = AsyncSQLBackend(url if engine == "its own" else create_async_engine(url))
        await backend.insert(record, 0)
        with monkeypatch.context() as patched:
            patched.setattr(aiosqlite.Cursor, "fetchall", never)
            task = asyncio.create_task(backend.delete(record.key, record.owner))
            await reading.wait()
            task.cancel()
            while backend._abandoned:
                await asyncio.wait([*backend._abandoned])
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        await backend.aclose()

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


@pytest.mark.filterwarnings("ignore:The garbage collector is trying")
def test_the_thread_of_a_connection_that_is_forgotten_ends(file):
    engine, before = (
        make_async_engine(f"sqlite+aiosqlite:///{file}", 1, 1),
        threading.active_count(),
    )

    async def forget():
        connection = await engine.connect()
        await connection.exec_driver_sql("SELECT 1")
        assert threading.active_count() == before + 1

    loop = asyncio.new_event_loop()
    loop.run_until_complete(forget())
    gc.collect()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    for _ in range(500):
        if threading.active_count() == before:
            break
        threading.Event().wait(0.01)
    assert threading.active_count() == before


def test_a_login_asks_for_the_file_once(file):
    backend, statements = SQLBackend(f"sqlite:///{file}"), []

    @event.listens_for(backend._engine, "before_cursor_execute")
    def note(connection, cursor, statement, *others):
        statements.append(statement.split()[0])

    assert backend.insert(new(), 0) is True
    assert statements == ["SELECT", "INSERT"]


def test_tasks_and_threads_write_in_turn(file):
    backend, lock = AsyncSQLBackend(f"sqlite+aiosqlite:///{file}"), find_write_lock(file, lambda: 1)

    async def main():
        await backend.load("key", "owner")
        with lock:
            tasks = [asyncio.create_task(backend.insert(new(), 0)) for _ in range(12)]
            await asyncio.to_thread(wait_for, lock, 5)
            assert await backend.load("key", "owner") is None
            assert not any(task.done() for task in tasks)
        assert await asyncio.gather(*tasks) == [True] * 12
        await backend.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
@pytest.mark.parametrize(
    "name", ["/{}/link.db", "/{}/folder/../sessions.db", "file:{}/sessions.db?uri=true"]
)
def test_writers_wait_for_each_other_whatever_they_call_the_file(file, name, scheme):
    (file.parent / "folder").mkdir()
    (file.parent / "link.db").symlink_to(file)
    url = f"{scheme}:///{name.format(file.parent)}"
    if scheme == "sqlite":
        backend, loop = SQLBackend(url, timeout=0.3), None
    else:
        loop = asyncio.new_event_loop()
        backend = blocking(AsyncSQLBackend(url, timeout=0.3), loop)
    with find_write_lock(file, lambda: 1), pytest.raises(BackendError):
        backend.insert(new(), 0)
    assert backend.insert(new(), 0) is True
    backend.close()
    if loop is not None:
        loop.close()
