"""Backends: where sessions are kept on the server. A client library is imported only with the backend that needs it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ._memory import MemoryBackend
from ._protocols import REMOVAL_DELAY, AnyBackend, AsyncBackend, Backend, Record
from ._sqlite import SQLiteBackend

if TYPE_CHECKING:
    from ._redis import AsyncRedisBackend, RedisBackend
    from ._sql import SQLBackend
    from ._sql_async import AsyncSQLBackend

__all__ = [
    "REMOVAL_DELAY",
    "AnyBackend",
    "AsyncBackend",
    "AsyncRedisBackend",
    "AsyncSQLBackend",
    "Backend",
    "MemoryBackend",
    "Record",
    "RedisBackend",
    "SQLBackend",
    "SQLiteBackend",
]

_ASKED_FOR = {
    "RedisBackend": ("_redis", "redis"),
    "AsyncRedisBackend": ("_redis", "redis"),
    "SQLBackend": ("_sql", "sql"),
    "AsyncSQLBackend": ("_sql_async", "sql"),
}
"""Modules that import a client library, and the extra that installs it."""


def __getattr__(name: str) -> Any:
    """Import a backend that needs a client library when its name is first used."""
    if name not in _ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _ASKED_FOR[name]
    try:
        return getattr(import_module(f".{module}", __name__), name)
    except ImportError as error:
        raise ConfigurationError(
            f"{name} needs a client library ({error.name}): pip install 'sessionkit-core[{extra}]'"
        ) from None


def __dir__() -> list[str]:
    """List all names, including the backends that are imported when they are first used."""
    return sorted(__all__)
