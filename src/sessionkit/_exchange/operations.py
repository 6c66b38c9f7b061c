"""Operations on a backend, as values: an exchange decides them, and a driver performs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeAlias

from ..backends._protocols import Record

__all__ = [
    "Delete",
    "Insert",
    "List",
    "Load",
    "Operation",
    "Purge",
    "Replace",
    "Revoke",
    "Touch",
    "Wanted",
]


class Wanted(NamedTuple):
    """A record that a request's cookies point to.

    Attributes:
        key: the record's key.
        owner: its owner.
    """

    key: str
    owner: str


@dataclass(frozen=True, slots=True)
class Load:
    """Load a record."""

    key: str
    owner: str
    ends: ClassVar[bool] = False

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.load(self.key, self.owner)


@dataclass(frozen=True, slots=True)
class Insert:
    """Add the record of a session that begins."""

    record: Record = field(repr=False)
    since: float
    ends: ClassVar[bool] = False

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.insert(self.record, self.since)


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace a record if it still has the version that was loaded.

    Attributes:
        record: the record with the new contents, or the forward record of a rotation.
        version: the version that was loaded.
        forwards: whether this ends the old id of a rotation.
    """

    record: Record = field(repr=False)
    version: bytes
    forwards: bool = False

    @property
    def ends(self) -> bool:
        """Whether the operation ends a session."""
        return self.forwards

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.replace(self.record, self.version)


@dataclass(frozen=True, slots=True)
class Touch:
    """Move the idle expiry of a record."""

    key: str
    owner: str
    updated_at: int
    expires_at: int
    ends: ClassVar[bool] = False

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.touch(self.key, self.owner, self.updated_at, self.expires_at)


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the record of a session that ends."""

    key: str
    owner: str
    ends: ClassVar[bool] = True

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.delete(self.key, self.owner)


@dataclass(frozen=True, slots=True)
class List:
    """List the records of an owner."""

    owner: str
    ends: ClassVar[bool] = False

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.of(self.owner)


@dataclass(frozen=True, slots=True)
class Revoke:
    """End every session of an owner.

    Attributes:
        owner: the owner.
        at: seconds since the epoch. A login whose request began at this time or earlier is refused.
        keep: the key of a record that stays, or None.
    """

    owner: str
    at: float
    keep: str | None
    ends: ClassVar[bool] = True

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.revoke(self.owner, self.at, self.keep)


@dataclass(frozen=True, slots=True)
class Purge:
    """Remove expired records."""

    now: int
    limit: int
    ends: ClassVar[bool] = False

    def on(self, backend: Any) -> Any:
        """Perform the operation; on an async backend, return the coroutine."""
        return backend.purge(self.now, self.limit)


Operation: TypeAlias = Load | Insert | Replace | Touch | Delete | List | Revoke | Purge
