"""Requests with a session on the server, through the gateways, and what the client of the backend takes alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from sessions import cookie_header, session_of, store_of
from store import answer, environ_of, scope_of

from sessionkit.backends import (
    AsyncRedisBackend,
    MemoryBackend,
    Record,
    RedisBackend,
    SQLiteBackend,
)
from sessionkit.backends import _sqlite as statements

Step = Callable[[], object]
numbers = count()

LOAD_SQL = (
    "SELECT s.generation, s.created_at, s.updated_at, s.expires_at, s.version, s.sealed FROM sessionkit_session AS s"
    " LEFT JOIN sessionkit_owner AS o ON o.owner = s.owner"
    " WHERE s.key = %s AND s.owner = %s AND s.generation = coalesce(o.generation, 0)"
)
SAVE_SQL = (
    "UPDATE sessionkit_session SET updated_at = %s, expires_at = %s, version = %s, sealed = %s"
    " WHERE key = %s AND owner = %s AND version = %s AND generation = coalesce("
    "(SELECT o.generation FROM sessionkit_owner AS o WHERE o.owner = sessionkit_session.owner), 0)"
)


class Steps(NamedTuple):
    """Functions that send a request, or a command.

    Attributes:
        untouched: a request without a session.
        load: a request that reads its session.
        save: a request that reads and changes it.
        get: the client's own call that reads as much.
        put: the client's own call that writes as much, with a new version each time: SQLite writes nothing for an
            UPDATE that changes nothing.
        fetch: the backend's load alone: no request, and the record stays sealed.
        keep: the backend's replace alone, of a record that is sealed already.
    """

    untouched: Step
    load: Step
    save: Step
    get: Step
    put: Step
    fetch: Step
    keep: Step


def through_wsgi(backend: Any, way: str = "json") -> tuple[dict[str, Callable[[str], Step]], str]:
    """Return, for a store with this backend, makers of requests by name, and the cookies of a session."""
    store = store_of(way, backend=backend)
    session = session_of()
    lines: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        lines[:] = [value for name, value in headers if name == "Set-Cookie"]

    def gateway(handler: Callable[[dict[str, Any]], object]) -> Callable[[str], Step]:
        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            handler(environ)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"hello"]

        wrapped = store.wsgi(app)

        def request(cookie: str) -> Step:
            environ = environ_of(cookie)
            return lambda: wrapped(environ.copy(), start)

        return request

    made = {
        "begin": gateway(lambda environ: store.create_session(environ, session)),
        "untouched": gateway(lambda environ: None),
        "look": gateway(store.get_session),
        "load": gateway(lambda environ: store.get_session(environ)["user"]),
        "save": gateway(
            lambda environ: store.update_session(environ, session | {"number": next(numbers)})
        ),
    }
    made["begin"]("")()
    return made, cookie_header(lines)


def steps_of(backend: Any, get: Step, put: Step, way: str = "json") -> Steps:
    made, cookie = through_wsgi(backend, way)
    requests = made["untouched"](""), made["load"](cookie), made["save"](cookie)
    if backend is None:
        return Steps(*requests, get, put, lambda: None, lambda: None)
    versions = Versions(new_record())
    backend.insert(versions.record, versions.record.created_at)
    named = versions.record.key, versions.record.owner

    def keep() -> None:
        assert backend.replace(*versions.advance()) is True

    return Steps(*requests, get, put, lambda: backend.load(*named), keep)


class Versions:
    """A record that is replaced again and again, each time by one of another version."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def advance(self) -> tuple[Record, bytes]:
        """Return the next record, and the version that it replaces."""
        before = self.record.version
        self.record = self.record._replace(version=os.urandom(12))
        return self.record, before


def new_record() -> Record:
    """Return the record of a session of 2 kB."""
    kept = MemoryBackend()
    through_wsgi(kept)
    (record,) = kept._records.values()
    return record


def record_in(backend: Any) -> Record:
    """Put a record of a session of 2 kB into a backend, and return it."""
    record = new_record()
    backend.insert(record, record.created_at)
    return record


# ---- the backends, each beside its client


def in_cookie(way: str = "json") -> Steps:
    """A session in a cookie, to compare with."""
    return steps_of(None, lambda: None, lambda: None, way)


def in_memory(way: str = "json") -> Steps:
    return steps_of(MemoryBackend(), lambda: None, lambda: None, way)


