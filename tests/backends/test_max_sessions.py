"""A login beyond `max_sessions` ends the same sessions on every engine, though all of them began in one second."""

from __future__ import annotations

import pytest
from sql_servers import mariadb, postgresql

from sessionkit import SessionStore
from sessionkit.backends import MemoryBackend, RedisBackend, SQLBackend

SECRET = "the same on every engine: 0123456789abcdefghijklmn"
ANN = {"user": {"sub": "ann"}}


def clock():
    return 1_800_000_000


def log_in(store):
    with store.exchange("") as exchange:
        exchange.create(ANN)
    return exchange


@pytest.fixture(params=["redis", "postgresql", "mariadb", "sqlite"])
def engine(request, tmp_path):
    if request.param == "redis":
        server = request.getfixturevalue("redis_one")
        made = RedisBackend(f"redis://127.0.0.1:{server.port}", clock=clock)
    else:
        url = {
            "postgresql": lambda: postgresql().url("psycopg"),
            "mariadb": lambda: mariadb().url("pymysql"),
            "sqlite": lambda: f"sqlite:///{tmp_path}/sessions.db",
        }[request.param]()
        made = SQLBackend(url, clock=clock)
        made.create_tables()
    yield made
    made.close()


@pytest.mark.parametrize("order", [1, -1])
def test_the_same_sessions_end_in_whatever_order_they_were_stored(engine, order):
    audience = f"order {order}"
    before = SessionStore(SECRET, backend=MemoryBackend(clock=clock), audience=audience, clock=clock)  # fmt: skip
    for _ in range(6):
        log_in(before)
    handles = [info.handle.split(".") for info in before.sessions_of(ANN)]
    records = sorted(before.settings.backend.of(handles[0][0]), key=lambda one: one.key)
    for record in records[::order]:
        engine.insert(record, 0)
    store = SessionStore(SECRET, backend=engine, audience=audience, clock=clock, max_sessions=3)
    assert log_in(store).get() == ANN
    left = {info.handle.split(".")[1] for info in store.sessions_of(ANN)}
    assert len(left) == 3
    assert left & {one.key for one in records} == {one.key for one in records[4:]}
