"""Sealed records and pointers: to what they are bound, and what does not open."""

import hmac
import pickle

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessionkit import JSON, Absence, KeyRing, Stamp
from sessionkit._crypto.records import Pointer, RecordCodec

from ..scene import OTHER_SECRET, SECRET, START
from .sealing import NAME, sealed

STAMP = Stamp(
    id="AbCdEfGhIjKlMnOpQrSt-_", created_at=START - 500, updated_at=START, expires_at=START + 86_400
)
DAY = 86_400
WEEK = 7 * DAY
BOUND = {"key": "0" * 32, "owner": "1" * 32, "created_at": START}


def codec(secret=SECRET, name=NAME, audience="", absolute=7 * DAY):
    return RecordCodec(KeyRing(secret), name, audience, absolute, JSON)


def changed(record, **changes):
    return type(record)(**{name: getattr(record, name) for name in record.__slots__} | changes)


def test_a_record_opens_under_its_key_owner_and_creation_time():
    record = codec().seal(b'{"a":1}', **BOUND, now=START)
    assert b'{"a":1}' == codec().open(record)
    assert (12, b'{"a":1}' in record.sealed) == (len(record.version), False)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "2" * 32},
        {"owner": "2" * 32},
        {"created_at": START + 1},
        {"version": b"0" * 12},
    ],
)
def test_a_record_that_was_moved_does_not_open(changes):
    record = codec().seal(b"{}", **BOUND, now=START)
    assert Absence.BAD_TAG is codec().open(changed(record, **changes))


@pytest.mark.parametrize(
    "other", [{"name": "session"}, {"audience": "b"}], ids=["name", "audience"]
)
def test_a_record_of_another_cookie_or_audience_does_not_open(other):
    record = codec().seal(b"{}", **BOUND, now=START)
    assert Absence.BAD_TAG is codec(**other).open(record)


def test_a_record_under_a_secret_that_is_gone_does_not_open():
    record = codec(OTHER_SECRET).seal(b"{}", **BOUND, now=START)
    assert Absence.UNKNOWN_KEY is codec().open(record)
    assert b"{}" == codec([SECRET, OTHER_SECRET]).open(record)


@pytest.mark.parametrize(
    "changes", [{"sealed": b""}, {"sealed": b"x" * 27}, {"version": b"x" * 11}]
)
def test_a_record_that_was_cut_is_malformed(changes):
    record = codec().seal(b"{}", **BOUND, now=START)
    assert Absence.MALFORMED is codec().open(changed(record, **changes))


def test_a_record_opens_from_the_byte_types_of_database_drivers():
    record = codec().seal(b"{}", **BOUND, now=START)
    moved = changed(record, version=memoryview(record.version), sealed=bytearray(record.sealed))
    assert b"{}" == codec().open(moved)


def test_a_forward_record_is_no_session_and_a_session_is_no_forward_record():
    forward = codec().seal_forward("3" * 32, **BOUND, now=START)
    assert (Absence.BAD_TAG, "3" * 32) == (codec().open(forward), codec().open_forward(forward))
    record = codec().seal(b'{"next":"33"}', **BOUND, now=START)
    assert codec().open_forward(record) is None


def test_two_records_of_the_same_contents_differ():
    one, other = (codec().seal(b"{}", **BOUND, now=START) for _ in range(2))
    assert one.version != other.version
    assert one.sealed != other.sealed


def test_keys_and_owners_are_lower_case_hexadecimal_and_say_nothing_about_the_id_or_the_user():
    key, (owner,) = codec().derive_key("some-id"), codec().derive_owners(b"ada")
    for name in (key, owner):
        assert (32, True) == (len(name), set(name) <= set("0123456789abcdef"))
    assert key == codec(OTHER_SECRET).derive_key("some-id")
    assert (owner,) != codec(OTHER_SECRET).derive_owners(b"ada")
    assert key not in (codec(name="session").derive_key("some-id"), codec().derive_key("some-ie"))
    assert key != codec(audience="b").derive_key("some-id")
    assert (owner,) != codec(audience="b").derive_owners(b"ada")


