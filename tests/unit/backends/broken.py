"""Backends with one mistake each, and the case that finds it: load, insert, replace, touch, delete."""

import time
from contextlib import nullcontext

from sessionkit.backends import Record
from sessionkit.errors import BackendError

from .plain import PlainBackend

BROKEN = []


def breaks(case):
    """Register a backend that this case must refuse."""

    def register(backend):
        BROKEN.append((case, backend))
        return backend

    return register


class Unlocked(PlainBackend):
    """Asks first and acts later, without a lock between."""

    @property
    def lock(self):
        return nullcontext()

    @lock.setter
    def lock(self, lock):
        self.shared_lock = lock

    @property
    def shared(self):
        return self.rows, self.owners, self.shared_lock

    def pause(self):
        time.sleep(0.005)


@breaks(1)
class LoadMakesARecord(PlainBackend):
    def load(self, key, owner):
        return super().load(key, owner) or Record(key, owner, 0, 0, 0, 0, bytes(12), b"")


@breaks(2)
class LoadGivesBuffers(PlainBackend):
    def load(self, key, owner):
        found = super().load(key, owner)
        return found and found._replace(sealed=memoryview(found.sealed))


@breaks(2)
class LoadGivesTimesAsFractions(PlainBackend):
    def load(self, key, owner):
        found = super().load(key, owner)
        return found and found._replace(updated_at=float(found.updated_at))


@breaks(3)
class PayloadIsCut(PlainBackend):
    def put(self, row):
        super().put(row._replace(sealed=row.sealed[:65_535]))


@breaks(3)
class PayloadIsText(PlainBackend):
    def put(self, row):
        super().put(row._replace(sealed=row.sealed.decode("utf-8", "replace").encode()))


@breaks(3)
class VersionIsACString(PlainBackend):
    def put(self, row):
        super().put(row._replace(version=row.version.partition(b"\x00")[0]))


@breaks(4)
class EmptyPayloadIsNone(PlainBackend):
    def find(self, key, owner):
        found = super().find(key, owner)
        return found if found and found.sealed else None


@breaks(5)
class KeysIgnoreCase(PlainBackend):
    def place(self, key, owner):
        return key.lower(), owner


@breaks(6)
class KeysIgnoreTrailingBlanks(PlainBackend):
    def place(self, key, owner):
        return key.rstrip(), owner


@breaks(7)
class KeysAreCut(PlainBackend):
    def place(self, key, owner):
        return key[:32], owner


@breaks(7)
class KeysArePatterns(PlainBackend):
    def find(self, key, owner):
        keys = [row.key for row in self.of(owner) if row.key == key or key in ("%", "*")]
        return super().find(keys[0], owner) if keys else None


@breaks(8)
class LoadIgnoresTheOwner(PlainBackend):
    def place(self, key, owner):
        return key


@breaks(8)
class OneGenerationForAll(PlainBackend):
    def generation(self, owner):
        return sum(generation for generation, _ in self.owners.values())


@breaks(9)
class ExpiredIsAnError(PlainBackend):
    def load(self, key, owner):
        found = super().load(key, owner)
        if found is not None and found.expires_at <= self.clock():
            raise BackendError("the session has expired")
        return found


@breaks(10)
class LoadRenews(PlainBackend):
    def load(self, key, owner):
        found = super().load(key, owner)
        if found is not None:
            self.put(found._replace(expires_at=int(self.clock()) + 100))
        return found


class Caching(PlainBackend):
    """Remembers what it has loaded, and whether there was nothing."""

    remembers_nothing = True

    def __init__(self, *shared, clock):
        super().__init__(*shared, clock=clock)
        self.cache = {}

    def load(self, key, owner):
        if (key, owner) not in self.cache:
            found = super().load(key, owner)
            if found is None and not self.remembers_nothing:
                return None
            self.cache[key, owner] = found
        return self.cache[key, owner]


@breaks(11)
class LoadRemembersThatThereWasNothing(Caching):
    pass


@breaks(57)
class LoadRemembersRecords(Caching):
    remembers_nothing = False


@breaks(12)
class InsertIsAnUpsert(PlainBackend):
    def insert(self, record, since):
        if self.refuses(record.owner, since):
            return False
        self.put(record._replace(generation=self.generation(record.owner)))
        return True


@breaks(12)
class InsertOverwritesAndAdmitsIt(PlainBackend):
    def insert(self, record, since):
        was_there = self.find(record.key, record.owner) is not None
        self.put(record)
        return not was_there


@breaks(13)
class InsertTwiceIsRefused(PlainBackend):
    def insert(self, record, since):
        return self.find(record.key, record.owner) is None and super().insert(record, since)


@breaks(14)
class SinceInWholeSeconds(PlainBackend):
    def refuses(self, owner, since):
        return super().refuses(owner, int(since))


