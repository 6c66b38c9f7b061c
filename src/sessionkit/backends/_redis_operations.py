"""The operations of a Redis backend, without I/O: generators that yield commands and are sent the replies."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ..errors import ConfigurationError
from ._protocols import REMOVAL_DELAY, Record
from ._redis_errors import UNKNOWN_SCRIPT, is_named
from ._redis_scripts import (
    DELETE,
    GENERATION,
    INDEX,
    INSERT,
    REMOVE,
    REPLACE,
    REVOCATION_TTL,
    REVOKE,
    REVOKED,
    TOUCH,
    Script,
    decode,
    decode_alive,
    encode,
    encode_change,
    name_owner,
    name_record,
)
from ._redis_settings import (
    NO_SETTINGS,
    warn_of_clocks,
    warn_of_replicas,
    warn_of_settings,
)

__all__ = ["REFUSED", "Operations", "Steps", "read_replaced"]

T = TypeVar("T")


class Command(NamedTuple):
    """A command for the server: a method of a client, blocking or async, and its arguments.

    Attributes:
        name: the name of the method.
        arguments: its arguments.
        options: its keyword arguments.
        may_fail: the name of an exception class of the client library. For such an exception the operation is sent
            `REFUSED`; every other exception becomes a `BackendError`.
        nodes: the servers of a cluster to ask: a server's name, or "primaries" for all that hold keys. By default the
            client sends the command to the server that has the key.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = MappingProxyType({})
    may_fail: str = ""
    nodes: str | None = None

    def on(self, client: Any) -> Any:
        """Call the client's method, and return what it returns: the reply, or an awaitable of it."""
        method = getattr(client, self.name)
        if self.nodes is None or not hasattr(client, "get_primaries"):
            return method(*self.arguments, **self.options)
        target = self.nodes if self.nodes == "primaries" else client.get_node(node_name=self.nodes)
        return method(*self.arguments, **self.options, target_nodes=target)

    def is_refused_by(self, error: Exception) -> bool:
        """Return whether the command may fail with this exception."""
        return is_named(error, self.may_fail)


REFUSED = object()
"""The reply to a command that the server refused, if the command may fail."""

Steps: TypeAlias = Generator[Command, Any, T]
"""An operation: it yields commands, is sent their replies, and returns its result."""

_BATCH = 1000
"""The most keys of one command. While the server executes it, other clients wait for some milliseconds at most."""