def in_sqlite(folder: Path, way: str = "json") -> Steps:
    """Beside SQLite's own statements. A save is not flushed to the disk, on both sides."""
    backend = SQLiteBackend(folder / f"{way}.db", synchronous="NORMAL")
    record = record_in(backend)
    bare = sqlite3.connect(folder / f"{way}.db", isolation_level=None)
    bare.execute("PRAGMA synchronous = NORMAL")
    named = (record.key, record.owner)
    versions = Versions(record)

    def put() -> None:
        (_, _, _, _, *values), before = versions.advance()
        assert bare.execute(statements._REPLACE, (*values, *named, before)).rowcount == 1

    return steps_of(backend, lambda: bare.execute(statements._LOAD, named).fetchone(), put, way)


def in_redis(url: str, way: str = "json") -> Steps:
    """Beside GET and SET of the same client, which is the backend's own."""
    backend = RedisBackend(url)
    client = backend._client
    versions = Versions(record_in(backend))

    def put() -> None:
        record, _ = versions.advance()
        client.set("bare", record.sealed, ex=3600)

    put()
    return steps_of(backend, lambda: client.get("bare"), put, way)


def beside_psycopg(url: str, way: str = "json") -> Steps:
    """PostgreSQL beside the same statements of psycopg alone, on one connection without a pool."""
    import psycopg

    from sessionkit.backends import SQLBackend

    backend = SQLBackend(url)
    record = record_in(backend)
    bare = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    named = (record.key, record.owner)
    versions = Versions(record)

    def put() -> None:
        (_, _, _, _, *values), before = versions.advance()
        assert bare.execute(SAVE_SQL, (*values, *named, before)).rowcount == 1

    return steps_of(backend, lambda: bare.execute(LOAD_SQL, named).fetchone(), put, way)


def beside_sqlalchemy(url: str, way: str = "json") -> Steps:
    """PostgreSQL beside the same statements of SQLAlchemy Core, on an engine with the settings of the backend's own."""
    from sqlalchemy import create_engine

    from sessionkit.backends import SQLBackend
    from sessionkit.backends import _sql_statements as core

    backend = SQLBackend(url)
    record = record_in(backend)
    bare = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,
        pool_size=10,
        max_overflow=0,
        hide_parameters=True,
    )
    named = {"key_": record.key, "owner_": record.owner}
    versions = Versions(record)

    def get() -> Any:
        with bare.connect() as connection:
            return connection.execute(core._LOAD, named).first()

    def put() -> None:
        (_, _, _, _, updated_at, expires_at, version, sealed), before = versions.advance()
        values = {
            **named,
            "updated_at_": updated_at,
            "expires_at_": expires_at,
            "version_": version,
            "sealed_": sealed,
            "loaded": before,
        }
        with bare.connect() as connection:
            assert connection.execute(core._REPLACE, values).rowcount == 1

    return steps_of(backend, get, put, way)


@contextmanager
def in_async_redis(url: str, way: str = "json") -> Iterator[Steps]:
    """Through the ASGI gateway, in one event loop, beside GET and SET of redis-py's async client."""
    loop = asyncio.new_event_loop()
    backend = AsyncRedisBackend(url)
    store = store_of(way, backend=backend)
    session = session_of()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent[:] = [message]

    def gateway(handler: Callable[[Any], object]) -> Callable[[str], Step]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            handler(scope)
            await answer(send)

        wrapped = store.asgi(app)

        def request(cookie: str) -> Step:
            scope = scope_of(cookie)
            return lambda: run(wrapped({**scope, "state": {}}, receive, send))

        return request

    # The same way for ours and theirs: a loop that runs for one coroutine.
    def run(coroutine: Any) -> Any:
        return loop.run_until_complete(coroutine)

    gateway(lambda scope: store.create_session(scope, session))("")()
    lines = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
    cookie = cookie_header(lines)

    async def own_client() -> Any:
        return await backend._client()

    client = run(own_client())  # with the backend's pool and time-outs, as the blocking one
    own = Versions(new_record())

    def put() -> None:
        record, _ = own.advance()
        run(client.set("bare", record.sealed, ex=3600))

    put()
    versions = Versions(new_record())
    run(backend.insert(versions.record, versions.record.created_at))
    named = versions.record.key, versions.record.owner

    def keep() -> None:
        assert run(backend.replace(*versions.advance())) is True

    yield Steps(
        gateway(lambda scope: None)(""),
        gateway(lambda scope: store.get_session(scope)["user"])(cookie),
        gateway(lambda scope: store.update_session(scope, session | {"number": next(numbers)}))(
            cookie
        ),
        lambda: run(client.get("bare")),
        put,
        lambda: run(backend.load(*named)),
        keep,
    )
    run(backend.aclose())
    loop.close()
