"""Keep sessions in Redis or Valkey: one server, a master that Sentinel finds, or a cluster."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from .._session.tracebacks import clears_frames
from ._places import Placed
from ._protocols import Record
from ._redis_clients import (
    RedisClient,
    async_client,
    blocking_client,
    check_client,
    make_async_permit,
    make_permit,
)
from ._redis_errors import failure, is_unknown_script
from ._redis_operations import REFUSED, Operations, Steps, read_replaced
from ._redis_scripts import REPLACE, decode_alive
from ._redis_settings import warn_of_reads

__all__ = ["AsyncRedisBackend", "RedisBackend"]

T = TypeVar("T")


class RedisBackend(Placed):
    """Keep sessions in Redis (6 or newer) or Valkey, for WSGI and scripts. A load costs one round trip, and a save costs one."""

    def __init__(
        self,
        url_or_client: str | RedisClient,
        *,
        prefix: str = "sk",
        clock: Callable[[], float] = time.time,
        max_connections: int = 50,
        timeout: float = 0.9,
    ) -> None:
        """Keep the address of a server, or a client. The first operation connects.

        Args:
            url_or_client: `redis://user:password@host:6379/0`, `rediss://…` for TLS, `unix:///path/to/socket`; or a
                client of redis-py or valkey-py that the application has made: for a cluster, for Sentinel, with
                settings of its own. Such a client is used as it is, and the application closes it. It must not have
                `decode_responses=True`.
            prefix: what the names of all keys begin with. Applications with different prefixes can share a server.
            clock: the time in seconds since the epoch, for what has expired.
            max_connections: the most connections of this process. (For a URL.)
            timeout: seconds to wait for a free connection. (For a URL.)

        Raises:
            ConfigurationError: the URL, the client or the prefix cannot be used.
        """
        self._operations = Operations(prefix, clock)
        self._place = (url_or_client, prefix)
        self._owns_client = isinstance(url_or_client, str)
        self._client: Any = (
            blocking_client(url_or_client, max_connections, timeout)
            if isinstance(url_or_client, str)
            else url_or_client
        )
        check_client(self._client, is_async=False)
        # A client of the application has a pool of its own kind and size.
        self._permit = make_permit(self._client) if self._owns_client else nullcontext()

    # Arguments are deleted before an exception leaves a frame, because tracebacks show its variables. `failed` is raised
    # outside `except`, because the frames of the client's error contain what was sent.

    def load(self, key: str, owner: str) -> Record | None:
        """Return a record, or None."""
        names = self._operations.names_to_load(key, owner)
        try:
            with self._permit:
                return decode_alive(key, owner, *self._client.mget(names))
        except Exception as error:  # noqa: BLE001  # as in `_run`
            failed = failure(error)
        finally:
            del key, owner, names
        raise failed

    @clears_frames
    def insert(self, record: Record, since: float) -> bool:
        """Add a record, unless its key exists with another version or the owner was revoked since."""
        return self._run(self._operations.insert(record, since))

    def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace a record that has this version; return the record that is there if it has another."""
        words = self._operations.words_to_replace(record, version)
        try:
            with self._permit:
                return read_replaced(record, self._client.evalsha(REPLACE.digest, *words))
        except Exception as error:  # noqa: BLE001  # as in `_run`
            failed = None if is_unknown_script(error) else failure(error)
            steps = self._operations.replace_by_text(record, words)
        finally:
            del record, words
        if failed is None:
            return self._run(steps)
        raise failed

    @clears_frames
    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Move a record's times forward."""
        return self._run(self._operations.touch(key, owner, updated_at, expires_at))

    @clears_frames
    def delete(self, key: str, owner: str) -> Record | None:
        """Remove a record and return it."""
        return self._run(self._operations.delete(key, owner))

    @clears_frames
    def of(self, owner: str) -> list[Record]:
        """Return the records of an owner that have not expired."""
        return self._run(self._operations.of(owner))

    @clears_frames
    def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Raise the owner's generation, which ends every session of the owner, and remove the records."""
        return self._run(self._operations.revoke(owner, at, keep))

    def purge(self, now: int, limit: int) -> int:
        """Remove at most `limit` records that expired more than `REMOVAL_DELAY` seconds ago; Redis does so by itself."""
        return self._run(self._operations.purge(now, limit))

    def close(self) -> None:
        """Close every connection. A client that the application gave stays open."""
        if self._owns_client:
            self._client.close()

    def warnings(self) -> list[str]:
        """Return warnings about eviction, durability, replicas, and the clock of the server."""
        return [*warn_of_reads(self._client), *self._run(self._operations.warnings())]

    def _run(self, steps: Steps[T]) -> T:
        command: Any = None
        reply: Any = None
        failed: Exception | None = None
        try:
            with self._permit:
                while failed is None:
                    command = steps.send(reply)
                    try:
                        reply = command.on(self._client)
                    except Exception as error:  # noqa: BLE001  # RedisClusterException is not a RedisError, and drivers have bugs
                        reply = REFUSED
                        failed = None if command.is_refused_by(error) else failure(error)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # the type of StopIteration.value is Any
        finally:
            del command, reply
        raise failed


