"""The bench of a case: two clients of a backend, a clock, records of its own, and calls at the same time."""

from __future__ import annotations

import asyncio
import inspect
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .._exchange.performing import is_async
from ..backends import AnyBackend, Backend, Record
from ._clients import blocking

__all__ = ["Address", "Bench", "Clock", "Rig", "equal", "expect", "only", "same"]

Address = tuple[str, int]

_AT_ONCE = 16
"""The number of calls at the same time: more than a small pool has connections, and few enough to be served in time."""
_FIELDS = (str, str, int, int, int, int, bytes, bytes)


def expect(truth: bool, otherwise: str) -> None:
    """Raise an error if a rule is broken. An `assert` would be removed by `python -O`."""
    if not truth:
        raise AssertionError(otherwise)


def equal(actual: object, expected: object) -> None:
    """Raise an error unless a value and its type are the expected ones."""
    expect(
        type(actual) is type(expected) and actual == expected,
        f"expected {expected!r}, got {actual!r}",
    )


def same(actual: object, expected: Record) -> Record:
    """Return the record that a backend returned; raise an error if it is not the expected one. The backend may choose the generation."""
    expect(isinstance(actual, Record), f"expected a record, got {actual!r}")
    record = actual if isinstance(actual, Record) else expected
    equal(tuple(map(type, record)), _FIELDS)
    equal(record._replace(generation=0), expected._replace(generation=0))
    return record


def only(found: list[Record]) -> Record:
    """Return the only record of a list; raise an error if the list has none or several."""
    equal(len(found), 1)
    return found[0]


class Clock:
    """A clock that a case can move, if the backend uses it."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.is_taken = False

    def __call__(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time() + self.ahead


@dataclass(frozen=True, kw_only=True)
class Rig:
    """The arguments of a suite, from the author of the backend: how to make clients, and where the server is."""

    make: Callable[..., AnyBackend]
    make_second: Callable[..., AnyBackend] | None
    make_at: Callable[..., AnyBackend]
    server: Callable[[], Address]
    can_fail: bool
    expires_by_itself: bool


class Bench:
    """Two clients of a backend, a clock, and records that no other case has."""

    def __init__(self, rig: Rig) -> None:
        """Make the clients. The first operation connects."""
        self.rig = rig
        self.clock = Clock()
        self.now = int(self.clock())
        self.loop = asyncio.new_event_loop()
        self._clients: list[Backend] = []
        self._threads = ThreadPoolExecutor(_AT_ONCE)
        self.backend = self._call(rig.make)
        """The backend as its author made it."""
        other = self.backend if rig.make_second is None else self._call(rig.make_second)
        self.backends = (self.backend, other)
        self.first = self.client(self.backend)
        self.second = self.first if other is self.backend else self.client(other)

    def client(self, backend: AnyBackend) -> Backend:
        """Return a backend with operations that block. It is closed with the bench."""
        client = blocking(backend, self.loop)
        self._clients.append(client)
        return client

    def at(self, address: Address) -> Backend:
        """Return a client that looks for the server at this address."""
        host, port = address
        return self.client(self._call(self.rig.make_at, host, port))

    def close(self) -> None:
        """Close the clients, the threads and the event loop."""
        self._threads.shutdown()
        for client in self._clients:
            client.close()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def new(self, **changes: Any) -> Record:
        """Return a record that is not stored yet, of a new owner."""
        return Record(
            key=secrets.token_hex(16),
            owner=secrets.token_hex(16),
            generation=0,
            created_at=self.now - 100,
            updated_at=self.now - 50,
            expires_at=self.now + 3600,
            version=os.urandom(12),
            sealed=os.urandom(200),
        )._replace(**changes)

    def add(self, **changes: Any) -> Record:
        """Insert a new record and return it."""
        record = self.new(**changes)
        equal(self.first.insert(record, self.now), True)
        return record

    def expire(self, record: Record, at: int | None = None) -> Record:
        """Let a record expire, at this time or 10 seconds ago, and return it. The clock does not move.

        An insert that follows may remove a record that expired more than `REMOVAL_DELAY` seconds ago.
        """
        expired = self.changed(record, expires_at=self.now - 10 if at is None else at)
        equal(self.first.replace(expired, record.version), True)
        return expired

    def changed(self, record: Record, **changes: Any) -> Record:
        """Return a record as a later write would have it, with another version and payload."""
        later = record._replace(version=os.urandom(12), sealed=os.urandom(200), updated_at=self.now)
        return later._replace(**changes)

    def together(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call operations at the same time, with the two clients alternately, and return their results.

        Args:
            calls: tuples of an operation's name and its arguments.
        """
        if is_async(self.backend):
            return self.loop.run_until_complete(self._gather(calls))
        clients = (self.first, self.second)
        start = threading.Event()

        def call(turn: int, name: str, *arguments: Any) -> Any:
            start.wait()
            return getattr(clients[turn % 2], name)(*arguments)

        futures = [self._threads.submit(call, turn, *one) for turn, one in enumerate(calls)]
        start.set()
        return [future.result() for future in futures]

    async def _gather(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        free = asyncio.Semaphore(_AT_ONCE)

        async def call(turn: int, name: str, *arguments: Any) -> Any:
            async with free:
                return await getattr(self.backends[turn % 2], name)(*arguments)

        return await asyncio.gather(*(call(turn, *one) for turn, one in enumerate(calls)))

    def _call(self, make: Callable[..., AnyBackend], *place: Any) -> AnyBackend:
        """Call a factory; pass the clock if it has a parameter `clock`, or one more parameter without a default."""
        parameters = inspect.signature(make).parameters
        required = [
            one
            for one in parameters.values()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
            and one.default is one.empty
        ]
        by_name = (
            "clock" in parameters
            and parameters["clock"].kind is not inspect.Parameter.POSITIONAL_ONLY
        )
        self.clock.is_taken = by_name or len(required) > len(place)
        if by_name:
            return make(*place, clock=self.clock)
        return make(*place, self.clock) if self.clock.is_taken else make(*place)
