"""Cases 42 to 48: delete."""

from __future__ import annotations

from .._bench import Bench, equal, expect, only, same


def test_42_delete_returns_what_was_there(bench: Bench) -> None:
    """Delete returns the record as it was last written, and no client loads it from then on."""
    record = bench.add()
    later = bench.changed(record)
    equal(bench.second.replace(later, record.version), True)
    same(bench.first.delete(record.key, record.owner), later)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.second.load(record.key, record.owner), None)


def test_43_a_missing_record_gives_none(bench: Bench) -> None:
    """Delete returns None when there is no such record under this owner."""
    record = bench.new()
    equal(bench.first.delete(record.key, record.owner), None)
    there = bench.add()
    equal(bench.first.delete(there.key, record.owner), None)
    same(bench.first.load(there.key, there.owner), there)


def test_44_a_second_delete_gives_none(bench: Bench) -> None:
    """Of two deletes of a record, one returns it and the other None, also at the same time."""
    record = bench.add()
    same(bench.first.delete(record.key, record.owner), record)
    equal(bench.second.delete(record.key, record.owner), None)
    for _ in range(10):
        record = bench.add()
        replies = bench.together([("delete", record.key, record.owner)] * 2)
        equal(replies.count(None), 1)
        same(replies[0] or replies[1], record)


def test_45_the_other_records_of_the_owner_stay(bench: Bench) -> None:
    """Delete removes one record, and no other of the owner."""
    record = bench.add()
    other = bench.add(owner=record.owner)
    bench.first.delete(record.key, record.owner)
    same(bench.second.load(other.key, other.owner), other)
    equal(bench.second.replace(bench.changed(other), other.version), True)


def test_46_a_deleted_record_is_not_listed(bench: Bench) -> None:
    """Delete removes a record from `of`, for every client."""
    record = bench.add()
    other = bench.add(owner=record.owner)
    bench.first.delete(record.key, record.owner)
    same(only(bench.second.of(record.owner)), other)


def test_47_a_delete_beside_a_replace_wins(bench: Bench) -> None:
    """Delete ends a record whatever else happens to it at the same time: 200 times beside a replace."""
    for turn in range(200):
        record = bench.add()
        later = bench.changed(record)
        calls = [
            ("delete", record.key, record.owner),
            ("replace", later, record.version),
        ]
        replies = bench.together(calls if turn % 2 else calls[::-1])
        deleted, replaced = replies if turn % 2 else replies[::-1]
        expect(replaced in (True, False), f"expected True or False of replace, got {replaced!r}")
        same(deleted, later if replaced else record)
        equal(bench.first.load(record.key, record.owner), None)
        equal(bench.second.of(record.owner), [])


def test_48_a_delete_beside_a_touch_wins(bench: Bench) -> None:
    """Delete ends a record also beside a touch."""
    for turn in range(50):
        record = bench.add()
        calls = [
            ("delete", record.key, record.owner),
            ("touch", record.key, record.owner, bench.now, bench.now + 9000),
        ]
        bench.together(calls if turn % 2 else calls[::-1])
        equal(bench.first.load(record.key, record.owner), None)
        equal(bench.second.of(record.owner), [])
