"""The native token: what it says, whose and when it is."""

import pytest

from sessionkit import JSON, Absence, Native, SerializationError, Stamp, fast_json
from sessionkit._session.base64url import decode
from sessionkit._session.json import freeze

from ..scene import OTHER_SECRET, SECRET, START
from .sealing import CONTENTS, STAMP, codec, header_text, sealed

# ---- what it says


def test_the_protected_header_is_exactly_the_seven_members_in_their_order():
    first = sealed().split(".")[0]
    assert header_text() == decode(first.encode()).decode()


def test_a_token_opens_to_contents_stamp_and_mark_id():
    opened = codec().open(sealed(), START)
    assert (CONTENTS, STAMP, STAMP.id) == (opened.contents, opened.stamp, opened.mark_id)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 101, 102, 7000])
def test_the_size_is_known_before_sealing(size):
    made = codec()
    payload = freeze({"a": "x" * size}, JSON)
    assert len(made.seal(payload, STAMP)) == made.size(payload, STAMP)


def test_the_size_follows_the_digits_of_the_times():
    made, early = codec(), Stamp(id=STAMP.id, created_at=0, updated_at=5, expires_at=99_999)
    payload = freeze({}, JSON)
    assert len(made.seal(payload, early)) == made.size(payload, early)
    assert made.open(made.seal(payload, early), 5).stamp == early


def test_a_token_sealed_with_one_serializer_opens_with_the_other():
    assert codec(serializer=fast_json()).open(sealed(), START).contents == CONTENTS
    assert codec().open(sealed(serializer=fast_json()), START).contents == CONTENTS


def test_contents_that_are_not_json_are_refused_before_they_are_sealed():
    with pytest.raises(SerializationError, match=r'session\["a"\]: set is not JSON'):
        sealed({"a": {1}})


def test_no_nonce_comes_twice():
    made = codec()
    assert len({made.seal(b"{}", STAMP).split(".")[2] for _ in range(2000)}) == 2000


def test_formats_and_their_names():
    assert Native().cookie_name(host_only=True, secure=True) == "__Host-session"
    assert Native().cookie_name(host_only=False, secure=True) == "session"
    assert Native() == Native()


# ---- whose it is


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"secret": OTHER_SECRET}, Absence.UNKNOWN_KEY),
        ({"name": "session"}, Absence.BAD_TAG),
        ({"audience": "b"}, Absence.BAD_TAG),
    ],
)
def test_a_token_of_another_secret_name_or_audience_does_not_open(settings, reason):
    assert codec(**settings).open(sealed(), START) is reason


@pytest.mark.parametrize("secret", [[OTHER_SECRET, SECRET], [SECRET, OTHER_SECRET]])
def test_any_secret_of_the_ring_opens(secret):
    assert codec(secret).open(sealed(), START).contents == CONTENTS


# ---- when it is


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START - 60, None),
        (START - 60.5, Absence.NOT_YET_VALID),
        (START - 10**9, Absence.NOT_YET_VALID),
        (STAMP.created_at + 7 * 86_400 - 1, None),
        (STAMP.created_at + 7 * 86_400, Absence.ABSOLUTE),
        (STAMP.expires_at + 1, None),  # idle and stamp are judged after the renewal cookie
    ],
)
def test_only_a_future_time_and_the_absolute_end_are_judged_at_once(now, expected):
    found = codec().open(sealed(), now)
    assert (found if isinstance(found, Absence) else None) is expected


def test_without_an_absolute_lifetime_no_age_is_too_old():
    assert codec(absolute=None).open(sealed(), START + 10**9).contents == CONTENTS