def test_an_owner_is_an_hmac_under_the_key_of_the_purpose_index():
    info = b"sessionkit/1\0index\0"
    key = HKDF(algorithm=SHA256(), length=32, salt=b"sessionkit", info=info).derive(SECRET.encode())
    message = f"{NAME}\0tenant-a\0ada".encode()
    (owner,) = codec(audience="tenant-a").derive_owners(b"ada")
    assert hmac.digest(key, message, "sha256")[:16].hex() == owner


def test_an_owner_is_derived_for_each_secret_the_sealing_one_first():
    both = codec([SECRET, OTHER_SECRET]).derive_owners(b"ada")
    assert (*codec().derive_owners(b"ada"), *codec(OTHER_SECRET).derive_owners(b"ada")) == both


def test_a_pointer_names_the_record_and_the_owner():
    text = codec().seal_pointer(STAMP, "1" * 32, START, WEEK)
    pointer = codec().open_pointer(text, START)
    assert (codec().derive_key(STAMP.id), "1" * 32) == (pointer.key, pointer.owner)
    assert (STAMP.id, STAMP.created_at) == (pointer.stamp.id, pointer.stamp.created_at)
    assert text not in repr(pointer)


@pytest.mark.parametrize(
    ("absolute", "ends_at", "end"),
    [
        (7 * DAY, None, START - 500 + 7 * DAY),
        (None, None, START + 400 * DAY),
        (None, START + 50, START + 50),
        (7 * DAY, START + 50, START + 50),
    ],
)
def test_a_pointer_ends_with_the_session_and_at_most_after_400_days(absolute, ends_at, end):
    stamp = Stamp(
        id=STAMP.id,
        created_at=STAMP.created_at,
        updated_at=START,
        expires_at=START + 50,
        ends_at=ends_at,
    )
    made = codec(absolute=absolute)
    assert end == made.pointer_end(stamp, START, absolute)
    text = made.seal_pointer(stamp, "1" * 32, START, absolute)
    assert isinstance(made.open_pointer(text, end - 1), Pointer)
    assert isinstance(made.open_pointer(text, end), Absence)


def test_a_pointer_that_is_sealed_before_its_session_began_opens():
    text = codec().seal_pointer(STAMP, "1" * 32, START - 600, WEEK)
    assert isinstance(codec().open_pointer(text, START), Pointer)


@pytest.mark.parametrize("other", [{"name": "session"}, {"audience": "b"}])
def test_a_pointer_of_another_cookie_or_audience_does_not_open(other):
    text = codec().seal_pointer(STAMP, "1" * 32, START, WEEK)
    assert Absence.BAD_TAG is codec(**other).open_pointer(text, START)


def test_a_content_token_is_no_pointer_even_with_the_same_contents():
    assert Absence.BAD_TAG is codec().open_pointer(sealed({"o": "1" * 32}), START)


def test_a_pointer_that_names_no_owner_is_malformed():
    made = codec()
    text = made._pointers.seal(b'{"o":7}', STAMP)
    assert Absence.MALFORMED is made.open_pointer(text, START)


def test_a_pointer_tells_whether_the_first_secret_sealed_it():
    text = codec(OTHER_SECRET).seal_pointer(STAMP, "1" * 32, START, WEEK)
    both = codec([SECRET, OTHER_SECRET])
    assert both.is_sealed_by_first(both.open_pointer(text, START)) is False
    mine = both.open_pointer(both.seal_pointer(STAMP, "1" * 32, START, WEEK), START)
    assert both.is_sealed_by_first(mine) is True


def test_the_codec_does_not_pickle_and_shows_no_key():
    with pytest.raises(TypeError):
        pickle.dumps(codec())
    assert "0f1e2d3c" not in repr(codec())
