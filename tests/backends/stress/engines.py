"""The engines under stress: each can be killed and started again, and every write is durable when it is answered."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from redis_servers import RedisServer, redis_server
from sql_servers import MariaDB, PostgreSQL, Server

from sessionkit.backends import SQLBackend

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--rdbcompression", "no")


class Engine:
    """A place for sessions, and the URLs that name it.

    Attributes:
        folder: all its files.
        server: its server, or None for a file.
        url: the URL of a blocking backend.
        awaited: the URL of an async backend, or None.
    """

    def __init__(self, folder: Path, server: RedisServer | Server | None = None) -> None:
        self.folder = folder
        self.server = server
        self.url, self.awaited = self.at(None)

    def at(self, port: int | None) -> tuple[str, str | None]:
        """Return the two URLs, with the port of a proxy before the server."""
        raise NotImplementedError

    def frozen(self) -> AbstractContextManager[None]:
        """Let the server answer nothing, while its connections stay open."""
        assert isinstance(self.server, Server)
        return self.server.frozen()

    def dump(self) -> bytes:
        """Return what the engine's own program writes for a backup."""
        raise NotImplementedError

    def move(self, handle: str, target: str) -> None:
        """Put the record of a handle into the place of another one: another key, another owner."""
        self.remove(target)
        self.edit(handle, target)

    def remove(self, handle: str) -> None:
        raise NotImplementedError

    def edit(self, handle: str, target: str, created_at: int = 0) -> None:
        """Change the key, the owner and, by some seconds, the creation time of a record."""
        raise NotImplementedError


class Table(Engine):
    """An engine with tables."""

    quote = '"'

    def execute(self, statement: str) -> None:
        assert isinstance(self.server, Server)
        self.server.execute(statement)

    def remove(self, handle: str) -> None:
        self.execute(f"DELETE FROM sessionkit_session WHERE {self._find(handle)}")

    def edit(self, handle: str, target: str, created_at: int = 0) -> None:
        owner, key = target.split(".")
        self.execute(
            f"UPDATE sessionkit_session SET {self.quote}key{self.quote} = '{key}', owner = '{owner}',"
            f" created_at = created_at + ({created_at}) WHERE {self._find(handle)}"
        )

    def _find(self, handle: str) -> str:
        owner, key = handle.split(".")
        return f"{self.quote}key{self.quote} = '{key}' AND owner = '{owner}'"


class SQLite(Table):
    def at(self, port: int | None) -> tuple[str, None]:
        return f"sqlite:///{self.folder}/sessions.db", None

    def execute(self, statement: str) -> None:
        with self.connect() as connection:
            connection.execute(statement)

    def dump(self) -> bytes:
        with self.connect() as connection:
            return "\n".join(connection.iterdump()).encode()

    def connect(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.folder / "sessions.db", isolation_level=None))


class Postgres(Table):
    def at(self, port: int | None) -> tuple[str, str]:
        return self.server.url("psycopg", port), self.server.url("asyncpg", port)

    def dump(self) -> bytes:
        program = self.server._program("pg_dump")
        where = ("-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres")
        return self.server.run(program, *where, "sessions").encode()


class Maria(Table):
    quote = "`"

    def at(self, port: int | None) -> tuple[str, str]:
        return self.server.url("pymysql", port), self.server.url("asyncmy", port)

    def dump(self) -> bytes:
        where = ("-h", "127.0.0.1", "-P", str(self.server.port), "--protocol=tcp", "-u", "root")
        program = ("mariadb-dump", "--no-defaults", *where, "--hex-blob", "sessions")
        return self.server.run(*program).encode()


class Redis(Engine):
    def at(self, port: int | None) -> tuple[str, str]:
        where = f"127.0.0.1:{port or self.server.port}/0"
        return f"redis://{where}", f"redis+async://{where}"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.server.pause()
        try:
            yield
        finally:
            self.server.resume()

    def dump(self) -> bytes:
        with self.server.client() as client:
            client.save()
        return (self.folder / "dump.rdb").read_bytes()

    def remove(self, handle: str) -> None:
        with self.server.client() as client:
            client.delete(_name(handle))

    def edit(self, handle: str, target: str, created_at: int = 0) -> None:
        with self.server.client() as client:
            value = client.get(_name(handle))
            # The times are behind the generation.
            (created,) = struct.unpack_from(">q", value, 8)
            client.delete(_name(handle))
            edited = value[:8] + struct.pack(">q", created + created_at) + value[16:]
            client.set(_name(target), edited, ex=3600)
            owner, key = target.split(".")
            client.zadd(f"sk:{{{owner}}}:i", {key: 2**40})


def _name(handle: str) -> str:
    owner, key = handle.split(".")
    return f"sk:{{{owner}}}:{key}"


@contextmanager
def sqlite() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="sessionkit-sqlite-") as folder:
        yield SQLite(Path(folder))


@contextmanager
def redis() -> Iterator[Engine]:
    with redis_server(*DURABLE) as server:
        yield Redis(server.socket.parent, server)


@contextmanager
def postgresql() -> Iterator[Engine]:
    yield from _with_tables(PostgreSQL(), Postgres, "psycopg")


@contextmanager
def mariadb() -> Iterator[Engine]:
    yield from _with_tables(MariaDB(), Maria, "pymysql")


def _with_tables(
    server: Server, kind: Callable[[Path, Server], Engine], driver: str
) -> Iterator[Engine]:
    try:
        backend = SQLBackend(server.url(driver))
        backend.create_tables()
        backend.close()
        yield kind(server.folder, server)
    finally:
        server.remove()


ENGINES = {"sqlite": sqlite, "redis": redis, "postgresql": postgresql, "mariadb": mariadb}
