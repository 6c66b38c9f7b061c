"""Cases 21 to 33: replace, a compare-and-swap on the version."""

from __future__ import annotations

from .._bench import Bench, equal, expect, same


def test_21_the_expected_version_is_replaced(bench: Bench) -> None:
    """Replace returns True when the record still has the version that was loaded, and every client loads the new one."""
    record = bench.add()
    later = bench.changed(record)
    equal(bench.first.replace(later, record.version), True)
    same(bench.second.load(record.key, record.owner), later)


def test_22_another_version_returns_the_record_that_is_there(bench: Bench) -> None:
    """Replace compares all 12 bytes of the version, and returns the record that is there if one differs."""
    record = bench.add(version=b"a\x00b\x00c\x00d\x00e\x00f\x00")
    version = record.version
    for other in (
        version[:-1] + b"\x01",
        b"\x01" + version[1:],
        version[:6] + b"\xff" + version[7:],
        version.upper(),
        bytes(12),
    ):
        same(bench.first.replace(bench.changed(record), other), record)
        same(bench.second.load(record.key, record.owner), record)


def test_23_a_missing_record_is_not_made(bench: Bench) -> None:
    """Replace returns False when there is no such record, and makes none: it is not an upsert."""
    record = bench.new()
    equal(bench.first.replace(record, bench.changed(record).version), False)
    equal(bench.first.replace(record, record.version), False)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])
    there = bench.add()
    equal(bench.first.replace(bench.changed(there, owner=record.owner), there.version), False)
    same(bench.first.load(there.key, there.owner), there)


def test_24_a_deleted_record_is_not_revived(bench: Bench) -> None:
    """Replace after delete returns False: a late write does not undo a logout."""
    record = bench.add()
    bench.second.delete(record.key, record.owner)
    equal(bench.first.replace(bench.changed(record), record.version), False)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])


def test_25_a_revoked_record_is_not_revived(bench: Bench) -> None:
    """Replace after revoke returns False: a late write does not undo "log out everywhere"."""
    record = bench.add()
    bench.second.revoke(record.owner, bench.now, None)
    equal(bench.first.replace(bench.changed(record), record.version), False)
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])


def test_26_a_repeated_write_counts_once(bench: Bench) -> None:
    """Replace returns True when the record has the new version already: a client may have sent it twice."""
    record = bench.add()
    later = bench.changed(record)
    equal(bench.first.replace(later, record.version), True)
    equal(bench.second.replace(later, record.version), True)
    same(bench.first.load(record.key, record.owner), later)
    latest = bench.changed(later)
    equal(bench.first.replace(latest, later.version), True)
    same(bench.second.replace(later, record.version), latest)
    same(bench.first.load(record.key, record.owner), latest)


def test_27_the_generation_stays(bench: Bench) -> None:
    """Replace keeps the generation that is there, not that of the record it is given."""
    record = bench.add()
    before = same(bench.first.load(record.key, record.owner), record)
    bench.second.revoke(record.owner, bench.now, record.key)
    later = bench.changed(before)
    equal(bench.first.replace(later, record.version), True)
    latest = bench.changed(before, generation=before.generation + 9)
    equal(bench.first.replace(latest, later.version), True)
    found = same(bench.second.load(record.key, record.owner), latest)
    expect(found.generation != before.generation, "the generation before the revocation came back")


def test_28_created_at_and_owner_stay(bench: Bench) -> None:
    """Replace keeps the creation time and the owner of the record that is there."""
    record = bench.add()
    later = bench.changed(record, created_at=bench.now - 1)
    equal(bench.first.replace(later, record.version), True)
    expected = later._replace(created_at=record.created_at)
    same(bench.second.load(record.key, record.owner), expected)
    same(bench.second.of(record.owner)[0], expected)


def test_29_the_expiry_moves(bench: Bench) -> None:
    """Replace moves `expires_at`, later and earlier, for the listing and for removal too."""
    record = bench.add(expires_at=bench.now + 100)
    later = bench.changed(record, expires_at=bench.now + 9000)
    equal(bench.first.replace(later, record.version), True)
    same(bench.second.load(record.key, record.owner), later)
    bench.first.purge(bench.now + 200, 1000)
    same(bench.second.load(record.key, record.owner), later)
    earlier = bench.changed(later, expires_at=bench.now - 20)
    equal(bench.first.replace(earlier, later.version), True)
    equal(bench.second.of(record.owner), [])


def test_30_what_a_conflict_returned_does_not_change(bench: Bench) -> None:
    """The record that replace returns for a conflict is a value of its own: a later write does not change it."""
    record = bench.add()
    conflict = same(bench.first.replace(bench.changed(record), bytes(12)), record)
    equal(bench.second.replace(bench.changed(record), record.version), True)
    bench.first.touch(record.key, record.owner, bench.now + 5, bench.now + 9999)
    same(conflict, record)


def test_31_of_a_hundred_at_once_one_is_stored(bench: Bench) -> None:
    """Of 100 replaces of one version at the same time, one returns True; the others return its record."""
    record = bench.add()
    writes = [bench.changed(record) for _ in range(100)]
    replies = bench.together([("replace", write, record.version) for write in writes])
    stored = [write for write, reply in zip(writes, replies, strict=True) if reply is True]
    equal(len(stored), 1)
    for reply in replies:
        if reply is not True:
            same(reply, stored[0])
    same(bench.first.load(record.key, record.owner), stored[0])


def test_32_a_shorter_payload_leaves_no_tail(bench: Bench) -> None:
    """Replace stores the whole payload and nothing of the earlier one."""
    record = bench.add(sealed=b"x" * 5000)
    for payload in (b"short", b"", b"y" * 300):
        later = bench.changed(record, sealed=payload)
        equal(bench.first.replace(later, record.version), True)
        same(bench.second.load(record.key, record.owner), later)
        record = later


def test_33_an_expired_record_is_replaced_or_gone(bench: Bench) -> None:
    """Replace of an expired record returns True if it is still there, otherwise False; it never makes a new one."""
    record = bench.expire(bench.add())
    later = bench.changed(record, expires_at=bench.now - 5)
    reply = bench.first.replace(later, record.version)
    expect(reply is True or reply is False, f"expected True or False, got {reply!r}")
    found = bench.second.load(record.key, record.owner)
    if found is not None:
        same(found, later if reply else record)
    gone = bench.expire(bench.add(), bench.now - 1000)
    bench.first.purge(bench.now, 10_000)
    if bench.first.load(gone.key, gone.owner) is None:
        equal(bench.first.replace(bench.changed(gone), gone.version), False)
        equal(bench.first.load(gone.key, gone.owner), None)
