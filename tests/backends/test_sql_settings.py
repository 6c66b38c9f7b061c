"""URLs, drivers, engines and tables of the SQL backends."""

import asyncio
import logging
import sys
import threading
from concurrent import futures

import pytest
from sql_clients import BLOCKING, EVERY, SERVERS, Clients, changed, engine_of, new, took
from sql_servers import mariadb, postgresql
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from tcp_proxy import proxy

from sessionkit.backends import AsyncSQLBackend, SQLBackend
from sessionkit.backends._connecting import connect_in_time
from sessionkit.backends._time_limits import TimeLimit
from sessionkit.errors import BackendError, ConfigurationError


@pytest.fixture
def clients():
    made = Clients()
    yield made
    made.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no URL",
        "nothing://host/database",
        "mysql+mysqldb://h/d",
        "postgresql+asyncpg://h/d",
        "sqlite+aiosqlite:///f",
    ],
)
def test_a_url_that_names_no_blocking_driver_is_refused(url):
    with pytest.raises(ConfigurationError, match="psycopg, pymysql, pysqlite"):
        SQLBackend(url)


@pytest.mark.parametrize("url", ["", "mysql+pymysql://h/d", "sqlite:///f"])
def test_a_url_that_names_no_async_driver_is_refused(url):
    with pytest.raises(ConfigurationError, match="psycopg, asyncpg, asyncmy, aiosqlite"):
        AsyncSQLBackend(url)


def test_a_refused_url_is_not_shown_with_its_password():
    with pytest.raises(ConfigurationError) as refused:
        SQLBackend("mysql+mysqldb://user:canary@host/database")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("backend", [SQLBackend, AsyncSQLBackend])
@pytest.mark.parametrize(
    "rest",
    ["", "/:memory:", "/file::memory:?uri=true", "/file:a?mode=memory&cache=shared&uri=true"],
)
def test_sqlite_in_memory_is_refused(backend, rest):
    driver = "sqlite" if backend is SQLBackend else "sqlite+aiosqlite"
    with pytest.raises(ConfigurationError, match="MemoryBackend"):
        backend(f"{driver}://{rest}")


@pytest.mark.parametrize(
    ("backend", "url", "module", "package"),
    [
        (SQLBackend, "postgresql+psycopg://h/d", "psycopg", "psycopg[binary]"),
        (SQLBackend, "mysql+pymysql://h/d", "pymysql", "pymysql"),
        (AsyncSQLBackend, "postgresql+asyncpg://h/d", "asyncpg", "asyncpg"),
        (AsyncSQLBackend, "mysql+asyncmy://h/d", "asyncmy", "asyncmy"),
    ],
)
def test_a_missing_driver_is_named(monkeypatch, backend, url, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError) as missing:
        backend(url)
    assert f"pip install '{package}'" in str(missing.value)


@pytest.mark.parametrize("backend", [SQLBackend, AsyncSQLBackend])
@pytest.mark.parametrize("wrong", [{"pool_size": 0}, {"timeout": 0}, {"timeout": 3.5}])
def test_a_limit_that_cannot_work_is_refused(backend, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        backend("postgresql+psycopg://host/database", **wrong)


def test_a_url_may_be_sqlalchemys_own(tmp_path):
    backend = SQLBackend(make_url(f"sqlite:///{tmp_path}/sessions.db"))
    backend.create_tables()
    assert backend.of(new().owner) == []
    backend.close()


def test_options_of_the_url_are_kept_beside_ours(clients):
    backend = SQLBackend(postgresql().url("psycopg") + "?options=-c%20work_mem%3D7MB", timeout=1)
    with TimeLimit(1), backend._engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"SHOW {one}").scalar_one()
            for one in ("work_mem", "statement_timeout")
        ]
    backend.close()
    assert found == ["7MB", "900ms"]


@pytest.mark.parametrize("kind", EVERY)
def test_missing_tables_are_named_with_their_remedy_and_can_be_created(clients, kind):
    server = SERVERS[kind.split()[0]]()
    server.execute("DROP TABLE sessionkit_session; DROP TABLE sessionkit_owner")
    backend, record = clients.make(kind), new()
    try:
        with pytest.raises(BackendError, match=r"create_tables\(\)"):
            backend.load(record.key, record.owner)
    finally:
        backend.create_tables()
    backend.create_tables()
    assert backend.insert(record, 0) is True


