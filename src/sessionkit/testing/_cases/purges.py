"""Cases 60 to 63: purge. Each case counts records that expired long ago, at a time that no other case uses."""

from __future__ import annotations

import random

from ...backends import REMOVAL_DELAY, Record
from .._bench import Bench, equal, expect, same


def long_ago(bench: Bench) -> int:
    """Return a time at which no other case's records expire, between 1973 and 2001."""
    at = random.randrange(100_000_000, 1_000_000_000)  # noqa: S311 - no secret
    bench.first.purge(at, 1_000_000)
    return at


def expired_records(bench: Bench, at: int, count: int) -> list[Record]:
    """Return records that have expired at this time. All are inserted first: an insert removes expired ones."""
    return [bench.expire(record, at) for record in [bench.add() for _ in range(count)]]


def are_gone(bench: Bench, records: list[Record]) -> list[bool]:
    """Return for each record whether it is gone."""
    return [bench.second.load(record.key, record.owner) is None for record in records]


def test_60_purge_removes_expired_records_only(bench: Bench) -> None:
    """Purge removes what expired more than `REMOVAL_DELAY` seconds ago and returns how many; all else stays."""
    live, recent = bench.add(), bench.add()
    at = bench.now - 2 * REMOVAL_DELAY if bench.rig.expires_by_itself else long_ago(bench)
    expired = expired_records(bench, at, 3)
    recent = bench.expire(recent, at + 1)
    removed = bench.first.purge(at + REMOVAL_DELAY + 1, 1000)
    if not bench.rig.expires_by_itself:
        equal(are_gone(bench, expired), [True] * 3)
        equal(removed, 3)
        equal(bench.first.purge(at + REMOVAL_DELAY + 1, 1000), 0)
        same(bench.first.delete(recent.key, recent.owner), recent)
    bench.first.purge(bench.now, 1000)
    same(bench.second.load(live.key, live.owner), live)
    equal(len(bench.second.of(live.owner)), 1)
    equal(bench.first.replace(bench.changed(live), live.version), True)


def test_61_purge_removes_at_most_the_limit(bench: Bench) -> None:
    """Purge removes at most `limit` records, and returns how many: 0 when none are left."""
    at = long_ago(bench)
    expired = expired_records(bench, at, 10)
    now = at + REMOVAL_DELAY + 1
    equal(bench.first.purge(now, 0), 0)
    for turn in range(3):
        equal(bench.first.purge(now, 3), 3)
        equal(sum(are_gone(bench, expired)), 3 * turn + 3)
    equal(bench.first.purge(now, 3), 1)
    equal(bench.first.purge(now, 3), 0)


def test_62_two_purgers_count_each_record_once(bench: Bench) -> None:
    """Purges at the same time raise no error, and together return the number of records that they removed."""
    at = long_ago(bench)
    expired = expired_records(bench, at, 40)
    now = at + REMOVAL_DELAY + 1
    removed = bench.together([("purge", now, 15)] * 2)
    equal(sum(are_gone(bench, expired)), sum(removed))
    expect(max(removed) <= 15, f"removed {removed} with a limit of 15 each")
    removed += bench.together([("purge", now, 100)] * 2)
    equal(are_gone(bench, expired), [True] * 40)
    equal(sum(removed), 40)


def test_63_live_records_are_loaded_during_a_purge(bench: Bench) -> None:
    """Purge holds up no request: live records are loaded, replaced and inserted meanwhile."""
    live, written, fresh = bench.add(), bench.add(), bench.new()
    at = bench.now - 1000 if bench.rig.expires_by_itself else long_ago(bench)
    expired_records(bench, at, 20)
    later = bench.changed(written)
    replies = bench.together(
        [
            ("purge", at + 100, 10),
            ("load", live.key, live.owner),
            ("replace", later, written.version),
            ("insert", fresh, bench.now),
            ("load", live.key, live.owner),
            ("purge", at + 100, 10),
        ]
    )
    for found in (replies[1], replies[4]):
        same(found, live)
    equal(replies[2:4], [True, True])
    same(bench.first.load(later.key, later.owner), later)
    same(bench.first.load(fresh.key, fresh.owner), fresh)