class Operations:
    """The operations of `Backend`, as commands for Redis."""

    __slots__ = ("_clock", "_prefix")

    def __init__(self, prefix: str, clock: Callable[[], float]) -> None:
        if not prefix or not all(
            one.isascii() and (one.isalnum() or one in "_.:/-") for one in prefix
        ):
            raise ConfigurationError(
                f"prefix={prefix!r}: take letters, digits and '_.:/-' only, at least one"
            )
        self._prefix = prefix
        self._clock = clock

    # Every request loads a record, and most writes replace one. The backends send the single command of these two operations
    # themselves: as a generator, it would take up to 10 µs more of processor time.

    def names_to_load(self, key: str, owner: str) -> tuple[str, str]:
        """Return the names of what a load reads: the record, and the owner's generation."""
        start = name_owner(self._prefix, owner)
        return name_record(start, key), start + GENERATION

    def words_to_replace(self, record: Record, version: bytes) -> tuple[Any, ...]:
        """Return the keys and arguments of the `REPLACE` script."""
        change = encode_change(record, version, self._ttl(record.expires_at))
        return (3, *self._names(record.key, record.owner), change)

    def replace_by_text(self, record: Record, words: tuple[Any, ...]) -> Steps[Record | bool]:
        """Replace a record on a server that does not know the script."""
        return read_replaced(record, (yield Command("eval", (REPLACE.text, *words))))

    def insert(self, record: Record, since: float) -> Steps[bool]:
        """Insert a record."""
        name, generation, index = self._names(record.key, record.owner)
        revoked = name_owner(self._prefix, record.owner) + REVOKED
        reply = yield from _evaluate(
            INSERT,
            (name, generation, revoked, index),
            record.key,
            repr(float(since)),
            record.version,
            record.expires_at,
            self._ttl(record.expires_at),
            self._horizon(),
            encode(record),
        )
        return bool(reply)

    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> Steps[bool]:
        """Touch a record."""
        keys = self._names(key, owner)
        ttl = self._ttl(expires_at)
        return bool((yield from _evaluate(TOUCH, keys, key, updated_at, expires_at, ttl)))

    def delete(self, key: str, owner: str) -> Steps[Record | None]:
        """Delete a record."""
        value = yield from _evaluate(DELETE, self._names(key, owner), key)
        return None if value is None else decode(key, owner, value)

    def of(self, owner: str) -> Steps[list[Record]]:
        """List an owner's live records: read the index, and then the records, each with the generation."""
        start = name_owner(self._prefix, owner)
        now = self._clock()
        found = yield Command("zrangebyscore", (start + INDEX, f"({now!r}", "+inf"))
        records: list[Record | None] = []
        for batch in _batches([member.decode() for member in found]):
            names = [start + GENERATION, *(name_record(start, key) for key in batch)]
            values = yield Command("mget", (names,))
            records += (
                decode_alive(key, owner, value, values[0])
                for key, value in zip(batch, values[1:], strict=True)
            )
        return [one for one in records if one is not None and one.expires_at > now]

    def revoke(self, owner: str, at: float, keep: str | None) -> Steps[int]:
        """Raise the generation, which ends every session at once; then remove the records, which are no longer valid.

        A script must get the names of all keys that it uses, so removing the records needs a second command.
        """
        start = name_owner(self._prefix, owner)
        keys = [start + GENERATION, start + REVOKED, start + INDEX]
        keys += [] if keep is None else [name_record(start, keep)]
        at_text = repr(float(at))
        found = yield from _evaluate(REVOKE, keys, at_text, REVOCATION_TTL, self._horizon())
        count = 0
        after = repr(self._clock())
        for batch in _batches(found):
            count += yield from _remove(start, batch, horizon=-1, counted_after=after)
        return count

    def purge(self, now: int, limit: int) -> Steps[int]:
        """Remove expired records of all owners that Redis has not removed itself, and forget them in the indices."""
        horizon = now - REMOVAL_DELAY
        count = 0
        options = {"match": f"{self._prefix}:{{*}}:i", "count": _BATCH}
        cursors: dict[str | None, int] = {
            None: 0
        }  # by server of a cluster; the first command is sent to all
        while cursors and count < limit:
            node, cursor = cursors.popitem()
            found, indices = yield Command("scan", (cursor,), options, nodes=node)
            following: dict[str | None, int] = found if hasattr(found, "items") else {node: found}
            cursors.update({name: at for name, at in following.items() if at})
            for index in indices:
                if count < limit:
                    start = index.decode().removesuffix(INDEX)
                    count += yield from _purge(start, horizon, limit - count)
        return count

    def warnings(self) -> Steps[list[str]]:
        """Ask the server for its settings, its replicas and its clock."""
        settings = yield _ask_primaries("config_get", "*")
        replication = yield _ask_primaries("info", "replication")
        before = self._clock()
        clocks = yield _ask_primaries("time")
        return [
            *([NO_SETTINGS] if settings is REFUSED else warn_of_settings(settings)),
            *([] if replication is REFUSED else warn_of_replicas(replication)),
            *([] if clocks is REFUSED else warn_of_clocks(clocks, before, self._clock())),
        ]

    def _names(self, key: str, owner: str) -> tuple[str, str, str]:
        """Return the names of what every change uses: the record, and the owner's generation and index."""
        start = name_owner(self._prefix, owner)
        return name_record(start, key), start + GENERATION, start + INDEX

    def _ttl(self, expires_at: int) -> int:
        """Return how long Redis keeps a record, in milliseconds. The time is relative, so that the server's clock does not matter."""
        return int((max(expires_at - self._clock(), 0) + REMOVAL_DELAY) * 1000)

    def _horizon(self) -> int:
        """Return the time before which a record must have expired to be removed."""
        return int(self._clock()) - REMOVAL_DELAY


def read_replaced(record: Record, reply: int | bytes) -> Record | bool:
    """Return the result of `replace`, from the reply of the `REPLACE` script."""
    return bool(reply) if isinstance(reply, int) else decode(record.key, record.owner, reply)


def _ask_primaries(name: str, *arguments: str) -> Command:
    """Ask every server that holds keys, if it lets this client ask."""
    return Command(name, arguments, may_fail="ResponseError", nodes="primaries")


def _evaluate(script: Script, keys: Sequence[str], *arguments: str | float | bytes) -> Steps[Any]:
    """Run a script by its digest; if the server does not know the script, run it once by its text."""
    words = (len(keys), *keys, *arguments)
    reply = yield Command("evalsha", (script.digest, *words), may_fail=UNKNOWN_SCRIPT)
    if reply is REFUSED:
        reply = yield Command("eval", (script.text, *words))
    return reply


def _purge(start: str, horizon: int, limit: int) -> Steps[int]:
    """Remove records of one owner that expired before the horizon."""
    bounds = ("-inf", f"({horizon}")
    found = yield Command("zrangebyscore", (start + INDEX, *bounds), {"start": 0, "num": _BATCH})
    return (yield from _remove(start, found, horizon, -1, limit)) if found else 0


def _remove(
    start: str,
    members: Sequence[bytes],
    horizon: int,
    counted_after: str | int,
    limit: int = _BATCH,
) -> Steps[int]:
    """Remove an owner's records that are not valid, or that expired before the horizon."""
    names = (name_record(start, one.decode()) for one in members)
    keys = [start + INDEX, start + GENERATION, *names]
    return int((yield from _evaluate(REMOVE, keys, horizon, counted_after, limit, *members)))


def _batches(members: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(members), _BATCH):
        yield members[start : start + _BATCH]
