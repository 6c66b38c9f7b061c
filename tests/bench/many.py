"""Fill a backend with sessions, by its own statements, many in a batch: logins one by one would take an hour."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from secrets import token_hex
from typing import Any

from backend_steps import Versions

from sessionkit.backends import Record, RedisBackend
from sessionkit.backends import _sqlite as statements

SIZE = 2000
BATCH = 10_000
FEW = 1000


def fill(add: Callable[[list[Record], int], None], number: int) -> list[Record]:
    """Add records with a payload as long as a session's, each of an owner of its own; return 1,000 of them, spread evenly."""
    now = int(time.time())
    records, kept = new_records(number, now), list[Record]()
    while batch := list(islice(records, BATCH)):
        add(batch, now)
        kept.extend(batch[:: number // FEW])
    return kept


def new_records(number: int, now: int) -> Iterator[Record]:
    for _ in range(number):
        key, owner = token_hex(16), token_hex(16)
        times = now, now, now + 86_400
        yield Record(key, owner, 0, *times, os.urandom(12), os.urandom(SIZE))


def add_to_redis(backend: RedisBackend, batch: list[Record], now: int) -> None:
    with backend._client.pipeline(transaction=False) as pipeline:
        for record in batch:
            pipeline.evalsha(*next(backend._operations.insert(record, now)).arguments)
        assert pipeline.execute() == [1] * len(batch)


def add_to_sqlite(path: Path, batch: list[Record], now: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")  # the indices outgrow the default of 2 MB
    connection.execute("BEGIN")
    rows = [{**record._asdict(), "since": now} for record in batch]
    connection.executemany(statements._INSERT, rows)
    connection.execute("COMMIT")
    connection.close()


def at_random(
    backend: Any, kept: list[Record]
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return functions that load, and that replace, another of these records each time."""
    named = cycle([(record.key, record.owner) for record in kept])
    versions = cycle([Versions(record) for record in kept])

    def load() -> None:
        assert backend.load(*next(named)) is not None

    def replace() -> None:
        assert backend.replace(*next(versions).advance()) is True

    return load, replace
