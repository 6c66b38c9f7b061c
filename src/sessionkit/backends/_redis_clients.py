"""Redis: make clients from a URL, and check a client that the application passes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import signature
from typing import Any, Protocol

import redis
import redis.asyncio
import redis.connection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..errors import ConfigurationError
from ._connecting import connect_in_time
from ._fair_semaphores import AsyncFairSemaphore, AsyncPermit, FairSemaphore, Permit

__all__ = [
    "RedisClient",
    "async_client",
    "blocking_client",
    "check_client",
    "make_async_permit",
    "make_permit",
]

_NETWORK_TIMEOUT = 1.0
"""Seconds for making a connection, and for each reply. Together with the wait for a free connection, this is less than 3 s."""

_UNNAMED: dict[str, None] = (
    {"driver_info": None}
    if "driver_info" in signature(redis.connection.AbstractConnection.__init__).parameters
    else {"lib_name": None, "lib_version": None}
)
"""Settings that keep a new connection from sending its library's name, which saves two commands before the first reply.

A TLS connection sends the name. Right after the handshake, the server sends session tickets (RFC 8446, section 4.6.1), which
redis-py takes for the reply to an earlier command. The reply to the name is read after them.
"""


class RedisClient(Protocol):
    """A client of redis-py or valkey-py: of one server, of a master that Sentinel finds, or of a cluster."""

    @property
    def mget(self) -> Any:
        """Read several keys."""

    @property
    def evalsha(self) -> Any:
        """Run a script by its digest."""

    @property
    def eval(self) -> Any:
        """Run a script."""


class _ReadsKeys:
    """A client that reads keys with one command. redis-py's `mget` first looks for what its cache of replies needs."""

    def mget(self: Any, keys: Sequence[str]) -> Any:
        """Read several keys."""
        return self.execute_command("MGET", *keys)


class _BlockingClient(_ReadsKeys, redis.Redis):  # type: ignore[misc]  # `mget` of redis-py takes more
    pass


class _AsyncClient(_ReadsKeys, redis.asyncio.Redis):  # type: ignore[misc]  # as above
    pass


def blocking_client(url: str, max_connections: int, timeout: float) -> Any:
    """Return a client of redis-py for threads. Its pool waits for a free connection, and notices a fork."""
    never = Retry(NoBackoff(), 0)
    pool = _pool(redis.BlockingConnectionPool, url, never, max_connections, timeout)
    pool.connection_class = _limit_connecting(pool.connection_class)
    return _BlockingClient.from_pool(pool)


def _limit_connecting(kind: Any) -> Any:
    """Return a class of connections whose time limit holds while the name of the host is looked up, too.

    Args:
        kind: the class of redis-py.
    """

    def connect(self: Any) -> Any:
        # There is no public way to this.
        return connect_in_time(partial(kind._connect, self), _NETWORK_TIMEOUT)  # noqa: SLF001

    return type(kind.__name__, (kind,), {"_connect": connect})


def async_client(url: str, max_connections: int, timeout: float) -> Any:
    """Return a client of redis-py for one event loop."""
    never = AsyncRetry(NoBackoff(), 0)
    return _AsyncClient.from_pool(
        _pool(redis.asyncio.BlockingConnectionPool, url, never, max_connections, timeout)
    )


def _pool(kind: Any, url: str, never: Any, max_connections: int, timeout: float) -> Any:
    is_tls = url.strip().lower().startswith("rediss:")
    try:
        pool = kind.from_url(
            url,
            max_connections=max_connections,
            timeout=timeout,
            socket_timeout=_NETWORK_TIMEOUT,
            socket_connect_timeout=_NETWORK_TIMEOUT,
            retry=never,
            retry_on_error=[],
            protocol=2,
            **({} if is_tls else _UNNAMED),
        )
        pool.connection_class(**pool.connection_kwargs)  # not connected
    except (ValueError, TypeError, redis.RedisError):
        pool = None
    if pool is None:  # the error is dropped: its text may hold the password
        raise ConfigurationError(
            "the URL of the Redis server cannot be used: write redis://user:password@host:6379/0, or rediss:// for "
            "TLS, or unix:///path/to/socket, with the options of redis-py after '?'"
        )
    return pool


_NO_CONNECTION = "no connection of the session backend's pool was free in time: raise max_connections, or look for what is slow"


def make_permit(client: Any) -> Permit:
    """Return the permits of our pool, one for each connection. An operation that has a permit need not wait for a connection."""
    pool = client.connection_pool  # the URL may have other settings than the arguments
    return Permit(FairSemaphore(pool.max_connections), lambda: pool.timeout, _NO_CONNECTION)


def make_async_permit(client: Any) -> AsyncPermit:
    """Return the permits of our pool, as `make_permit` does, for the tasks of one event loop."""
    pool = client.connection_pool
    return AsyncPermit(
        AsyncFairSemaphore(pool.max_connections), lambda: pool.timeout, _NO_CONNECTION
    )


def check_client(client: Any, *, is_async: bool) -> None:
    """Raise an error unless a backend can use a client."""
    if not all(hasattr(client, name) for name in ("mget", "evalsha", "eval")):
        raise ConfigurationError(
            f"a Redis backend takes a URL or a client of redis-py or valkey-py, not {type(client).__name__}"
        )
    if hasattr(client, "__aenter__") is not is_async:
        raise ConfigurationError(
            "AsyncRedisBackend takes an async client: redis.asyncio.Redis, not redis.Redis"
            if is_async
            else "RedisBackend takes a blocking client: redis.Redis, not redis.asyncio.Redis"
        )
    if hasattr(client, "get_encoder") and client.get_encoder().decode_responses:
        raise ConfigurationError(
            "the Redis client decodes replies, and sessions are bytes: give one without decode_responses=True"
        )
