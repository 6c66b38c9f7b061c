"""Cases 1 to 10: load."""

from __future__ import annotations

import secrets

from .._bench import Bench, equal, expect, same

ALL_BYTES = bytes(range(256))


def test_01_an_unknown_key_loads_none(bench: Bench) -> None:
    """Load returns None for a key that was never inserted, and makes nothing."""
    record = bench.new()
    equal(bench.first.load(record.key, record.owner), None)
    equal(bench.first.of(record.owner), [])


def test_02_a_record_comes_back_byte_for_byte(bench: Bench) -> None:
    """Load returns each field as it was inserted, with its type: `str`, `int`, `bytes`."""
    record = bench.add()
    same(bench.first.load(record.key, record.owner), record)


def test_03_all_byte_values_and_64_kib_survive(bench: Bench) -> None:
    """A payload and a version may hold any byte, and a payload may be 70,000 bytes long."""
    long = ALL_BYTES * 274  # over 65,535 bytes, the most of MySQL's BLOB
    for version in (bytes(12), b"\xff" * 12, b"\r\n\x1a'\"\\ %\x00;\x80"):
        record = bench.add(sealed=long[:70_000], version=version)
        same(bench.first.load(record.key, record.owner), record)
        short = bench.add(sealed=ALL_BYTES, version=version)
        same(bench.first.load(short.key, short.owner), short)


def test_04_an_empty_payload_survives(bench: Bench) -> None:
    """A record without payload is a record, even when it is replaced, listed and deleted."""
    record = bench.add(sealed=b"")
    same(bench.first.load(record.key, record.owner), record)
    later = bench.changed(record, sealed=b"")
    equal(bench.first.replace(later, record.version), True)
    same(bench.first.of(record.owner)[0], later)
    same(bench.first.delete(record.key, record.owner), later)


def test_05_a_key_in_another_case_loads_none(bench: Bench) -> None:
    """Keys are compared byte for byte: `aBc` is not `abc`."""
    record = bench.add(key="aBc" + secrets.token_hex(16))
    for other in (record.key.upper(), record.key.lower(), record.key.swapcase()):
        equal(bench.first.load(other, record.owner), None)
    twin = bench.add(key=record.key.swapcase(), owner=record.owner)
    same(bench.first.load(twin.key, twin.owner), twin)
    same(bench.first.load(record.key, record.owner), record)


def test_06_a_key_with_a_trailing_blank_loads_none(bench: Bench) -> None:
    """Blanks at the end of a key count: `abc ` is not `abc`."""
    record = bench.add()
    equal(bench.first.load(record.key + " ", record.owner), None)
    twin = bench.add(key=record.key + " ", owner=record.owner)
    same(bench.first.load(twin.key, twin.owner), twin)
    same(bench.first.load(record.key, record.owner), record)


def test_07_a_part_of_a_key_loads_none(bench: Bench) -> None:
    """Keys are compared whole, up to 64 characters: no prefix, no pattern."""
    record = bench.add(key=secrets.token_hex(32))
    key = record.key
    for other in (key[:-1], key[:32], key[:16], key[1:], "", "*", "%", key[:-1] + "_", "_" * 64):
        equal(bench.first.load(other, record.owner), None)
    twin = bench.add(key=key[:-1] + "-", owner=record.owner)
    same(bench.first.load(twin.key, twin.owner), twin)
    same(bench.first.load(key, record.owner), record)


def test_08_another_owner_changes_nothing(bench: Bench) -> None:
    """A record is found under its own owner, and the revocation of another owner leaves it."""
    record = bench.add()
    other = bench.add()
    equal(bench.first.load(record.key, other.owner), None)
    equal(bench.first.revoke(other.owner, bench.now, None), 1)
    same(bench.first.load(record.key, record.owner), record)


def test_09_an_expired_record_is_returned_or_none(bench: Bench) -> None:
    """Load of an expired record returns the record or None; the application judges the times."""
    record = bench.expire(bench.add())
    found = bench.first.load(record.key, record.owner)
    if found is not None:
        same(found, record)


def test_10_load_changes_nothing(bench: Bench) -> None:
    """Load leaves the record, its version, its times and its expiry as they are."""
    record = bench.add()
    loaded = [bench.first.load(record.key, record.owner) for _ in range(3)]
    equal(loaded, [loaded[0]] * 3)
    equal(bench.second.of(record.owner), [loaded[0]])
    later = bench.changed(record)
    equal(bench.first.replace(later, record.version), True)
    same(bench.first.load(record.key, record.owner), later)
    expired = bench.expire(bench.add())
    bench.first.load(expired.key, expired.owner)
    expect(bench.first.of(expired.owner) == [], "an expired record was revived by load")
