"""Fill a backend with sessions, by its own statements, many in a batch: logins one by one would take an hour."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from secrets import token_hex

from sessionkit.backends import Record, RedisBackend
from sessionkit.backends import _sqlite as statements

SIZE = 2000
BATCH = 500


def new_records(number: int, now: int) -> Iterator[Record]:
    """Yield records with a payload as long as a session's, each of an owner of its own."""
    for _ in range(number):
        key, owner = token_hex(16), token_hex(16)
        times = now, now, now + 86_400
        yield Record(key, owner, 0, *times, os.urandom(12), os.urandom(SIZE))


def fill_redis(backend: RedisBackend, number: int) -> None:
    now = int(time.time())
    records = new_records(number, now)
    while batch := list(islice(records, BATCH)):
        with backend._client.pipeline(transaction=False) as pipeline:
            for record in batch:
                pipeline.evalsha(*next(backend._operations.insert(record, now)).arguments)
            assert pipeline.execute() == [1] * len(batch)


def fill_sqlite(path: Path, number: int) -> None:
    now = int(time.time())
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    records = new_records(number, now)
    while batch := list(islice(records, BATCH)):
        connection.execute("BEGIN")
        rows = [{**record._asdict(), "since": now} for record in batch]
        connection.executemany(statements._INSERT, rows)
        connection.execute("COMMIT")
    connection.close()
