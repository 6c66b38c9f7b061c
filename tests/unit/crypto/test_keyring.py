import copy
import pickle
import secrets

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sessionkit import Absence, ConfigurationError, KeyRing
from sessionkit._crypto.keyring import KEPT_CIPHERS, PLACEHOLDERS, SLICE, check_secrets

from ..scene import OTHER_SECRET, SECRET, START

NONCE = b"n" * 12


def derived(info, length):
    """What the words of the key rule say, by another implementation of HKDF."""
    return HKDF(algorithm=SHA256(), length=length, salt=b"sessionkit", info=info).derive(
        SECRET.encode()
    )


def test_a_key_is_hkdf_of_version_purpose_name_audience_and_hour():
    keys = KeyRing(SECRET).purpose("cookie", "__Host-session", "tenant-a")
    cipher = keys.sealing(START)
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    info = b"\0".join(
        (b"sessionkit/1", b"cookie", b"__Host-session", b"tenant-a", str(START // 3600).encode())
    )
    assert (
        AESGCM(derived(info, 32)).decrypt(
            b"n" * 12, cipher.encrypt(b"n" * 12, b"text", b"aad"), b"aad"
        )
        == b"text"
    )


def test_a_key_id_is_six_bytes_of_hkdf_and_not_of_the_secret():
    import base64

    assert (base64.urlsafe_b64encode(derived(b"sessionkit/1\0kid", 6)).decode(),) == KeyRing(
        SECRET
    ).ids


def test_text_and_its_utf8_bytes_are_one_secret():
    assert KeyRing("ä" + SECRET).ids == KeyRing(("ä" + SECRET).encode()).ids


def test_the_first_secret_seals_and_every_secret_opens():
    ring = KeyRing([SECRET, OTHER_SECRET])
    keys = ring.purpose("cookie", "session")
    assert keys.key_id == ring.ids[0] == KeyRing(SECRET).ids[0]
    for secret in (SECRET, OTHER_SECRET):
        other = KeyRing(secret).purpose("cookie", "session")
        sealed = other.sealing(START).encrypt(NONCE, b"text", b"")
        assert keys.unseal(other.key_id, START, NONCE, sealed, b"") == b"text"


def test_a_key_id_that_is_not_ours_opens_nothing():
    assert (
        KeyRing(SECRET)
        .purpose("cookie", "session")
        .unseal("AAAAAAAA", START, NONCE, b"sealed", b"")
        is Absence.UNKNOWN_KEY
    )


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ([], "there is no secret"),
        ((), "there is no secret"),
        ("", "secret 1 has 0 bytes"),
        ("x" * 31, "secret 1 has 31 bytes, at least 32"),
        ([SECRET, "short"], "secret 2 has 5 bytes"),
        ("abcdefghi" * 4, "fewer than 10 distinct bytes"),
        ("\ud800" * 32, "secret 1 is not valid Unicode"),
        ([None], "secret 1 must be str or bytes, not NoneType"),
        ([SECRET, 7], "secret 2 must be str or bytes, not int"),
        ([SECRET, SECRET], "the same key id"),
        ([SECRET, SECRET.encode()], "the same key id"),
        (None, "not NoneType"),
        (7, "not int"),
        ({SECRET}, "not set"),
    ],
)
def test_secrets_that_cannot_work_are_refused(secret, message):
    with pytest.raises(ConfigurationError, match=message):
        KeyRing(secret)


@pytest.mark.parametrize("placeholder", sorted(one for one in PLACEHOLDERS if len(one) >= 32))
@pytest.mark.parametrize("change", [str, str.upper, lambda one: one + "\n", str.encode])
def test_a_placeholder_of_the_documentation_is_no_secret(placeholder, change):
    with pytest.raises(ConfigurationError, match="placeholder"):
        KeyRing(change(placeholder))


