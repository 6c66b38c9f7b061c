"""Keep sessions in the memory of one process: for tests, for development, and for an application of a single process."""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ._protocols import REMOVAL_DELAY, TIDIED, Record

__all__ = ["MemoryBackend"]

_LOCK = threading.Lock()
"""One lock for all backends. A thread that forks holds it during the fork, so that the child's copy is complete and its lock is free."""

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )


@dataclass(slots=True)
class _Owner:
    """The records of an owner, and the last revocation."""

    keys: dict[str, None] = field(default_factory=dict[str, None])
    generation: int = 0
    revoked_at: float | None = None


class MemoryBackend:
    """Keep sessions in memory. They end with the process, and another process does not see them.

    After a fork, each process has its own copy of the sessions. A server with several worker processes needs another
    backend, such as `SQLiteBackend`.
    """

    waits = False

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """Make an empty backend.

        Args:
            clock: the time in seconds since the epoch, for what has expired.
        """
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._owners: dict[str, _Owner] = {}
        # Pairs of (expiry, key), at least one for each record. If an expiry has moved, its pair is corrected when its turn comes.
        self._expiries: list[tuple[int, str]] = []

    def load(self, key: str, owner: str) -> Record | None:
        """Return a record, or None."""
        record = self._records.get(key)
        return record if record is not None and record.owner == owner else None

    def insert(self, record: Record, since: float) -> bool:
        """Add a record, unless its key exists with another version or the owner was revoked since."""
        with _LOCK:
            self._tidy()
            owner = self._owners.get(record.owner) or _Owner()
            if owner.revoked_at is not None and owner.revoked_at >= since:
                return False
            present = self._records.get(record.key)
            if present is not None:
                return present.version == record.version
            self._owners[record.owner] = owner
            owner.keys[record.key] = None
            self._records[record.key] = record._replace(generation=owner.generation)
            heapq.heappush(self._expiries, (record.expires_at, record.key))
            return True

    def replace(self, record: Record, version: bytes) -> Record | bool:
        """Replace a record that has this version; return the record that is there if it has another."""
        with _LOCK:
            present = self.load(record.key, record.owner)
            if present is None:
                return False
            if present.version == record.version:
                return True
            if present.version != version:
                return present
            self._store(
                record._replace(generation=present.generation, created_at=present.created_at)
            )
            return True

    def touch(self, key: str, owner: str, updated_at: int, expires_at: int) -> bool:
        """Move a record's times forward."""
        with _LOCK:
            present = self.load(key, owner)
            if present is None:
                return False
            self._store(
                present._replace(
                    updated_at=max(updated_at, present.updated_at),
                    expires_at=max(expires_at, present.expires_at),
                )
            )
            return True

    def delete(self, key: str, owner: str) -> Record | None:
        """Remove a record and return it."""
        with _LOCK:
            present = self.load(key, owner)
            if present is not None:
                self._remove(present)
            return present

    def of(self, owner: str) -> list[Record]:
        """Return the records of an owner that have not expired."""
        with _LOCK:
            return self._live(owner)

    def revoke(self, owner: str, at: float, keep: str | None) -> int:
        """Remove the records of an owner, and refuse records that a request from before `at` would insert."""
        with _LOCK:
            group = self._owners.setdefault(owner, _Owner())
            group.generation += 1
            group.revoked_at = at if group.revoked_at is None else max(at, group.revoked_at)
            ended = sum(record.key != keep for record in self._live(owner))
            for key in list(group.keys):
                if key == keep:
                    self._records[key] = self._records[key]._replace(generation=group.generation)
                else:
                    self._remove(self._records[key])
            return ended

    def purge(self, now: int, limit: int) -> int:
        """Remove at most `limit` records that expired more than `REMOVAL_DELAY` seconds ago."""
        with _LOCK:
            return self._remove_expired(now, limit)

    def close(self) -> None:
        """Do nothing: there is no connection. The sessions stay."""

    def warnings(self) -> list[str]:
        """Return one warning: no other process sees the sessions."""
        return [
            "MemoryBackend keeps sessions in this process only: other workers do not see them. For several: SQLiteBackend('sessions.db')"
        ]

    def _live(self, owner: str) -> list[Record]:
        now = self._clock()
        keys = self._owners[owner].keys if owner in self._owners else ()
        return [self._records[key] for key in keys if self._records[key].expires_at > now]

    def _store(self, record: Record) -> None:
        earlier = self._records[record.key].expires_at
        self._records[record.key] = record
        if record.expires_at < earlier:
            heapq.heappush(self._expiries, (record.expires_at, record.key))

    def _remove(self, record: Record) -> None:
        del self._records[record.key]
        group = self._owners[record.owner]
        del group.keys[record.key]
        if not group.keys and group.revoked_at is None:
            del self._owners[record.owner]

    def _tidy(self) -> None:
        self._remove_expired(self._clock(), TIDIED)
        # Pairs of deleted records stay until their expiry. When more than half of the pairs are such, the list is made again.
        if len(self._expiries) > 2 * len(self._records) + 64:
            self._expiries = [(record.expires_at, key) for key, record in self._records.items()]
            heapq.heapify(self._expiries)

    def _remove_expired(self, now: float, limit: int) -> int:
        removed = 0
        while removed < limit and self._expiries and self._expiries[0][0] + REMOVAL_DELAY < now:
            _, key = heapq.heappop(self._expiries)
            record = self._records.get(key)
            if record is None:
                continue
            if record.expires_at + REMOVAL_DELAY < now:
                self._remove(record)
                removed += 1
            else:
                heapq.heappush(self._expiries, (record.expires_at, key))
        return removed
