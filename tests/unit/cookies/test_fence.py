import base64
import hashlib

import pytest

from sessionkit import Lifetime
from sessionkit._cookies.fence import mark, max_age, read, render

MARKS = [f"{number:022d}" for number in range(60)]


def test_a_mark_is_a_keyless_digest_of_cookie_name_and_session_id():
    digest = hashlib.sha256(b"sessionkit fence 1\0__Host-session\0" + b"i" * 22).digest()
    assert base64.urlsafe_b64encode(digest).decode()[:22] == mark("__Host-session", "i" * 22)


def test_the_marks_of_one_id_in_two_cookies_differ():
    assert mark("a", "i" * 22) != mark("b", "i" * 22)


def test_the_marks_of_several_fence_cookies_are_united_in_turns():
    assert read([f"{MARKS[0]}.{MARKS[1]}", f"{MARKS[2]}.{MARKS[1]}.{MARKS[3]}"]) == (
        MARKS[0],
        MARKS[2],
        MARKS[1],
        MARKS[3],
    )


def test_a_planted_cookie_full_of_marks_does_not_crowd_out_our_own():
    assert set(MARKS[40:48]) <= set(read([".".join(MARKS[:32]), ".".join(MARKS[40:48])]))


@pytest.mark.parametrize(
    "odd",
    [
        "",
        ".",
        "x",
        MARKS[0][:-1],
        MARKS[0] + "x",
        "é" * 22,
        "=" * 22,
        " " + MARKS[0][1:],
        MARKS[0] + "\n",
    ],
)
def test_what_is_no_mark_is_skipped(odd):
    assert read([f"{odd}.{MARKS[1]}"]) == (MARKS[1],)


def test_thirty_two_marks_are_read_at_most():
    assert len(read([".".join(MARKS[start : start + 8]) for start in range(0, 56, 8)])) == 32


def test_a_planted_fence_cookie_full_of_marks_is_read_no_further_than_that():
    assert len(read([".".join(MARKS)])) == 32
    assert read([".".join(["x"] * 10_000 + MARKS)]) == ()


def test_new_marks_come_first_and_eight_are_kept():
    assert ".".join([MARKS[20], *MARKS[:7]]) == render([MARKS[20]], MARKS[:9])


def test_a_mark_that_is_known_moves_to_the_front():
    assert f"{MARKS[1]}.{MARKS[0]}" == render([MARKS[1]], MARKS[:2])


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (Lifetime(), 7 * 86_400),
        (Lifetime(rolling=False, absolute=500), 500),
        (Lifetime(idle=500, absolute=None), 4100),
        (Lifetime(absolute=500 * 86_400), 400 * 86_400),
        (Lifetime(idle=400 * 86_400, absolute=None), 400 * 86_400),
    ],
)
def test_a_mark_stands_as_long_as_the_latest_response_could_make_its_session_live(
    lifetime, seconds
):
    assert seconds == max_age(lifetime)
