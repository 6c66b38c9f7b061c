"""A sound backend of few lines, written to be broken: each decision is a method of its own."""

import threading
import time

from sessionkit.backends import REMOVAL_DELAY


class PlainBackend:
    """Sessions in two dicts, which several clients share. `revoke` leaves the rows: their generation is over."""

    waits = False

    def __init__(self, shared=None, *, clock=time.time):
        self.clock = clock
        self.rows, self.owners, self.lock = shared or ({}, {}, threading.RLock())

    @property
    def shared(self):
        return self.rows, self.owners, self.lock

    # decisions

    def place(self, key, owner):
        return key, owner

    def generation(self, owner):
        return self.owners.get(owner, (0, None))[0]

    def refuses(self, owner, since):
        revoked_at = self.owners.get(owner, (0, None))[1]
        return revoked_at is not None and revoked_at >= since

    def find(self, key, owner):
        row = self.rows.get(self.place(key, owner))
        return row if row is not None and row.generation == self.generation(owner) else None

    def matches(self, present, version):
        return present.version == version

    def put(self, row):
        self.rows[self.place(row.key, row.owner)] = row

    def drop(self, row):
        self.rows.pop(self.place(row.key, row.owner), None)

    def merge(self, present, record):
        return record._replace(
            generation=present.generation, created_at=present.created_at, owner=present.owner
        )

    def is_listed(self, row, owner):
        return row.owner == owner and row.expires_at > self.clock()

    def is_over(self, row, now):
        return row.expires_at + REMOVAL_DELAY < now

    def pause(self):
        """Nothing here. A broken backend waits between its question and its answer."""

    # operations

    def load(self, key, owner):
        with self.lock:
            return self.find(key, owner)

    def insert(self, record, since):
        with self.lock:
            if self.refuses(record.owner, since):
                return False
            present = self.find(record.key, record.owner)
            if present is not None:
                return self.matches(present, record.version)
            self.pause()
            self.put(record._replace(generation=self.generation(record.owner)))
            return True

    def replace(self, record, version):
        with self.lock:
            present = self.find(record.key, record.owner)
            if present is None:
                return False
            if present.version == record.version:
                return True
            if not self.matches(present, version):
                return present
            self.pause()
            self.put(self.merge(present, record))
            return True

    def touch(self, key, owner, updated_at, expires_at):
        with self.lock:
            present = self.find(key, owner)
            if present is None:
                return False
            self.pause()
            later = max(present.updated_at, updated_at), max(present.expires_at, expires_at)
            self.put(present._replace(updated_at=later[0], expires_at=later[1]))
            return True

    def delete(self, key, owner):
        with self.lock:
            present = self.find(key, owner)
            self.pause()
            if present is not None:
                self.drop(present)
            return present

    def of(self, owner):
        with self.lock:
            return [
                row
                for row in list(self.rows.values())
                if self.is_listed(row, owner) and row.generation == self.generation(owner)
            ]

    def revoke(self, owner, at, keep):
        with self.lock:
            ended = [row for row in self.of(owner) if row.key != keep]
            kept = None if keep is None else self.find(keep, owner)
            generation, revoked_at = self.owners.get(owner, (0, at))
            self.owners[owner] = generation + 1, max(at, revoked_at)
            if kept is not None:
                self.put(kept._replace(generation=generation + 1))
            return len(ended)

    def purge(self, now, limit):
        with self.lock:
            over = [row for row in self.rows.values() if self.is_over(row, now)][:limit]
            self.pause()
            for row in over:
                self.drop(row)
            return len(over)

    def close(self):
        pass

    def warnings(self):
        return []
