"""Backends with one mistake each, and the case that finds it: touch, delete, the records of an owner, purge."""

import threading
import time

from sessionkit.backends import Record
from sessionkit.errors import BackendError

from .broken import Unlocked, breaks
from .plain import PlainBackend


@breaks(34)
class TouchMovesOneTime(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        return super().touch(key, owner, updated_at, 0)


@breaks(35)
class TouchMovesBack(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        present = self.find(key, owner)
        if present is not None:
            self.put(present._replace(updated_at=updated_at, expires_at=expires_at))
        return present is not None


@breaks(35)
class TouchMovesBothTimesOrNone(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        present = self.find(key, owner)
        if present is None or updated_at < present.updated_at or expires_at < present.expires_at:
            return present is not None
        return super().touch(key, owner, updated_at, expires_at)


@breaks(36)
class TouchCountsChangedRows(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        before = self.find(key, owner)
        super().touch(key, owner, updated_at, expires_at)
        return self.find(key, owner) != before


@breaks(37)
class TouchMakesARecord(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        if self.find(key, owner) is None:
            self.put(
                Record(key, owner, self.generation(owner), 0, updated_at, expires_at, b"", b"")
            )
            return False
        return super().touch(key, owner, updated_at, expires_at)


@breaks(38)
class TouchMakesAVersion(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        touched = super().touch(key, owner, updated_at, expires_at)
        if touched:
            self.put(self.find(key, owner)._replace(version=bytes(12)))
        return touched


@breaks(39)
class TouchIsAConflict(PlainBackend):
    def __init__(self, *shared, clock):
        super().__init__(*shared, clock=clock)
        self.owners.setdefault("touched", [])

    def touch(self, key, owner, updated_at, expires_at):
        self.owners["touched"].append(key)
        return super().touch(key, owner, updated_at, expires_at)

    def replace(self, record, version):
        if record.key in self.owners["touched"]:
            return self.find(record.key, record.owner)
        return super().replace(record, version)


@breaks(40)
class TouchLeavesTheRemovalTime(PlainBackend):
    def is_over(self, row, now):
        return row.created_at + 200 < now


@breaks(41)
class TouchIgnoresTheGeneration(PlainBackend):
    def touch(self, key, owner, updated_at, expires_at):
        row = self.rows.get((key, owner))
        if row is not None:
            self.put(row._replace(generation=self.generation(owner)))
        return super().touch(key, owner, updated_at, expires_at)


@breaks(42)
class DeleteTellsOnlyThatItDid(PlainBackend):
    def delete(self, key, owner):
        return super().delete(key, owner) is not None


@breaks(42)
class DeleteForgetsNothing(PlainBackend):
    def drop(self, row):
        pass


@breaks(43)
class DeleteOfTheMissingIsAnError(PlainBackend):
    def delete(self, key, owner):
        found = super().delete(key, owner)
        if found is None:
            raise BackendError("there is no such session")
        return found


@breaks(44)
class DeleteAsksFirst(Unlocked):
    pass


@breaks(45)
class DeleteByOwner(PlainBackend):
    def drop(self, row):
        for one in [one for one in self.rows.values() if one.owner == row.owner]:
            super().drop(one)


@breaks(46)
class DeleteLeavesTheIndex(PlainBackend):
    def drop(self, row):
        super().drop(row)
        self.rows["index", row.key] = row

    def find(self, key, owner):
        return None if key == "index" else super().find(key, owner)


@breaks(47)
class AReplaceBesideADeleteRevives(Unlocked):
    def delete(self, key, owner):
        present = self.find(key, owner)
        if present is not None:
            self.drop(present)
        return present


@breaks(48)
class ATouchBesideADeleteRevives(Unlocked):
    def delete(self, key, owner):
        present = self.find(key, owner)
        if present is not None:
            self.drop(present)
        return present


@breaks(49)
class OwnersByPrefix(PlainBackend):
    def is_listed(self, row, owner):
        return row.owner.startswith(owner) and row.expires_at > self.clock()


@breaks(49)
class OwnersIgnoreCase(PlainBackend):
    def is_listed(self, row, owner):
        return super().is_listed(row._replace(owner=row.owner.lower()), owner.lower())


@breaks(50)
class OwnersArePatterns(PlainBackend):
    def is_listed(self, row, owner):
        prefix, percent, suffix = owner.partition("%")
        like = row.owner.startswith(prefix) and row.owner.endswith(suffix)
        return like if percent else super().is_listed(row, owner)


@breaks(50)
class OwnersAreCutAtAColon(PlainBackend):
    def place(self, key, owner):
        return super().place(key, owner.partition(":")[0])

    def generation(self, owner):
        return super().generation(owner.partition(":")[0])

    def revoke(self, owner, at, keep):
        super().revoke(owner.partition(":")[0], at, keep)
        return 1


@breaks(51)
class ExpiredIsListed(PlainBackend):
    def is_listed(self, row, owner):
        return row.owner == owner


@breaks(51)
class MillisecondsForSeconds(PlainBackend):
    def is_listed(self, row, owner):
        return row.owner == owner and row.expires_at * 1000 > self.clock()


@breaks(51)
class AClockOfItsOwn(PlainBackend):
    def __init__(self, *shared, clock):
        super().__init__(*shared)


@breaks(52)
class AListIsCut(PlainBackend):
    def of(self, owner):
        return super().of(owner)[:500]


@breaks(53)
class RevokeCountsTheExpired(PlainBackend):
    def revoke(self, owner, at, keep):
        found = [row for row in self.rows.values() if row.owner == owner and row.key != keep]
        super().revoke(owner, at, keep)
        return len(found)


@breaks(53)
class RevokeRaisesNoGeneration(PlainBackend):
    def revoke(self, owner, at, keep):
        ended = super().revoke(owner, at, keep)
        self.owners[owner] = 0, at
        return ended


@breaks(53)
class LoadIgnoresTheGeneration(PlainBackend):
    def find(self, key, owner):
        return self.rows.get((key, owner))


@breaks(54)
class RevokeEndsTheKeptToo(PlainBackend):
    def revoke(self, owner, at, keep):
        super().revoke(owner, at, None)
        return len([row for row in self.rows.values() if row.owner == owner and row.key != keep])


@breaks(55)
class RevokeMakesTheKept(PlainBackend):
    def revoke(self, owner, at, keep):
        ended = super().revoke(owner, at, keep)
        if keep is not None and self.find(keep, owner) is None:
            later = int(self.clock()) + 100
            self.put(Record(keep, owner, self.generation(owner), 0, 0, later, bytes(12), b""))
        return ended


@breaks(56)
class InsertChecksBeforeItWrites(Unlocked):
    """As under READ COMMITTED, with the generation of the moment of the write."""

    def revoke(self, owner, at, keep):
        time.sleep(0.001)
        return super().revoke(owner, at, keep)


@breaks(57)
class ARevocationIsForEver(PlainBackend):
    def refuses(self, owner, since):
        return owner in self.owners


@breaks(58)
class TheGenerationIsTheSecond(PlainBackend):
    def revoke(self, owner, at, keep):
        ended = super().revoke(owner, at, keep)
        self.owners[owner] = int(at), self.owners[owner][1]
        return ended


@breaks(59)
class ARevocationNeedsRecords(PlainBackend):
    def revoke(self, owner, at, keep):
        return super().revoke(owner, at, keep) if self.of(owner) else 0


@breaks(60)
class PurgeIsEarly(PlainBackend):
    def is_over(self, row, now):
        return row.expires_at < now


@breaks(60)
class PurgeRemovesByCreation(PlainBackend):
    def is_over(self, row, now):
        return row.created_at < now or super().is_over(row, now)


@breaks(61)
class PurgeHasNoLimit(PlainBackend):
    def purge(self, now, limit):
        return super().purge(now, 1_000_000)


@breaks(62)
class PurgeCountsWhatItFound(Unlocked):
    pass


@breaks(63)
class PurgeLocksOthersOut(PlainBackend):
    def __init__(self, *shared, clock):
        super().__init__(*shared, clock=clock)
        self.purging = threading.Event()

    def purge(self, now, limit):
        self.purging.set()
        time.sleep(0.02)
        self.purging.clear()
        return super().purge(now, limit)

    def load(self, key, owner):
        if self.purging.wait(0.05):
            raise BackendError("the table is locked")
        return super().load(key, owner)
