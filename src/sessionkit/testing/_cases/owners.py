"""Cases 49 to 59: the records of an owner, and their revocation."""

from __future__ import annotations

import secrets

from ...backends import Record
from .._bench import Bench, equal, expect, same


def listed(bench: Bench, owner: str) -> list[Record]:
    """Return the records of an owner as the second client lists them, by key, without generations."""
    return sorted(record._replace(generation=0) for record in bench.second.of(owner))


def test_49_the_live_records_of_an_owner_are_listed(bench: Bench) -> None:
    """List exactly the live records of an owner, and none of an owner with a similar name."""
    owner = "aB" + secrets.token_hex(8)
    records = [bench.add(owner=owner) for _ in range(5)]
    for name in (owner.swapcase(), owner + " ", owner[:-1], owner + "0", owner.lower()):
        bench.add(owner=name)
    bench.first.delete(records[0].key, owner)
    later = bench.changed(records[1])
    bench.first.replace(later, records[1].version)
    equal(listed(bench, owner), sorted([later, *records[2:]]))


def test_50_owners_with_strange_names_are_apart(bench: Bench) -> None:
    """Owners are any printable ASCII, compared byte for byte: no character in a name has a meaning."""
    names = ["{}", ":", "%", "_", "*", "a:b", "a", "{a}", "a}", "'", '"', "\\", "?", " ", "A", "a "]
    suffix = secrets.token_hex(8)
    owners = [*(name + suffix for name in names), *(suffix + name for name in names)]
    records = {owner: bench.add(owner=owner) for owner in owners}
    for owner, record in records.items():
        same(bench.second.load(record.key, owner), record)
        equal(listed(bench, owner), [record])
    for ended, owner in enumerate(owners, 1):
        equal(bench.first.revoke(owner, bench.now, None), 1)
        equal(bench.second.load(records[owner].key, owner), None)
        for other in owners[ended : ended + 3]:
            same(bench.second.load(records[other].key, other), records[other])


def test_51_an_expired_record_is_not_listed(bench: Bench) -> None:
    """Leave a record out of `of` once it has expired by the backend's clock, even before it is removed."""
    live = bench.add()
    bench.expire(bench.add(owner=live.owner))
    equal(listed(bench, live.owner), [live])
    soon = bench.add(expires_at=bench.now + 20)
    equal(listed(bench, soon.owner), [soon])
    if bench.clock.is_taken:
        bench.clock.ahead = 40
        equal(listed(bench, soon.owner), [])


def test_52_an_owner_may_have_a_thousand_records(bench: Bench) -> None:
    """List and revoke all records of an owner, however many there are."""
    owner = secrets.token_hex(16)
    records = [bench.new(owner=owner, sealed=b"x" * 20) for _ in range(1000)]
    equal(bench.together([("insert", record, bench.now) for record in records]), [True] * 1000)
    equal(listed(bench, owner), sorted(records))
    equal(bench.first.revoke(owner, bench.now, None), 1000)
    equal(bench.second.of(owner), [])
    equal(bench.second.load(records[-1].key, owner), None)


def test_53_revoke_ends_every_record_and_counts_the_live(bench: Bench) -> None:
    """Revoke ends all records of an owner and returns how many were live; an expired one does not count."""
    owner = secrets.token_hex(16)
    records = [bench.add(owner=owner) for _ in range(4)]
    bench.expire(bench.add(owner=owner))
    equal(bench.first.revoke(owner, bench.now, None), 4)
    for record in records:
        equal(bench.second.load(record.key, owner), None)
        equal(bench.second.delete(record.key, owner), None)
    equal(bench.second.of(owner), [])
    equal(bench.first.revoke(owner, bench.now + 1, None), 0)


def test_54_the_kept_record_stays(bench: Bench) -> None:
    """Revoke leaves the record to keep: it loads, is listed, can be replaced and touched, and is not counted."""
    kept = bench.add()
    other = bench.add(owner=kept.owner)
    equal(bench.first.revoke(kept.owner, bench.now, kept.key), 1)
    equal(bench.second.load(other.key, other.owner), None)
    same(bench.second.load(kept.key, kept.owner), kept)
    equal(listed(bench, kept.owner), [kept])
    later = bench.changed(kept)
    equal(bench.second.replace(later, kept.version), True)
    equal(bench.first.touch(kept.key, kept.owner, bench.now, later.expires_at), True)
    same(bench.first.load(kept.key, kept.owner), later)
    equal(bench.first.revoke(kept.owner, bench.now + 1, None), 1)
    equal(bench.second.load(kept.key, kept.owner), None)


def test_55_keeping_what_is_not_there_makes_nothing(bench: Bench) -> None:
    """Revoke makes no record when the one to keep does not exist, or belongs to another owner."""
    record = bench.add()
    missing = bench.new(owner=record.owner)
    equal(bench.first.revoke(record.owner, bench.now, missing.key), 1)
    equal(bench.second.load(missing.key, missing.owner), None)
    equal(bench.second.of(record.owner), [])
    other = bench.add()
    equal(bench.first.revoke(record.owner, bench.now + 1, other.key), 0)
    equal(bench.second.load(other.key, record.owner), None)
    equal(bench.second.of(record.owner), [])
    same(bench.second.load(other.key, other.owner), other)


def test_56_a_login_in_flight_does_not_survive(bench: Bench) -> None:
    """A revocation ends a login that began before it, even when the insert ends after it: 50 times at once."""
    for turn in range(50):
        record = bench.new()
        calls = [
            ("insert", record, bench.now - 1),
            ("revoke", record.owner, bench.now, None),
        ]
        bench.together(calls if turn % 2 else calls[::-1])
        equal(bench.first.load(record.key, record.owner), None)
        equal(bench.second.of(record.owner), [])
        equal(bench.first.replace(bench.changed(record), record.version), False)


def test_57_a_login_after_a_revocation_is_alive(bench: Bench) -> None:
    """A login that began after a revocation loads, is listed, and can be replaced and touched."""
    earlier = bench.add()
    bench.first.revoke(earlier.owner, bench.now, None)
    record = bench.new(owner=earlier.owner)
    equal(bench.first.insert(record, bench.now + 1), True)
    same(bench.second.load(record.key, record.owner), record)
    equal(listed(bench, record.owner), [record])
    later = bench.changed(record)
    equal(bench.second.replace(later, record.version), True)
    equal(bench.first.touch(record.key, record.owner, bench.now, later.expires_at), True)
    same(bench.second.load(record.key, record.owner), later)


def test_58_a_second_revocation_in_the_same_second_revokes_too(bench: Bench) -> None:
    """Each revocation ends what was inserted since the one before, however short the time between."""
    record = bench.add()
    for turn in range(4):
        equal(bench.first.revoke(record.owner, bench.now + turn / 10, None), 1)
        equal(bench.second.load(record.key, record.owner), None)
        equal(bench.second.touch(record.key, record.owner, bench.now, bench.now + 9000), False)
        record = bench.new(owner=record.owner)
        equal(bench.second.insert(record, bench.now + turn / 10 + 0.05), True)
        same(bench.first.load(record.key, record.owner), record)


def test_59_an_owner_without_records_can_be_revoked(bench: Bench) -> None:
    """Revoke returns 0 for an owner without records, and still refuses a login that began earlier."""
    record = bench.new()
    equal(bench.first.revoke(record.owner, bench.now, None), 0)
    equal(bench.second.insert(record, bench.now - 1), False)
    equal(bench.second.load(record.key, record.owner), None)
    expect(bench.second.of(record.owner) == [], "a refused record is listed")
