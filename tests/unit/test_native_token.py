"""The native token, with joserfc as the oracle of what a compact JWE is."""

import json
import os
import random
import re
import string

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from sessionkit import (
    JSON,
    Absence,
    KeyRing,
    Lifetime,
    Native,
    SerializationError,
    Stamp,
    fast_json,
)
from sessionkit.base64url import decode, encode
from sessionkit.keyring import KEPT_CIPHERS

from .scene import OTHER_SECRET, SECRET, START

NAME = "__Host-session"
STAMP = Stamp(
    id="AbCdEfGhIjKlMnOpQrSt-_", created_at=START - 500, updated_at=START, expires_at=START + 86_400
)
CONTENTS = {"user": {"sub": "alice"}, "text": "é 😀", "list": [1, 2.5, None, True]}
REGISTRY = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)


def codec(secret=SECRET, *, name=NAME, audience="", absolute=7 * 86_400, serializer=JSON):
    lifetime = Lifetime(absolute=absolute)
    return Native().codec(
        KeyRing(secret), name=name, audience=audience, lifetime=lifetime, serializer=serializer
    )


def sealed(contents=CONTENTS, stamp=STAMP, **settings):
    made = codec(**settings)
    return made.seal(made.payload(contents, stamp), stamp)


def key_of(uat, *, name=NAME, audience=""):
    """The content key by the words of the rule, for the oracle."""
    info = b"\0".join(
        (b"sessionkit/1", b"cookie", name.encode(), audience.encode(), str(uat // 3600).encode())
    )
    return OctKey.import_key(
        HKDF(algorithm=SHA256(), length=32, salt=b"sessionkit", info=info).derive(SECRET.encode())
    )


def by_joserfc(token, uat=START):
    return jwe.decrypt_compact(token, key_of(uat), registry=REGISTRY).plaintext


def header_text(**changes):
    fields = {
        "alg": '"dir"', "enc": '"A256GCM"', "kid": f'"{KeyRing(SECRET).ids[0]}.{START // 3600}"', "sid": f'"{STAMP.id}"',
        "iat": str(STAMP.created_at), "uat": str(STAMP.updated_at), "exp": str(STAMP.expires_at),
    } | changes  # fmt: skip
    return "{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}"


def under_header(header, payload=b'{"a":1}', *, uat=START):
    """A token with a right tag under whatever header text."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    first, nonce = encode(header.encode()), os.urandom(12)
    key = HKDF(
        algorithm=SHA256(),
        length=32,
        salt=b"sessionkit",
        info=b"\0".join(
            (b"sessionkit/1", b"cookie", NAME.encode(), b"", str(uat // 3600).encode())
        ),
    )
    cipher = AESGCM(key.derive(SECRET.encode())).encrypt(nonce, payload, first)
    return b".".join(
        (first, b"", encode(nonce), encode(cipher[:-16]), encode(cipher[-16:]))
    ).decode()


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
    payload = made.payload({"a": "x" * size}, STAMP)
    assert len(made.seal(payload, STAMP)) == made.size(payload, STAMP)


def test_the_size_follows_the_digits_of_the_times():
    made, early = codec(), Stamp(id=STAMP.id, created_at=0, updated_at=5, expires_at=99_999)
    payload = made.payload({}, early)
    assert len(made.seal(payload, early)) == made.size(payload, early)
    assert made.open(made.seal(payload, early), 5).stamp == early


def test_a_token_sealed_with_one_serializer_opens_with_the_other():
    assert codec(serializer=fast_json()).open(sealed(), START).contents == CONTENTS
    assert codec().open(sealed(serializer=fast_json()), START).contents == CONTENTS


def test_contents_that_are_not_json_are_refused_before_they_are_sealed():
    with pytest.raises(SerializationError, match=r'session\["a"\]: set is not JSON'):
        codec().payload({"a": {1}}, STAMP)


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
    "arabic digits": header_text(iat="١٢٣"),
    "an array": "[" + header_text() + "]",
    "nothing": "",
}


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_header_of_another_grammar_is_malformed_though_its_tag_is_right(header):
    assert codec().open(under_header(header), START) is Absence.MALFORMED


def test_the_header_that_those_were_made_from_is_taken():
    assert codec().open(under_header(header_text()), START).contents == {"a": 1}


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
    for size in range(3):
        parts = sealed({"a": "x" * size}).split(".")
        for at, part in enumerate(parts):
            if len(part) % 4 in (2, 3):
                for spare in range(1, 4):
                    changed = part[:-1] + alphabet[(alphabet.index(part[-1]) // 4 * 4) + spare]
                    token = ".".join([*parts[:at], changed, *parts[at + 1 :]])
                    if decode(changed.encode()) == decode(part.encode()):
                        assert codec().open(token, START) is Absence.MALFORMED


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
    assert codec(OTHER_SECRET).recognizes(sealed()[:300]) is True


@pytest.mark.parametrize(
    "text",
    ["", "x", "é" * 30, ".....", "eyJhbGciOiJkaXIifQ..a.b.c", "A" * 1000, "AAAA AAAA", "=" * 20],
)
def test_what_is_not_ours_names_nobody(text):
    assert codec().peek(text) is None
    assert codec().recognizes(text) is False


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


# ---- the oracle


def random_json(source, depth=0):
    kinds = ["text", "int", "float", "bool", "none", *(["list", "dict"] if depth < 3 else [])]
    match source.choice(kinds):
        case "text":
            return "".join(
                chr(
                    source.choice(
                        [source.randrange(32, 127), source.randrange(0xA0, 0xD000), 0x1F600]
                    )
                )
                for _ in range(source.randrange(12))
            )
        case "int":
            return source.randrange(-(2**63), 2**63)
        case "float":
            return source.uniform(-1e9, 1e9)
        case "bool":
            return source.random() < 0.5
        case "none":
            return None
        case "list":
            return [random_json(source, depth + 1) for _ in range(source.randrange(4))]
    return {f"k{number}": random_json(source, depth + 1) for number in range(source.randrange(4))}


def random_stamp(source):
    uat = source.randrange(START - 86_400, START + 60)
    return Stamp(
        id="".join(source.choices(string.ascii_letters + string.digits + "-_", k=22)),
        created_at=uat - source.randrange(400_000),
        updated_at=uat,
        expires_at=uat + 1 + source.randrange(86_400),
    )


def test_what_we_seal_joserfc_opens_to_the_same_plaintext():
    source, made = random.Random(1), codec()
    for _ in range(2500):
        stamp = random_stamp(source)
        payload = made.payload({"a": random_json(source)}, stamp)
        assert payload == by_joserfc(made.seal(payload, stamp), stamp.updated_at)


def test_what_joserfc_seals_in_our_exact_header_we_open():
    source, made = random.Random(2), codec()
    for _ in range(2500):
        stamp, contents = random_stamp(source), {"a": random_json(source)}
        header = {
            "alg": "dir", "enc": "A256GCM", "kid": f"{KeyRing(SECRET).ids[0]}.{stamp.updated_at // 3600}", "sid": stamp.id,
            "iat": stamp.created_at, "uat": stamp.updated_at, "exp": stamp.expires_at,
        }  # fmt: skip
        token = jwe.encrypt_compact(
            header, json.dumps(contents), key_of(stamp.updated_at), registry=REGISTRY
        )
        opened = made.open(token, START)
        assert (contents, stamp) == (opened.contents, opened.stamp)


def mutated(source, token):
    alphabet = string.ascii_letters + string.digits + "-_" + ".=+/ \n\x00é"
    parts = token.split(".")
    match source.randrange(9):
        case 0:
            at = source.randrange(len(token))
            return token[:at] + source.choice(alphabet) + token[at + 1 :]
        case 1:
            at = source.randrange(len(token))
            return token[:at] + token[at + 1 :]
        case 2:
            at = source.randrange(len(token) + 1)
            return token[:at] + source.choice(alphabet) + token[at:]
        case 3:
            one, other = source.randrange(5), source.randrange(5)
            parts[one], parts[other] = parts[other], parts[one]
            return ".".join(parts)
        case 4:
            text = decode(parts[0].encode()).decode()
            changed = source.choice([
                text.replace("{", '{"alg":"dir",', 1), text.replace(",", ", "), text.replace("dir", "A256KW"), text[:-1] + ',"x":1}',
                re.sub(r'"exp":\d+', f'"exp":{source.randrange(10**11)}', text), re.sub(r'"sid":"[^"]*"', f'"sid":"{"z" * 22}"', text),
                re.sub(r'"kid":"[^"]*"', '"kid":"x"', text), text + " ",
            ])  # fmt: skip
            return ".".join([encode(changed.encode()).decode(), *parts[1:]])
        case 5:
            return token[: source.randrange(len(token))]
        case 6:
            at = source.randrange(5)
            parts[at] = "".join(source.choices(alphabet[:64], k=source.randrange(40)))
            return ".".join(parts)
        case 7:
            return token + source.choice([".", "=", "==", " ", "\n", "A", token])
    return token  # and now and then it is whole


def test_of_ten_thousand_mutants_we_accept_none_that_joserfc_refuses_or_reads_otherwise():
    source, made, accepted = random.Random(3), codec(), 0
    tokens = []
    for _ in range(100):
        stamp, contents = random_stamp(source), {"a": random_json(source)}
        tokens.append((made.seal(made.payload(contents, stamp), stamp), stamp, contents))
    for _ in range(10_000):
        token, stamp, contents = source.choice(tokens)
        mutant = mutated(source, token)
        opened = made.open(mutant, START)
        if isinstance(opened, Absence):
            continue
        accepted += 1
        assert mutant == token
        assert (contents, stamp) == (opened.contents, opened.stamp)
        assert json.loads(by_joserfc(mutant, stamp.updated_at)) == opened.contents
    assert 500 < accepted < 3000


def test_joserfc_is_laxer_than_we_are_about_a_member_that_comes_twice():
    twice = under_header(header_text().replace("{", '{"alg":"dir",', 1))
    assert by_joserfc(twice) == b'{"a":1}'
    assert codec().open(twice, START) is Absence.MALFORMED


def test_joserfc_refuses_what_was_tampered_with_too():
    parts = sealed().split(".")
    parts[3] = ("B" if parts[3][0] == "A" else "A") + parts[3][1:]
    assert codec().open(".".join(parts), START) is Absence.BAD_TAG
    with pytest.raises(JoseError):
        by_joserfc(".".join(parts))