def test_ten_distinct_bytes_of_thirty_two_are_enough():
    assert len(KeyRing("abcdefghij" * 4).ids) == 1


def test_formats_of_other_libraries_take_shorter_secrets_of_any_bytes():
    assert check_secrets("aaaaaaaa", shortest=8) == (b"aaaaaaaa",)


@pytest.mark.parametrize(
    "secret", ["canary-short", "canarycan" * 4, ["canary" + SECRET, "canary" + SECRET]]
)
def test_no_message_shows_the_secret(secret):
    with pytest.raises(ConfigurationError) as caught:
        KeyRing(secret)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "audience"),
    [("sess\0ion", ""), ("session", "a\0b"), ("sessiön", ""), ("session", "mandänt")],
)
def test_a_field_of_the_info_string_is_ascii_without_nul(name, audience):
    with pytest.raises(ConfigurationError, match="ASCII without NUL"):
        KeyRing(SECRET).purpose("cookie", name, audience)


def opens(one, other, *, time=START, other_time=START):
    sealed = one.sealing(time).encrypt(NONCE, b"text", b"")
    opened = other.unseal(one.key_id, other_time, NONCE, sealed, b"")
    assert opened in (b"text", Absence.BAD_TAG)
    return opened == b"text"


def test_purpose_name_audience_and_hour_each_make_another_key():
    ring = KeyRing(SECRET)
    keys = ring.purpose("cookie", "session", "a")
    assert opens(keys, ring.purpose("cookie", "session", "a")) is True
    assert opens(keys, ring.purpose("seen", "session", "a")) is False
    assert opens(keys, ring.purpose("cookie", "other", "a")) is False
    assert opens(keys, ring.purpose("cookie", "session", "b")) is False
    assert opens(keys, keys, time=START, other_time=START + SLICE) is False


def test_the_key_of_an_hour_is_derived_once():
    keys = KeyRing(SECRET).purpose("cookie", "session")
    assert keys.sealing(7200) is keys.sealing(7200 + SLICE - 1)


def test_opening_keeps_nothing_until_a_tag_has_verified():
    sealed = KeyRing(SECRET).purpose("cookie", "session").sealing(7200).encrypt(NONCE, b"text", b"")
    keys = KeyRing(SECRET).purpose("cookie", "session")
    assert keys.unseal(keys.key_id, 7200, NONCE, b"x" + sealed, b"") is Absence.BAD_TAG
    assert keys.kept == 0
    for _ in range(2):
        assert keys.unseal(keys.key_id, 7200, NONCE, sealed, b"") == b"text"
        assert keys.kept == 1


def test_more_keys_than_are_kept_push_the_oldest_out():
    keys = KeyRing(SECRET).purpose("cookie", "session")
    first = keys.sealing(0)
    for hour in range(1, KEPT_CIPHERS + 10):
        last = keys.sealing(hour * SLICE)
    assert KEPT_CIPHERS == keys.kept
    assert keys.sealing((KEPT_CIPHERS + 9) * SLICE) is last
    assert keys.sealing(0) is not first


RING = KeyRing(SECRET)
KEYS = RING.purpose("cookie", "session")


@pytest.mark.parametrize(
    ("made", "how"),
    [
        (RING, pickle.dumps),
        (RING, copy.copy),
        (KEYS, pickle.dumps),
        (KEYS, copy.copy),
        (KEYS, copy.deepcopy),
    ],
)
def test_what_holds_keys_does_not_pickle_or_copy(made, how):
    with pytest.raises(TypeError, match="not pickle"):
        how(made)


def test_no_repr_shows_a_key():
    ring = KeyRing([SECRET, OTHER_SECRET])
    assert "<KeyRing of 2>" == repr(ring)
    assert "<PurposeKeys>" == repr(ring.purpose("cookie", "session"))


def test_a_random_secret_is_taken():
    assert len(KeyRing(secrets.token_urlsafe(32)).ids[0]) == 8
