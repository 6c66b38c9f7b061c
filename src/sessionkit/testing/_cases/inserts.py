"""Cases 11 to 20: insert."""

from __future__ import annotations

from .._bench import Bench, equal, expect, only, same


def test_11_a_new_record_is_visible_to_a_second_client_at_once(bench: Bench) -> None:
    """Insert returns True for a new record, and every client loads it from then on."""
    record = bench.new()
    equal(bench.second.load(record.key, record.owner), None)
    equal(bench.first.insert(record, bench.now), True)
    same(bench.second.load(record.key, record.owner), record)


def test_12_an_existing_key_with_another_version_is_refused(bench: Bench) -> None:
    """Insert returns False for a key that exists with another version, and leaves the record that is there."""
    record = bench.add()
    other = bench.changed(record, expires_at=bench.now + 9000, created_at=bench.now)
    equal(bench.second.insert(other, bench.now), False)
    same(bench.first.load(record.key, record.owner), record)
    equal(len(bench.first.of(record.owner)), 1)


def test_13_the_same_record_again_counts_as_inserted(bench: Bench) -> None:
    """Insert returns True for a record that is there with the same version: a client may have sent it twice."""
    record = bench.add()
    equal(bench.first.insert(record, bench.now), True)
    equal(bench.second.insert(record, bench.now), True)
    same(bench.first.load(record.key, record.owner), record)
    equal(len(bench.first.of(record.owner)), 1)


def test_14_a_revocation_before_since_does_not_refuse(bench: Bench) -> None:
    """Insert returns True when the owner was revoked before the request began, by a millisecond too."""
    record = bench.new()
    bench.first.revoke(record.owner, bench.now + 0.250, None)
    equal(bench.first.insert(record, bench.now + 0.251), True)
    same(bench.second.load(record.key, record.owner), record)


def test_15_a_revocation_at_since_refuses(bench: Bench) -> None:
    """Insert returns False when the owner was revoked at the moment at which the request began."""
    record = bench.new()
    bench.first.revoke(record.owner, bench.now + 0.250, None)
    equal(bench.first.insert(record, bench.now + 0.250), False)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])


def test_16_a_revocation_after_since_refuses(bench: Bench) -> None:
    """Insert returns False when the owner was revoked after the request began; the latest revocation counts."""
    record = bench.new()
    bench.first.revoke(record.owner, bench.now + 0.250, None)
    equal(bench.second.insert(record, bench.now + 0.249), False)
    equal(bench.second.insert(record, bench.now - 5), False)
    # A server with a slower clock tells of a revocation that is earlier: the latest still counts.
    bench.first.revoke(record.owner, bench.now - 5, None)
    equal(bench.second.insert(record, bench.now), False)
    equal(bench.first.load(record.key, record.owner), None)


def test_17_a_record_gets_the_generation_of_today(bench: Bench) -> None:
    """Insert gives a record the owner's generation of now, whatever generation the record names."""
    for generation in (0, 1, 7, 2**31 - 1):
        record = bench.add(generation=generation)
        found = same(bench.first.load(record.key, record.owner), record)
        bench.first.revoke(record.owner, bench.now, None)
        later = bench.new(owner=record.owner, generation=generation)
        equal(bench.first.insert(later, bench.now + 1), True)
        expect(
            same(bench.second.load(later.key, later.owner), later).generation != found.generation,
            "a revocation has not changed the generation of new records",
        )


def test_18_of_two_at_once_one_is_inserted(bench: Bench) -> None:
    """Of two inserts of one key at the same time, one returns True, and its record is there whole."""
    for _ in range(20):
        one = bench.new()
        other = bench.changed(one, expires_at=bench.now + 9000)
        replies = bench.together([("insert", one, bench.now), ("insert", other, bench.now)])
        equal(sorted(replies), [False, True])
        same(bench.first.load(one.key, one.owner), one if replies[0] else other)


def test_19_an_inserted_record_is_listed(bench: Bench) -> None:
    """Insert makes a record appear in `of` at once, for every client."""
    record = bench.add()
    same(only(bench.second.of(record.owner)), record)


def test_20_a_deleted_key_can_be_inserted_again(bench: Bench) -> None:
    """Insert after delete makes a new record: no field of the earlier one remains."""
    record = bench.add(sealed=bytes(500), expires_at=bench.now + 9000)
    bench.first.touch(record.key, record.owner, bench.now, bench.now + 99_999)
    bench.second.delete(record.key, record.owner)
    again = bench.new(key=record.key, owner=record.owner, sealed=b"short", created_at=bench.now)
    equal(bench.first.insert(again, bench.now), True)
    same(bench.second.load(again.key, again.owner), again)
    same(bench.second.of(again.owner)[0], again)
