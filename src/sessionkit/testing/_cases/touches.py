"""Cases 34 to 41: touch, which moves the times forward and nothing else."""

from __future__ import annotations

from .._bench import Bench, equal, only, same


def test_34_times_move_forward(bench: Bench) -> None:
    """Touch returns True and moves both times of a record forward, for every client."""
    record = bench.add()
    equal(bench.first.touch(record.key, record.owner, bench.now, bench.now + 9000), True)
    moved = record._replace(updated_at=bench.now, expires_at=bench.now + 9000)
    same(bench.second.load(record.key, record.owner), moved)
    same(bench.second.of(record.owner)[0], moved)


def test_35_times_never_move_backward(bench: Bench) -> None:
    """Touch returns True for earlier times and ignores them, each of the two by itself."""
    record = bench.add()
    key, owner = record.key, record.owner
    equal(bench.first.touch(key, owner, record.updated_at - 9, record.expires_at - 9), True)
    same(bench.second.load(key, owner), record)
    equal(bench.first.touch(key, owner, bench.now, record.expires_at - 9), True)
    record = record._replace(updated_at=bench.now)
    same(bench.second.load(key, owner), record)
    equal(bench.first.touch(key, owner, bench.now - 9, record.expires_at + 9), True)
    same(bench.second.load(key, owner), record._replace(expires_at=record.expires_at + 9))


def test_36_the_same_second_counts_as_touched(bench: Bench) -> None:
    """Touch returns True when the record has these times already: a database may count no changed row."""
    record = bench.add()
    for _ in range(2):
        reply = bench.first.touch(record.key, record.owner, record.updated_at, record.expires_at)
        equal(reply, True)
    same(bench.second.load(record.key, record.owner), record)


def test_37_a_missing_record_is_not_made(bench: Bench) -> None:
    """Touch returns False when there is no such record under this owner, and makes nothing."""
    record = bench.new()
    times = (bench.now, bench.now + 9000)
    equal(bench.first.touch(record.key, record.owner, *times), False)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])
    there = bench.add()
    equal(bench.first.touch(there.key, record.owner, *times), False)
    same(bench.first.load(there.key, there.owner), there)
    equal(bench.first.insert(record, bench.now), True)
    same(bench.first.load(record.key, record.owner), record)


def test_38_version_and_payload_stay(bench: Bench) -> None:
    """Touch leaves version, payload, owner and creation time as they are."""
    record = bench.add(sealed=b"\x00\xff" * 100)
    equal(bench.first.touch(record.key, record.owner, bench.now, record.expires_at), True)
    same(bench.second.load(record.key, record.owner), record._replace(updated_at=bench.now))


def test_39_a_replace_with_the_version_from_before_is_stored(bench: Bench) -> None:
    """Touch is not a conflict: a replace with the version that was loaded before it is stored."""
    record = bench.add()
    equal(bench.second.touch(record.key, record.owner, bench.now, bench.now + 9000), True)
    later = bench.changed(record)
    equal(bench.first.replace(later, record.version), True)
    same(bench.second.load(record.key, record.owner), later)


def test_40_a_touched_record_is_removed_later(bench: Bench) -> None:
    """Touch extends what removes the record: listing, purging, and the tidying of an insert."""
    record = bench.add(expires_at=bench.now + 10)
    equal(bench.first.touch(record.key, record.owner, bench.now, bench.now + 9000), True)
    moved = record._replace(updated_at=bench.now, expires_at=bench.now + 9000)
    bench.first.purge(bench.now + 200, 1000)
    same(bench.second.load(record.key, record.owner), moved)
    if bench.clock.is_taken:
        bench.clock.ahead = 200
        for _ in range(4):
            bench.add()
        same(only(bench.first.of(record.owner)), moved)


def test_41_a_revoked_record_is_not_touched(bench: Bench) -> None:
    """Touch after revoke returns False, and brings nothing back."""
    record = bench.add()
    bench.second.revoke(record.owner, bench.now, None)
    equal(bench.first.touch(record.key, record.owner, bench.now, bench.now + 9000), False)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])
