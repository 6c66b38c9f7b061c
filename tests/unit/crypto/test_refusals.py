"""The native token: what is refused, and what that costs."""

import string
from base64 import urlsafe_b64decode

import pytest

from sessionkit import Absence, KeyRing, Native
from sessionkit._crypto.keyring import KEPT_CIPHERS
from sessionkit._session.base64url import encode

from ..scene import OTHER_SECRET, SECRET, START
from .sealing import STAMP, codec, header_text, sealed, under_header

# ---- what is refused before any cryptography


BAD_HEADERS = {
    "another order": header_text(alg='"dir"').replace(
        '"alg":"dir","enc":"A256GCM"', '"enc":"A256GCM","alg":"dir"'
    ),
    "a blank": header_text().replace(",", ", ", 1),
    "a line break": header_text() + "\n",
    "an unknown member": header_text(typ='"JWT"'),
    "a member twice": header_text().replace('"enc"', '"alg":"dir","enc"'),
    "zip": header_text(zip='"DEF"'),
    "crit": header_text(crit='["exp"]'),
    "another alg": header_text(alg='"A256KW"'),
    "another enc": header_text(enc='"A128GCM"'),
    "alg in another case": header_text(alg='"DIR"'),
    "an escape": header_text(alg='"\\u0064ir"'),
    "a member less": header_text().replace(f',"iat":{STAMP.created_at}', ""),
    "a longer key id": header_text(kid=f'"{KeyRing(SECRET).ids[0]}A.{START // 3600}"'),
    "another slice": header_text(kid=f'"{KeyRing(SECRET).ids[0]}.{START // 3600 + 1}"'),
    "a slice with a nought before it": header_text(
        kid=f'"{KeyRing(SECRET).ids[0]}.0{START // 3600}"'
    ),
    "a longer id": header_text(sid=f'"{STAMP.id}A"'),
    "an id of other characters": header_text(sid='"' + "." * 22 + '"'),
    "a fraction": header_text(iat=f"{STAMP.created_at}.0"),
    "an exponent": header_text(iat="1e9"),
    "a negative time": header_text(iat="-1"),
    "a time with a plus": header_text(iat="+1"),
    "a nought before a time": header_text(iat="0" + str(STAMP.created_at)),
    "a time of twelve digits": header_text(exp="1" * 12),
    "a time as a string": header_text(iat=f'"{STAMP.created_at}"'),
    "a boolean time": header_text(iat="true"),
    "created after updated": header_text(iat=str(START + 1)),
    "expired when stamped": header_text(exp=str(START)),
    "expired after its end": header_text(end=str(STAMP.expires_at - 1)),
    "arabic digits": header_text(iat="١٢٣"),
    "a lifetime without a name": header_text(lif='""'),
    "a lifetime that is none": header_text(lif="null"),
    "a lifetime that is a number": header_text(lif="7"),
    "a lifetime with a blank": header_text(lif='"a b"'),
    "a lifetime that begins with a digit": header_text(lif='"1st"'),
    "a lifetime with an escape": header_text(lif='"\\u0061"'),
    "a lifetime of 21 characters": header_text(lif='"' + "a" * 21 + '"'),
    "a lifetime twice": header_text(lif='"a"').replace("}", ',"lif":"a"}'),
    "a lifetime before the end": header_text(lif='"a"', end=str(STAMP.expires_at)),
    "an array": "[" + header_text() + "]",
    "nothing": "",
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_header_of_another_grammar_is_malformed_though_its_tag_is_right(header):
    assert codec().open(under_header(header), START) is Absence.MALFORMED


@pytest.mark.parametrize(
    "more", [{}, {"lif": '"a"'}, {"end": str(STAMP.expires_at), "lif": f'"{"a" * 20}"'}]
)
def test_the_header_that_those_were_made_from_is_taken(more):
    assert codec().open(under_header(header_text(**more)), START).contents == {"a": 1}


BAD_FRAMES = {
    "nothing": lambda parts: [],
    "four parts": lambda parts: parts[:4],
    "six parts": lambda parts: [*parts, ""],
    "an encrypted key": lambda parts: [parts[0], "AAAA", *parts[2:]],
    "a longer nonce": lambda parts: [*parts[:2], parts[2] + "AAAA", *parts[3:]],
    "a shorter nonce": lambda parts: [*parts[:2], parts[2][:-1], *parts[3:]],
    "a longer tag": lambda parts: [*parts[:4], parts[4] + "AA"],
    "a shorter tag": lambda parts: [*parts[:4], parts[4][:-1]],
    "padding": lambda parts: [*parts[:3], parts[3] + "=", parts[4]],
    "the other alphabet": lambda parts: [*parts[:3], "+" + parts[3][1:], parts[4]],
    "white space": lambda parts: [*parts[:3], parts[3] + " ", parts[4]],
    "a character outside of ASCII": lambda parts: [*parts[:3], "é" + parts[3][1:], parts[4]],
    "a group of one": lambda parts: [
        *parts[:3],
        parts[3] + "A" * ((1 - len(parts[3])) % 4 or 4),
        parts[4],
    ],
    "a header that is too long": lambda parts: [parts[0] + "A" * 400, *parts[1:]],
    "a header of one character": lambda parts: ["A", *parts[1:]],
    "no header": lambda parts: ["", *parts[1:]],
}


@pytest.mark.parametrize("change", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_frame_that_is_no_token_of_ours_is_malformed(change):
    assert codec().open(".".join(change(sealed().split("."))), START) is Absence.MALFORMED


def test_the_spare_bits_of_header_ciphertext_and_tag_must_be_zero():
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    tried = set()
    for size in range(3):
        parts = sealed({"a": "x" * size}).split(".")
        for at, part in enumerate(parts):
            if len(part) % 4 in (2, 3):
                for spare in range(1, 4):
                    changed = part[:-1] + alphabet[(alphabet.index(part[-1]) // 4 * 4) + spare]
                    token = ".".join([*parts[:at], changed, *parts[at + 1 :]])
                    if urlsafe_b64decode(changed + "==") == urlsafe_b64decode(part + "=="):
                        tried.add((size, at))
                        assert codec().open(token, START) is Absence.MALFORMED
    assert len(tried) == 5


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"1",
        b'"a"',
        b"{",
        b"\xff",
        b"{}x",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_an_authentic_payload_that_is_no_json_object_is_malformed(payload):
    assert codec().open(under_header(header_text(), payload), START) is Absence.MALFORMED


# ---- what a header says of itself


def test_the_session_id_is_readable_without_a_key():
    assert codec(OTHER_SECRET).peek(sealed()) == STAMP.id
    assert Native().recognizes(sealed()[:300]) is True


@pytest.mark.parametrize(
    "text",
    ["", "x", "é" * 30, ".....", "eyJhbGciOiJkaXIifQ..a.b.c", "A" * 1000, "AAAA AAAA", "=" * 20],
)
def test_what_is_not_ours_names_nobody(text):
    assert codec().peek(text) is None
    assert Native().recognizes(text) is False


# ---- what a flood costs


def test_ten_thousand_kids_of_different_hours_leave_no_key_behind():
    made = codec(absolute=None)
    made.seal(b"{}", STAMP)
    for hour in range(10_000):
        uat = hour * 3600
        header = header_text(
            kid=f'"{KeyRing(SECRET).ids[0]}.{hour}"', iat="0", uat=str(uat), exp=str(uat + 1)
        )
        assert (
            made.open(f"{encode(header.encode()).decode()}..{'n' * 16}.AAAA.{'A' * 22}", START)
            is Absence.BAD_TAG
        )
    assert made._keys.kept == 1 < KEPT_CIPHERS