@breaks(15)
class RevokedAtSinceIsForgiven(PlainBackend):
    def refuses(self, owner, since):
        return super().refuses(owner, since + 0.0001)


@breaks(16)
class InsertIgnoresSince(PlainBackend):
    def refuses(self, owner, since):
        return False


@breaks(16)
class TheRevocationToldLastCounts(PlainBackend):
    def revoke(self, owner, at, keep):
        ended = super().revoke(owner, at, keep)
        self.owners[owner] = self.owners[owner][0], at
        return ended


@breaks(17)
class InsertTakesTheRecordsGeneration(PlainBackend):
    def insert(self, record, since):
        inserted = super().insert(record, since)
        if inserted:
            self.put(record)
        return inserted


@breaks(18)
class InsertAsksFirst(Unlocked):
    pass


@breaks(19)
class InsertIsNotListed(PlainBackend):
    def is_listed(self, row, owner):
        return super().is_listed(row, owner) and row.updated_at >= int(self.clock()) - 10


@breaks(20)
class DeletedKeysAreTaken(PlainBackend):
    def drop(self, row):
        self.put(row._replace(generation=-1))

    def insert(self, record, since):
        return (record.key, record.owner) not in self.rows and super().insert(record, since)


@breaks(20)
class DeletedFieldsRemain(PlainBackend):
    def drop(self, row):
        super().drop(row)
        self.rows[row.key, "deleted"] = row._replace(generation=-1)

    def put(self, row):
        old = self.rows.get((row.key, "deleted"))
        super().put(row._replace(created_at=old.created_at) if old else row)


@breaks(21)
class ReplaceStoresNothing(PlainBackend):
    def replace(self, record, version):
        present = self.find(record.key, record.owner)
        return present is not None and (present.version == version or present)


@breaks(22)
class ReplaceIgnoresTheVersion(PlainBackend):
    def matches(self, present, version):
        return True


@breaks(22)
class ReplaceComparesAPrefix(PlainBackend):
    def matches(self, present, version):
        return present.version[:8] == version[:8]


@breaks(22)
class ReplaceComparesAsText(PlainBackend):
    def matches(self, present, version):
        return present.version.lower() == version.lower()


@breaks(22)
class ConflictIsFalse(PlainBackend):
    def replace(self, record, version):
        return super().replace(record, version) is True


@breaks(23)
class ReplaceIsAnUpsert(PlainBackend):
    def replace(self, record, version):
        if self.find(record.key, record.owner) is None:
            self.put(record._replace(generation=self.generation(record.owner)))
        return super().replace(record, version)


@breaks(24)
class DeletedIsOnlyHidden(PlainBackend):
    def drop(self, row):
        self.put(row._replace(generation=-1))

    def replace(self, record, version):
        hidden = self.rows.get((record.key, record.owner))
        if hidden is not None and hidden.generation == -1:
            self.put(record._replace(generation=self.generation(record.owner)))
            return True
        return super().replace(record, version)


@breaks(25)
class ReplaceIgnoresTheGeneration(PlainBackend):
    def replace(self, record, version):
        row = self.rows.get((record.key, record.owner))
        if row is not None:
            self.put(row._replace(generation=self.generation(record.owner)))
        return super().replace(record, version)


@breaks(26)
class ARepeatedWriteIsAConflict(PlainBackend):
    def replace(self, record, version):
        present = self.find(record.key, record.owner)
        if present is not None and present.version == record.version:
            return present
        return super().replace(record, version)


@breaks(27)
class ReplaceWritesTheRecordsGeneration(PlainBackend):
    def merge(self, present, record):
        return super().merge(present, record)._replace(generation=record.generation)


@breaks(28)
class ReplaceWritesCreatedAt(PlainBackend):
    def merge(self, present, record):
        return super().merge(present, record)._replace(created_at=record.created_at)


@breaks(29)
class ReplaceOnlyExtends(PlainBackend):
    def merge(self, present, record):
        later = max(present.expires_at, record.expires_at)
        return super().merge(present, record)._replace(expires_at=later)


@breaks(30)
class ConflictIsAView(PlainBackend):
    def replace(self, record, version):
        answer = super().replace(record, version)
        if isinstance(answer, Record):
            return answer._replace(sealed=bytearray(answer.sealed))
        return answer


@breaks(31)
class ReplaceAsksFirst(Unlocked):
    pass


@breaks(32)
class ReplaceLeavesATail(PlainBackend):
    def merge(self, present, record):
        tail = present.sealed[len(record.sealed) :]
        return super().merge(present, record)._replace(sealed=record.sealed + tail)


@breaks(33)
class ReplaceOfExpiredIsNone(PlainBackend):
    def replace(self, record, version):
        present = self.find(record.key, record.owner)
        if present is not None and present.expires_at <= self.clock():
            return None
        return super().replace(record, version)
