"""Make a backend from a URL, as in the environment. No error shows the URL, because it may contain a password."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .. import backends
from ..errors import ConfigurationError
from ._protocols import AnyBackend

__all__ = ["open_backend", "read_url"]

_REDIS = ("redis", "rediss", "unix")
_ASYNC_DRIVERS = ("asyncpg", "asyncmy", "aiomysql", "aiosqlite")
_DRIVERS = {
    "postgresql": "postgresql+psycopg:// or, for async, postgresql+asyncpg://",
    "mysql": "mysql+pymysql:// or, for async, mysql+asyncmy://",
    "mariadb": "mariadb+pymysql:// or, for async, mariadb+asyncmy://",
}
_INSTEAD = {
    "postgres": _DRIVERS["postgresql"],
    "valkey": "redis://",
    "valkeys": "rediss://",
    "sqlite3": "sqlite:///sessions.db",
    "file": "sqlite:///sessions.db",
}
_KNOWN = (
    "memory:, sqlite:///sessions.db, redis://..., rediss://..., unix://..., postgresql+psycopg://... or mysql+pymysql://...;"
    " for async redis+async://..., postgresql+asyncpg://... or mysql+asyncmy://..."
)


def open_backend(url: str, *, clock: Callable[[], float] = time.time) -> AnyBackend:
    """Return the backend that a URL names. It connects when it is first used.

    | URL | backend |
    |---|---|
    | `memory:` | `MemoryBackend()` |
    | `sqlite:///sessions.db`, with four slashes for an absolute path | `SQLiteBackend("sessions.db")` |
    | `redis://…`, `rediss://…` (TLS), `unix://…` (a socket) | `RedisBackend(url)` |
    | `redis+async://…`, `rediss+async://…`, `unix+async://…` | `AsyncRedisBackend(url)`, of the URL without `+async` |
    | `postgresql+psycopg://…`, `mysql+pymysql://…` | `SQLBackend(url)` |
    | `postgresql+asyncpg://…`, `postgresql+psycopg_async://…`, `mysql+asyncmy://…` | `AsyncSQLBackend(url)` |

    For Redis the URLs are those of redis-py, for SQL databases those of SQLAlchemy. Blocking backends serve WSGI and ASGI,
    async ones only ASGI.

    Args:
        url: the URL.
        clock: the time in seconds since the epoch, for what has expired.

    Raises:
        ConfigurationError: there is no such backend, the URL is malformed, or a package is missing.
    """
    name, arguments = read_url(url)
    make: Any = getattr(backends, name)
    return make(*arguments, clock=clock)  # type: ignore[no-any-return]  # one of the classes of `backends`


def read_url(url: str) -> tuple[str, tuple[str, ...]]:
    """Return the name of the class that a URL names, and its positional arguments."""
    scheme, colon, rest = url.strip().partition(":")
    scheme = scheme.lower()
    if not colon:
        raise ConfigurationError(f"the URL of a backend begins with its kind: {_KNOWN}")
    kind, plus, driver = scheme.partition("+")
    if scheme == "memory":
        if rest.strip("/"):
            raise ConfigurationError("the backend memory: has no address: write it alone")
        return "MemoryBackend", ()
    if scheme == "sqlite":
        return "SQLiteBackend", (_path(rest),)
    if kind in _REDIS:
        return _redis(kind, plus + driver, rest)
    if plus and kind in (*_DRIVERS, "sqlite"):
        if driver == "psycopg_async":
            kind, driver = f"{kind}+psycopg", "asyncpg"
            return "AsyncSQLBackend", (f"{kind}:{rest}",)
        name = "AsyncSQLBackend" if driver in _ASYNC_DRIVERS else "SQLBackend"
        return name, (f"{scheme}:{rest}",)
    instead = _DRIVERS.get(kind) or _INSTEAD.get(kind)
    if instead is not None:
        raise ConfigurationError(f"a backend's URL does not begin with {scheme}: write {instead}")
    raise ConfigurationError(f"there is no such kind of backend. Write one of {_KNOWN}")


def _path(rest: str) -> str:
    """Return the path of `sqlite:` and the rest of the URL, as SQLAlchemy reads it: without decoding."""
    path = rest.removeprefix("///")
    if path == rest and rest != "//":
        raise ConfigurationError(
            "the URL of an SQLite file has three slashes before a relative path and four before an absolute one:"
            " sqlite:///sessions.db, sqlite:////var/lib/app/sessions.db"
        )
    if "?" in path:
        raise ConfigurationError(
            "the URL of an SQLite file takes no settings after '?': make the backend in code,"
            " SQLiteBackend(path, synchronous=..., timeout=...)"
        )
    return "" if path == "//" else path


def _redis(kind: str, driver: str, rest: str) -> tuple[str, tuple[str, ...]]:
    if driver not in ("", "+async"):
        raise ConfigurationError(
            f"a URL names one Redis server: {kind}://HOST or {kind}+async://HOST. For Sentinel or a cluster make the client in"
            " code: RedisBackend(client)"
        )
    return "AsyncRedisBackend" if driver else "RedisBackend", (f"{kind}:{rest}",)
