"""Backends with each driver of each database, with operations that block: tests of all of them are written once."""

from __future__ import annotations

import asyncio
import os
import secrets
import time

from sql_servers import mariadb, postgresql
from sqlalchemy import NullPool, create_engine
from stopwatch import Stopwatch

from sessionkit.backends import AsyncSQLBackend, Record, SQLBackend
from sessionkit.testing._clients import blocking

SERVERS = {"postgresql": postgresql, "mariadb": mariadb}
BLOCKING = ["postgresql psycopg", "mariadb pymysql"]
ASYNC = ["postgresql async psycopg", "postgresql async asyncpg", "mariadb async asyncmy"]
EVERY = [*BLOCKING, *ASYNC]


class Clients:
    """Makes backends, and closes them all."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._made = []

    def make(self, kind, port=None, server=None, **options):
        """Return a backend of this kind with operations that block; `one.backend` is the async one inside."""
        database, *_, driver = kind.split()
        url = (server or SERVERS[database])().url(driver, port)
        kind = AsyncSQLBackend if "async" in kind else SQLBackend
        backend = blocking(kind(url, **options), self.loop)
        self._made.append(backend)
        return backend

    def connect(self, kind):
        """Return a connection that is no backend's, in autocommit mode. It is closed with the backends."""
        database, *_, driver = kind.split()
        engine = create_engine(
            SERVERS[database]().url(driver), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        self._made.append(engine.connect())
        return self._made[-1]

    def run_loop(self):
        """Let the event loop see what has happened meanwhile, as one that runs all the time does."""
        for _ in range(10):
            self.loop.run_until_complete(asyncio.sleep(0))

    def close(self):
        for one in self._made:
            one.close()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


def engine_of(client, loop):
    """Return the blocking face of a backend's engine, for listening to its events; the backend has been used."""
    if isinstance(client, SQLBackend):
        return client._engine
    return client._backend._pools[loop].engine.sync_engine


def new(**changes):
    """Return a record that is nowhere yet."""
    now = int(time.time())
    return Record(
        key=secrets.token_hex(16),
        owner=secrets.token_hex(16),
        generation=0,
        created_at=now,
        updated_at=now,
        expires_at=now + 3600,
        version=os.urandom(12),
        sealed=os.urandom(200),
    )._replace(**changes)


def changed(record):
    """Return a record as a later write has it."""
    return record._replace(version=os.urandom(12), sealed=os.urandom(300))


def took(call, *arguments):
    """Return what a call returned or raised, and the seconds it took."""
    with Stopwatch() as watch:
        try:
            outcome = call(*arguments)
        except Exception as error:
            outcome = error
    return outcome, watch.seconds
