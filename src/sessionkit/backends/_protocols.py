"""The protocols of a backend: the record of a session, and the operations on records. A backend never sees the contents of a session."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

__all__ = ["REMOVAL_DELAY", "TIDIED", "AnyBackend", "AsyncBackend", "Backend", "Record"]

REMOVAL_DELAY = 60
"""Seconds for which a record is kept after `expires_at`. The application itself checks the expiry, by its own clock."""

TIDIED = 4
"""The most expired records that an insert of our backends removes: more than it adds, so that the table cannot grow without end."""


class Record(NamedTuple):
    """A session as a backend keeps it: sealed, under a hashed id, with the times in clear.

    To a backend, `key` and `owner` are printable ASCII of at most 64 characters, compared byte for byte. A backend cannot
    decrypt `sealed`. Of the other fields, it interprets only the times.

    Attributes:
        key: the name of the record: a digest of the session's id.
        owner: the name of the user's group of records: a keyed digest of who the user is.
        generation: the generation of the owner when the record was inserted. The backend sets it; the value that is passed
            to `insert` and `replace` is ignored.
        created_at: when the session began, in seconds since the epoch.
        updated_at: when the session was last written or renewed, in seconds since the epoch.
        expires_at: when the record may be removed, in seconds since the epoch.
        version: the nonce of `sealed`, 12 bytes. Each write makes a new one. Versions are only tested for equality.
        sealed: the encrypted contents; any bytes, perhaps none.
    """

    key: str
    owner: str
    generation: int
    created_at: int
    updated_at: int
    expires_at: int
    version: bytes
    sealed: bytes


@runtime_checkable
class Backend(Protocol):
    """A place on the server where sessions are kept. Every operation is one atomic step, and none is an upsert.

    Every operation raises `BackendError` if the server cannot be reached, fails, or does not reply within three
    seconds. No error or log line of a backend holds a key, an owner or a payload. A backend may be used from several
    threads, and after a fork in both processes.

    A backend that sets the class attribute `waits = False` promises to do no I/O. The ASGI gateway then calls it directly,
    not in a thread.
    """

    def load(self, key: str, owner: str) -> Record | None:
        """Return a record; None if it does not exist, or if its generation is not the owner's.

        An expired record may be returned: the core checks the times.

        Args:
            key: the record's name.
            owner: the owner's name.
        """
        ...

    def insert(self, record: Record, since: float) -> bool:
        """Add a record, with the owner's current generation; up to four expired records may be removed on the way.

        Args:
            record: the record. If a record with the same key and version exists, it counts as added, so that a repeated call
                changes nothing.
            since: when the request began, in seconds since the epoch. If the owner was revoked at this time or later, the
                record is not added.

        Returns:
            Whether the record was added; False if the key exists with another version, or if the owner was revoked since.
        """
        ...

    def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace a record if it still has the version that was loaded. Owner, creation time and generation do not change.

        Args:
            record: the record with its new version, times and payload.
            version: the version that was loaded.

        Returns:
            True if the record was stored, by this call or by an earlier call of the same write; False if there is no such
            record, or its generation is not the owner's; otherwise the present record.
        """
        ...

    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Move a record's times forward, each independently of the other; version and payload do not change.

        Args:
            key: the record's name.
            owner: the owner's name.
            updated_at: the new update time, in seconds since the epoch. A time before that of the record is ignored.
            expires_at: the new expiry, likewise.

        Returns:
            Whether there is such a record with the owner's generation.
        """
        ...

    def delete(self, key: str, owner: str) -> Record | None:
        """Remove a record and return it; None if there is none.

        Args:
            key: the record's name.
            owner: the owner's name.
        """
        ...

    def of(self, owner: str) -> list[Record]:
        """Return the records of an owner that are live: of the owner's generation, and not expired by the backend's clock.

        Args:
            owner: the owner's name.
        """
        ...

    def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Raise the owner's generation, and remove the owner's records.

        Args:
            owner: the owner's name.
            at: the time of the revocation, in seconds since the epoch. `insert` compares its `since` with it.
            keep: the key of a record that stays and gets the new generation; None for none. If this record does not exist,
                it is not created.

        Returns:
            How many live records were removed.
        """
        ...

    def purge(self, now: int, limit: int) -> int:
        """Remove records that expired more than `REMOVAL_DELAY` seconds ago, and no others.

        Args:
            now: seconds since the epoch.
            limit: the most records to remove.

        Returns:
            How many were removed.
        """
        ...

    def close(self) -> None:
        """Close every connection. A later operation opens new ones."""
        ...

    def warnings(self) -> list[str]:
        """Ask the server for its settings; return a sentence about each setting that may lose sessions or bring ended ones back."""
        ...


@runtime_checkable
class AsyncBackend(Protocol):
    """A `Backend` whose operations are awaited. One object serves several event loops, with connections for each."""

    async def load(self, key: str, owner: str) -> Record | None:
        """Load as `Backend.load` does."""
        ...

    async def insert(self, record: Record, since: float) -> bool:
        """Insert as `Backend.insert` does."""
        ...

    async def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace as `Backend.replace` does."""
        ...

    async def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Touch as `Backend.touch` does."""
        ...

    async def delete(self, key: str, owner: str) -> Record | None:
        """Delete as `Backend.delete` does."""
        ...

    async def of(self, owner: str) -> list[Record]:
        """List as `Backend.of` does."""
        ...

    async def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Revoke as `Backend.revoke` does."""
        ...

    async def purge(self, now: int, limit: int) -> int:
        """Purge as `Backend.purge` does."""
        ...

    async def aclose(self) -> None:
        """Close every connection of the running event loop. A later operation opens new ones."""
        ...

    async def warnings(self) -> list[str]:
        """Return warnings as `Backend.warnings` does."""
        ...


AnyBackend: TypeAlias = Backend | AsyncBackend
