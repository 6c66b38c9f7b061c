"""An engine of the application: its tables, its listeners and its pool are respected."""

import asyncio

import pytest
from sql_clients import BLOCKING, SERVERS, Clients, changed, new
from sql_servers import postgresql
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import create_async_engine

from sessionkit.backends import AsyncSQLBackend, SQLBackend


@pytest.fixture
def clients():
    made = Clients()
    yield made
    made.close()


@pytest.mark.parametrize("kind", BLOCKING)
def test_an_engine_of_the_application_is_used_and_left_open(kind):
    database, driver = kind.split()
    engine = create_engine(SERVERS[database]().url(driver))
    backend, record = SQLBackend(engine), new()
    assert backend.insert(record, 0) is True
    assert backend.revoke(record.owner, 1.0, record.key) == 0
    assert backend.load(record.key, record.owner) == record._replace(generation=1)
    backend.close()
    assert engine.pool.checkedin() == 1
    with engine.begin() as connection:
        # The application's transactions are as they were.
        connection.exec_driver_sql("DELETE FROM sessionkit_session")
        connection.rollback()
    assert backend.load(record.key, record.owner) is not None
    engine.dispose()


def test_listeners_of_the_applications_engine_see_every_statement():
    engine = create_engine(postgresql().url("psycopg"))
    backend, record, seen = SQLBackend(engine), new(), []
    assert backend.insert(record, 0) is True

    def see(connection, cursor, statement, *_):
        seen.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", see)
    later = changed(record)
    assert backend.load(record.key, record.owner) == record
    assert backend.replace(later, record.version) is True
    assert backend.touch(record.key, record.owner, record.updated_at, later.expires_at) is True
    assert backend.delete(record.key, record.owner) == later
    assert seen == ["SELECT", "UPDATE", "UPDATE", "DELETE"]
    engine.dispose()


@pytest.mark.parametrize("kind", BLOCKING)
def test_an_engine_of_the_application_can_have_the_tables_in_another_schema(clients, kind):
    database, driver = kind.split()
    server = SERVERS[database]()
    server.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    plain = create_engine(server.url(driver))
    backend = SQLBackend(plain.execution_options(schema_translate_map={None: "elsewhere"}))
    backend.create_tables()
    ordinary, record, expired = clients.make(kind), new(), new(expires_at=1)
    assert backend.insert(expired, 0) is True
    assert ordinary.insert(expired, 0) is True
    assert backend.insert(record, 0) is True  # and removes the expired one
    later = changed(record)
    assert backend.load(record.key, record.owner) == record
    assert backend.replace(later, record.version) is True
    assert backend.touch(record.key, record.owner, record.updated_at, later.expires_at) is True
    assert backend.of(record.owner) == [later]
    assert ordinary.of(record.owner) == []
    assert backend.load(expired.key, expired.owner) is None
    assert ordinary.delete(expired.key, expired.owner) == expired
    assert backend.revoke(record.owner, 1.0, None) == 1
    assert backend.load(record.key, record.owner) is None
    plain.dispose()


def test_an_async_engine_of_the_application_is_used_and_left_open():
    async def use():
        engine = create_async_engine(postgresql().url("asyncpg"))
        backend, record = AsyncSQLBackend(engine), new()
        assert await backend.insert(record, 0) is True
        await backend.aclose()
        assert engine.pool.checkedin() == 1
        assert await backend.load(record.key, record.owner) == record
        await engine.dispose()

    asyncio.run(use())


def test_a_record_that_comes_between_is_touched_by_a_second_try(clients):
    engine = create_engine(postgresql().url("psycopg"))
    backend, other, record = SQLBackend(engine), clients.make(BLOCKING[0]), new()
    assert backend.load(record.key, record.owner) is None

    def add(connection, cursor, statement, *_):
        if statement.startswith("SELECT"):
            other.insert(record, 0)

    event.listen(engine, "before_cursor_execute", add)
    later = record.expires_at + 5
    assert backend.touch(record.key, record.owner, record.updated_at, later) is True
    assert other.load(record.key, record.owner) == record._replace(expires_at=later)
    engine.dispose()
