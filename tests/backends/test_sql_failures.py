"""Servers that are down, slow, killed, or close a connection: an SQL backend raises BackendError in time, and recovers."""

import asyncio
import threading

import pytest
from sql_clients import ASYNC, BLOCKING, EVERY, SERVERS, Clients, changed, engine_of, new, took
from sql_servers import postgresql
from sqlalchemy import event
from tcp_proxy import proxy

from sessionkit.backends import SQLBackend
from sessionkit.errors import BackendError


@pytest.fixture
def clients():
    made = Clients()
    yield made
    made.close()


@pytest.fixture(params=EVERY)
def kind(request):
    return request.param


@pytest.fixture
def server(kind):
    return SERVERS[kind.split()[0]]()


def test_an_operation_on_a_server_that_is_down_fails_at_once_and_later_works(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    server.stop()
    try:
        outcome, seconds = took(backend.load, record.key, record.owner)
    finally:
        server.start()
    assert isinstance(outcome, BackendError) and seconds < 2
    assert backend.load(record.key, record.owner) == record


def test_a_server_that_has_crashed_and_come_back_is_met_without_an_error(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    server.kill()
    server.start()
    assert backend.load(record.key, record.owner) == record


def test_a_server_that_has_been_restarted_is_met_without_an_error(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    server.restart()
    assert backend.load(record.key, record.owner) == record


def test_a_connection_that_the_server_closed_while_it_was_idle_is_replaced(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    server.end_connections()
    clients.run_loop()
    assert backend.load(record.key, record.owner) == record


def test_a_server_that_answers_nothing_costs_less_than_three_seconds(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    with server.frozen():
        connected, seconds = took(backend.replace, changed(record), record.version)
        fresh, fresh_seconds = took(clients.make(kind).load, record.key, record.owner)
    assert isinstance(connected, BackendError) and seconds < 3
    assert isinstance(fresh, BackendError) and fresh_seconds < 3
    assert backend.load(record.key, record.owner) is not None


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(clients, kind, server):
    with proxy(server.port) as between:
        backend, one, other = clients.make(kind, between.port, timeout=1.0), new(), new()
        assert backend.insert(one, 0) is True
        assert backend.insert(other, 0) is True
        between.delay = 2.0
        outcome, _ = took(backend.load, one.key, one.owner)
        between.delay = 0.0
        assert isinstance(outcome, BackendError)
        assert backend.load(other.key, other.owner) == other


def test_a_revocation_whose_server_dies_before_the_commit_has_not_happened(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True

    def kill(connection, cursor, statement, *_):
        if statement == "COMMIT":
            server.kill()

    event.listen(engine_of(backend, clients.loop), "before_cursor_execute", kill)
    outcome, seconds = took(backend.revoke, record.owner, 1.0, None)
    server.start()
    assert isinstance(outcome, BackendError) and seconds < 3
    assert backend.load(record.key, record.owner) == record


def test_a_record_that_was_stored_survives_a_crash(clients, kind, server):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    later = changed(record)
    assert backend.replace(later, record.version) is True
    assert backend.revoke(record.owner, 1.0, record.key) == 0
    server.kill()
    server.start()
    assert backend.load(record.key, record.owner) == later._replace(generation=1)


def test_loading_and_saving_cost_a_round_trip_each(clients, kind, server):
    with proxy(server.port) as between:
        backend, record = clients.make(kind, between.port, pool_size=1), new()
        assert backend.insert(record, 0) is True
        operations = {
            "load": lambda one: backend.load(one.key, one.owner),
            "replace": lambda one: backend.replace(
                changed(one), backend.load(one.key, one.owner).version
            ),
            "touch": lambda one: backend.touch(
                one.key, one.owner, one.updated_at + 1, one.expires_at + 1
            ),
            "of": lambda one: backend.of(one.owner),
            "insert": lambda one: backend.insert(new(), 0),
            "delete": lambda one: backend.delete(new().key, one.owner),
        }
        costs = {}
        for _ in range(7):  # drivers prepare a statement when it comes again
            for name, operation in operations.items():
                del between.requests[:]
                operation(record)
                costs[name] = len(between.requests)
    assert costs == {"load": 1, "replace": 2, "touch": 1, "of": 1, "insert": 2, "delete": 1}


def test_a_record_that_another_transaction_holds_costs_less_than_three_seconds(clients, kind):
    backend, record = clients.make(kind), new()
    assert backend.insert(record, 0) is True
    held = clients.connect(BLOCKING[kind.startswith("mariadb")])
    held.exec_driver_sql("START TRANSACTION")
    held.exec_driver_sql("SELECT * FROM sessionkit_session FOR UPDATE")
    later = changed(record)
    outcome, seconds = took(backend.replace, later, record.version)
    held.exec_driver_sql("ROLLBACK")
    assert isinstance(outcome, BackendError) and seconds < 3
    assert backend.load(record.key, record.owner) in (record, later)  # nobody knows


def test_a_deadlock_is_resolved_by_another_try(clients):
    backend, record = clients.make(BLOCKING[0], timeout=3), new()
    assert backend.insert(record, 0) is True
    waits, errors, ended = threading.Event(), [], []

    def waiting(connection, cursor, statement, *_):
        if statement.startswith("DELETE FROM sessionkit_session WHERE sessionkit_session.owner"):
            waits.set()

    def failing(context):
        errors.append(context.original_exception.sqlstate)

    event.listen(backend._engine, "before_cursor_execute", waiting)
    event.listen(backend._engine, "handle_error", failing)
    held = clients.connect(BLOCKING[0])
    held.exec_driver_sql("SET deadlock_timeout = '10s'")  # so that the revocation is the victim
    held.exec_driver_sql("BEGIN")
    held.exec_driver_sql(f"SELECT * FROM sessionkit_session WHERE key = '{record.key}' FOR UPDATE")
    thread = threading.Thread(
        target=lambda: ended.append(took(backend.revoke, record.owner, 1.0, None)[0])
    )
    thread.start()
    assert waits.wait(5)
    # The revocation holds the owner's row and waits for the record's; this transaction does the reverse.
    held.exec_driver_sql(f"INSERT INTO sessionkit_owner VALUES ('{record.owner}', 7, 0)")
    held.exec_driver_sql("COMMIT")
    thread.join()
    assert errors == ["40P01"]
    assert isinstance(ended[0], int)
    assert backend.load(record.key, record.owner) is None


def test_a_wait_for_a_lock_that_was_given_up_is_tried_again(clients):
    backend, record = clients.make(BLOCKING[1], timeout=3), new()
    assert backend.insert(record, 0) is True
    held = clients.connect(BLOCKING[1])
    held.exec_driver_sql("START TRANSACTION")
    held.exec_driver_sql(
        f"SELECT * FROM sessionkit_session WHERE `key` = '{record.key}' FOR UPDATE"
    )
    given_up = []

    def release(*_):
        given_up.append("connection")
        held.exec_driver_sql("ROLLBACK")

    event.listen(backend._engine, "invalidate", release)
    assert backend.replace(changed(record), record.version) is True
    assert given_up == ["connection"]


@pytest.mark.parametrize("kind", BLOCKING)
def test_first_revocations_of_an_owner_at_once_all_count(clients, kind):
    backend, record = clients.make(kind, timeout=3), new()
    threads = [
        threading.Thread(
            target=lambda: results.append(took(backend.revoke, record.owner, 1.0, None)[0])
        )
        for _ in range(8)
    ]
    results = []
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert results == [0] * 8
    assert backend.insert(record, 2.0) is True
    assert backend.load(record.key, record.owner).generation == 8


@pytest.mark.parametrize("kind", BLOCKING)
def test_writes_beside_revocations_end_without_an_error(clients, kind):
    backend, owner = clients.make(kind, timeout=3), new().owner
    outcomes = []

    def visit(turn):
        for _ in range(10):
            record = new(owner=owner)
            calls = [
                (backend.insert, record, 2.0),
                (backend.replace, changed(record), record.version),
                (backend.touch, record.key, owner, record.updated_at + 5, record.expires_at + 5),
                (backend.revoke, owner, 1.0, record.key if turn % 2 else None),
                (backend.delete, record.key, owner),
            ]
            outcomes.extend(took(*one)[0] for one in calls)

    threads = [threading.Thread(target=visit, args=(turn,)) for turn in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert backend.of(owner) == []


def test_a_server_whose_default_isolation_is_strict_refuses_no_revocation():
    strict = "?options=-c%20default_transaction_isolation%3Dserializable"
    backend, owner = SQLBackend(postgresql().url("psycopg") + strict), new().owner
    backend.create_tables()
    outcomes = []

    def log_in_and_out():
        for _ in range(20):
            record = new(owner=owner)
            outcomes.append(took(backend.insert, record, 2.0)[0])
            outcomes.append(took(backend.delete, record.key, owner)[0])

    def revoke():
        outcomes.extend(took(backend.revoke, owner, 1.0, None)[0] for _ in range(20))

    threads = [threading.Thread(target=one) for one in [log_in_and_out, revoke] * 3]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    backend.close()
    assert [one for one in outcomes if isinstance(one, Exception)] == []


@pytest.mark.parametrize("kind", BLOCKING)
def test_an_operation_waits_for_a_free_connection_and_then_gives_up(clients, kind):
    backend, record = clients.make(kind, pool_size=1, timeout=1.0), new()
    assert backend.insert(record, 0) is True
    with backend._engine.connect():
        outcome, seconds = took(backend.load, record.key, record.owner)
    assert isinstance(outcome, BackendError) and "pool_size" in str(outcome) and seconds < 1.2
    assert backend.load(record.key, record.owner) == record


@pytest.mark.parametrize("kind", ASYNC)
def test_more_async_operations_than_connections_wait_for_their_turn(clients, kind):
    client, record = clients.make(kind, pool_size=2), new()
    assert client.insert(record, 0) is True

    async def many():
        loads = (client._backend.load(record.key, record.owner) for _ in range(20))
        return await asyncio.gather(*loads)

    assert clients.loop.run_until_complete(many()) == [record] * 20