@pytest.mark.parametrize("kind", BLOCKING)
def test_processes_that_create_the_tables_at_once_all_succeed(clients, kind):
    server = SERVERS[kind.split()[0]]()
    server.execute("DROP TABLE sessionkit_session; DROP TABLE sessionkit_owner")
    backend, outcomes = clients.make(kind), []
    threads = [
        threading.Thread(target=lambda: outcomes.append(took(backend.create_tables)[0]))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert outcomes == [None] * 4


def test_the_metadata_is_what_the_tables_are(clients):
    backend = clients.make(BLOCKING[0])
    engine = create_engine(postgresql().url("psycopg"))
    assert set(inspect(engine).get_table_names()) == set(backend.metadata.tables)
    engine.dispose()
    assert AsyncSQLBackend.metadata is SQLBackend.metadata


@pytest.mark.parametrize("kind", EVERY)
def test_a_closed_backend_opens_new_connections(clients, kind):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    backend.close()
    backend.close()
    assert backend.load(record.key, record.owner) == record


def test_a_database_that_cannot_return_what_it_deletes_is_asked_before(clients):
    backend, record = clients.make(BLOCKING[1]), new()
    assert backend.insert(record, 0) is True
    engine_of(backend, clients.loop).dialect.delete_returning = False  # as MySQL's
    assert backend.delete(record.key, record.owner) == record
    assert backend.delete(record.key, record.owner) is None


def test_a_record_that_changes_before_it_is_deleted_is_returned_as_it_was_then(clients):
    backend, other, record = clients.make(BLOCKING[1]), clients.make(BLOCKING[1]), new()
    later = changed(record)
    assert backend.insert(record, 0) is True
    engine = engine_of(backend, clients.loop)
    engine.dialect.delete_returning = False

    def change(connection, cursor, statement, *_):
        if statement.startswith("DELETE"):
            other.replace(later, record.version)

    event.listen(engine, "before_cursor_execute", change)
    assert backend.delete(record.key, record.owner) == later
    assert other.load(record.key, record.owner) is None


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("kind", BLOCKING)
def test_a_revocation_revives_nothing_if_the_owners_alone_were_restored_from_a_backup(
    clients, kind, keeps
):
    client, record = clients.make(kind), new()
    client.revoke(record.owner, 1, None)
    client.revoke(record.owner, 2, None)
    assert client.insert(record, 3) is True
    with clients.connect(kind) as connection:
        connection.exec_driver_sql(
            f"UPDATE sessionkit_owner SET generation = 1 WHERE owner = '{record.owner}'"
        )
    assert client.load(record.key, record.owner) is None
    assert client.revoke(record.owner, 4, record.key if keeps else None) == 0
    assert client.load(record.key, record.owner) is None


@pytest.mark.parametrize("kind", EVERY)
def test_in_another_process_the_connections_of_the_parent_are_left_alone(clients, kind):
    client, record = clients.make(kind), new()
    assert client.insert(record, 0) is True
    earlier = engine_of(client, clients.loop)
    pool = earlier.pool
    (client if kind in BLOCKING else client._backend)._pid = -1  # as a child sees it
    assert client.load(record.key, record.owner) == record
    assert engine_of(client, clients.loop).pool is not pool
    assert pool.checkedin() == 1
    if kind in BLOCKING:
        pool.dispose()
    else:
        (of_loop,) = client._backend._of_parent[0].values()
        clients.loop.run_until_complete(of_loop.engine.dispose())


def test_in_another_process_no_thread_takes_a_connection_of_the_parent(clients):
    client, record = clients.make("postgresql psycopg"), new()
    assert client.insert(record, 0) is True
    engine, pools = client._engine, []
    dispose, parents = engine.dispose, engine.pool

    def load():
        assert client.load(record.key, record.owner) == record
        pools.append(engine.pool)

    thread = threading.Thread(target=load)

    def dispose_beside_another_thread(close=True):
        thread.start()
        thread.join(0.2)
        dispose(close=close)

    engine.dispose = dispose_beside_another_thread
    client._pid = -1  # as a child sees it
    load()
    thread.join()
    del engine.dispose
    assert [engine.pool] * 2 == pools
    assert parents.checkedin() == 1
    parents.dispose()


# ---- event loops


def test_the_connections_of_event_loops_that_have_ended_are_forgotten():
    backend, record = AsyncSQLBackend(mariadb().url("asyncmy")), new()

    async def load():
        assert await backend.load(record.key, record.owner) is None
        await backend.aclose()
        backend._pool()  # as if it had been left open

    asyncio.run(load())
    asyncio.run(load())
    assert len(backend._pools) == 1


def test_a_caller_that_is_cancelled_stops_its_operation():
    backend, record = AsyncSQLBackend(postgresql().url("asyncpg"), pool_size=1), new()

    async def cancel():
        assert await backend.insert(record, 0) is True
        call = asyncio.create_task(backend.load(record.key, record.owner))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        loaded = await backend.load(record.key, record.owner)
        await backend.aclose()
        return loaded

    assert asyncio.run(cancel()) == record


# ---- connecting


def test_a_connection_that_comes_too_late_is_closed():
    comes, closed = threading.Event(), threading.Event()

    class Late:
        close = closed.set

    def connect():
        comes.wait(5)
        return Late()

    with pytest.raises(futures.TimeoutError):
        connect_in_time(connect, 0.05)
    comes.set()
    assert closed.wait(5)


def test_an_error_that_comes_too_late_is_nobodys():
    comes = threading.Event()

    def connect():
        comes.wait(5)
        raise OSError("refused")

    with pytest.raises(futures.TimeoutError):
        connect_in_time(connect, 0.05)
    (thread,) = [one for one in threading.enumerate() if one.name == "sessionkit-connect"]
    comes.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_server_that_accepts_and_does_not_speak_costs_little_time(clients):
    with proxy(postgresql().port) as between:
        between.silent = True
        outcome, seconds = took(clients.make(BLOCKING[0], between.port, timeout=0.4).of, "owner")
    assert isinstance(outcome, BackendError) and seconds < 0.8


# ---- logs


def test_aiosqlite_logs_statements_of_others_only(tmp_path, caplog):
    async def use():
        url = f"sqlite+aiosqlite:///{tmp_path}/sessions.db"
        backend, record = AsyncSQLBackend(url), new()
        await backend.create_tables()
        await backend.insert(record, 0)
        await backend.aclose()
        async with (engine := create_async_engine(url)).connect() as connection:
            await connection.exec_driver_sql("SELECT 'of others'")
        await engine.dispose()

    with caplog.at_level(logging.DEBUG, "aiosqlite"):
        asyncio.run(use())
    assert "of others" in caplog.text
    assert "sessionkit_" not in caplog.text.replace(__name__, "")
