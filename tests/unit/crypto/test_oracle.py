"""The native token, with joserfc as the oracle of what a compact JWE is."""

import json
import random
import re
import string

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from sessionkit import JSON, Absence, KeyRing, Stamp
from sessionkit._session.base64url import decode, encode
from sessionkit._session.json import freeze

from ..scene import SECRET, START
from .sealing import NAME, codec, header_text, sealed, under_header

REGISTRY = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)


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
        expires_at=(expires := uat + 1 + source.randrange(86_400)),
        ends_at=source.choice([None, expires, expires + 1]),
        lifetime=source.choice([None, "k", "remembered", "A-_0" * 5]),
    )


def test_what_we_seal_joserfc_opens_to_the_same_plaintext():
    source, made = random.Random(1), codec()
    for _ in range(2500):
        stamp = random_stamp(source)
        payload = freeze({"a": random_json(source)}, JSON)
        assert payload == by_joserfc(made.seal(payload, stamp), stamp.updated_at)


def test_what_joserfc_seals_in_our_exact_header_we_open():
    source, made = random.Random(2), codec()
    for _ in range(2500):
        stamp, contents = random_stamp(source), {"a": random_json(source)}
        header = {
            "alg": "dir", "enc": "A256GCM", "kid": f"{KeyRing(SECRET).ids[0]}.{stamp.updated_at // 3600}", "sid": stamp.id,
            "iat": stamp.created_at, "uat": stamp.updated_at, "exp": stamp.expires_at, "end": stamp.ends_at, "lif": stamp.lifetime,
        }  # fmt: skip
        header = {name: value for name, value in header.items() if value is not None}
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
                re.sub(r'"kid":"[^"]*"', '"kid":"x"', text), text + " ", text[:-1] + ',"lif":"kiosk"}', text.replace("remembered", "kiosk"),
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
        tokens.append((made.seal(freeze(contents, JSON), stamp), stamp, contents))
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
