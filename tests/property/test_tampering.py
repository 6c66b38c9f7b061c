"""Nothing but what was sealed opens: bits, characters, segments, members, lengths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations

import pytest

from sessionkit._session.base64url import ALPHABET

from . import sealed
from .sealed import NAME, NOW, accepted, compact, members, token_of

STORE = sealed.store()
SMALL = {"user": {"sub": "alice"}, "theme": "dark"}
LARGE = {"user": {"sub": "alice"}, "pad": "x" * 6_500}
SINGLE = sealed.cookies(STORE, SMALL)
CHUNKED = sealed.cookies(STORE, LARGE)
TOKEN = SINGLE[0][1]
PAYLOAD = compact(SMALL).encode()


def refused(headers: Iterator[str]) -> int:
    """How many there were, of which none gave a session."""
    count = 0
    for header in headers:
        assert accepted(STORE, header) == {}, header
        count += 1
    return count


def flipped(header: str, step: int) -> Iterator[str]:
    """A Cookie header with each of its bits flipped in turn, or every `step`th."""
    for bit in range(0, len(header) * 8, step):
        at = bit // 8
        yield f"{header[:at]}{chr(ord(header[at]) ^ 1 << bit % 8)}{header[at + 1 :]}"


def test_what_was_not_tampered_with_opens() -> None:
    assert [len(SINGLE), len(CHUNKED)] == [1, 3]
    assert accepted(STORE, sealed.header_of(SINGLE)) == SMALL
    assert accepted(STORE, sealed.header_of(CHUNKED)) == LARGE
    assert accepted(STORE, f"{NAME}={token_of(compact(members()), PAYLOAD)}") == SMALL


def test_no_bit_of_a_single_cookie_can_be_flipped_its_name_included() -> None:
    header = sealed.header_of(SINGLE)
    assert refused(flipped(header, 1)) == len(header) * 8


def test_no_bit_of_three_chunks_can_be_flipped_their_names_included(thorough: bool) -> None:
    header = sealed.header_of(CHUNKED)
    step = 1 if thorough else 11
    assert refused(flipped(header, step)) == -(-len(header) * 8 // step)


def test_no_character_can_be_replaced_by_another_of_the_alphabet(thorough: bool) -> None:
    last = {len(part) for part in (TOKEN[:end] for end in range(len(TOKEN)) if TOKEN[end] == ".")}
    positions = sorted(
        {
            *range(0, len(TOKEN), 1 if thorough else 7),
            *(end - 1 for end in last if end),
            len(TOKEN) - 1,
        }
    )
    letters = [chr(one) for one in (*ALPHABET, ord("."))]
    headers = (
        f"{NAME}={TOKEN[:at]}{letter}{TOKEN[at + 1 :]}"
        for at in positions
        for letter in letters
        if letter != TOKEN[at]
    )
    assert refused(headers) == len(positions) * 64


def test_no_part_of_a_token_is_a_token() -> None:
    parts = [f"{NAME}={TOKEN[:end]}" for end in range(len(TOKEN))] + [
        f"{NAME}={TOKEN[start:]}" for start in range(1, len(TOKEN))
    ]
    assert refused(iter(parts)) == 2 * len(TOKEN) - 1


@pytest.mark.parametrize("more", [".", "A", "=", "==", ".A", "\x00", "%3D", '"', "\xa0", "\u2003"])
def test_nothing_can_be_added_to_a_token(more: str) -> None:
    assert refused(iter([f"{NAME}={TOKEN}{more}", f"{NAME}={more}{TOKEN}"])) == 2


def test_segments_cannot_change_places_nor_come_from_another_token() -> None:
    other = sealed.cookies(STORE, {"user": {"sub": "bob"}, "theme": "dark"})[0][1].split(".")
    own = TOKEN.split(".")
    orders = {".".join(order) for order in permutations(own)} - {TOKEN}
    mixed = {
        ".".join(other[at] if mask >> at & 1 else own[at] for at in range(5)) for mask in range(32)
    } - {TOKEN, ".".join(other)}
    assert refused(f"{NAME}={token}" for token in orders | mixed) == 119 + 14


def test_chunks_cannot_change_places_or_be_left_out_or_repeated() -> None:
    values = [value for _, value in CHUNKED]
    orders = [
        [values[at] for at in order]
        for length in (1, 2, 3)
        for order in permutations(range(3), length)
    ]
    doubled = [
        [values[0], values[0], values[1], values[2]],
        [values[0], values[1], values[1], values[2]],
        ["x", *values],
    ]
    headers = (
        "; ".join(f"{NAME}.{number}={value}" for number, value in enumerate(order))
        for order in [*orders, *doubled]
        if order != values
    )
    assert refused(headers) == 14 + 3


def test_members_of_the_header_have_one_order_even_under_the_right_key() -> None:
    orders = [dict(order) for order in permutations(members().items())]
    assert refused(f"{NAME}={token_of(compact(order), PAYLOAD)}" for order in orders[1:]) == 5039


def test_no_member_can_be_left_out_or_doubled_even_under_the_right_key() -> None:
    items = [compact({key: value})[1:-1] for key, value in members().items()]
    without = [items[:at] + items[at + 1 :] for at in range(7)]
    twice = [[*items[:to], items[at], *items[to:]] for at in range(7) for to in range(8)]
    headers = ("{" + ",".join(one) + "}" for one in [*without, *twice])
    assert refused(f"{NAME}={token_of(header, PAYLOAD)}" for header in headers) == 7 + 56


@pytest.mark.parametrize(
    "changed",
    [
        *(
            {"alg": alg}
            for alg in (
                "none",
                "A256KW",
                "A256GCMKW",
                "ECDH-ES",
                "PBES2-HS256+A128KW",
                "RSA-OAEP",
                "DIR",
                "",
                None,
            )
        ),
        *(
            {"enc": enc}
            for enc in ("A128GCM", "A192GCM", "A128CBC-HS256", "A256CBC-HS512", "a256gcm", "", None)
        ),
        {"zip": "DEF"},
        {"zip": ""},
        {"crit": ["exp"]},
        {"crit": []},
        {"typ": "JWT"},
        {"cty": "JWT"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jku": "https://evil.example/keys"},
        {"p2c": 1},
        {"nbf": NOW},
        {"kid": f"{'A' * 8}.{NOW // 3600}"},
        *(
            {"kid": members()["kid"].partition(".")[0] + end}
            for end in ("", ".", ".0", f".{NOW // 3600 - 1}", f".0{NOW // 3600}", f".{'9' * 5000}")
        ),
        *(
            {"sid": sid}
            for sid in ("", "A" * 21, "A" * 23, "A" * 21 + "é", "A" * 21 + ".", None, 7)
        ),
        *(
            {time: value}
            for time in ("iat", "uat", "exp")
            for value in (
                -1,
                1.5,
                1e9,
                True,
                None,
                "1700000000",
                10**11,
                10**4000,
                [NOW],
                float("inf"),
            )
        ),
        {"exp": NOW},
        {"exp": NOW - 1},
        {"iat": NOW + 1},
        {"iat": NOW + 61, "uat": NOW + 61, "exp": NOW + 600},
        {"iat": NOW - 8 * 86_400},
    ],
)
def test_no_other_header_opens_even_under_the_right_key(changed: dict[str, object]) -> None:
    assert accepted(STORE, f"{NAME}={token_of(compact(members(**changed)), PAYLOAD)}") == {}


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda text: text.replace(",", ", "),
        lambda text: text.replace(":", ": ", 1),
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text + "\0",
        lambda text: "\ufeff" + text,
        lambda text: text.replace("alg", "\\u0061lg"),
        lambda text: text.replace("alg", "ALG"),
        lambda text: text.replace('"', "'"),
        lambda text: text[:-1] + ",}",
        lambda text: text[:-1],
        lambda text: text + text,
        lambda text: f"[{text}]",
        lambda text: text.replace(str(NOW), "0" + str(NOW)),
        lambda text: text.replace(str(NOW), "+" + str(NOW)),
        lambda text: text.replace(str(NOW), str(NOW) + ".0"),
        lambda text: text.replace(str(NOW), "17e8"),
        lambda text: text.replace(str(NOW), "\u0661\u0667" + "0" * 8),
        lambda text: "{}",
        lambda text: "",
        lambda text: "null",
    ],
)
def test_no_other_spelling_of_the_header_opens_even_under_the_right_key(spoilt: object) -> None:
    assert callable(spoilt)
    assert accepted(STORE, f"{NAME}={token_of(spoilt(compact(members())), PAYLOAD)}") == {}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b"{",
        b'{"user":1',
        b'{"user":1}{}',
        b'{"user":1} ',
        b"\xff\xfe",
        b'{"user":"\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' * 100_0 + b"1" + b"}" * 100_0 + b" ",
        b"[" * 20_000,
        b'{"a":' * 5_000,
        json.dumps({"user": "alice"}).encode("utf-16"),
        b'{"user":' + b"9" * 5_000 + b"}",
    ],
    ids=range(17),
)
def test_a_plaintext_that_is_no_session_gives_none(payload: bytes) -> None:
    pairs = token_of(compact(members()), payload)
    chunks = [pairs[at : at + 3_900] for at in range(0, len(pairs), 3_900)]
    header = (
        f"{NAME}={pairs}"
        if len(chunks) == 1
        else "; ".join(f"{NAME}.{number}={chunk}" for number, chunk in enumerate(chunks))
    )
    assert accepted(STORE, header) == {}