class _Client(NamedTuple):
    """The client for an event loop of a process, and the permits of its operations."""

    pid: int
    client: Any
    permit: AbstractAsyncContextManager[None]


class AsyncRedisBackend(Placed):
    """Keep sessions in Redis (6 or newer) or Valkey, for ASGI. A load costs one round trip, and a save costs one."""

    def __init__(
        self,
        url_or_client: str | RedisClient | Callable[[], RedisClient],
        *,
        prefix: str = "sk",
        clock: Callable[[], float] = time.time,
        max_connections: int = 50,
        timeout: float = 0.9,
    ) -> None:
        """Keep the address of a server, or a client. The first operation connects.

        Args:
            url_or_client: `redis://user:password@host:6379/0`, `rediss://…` for TLS, `unix:///path/to/socket`; or a
                client of `redis.asyncio` or `valkey.asyncio` that the application has made. Such a client is used as
                it is, in the event loop that it belongs to, and the application closes it. For an application with
                several event loops, give a function that returns a new client: it is called once for each loop, and
                `aclose` closes the client. No client may have `decode_responses=True`.
            prefix: what the names of all keys begin with. Applications with different prefixes can share a server.
            clock: the time in seconds since the epoch, for what has expired.
            max_connections: the most connections of each event loop. (For a URL.)
            timeout: seconds to wait for a free connection. (For a URL.)

        Raises:
            ConfigurationError: the URL, the client or the prefix cannot be used.
        """
        self._operations = Operations(prefix, clock)
        self._place = (url_or_client, prefix)
        self._given: _Client | None = None
        if isinstance(url_or_client, str):
            self._make: Callable[[], Any] = partial(
                async_client, url_or_client, max_connections, timeout
            )
            self._make()  # not connected yet, but a mistake in the URL is found now
        elif callable(url_or_client):
            self._make = url_or_client
        else:
            self._given = _Client(0, url_or_client, nullcontext())
            check_client(url_or_client, is_async=True)
        # A client of the application has a pool of its own kind and size.
        self._owns_pool = isinstance(url_or_client, str)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Client] = WeakKeyDictionary()

    # As in `RedisBackend`: arguments are deleted, and errors raised outside `except`.

    async def load(self, key: str, owner: str) -> Record | None:
        """Load as `RedisBackend.load` does."""
        names = self._operations.names_to_load(key, owner)
        try:
            async with self._permit():
                client = await self._client()
                return decode_alive(key, owner, *await client.mget(names))
        except Exception as error:  # noqa: BLE001  # as in `RedisBackend._run`
            failed = failure(error)
        finally:
            del key, owner, names
        raise failed

    async def insert(self, record: Record, since: float) -> bool:
        """Insert as `RedisBackend.insert` does."""
        steps = self._operations.insert(record, since)
        del record
        return await self._run(steps)

    async def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace as `RedisBackend.replace` does."""
        words = self._operations.words_to_replace(record, version)
        try:
            async with self._permit():
                client = await self._client()
                return read_replaced(record, await client.evalsha(REPLACE.digest, *words))
        except Exception as error:  # noqa: BLE001  # as in `RedisBackend._run`
            failed = None if is_unknown_script(error) else failure(error)
            steps = self._operations.replace_by_text(record, words)
        finally:
            del record, words
        if failed is None:
            return await self._run(steps)
        raise failed

    async def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Touch as `RedisBackend.touch` does."""
        steps = self._operations.touch(key, owner, updated_at, expires_at)
        del key, owner
        return await self._run(steps)

    async def delete(self, key: str, owner: str) -> Record | None:
        """Delete as `RedisBackend.delete` does."""
        steps = self._operations.delete(key, owner)
        del key, owner
        return await self._run(steps)

    async def of(self, owner: str) -> list[Record]:
        """List as `RedisBackend.of` does."""
        steps = self._operations.of(owner)
        del owner
        return await self._run(steps)

    async def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Revoke as `RedisBackend.revoke` does."""
        steps = self._operations.revoke(owner, at, keep)
        del owner, keep
        return await self._run(steps)

    async def purge(self, now: int, limit: int) -> int:
        """Purge as `RedisBackend.purge` does."""
        return await self._run(self._operations.purge(now, limit))

    async def aclose(self) -> None:
        """Close every connection of the running event loop. A client that the application gave stays open."""
        one = self._clients.pop(asyncio.get_running_loop(), None)
        if one is not None:
            await one.client.aclose()

    async def warnings(self) -> list[str]:
        """Return warnings as `RedisBackend.warnings` does."""
        found = await self._run(self._operations.warnings())
        return [*warn_of_reads(self._of_loop().client), *found]

    async def _run(self, steps: Steps[T]) -> T:
        command: Any = None
        reply: Any = None
        failed: Exception | None = None
        try:
            async with self._permit():
                while failed is None:
                    command = steps.send(reply)
                    try:
                        reply = await command.on(await self._client())
                    except Exception as error:  # noqa: BLE001  # as in `RedisBackend._run`
                        reply = REFUSED
                        failed = None if command.is_refused_by(error) else failure(error)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # the type of StopIteration.value is Any
        finally:
            del command, reply
        raise failed

    async def _client(self) -> Any:
        """Return the client of the running event loop."""
        client = self._of_loop().client
        if hasattr(client, "get_primaries"):
            # redis-py's cluster client fails if several tasks send its first command at the same time.
            await client.initialize()
        return client

    def _permit(self) -> AbstractAsyncContextManager[None]:
        """Return the permits of our pool. An operation that has a permit need not wait for a connection."""
        return self._of_loop().permit

    def _of_loop(self) -> _Client:
        """Return the client that was made for this event loop. Connections cannot be used in another event loop, or after a fork."""
        if self._given is not None:
            return self._given
        loop, pid = asyncio.get_running_loop(), os.getpid()
        one = self._clients.get(loop)
        if one is None or one.pid != pid:
            self._forget_closed_loops()
            client = self._make()
            check_client(client, is_async=True)
            permit = make_async_permit(client) if self._owns_pool else nullcontext()
            one = self._clients[loop] = _Client(pid, client, permit)
        return one

    def _forget_closed_loops(self) -> None:
        """Drop the clients of closed event loops. Open connections refer to their loop, so it would never be freed otherwise."""
        for reference in self._clients.keyrefs():
            loop = reference()
            if loop is not None and loop.is_closed():
                self._clients.pop(loop, None)
