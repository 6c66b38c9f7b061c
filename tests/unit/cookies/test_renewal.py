import re

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessionkit import KeyRing
from sessionkit._cookies.renewal import Renewal, latest, seal
from sessionkit._session.base64url import ALPHABET, decode

from ..scene import OTHER_SECRET, SECRET, START

SID = "s" * 22
OWN = Renewal(START, START + 100)
LATER = Renewal(START + 50, START + 150)
NOW = START + 60


def keys(secret=SECRET, name="session", audience=""):
    return KeyRing(secret).purpose("seen", name, audience)


def read(*values, sid=SID, now=NOW, ring=None):
    return latest(ring or keys(), values, sid, OWN, now)


def test_the_value_is_key_id_update_time_expiry_nonce_and_tag():
    value = seal(keys(), SID, LATER)
    assert re.fullmatch(
        rf"{KeyRing(SECRET).ids[0]}\.{START + 50}\.{START + 150}\.[\w-]{{16}}\.[\w-]{{22}}", value
    )


def test_it_is_a_tag_over_nothing_under_the_seen_key_of_the_hour_bound_to_times_and_session():
    clear, nonce, tag = (one.encode() for one in seal(keys(), SID, LATER).rsplit(".", 2))
    info = b"\0".join(
        (b"sessionkit/1", b"seen", b"session", b"", str(LATER.updated_at // 3600).encode())
    )
    key = HKDF(algorithm=SHA256(), length=32, salt=b"sessionkit", info=info).derive(SECRET.encode())
    assert AESGCM(key).decrypt(decode(nonce), decode(tag), clear + b"\0" + SID.encode()) == b""


def test_a_later_time_holds_and_an_earlier_one_does_not():
    assert LATER == read(seal(keys(), SID, LATER))
    assert OWN == read(seal(keys(), SID, Renewal(START - 1, START + 999)))


def test_at_a_tie_the_time_of_the_token_holds():
    assert read(seal(keys(), SID, Renewal(START, START + 999))) is OWN


def test_the_latest_of_several_holds_whatever_their_order():
    older, newer = seal(keys(), SID, Renewal(START + 10, START + 110)), seal(keys(), SID, LATER)
    assert LATER == read(older, newer) == read(newer, older)


def test_at_most_four_values_are_tried():
    value = seal(keys(), SID, LATER)
    assert LATER == read("x", "x", "x", value)
    assert OWN == read("x", "x", "x", "x", value)


def test_it_is_good_for_no_other_session_secret_name_or_audience():
    value = seal(keys(), SID, LATER)
    assert OWN == read(value, sid="t" * 22)
    assert OWN == read(value, ring=keys(OTHER_SECRET))
    assert OWN == read(value, ring=keys(name="other"))
    assert OWN == read(value, ring=keys(audience="b"))
    assert OWN == read(value, ring=KeyRing(SECRET).purpose("cookie", "session"))


def test_a_secret_of_the_ring_that_is_not_the_first_still_opens():
    assert LATER == read(seal(keys(), SID, LATER), ring=keys([OTHER_SECRET, SECRET]))


def test_a_time_up_to_a_minute_ahead_is_taken_and_a_later_one_is_not():
    assert LATER == read(seal(keys(), SID, LATER), now=LATER.updated_at - 60)
    assert OWN == read(seal(keys(), SID, LATER), now=LATER.updated_at - 60.1)


def test_an_expiry_that_is_not_after_the_update_time_is_none():
    assert OWN == read(seal(keys(), SID, Renewal(START + 50, START + 50)))


@pytest.mark.parametrize(
    "change",
    [
        lambda value: "",
        lambda value: value + "x",
        lambda value: value[:-1],
        lambda value: value + ".",
        lambda value: value.replace(str(START + 150), str(START + 151)),
        lambda value: value.replace(str(START + 50), str(START + 51)),
        lambda value: value.replace(str(START + 150), "0" + str(START + 150)),
        lambda value: value.replace(str(START + 150), "9" * 12),
        lambda value: value.replace(str(START + 150), "9" * 5000),
        lambda value: value.replace(str(START + 50), "-1"),
        lambda value: "é" + value[1:],
        lambda value: value.replace(str(START + 50), "١" * 10),
        lambda value: value + "\n",
    ],
)
def test_what_was_changed_is_ignored(change):
    value = seal(keys(), SID, LATER)
    assert read(change(value)) is OWN


def test_no_changed_character_passes_and_the_spare_bits_of_the_tag_are_not_spare():
    value = seal(keys(), SID, LATER)
    for at, character in enumerate(value):
        for other in {
            "A",
            "Q",
            "g",
            "w",
            "0",
            "9",
            chr(ALPHABET[(ALPHABET.find(character.encode()) + 1) % 64]),
        } - {character}:
            assert read(value[:at] + other + value[at + 1 :]) is OWN


def test_bogus_values_leave_no_key_behind():
    ring = keys()
    for hour in range(2000):
        read(f"{KeyRing(SECRET).ids[0]}.{hour * 3600}.{START}.{'n' * 16}.{'A' * 22}", ring=ring)
    assert ring.kept == 0


def test_two_renewals_have_two_nonces():
    assert seal(keys(), SID, LATER).split(".")[3] != seal(keys(), SID, LATER).split(".")[3]
