"""Settings of a database server that may lose a logout are warned of."""

import subprocess
import time

import pytest
from sql_clients import BLOCKING, EVERY, Clients
from sql_servers import MariaDB, PostgreSQL
from sqlalchemy import event

from sessionkit.backends import SQLBackend


@pytest.fixture
def clients():
    made = Clients()
    yield made
    made.close()


@pytest.mark.parametrize("kind", EVERY)
def test_a_server_in_order_gives_no_warning(clients, kind):
    assert clients.make(kind).warnings() == []


@pytest.mark.parametrize("kind", BLOCKING)
@pytest.mark.parametrize("offset", [-90, 90])
def test_a_clock_that_differs_is_warned_of(clients, kind, offset):
    (sentence,) = clients.make(kind, clock=lambda: time.time() + offset).warnings()
    assert "90 seconds" in sentence and "NTP" in sentence


def test_settings_of_postgresql_that_may_lose_a_logout_are_warned_of(clients):
    server = PostgreSQL()
    try:
        server.restart("fsync=off", "synchronous_commit=off")
        found = clients.make(BLOCKING[0], server=lambda: server).warnings()
    finally:
        server.remove()
    assert [one.split(":")[0] for one in found] == [
        "PostgreSQL has synchronous_commit = off",
        "PostgreSQL has fsync = off",
    ]


def test_a_standby_of_postgresql_that_no_write_waits_for_is_warned_of(clients, tmp_path):
    server = PostgreSQL()
    receive = (server._program("pg_receivewal"), "-h", "127.0.0.1", "-U", "postgres")
    try:
        found = []
        for settings in ((), ("synchronous_standby_names=*",)):
            server.restart(*settings)
            with subprocess.Popen([*receive, "-p", str(server.port), "-D", tmp_path]) as standby:
                for _ in range(200):
                    if server.execute("SELECT count(*) FROM pg_stat_replication") == "1":
                        break
                    time.sleep(0.05)
                found.append(clients.make(BLOCKING[0], server=lambda: server).warnings())
                standby.kill()
    finally:
        server.remove()
    assert [one.split(":")[0] for one in found[0]] == [
        "PostgreSQL has a standby that lags behind it"
    ]
    assert found[1] == []


def test_settings_of_mariadb_that_may_lose_a_logout_are_warned_of(clients):
    server = MariaDB()
    try:
        server.restart("innodb-flush-log-at-trx-commit=2", "sql-mode=")
        found = clients.make(BLOCKING[1], server=lambda: server).warnings()
    finally:
        server.remove()
    assert [one.split(":")[0] for one in found] == [
        "the database server has innodb_flush_log_at_trx_commit = 2",
        "the database server is not in strict mode",
    ]


def test_settings_of_sqlite_that_may_lose_a_logout_are_warned_of(tmp_path):
    backend = SQLBackend(f"sqlite:///{tmp_path}/sessions.db")
    assert backend.warnings() == []
    event.listen(backend._engine, "checkout", lambda one, *_: one.execute("PRAGMA synchronous = 1"))
    (sentence,) = backend.warnings()
    backend.close()
    assert sentence.startswith("SQLite has synchronous = 1:")
