"""Sealed values: what opens, and everything that does not."""

import copy
import json
import logging
import pickle
import random
import string
import time
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.jwk import OctKey

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    Sealer,
    SerializationError,
    SessionStore,
    SessionTooLargeError,
    fast_json,
)
from sessionkit._session.base64url import decode
from sessionkit.formats import Auth0V4, NextAuthV4
from sessionkit.testing import session_cookies

from ..scene import ALICE, OTHER_SECRET, SECRET, START, Clock
from .test_oracle import mutated, random_json

VALUE = {"user": 7, "text": "é 😀", "list": [1, 2.5, None, True]}
REGISTRY = jwe.JWERegistry(algorithms=["dir", "A256GCM"], strict_check_header=False)


def store(secret=SECRET, clock=None, **settings):
    return SessionStore(secret, clock=clock or Clock(), **settings)


def sealer(purpose="password-reset", *, secret=SECRET, clock=None, **settings):
    return store(secret, clock, **settings).sealer(purpose)


def key_of(purpose, audience="", at=START):
    """The content key by the words of the rule, for the oracle."""
    parts = ("sessionkit/1", "sealed", purpose, audience, str(at // 3600))
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"sessionkit", info="\0".join(parts).encode())
    return OctKey.import_key(hkdf.derive(SECRET.encode()))


# ---- what opens


@pytest.mark.parametrize("value", [{}, VALUE, {"a": {"b": [[]]}}, {"": "x" * 500}])
@pytest.mark.parametrize("serializer", [None, fast_json()])
def test_a_value_opens_for_its_purpose(value, serializer):
    settings = {} if serializer is None else {"serializer": serializer}
    text = sealer(**settings).seal(value, max_age=60)
    assert value == sealer().open(text)


def test_a_text_stands_in_a_url_and_in_a_cookie_as_it_is():
    text = sealer().seal(VALUE, max_age=60)
    assert set(text) <= {*string.ascii_letters, *string.digits, *"-_."}


def test_no_two_texts_are_equal():
    made = sealer()
    assert made.seal(VALUE, max_age=60) != made.seal(VALUE, max_age=60)


def test_any_of_the_secrets_opens_and_the_first_one_seals():
    old, both, new = (sealer(secret=one) for one in (OTHER_SECRET, [SECRET, OTHER_SECRET], SECRET))
    assert VALUE == both.open(old.seal(VALUE, max_age=60))
    text = both.seal(VALUE, max_age=60)
    assert (VALUE, None) == (new.open(text), old.open(text))


@pytest.mark.parametrize("format", [Auth0V4(), NextAuthV4()])
def test_a_store_of_another_format_seals_values_too(format):
    short = "sixteen bytes it"
    made = SessionStore(short, format=format, audience="ä%", clock=Clock()).sealer("mail")
    assert VALUE == made.open(made.seal(VALUE, max_age=60))


def test_the_name_of_the_session_cookie_does_not_matter():
    other = sealer(cookie=CookieSettings(name="app", secure=False))
    assert VALUE == other.open(sealer().seal(VALUE, max_age=60))


def test_what_is_changed_after_opening_is_not_in_the_next_one():
    made = sealer()
    text = made.seal(VALUE, max_age=60)
    made.open(text)["list"].clear()
    assert VALUE == made.open(text)


# ---- its time


@pytest.mark.parametrize("max_age", [60, 60.9, timedelta(minutes=1)])
def test_a_value_is_over_at_its_end_and_not_a_moment_before(max_age):
    clock = Clock(START + 0.9)
    made = sealer(clock=clock)
    text = made.seal(VALUE, max_age=max_age)
    clock.now = START + 59.999
    assert VALUE == made.open(text)
    clock.now = START + 60
    assert made.open(text) is None


def test_a_value_from_the_future_does_not_open():
    text = sealer(clock=Clock(START + 61)).seal(VALUE, max_age=600)
    assert sealer().open(text) is None
    assert VALUE == sealer(clock=Clock(START + 1)).open(text)


@pytest.mark.parametrize(
    "max_age", [0, -1, 0.5, None, True, "60", 10**11, float("inf"), float("nan"), timedelta(0)]
)
def test_a_value_without_a_real_end_is_refused(max_age):
    with pytest.raises(ConfigurationError, match="max_age must"):
        sealer().seal(VALUE, max_age=max_age)


def test_the_default_clock_is_the_computers():
    made = SessionStore(SECRET).sealer("mail")
    assert {"t": 1} == made.open(made.seal({"t": 1}, max_age=60))
    assert (
        SessionStore(SECRET, clock=lambda: time.time() + 60)
        .sealer("mail")
        .open(made.seal({"t": 1}, max_age=60))
        is None
    )


# ---- what does not open


@pytest.mark.parametrize("purpose", ["password-rese", "Password-reset", "mail", "cookie", "seen"])
def test_a_value_of_another_purpose_does_not_open(purpose):
    assert sealer(purpose).open(sealer().seal(VALUE, max_age=60)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b"), ("b", "a")),
        (("a", ""), ("", "a")),
        (("a b", ""), ("a", "b")),
        (("a", "%62"), ("a", "b")),
    ],
)
def test_purpose_and_audience_are_told_apart(one, other):
    made = [store(audience=audience).sealer(purpose or "x") for purpose, audience in (one, other)]
    text = made[0].seal(VALUE, max_age=60)
    assert (VALUE, None) == (made[0].open(text), made[1].open(text))


def test_a_value_of_another_audience_or_secret_does_not_open():
    text = sealer().seal(VALUE, max_age=60)
    assert store().for_audience("b").sealer("password-reset").open(text) is None
    assert sealer(secret=OTHER_SECRET).open(text) is None


def test_a_sealed_value_is_no_session_and_a_session_no_sealed_value():
    cookie_name = "__Host-session"
    here = store()
    text = here.sealer(cookie_name).seal(ALICE, max_age=600)
    with here.exchange({cookie_name: text}):
        assert here.get_session() is None
    for name, value in session_cookies(here, ALICE).items():
        assert here.sealer(name).open(value) is None
        assert here.sealer("cookie").open(value) is None
    with here.exchange(session_cookies(here, ALICE)) as exchange:
        here.touch_session()
        here.delete_session()
    for _, line in exchange.response_headers:
        assert here.sealer(cookie_name).open(line.partition("=")[2].partition(";")[0]) is None


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", ".", "....", "a.b.c.d.e", "é", "\ud800", "\0", b"bytes", 7, [], {}, object(), True,
        "A" * 10**6, "." * 10**6, "eyJ" * 1000, "%2E" * 5, "null",
    ],
)  # fmt: skip
def test_whatever_a_visitor_sends_is_no_value_and_no_error(text):
    assert sealer().open(text) is None


def test_no_bit_of_a_text_can_be_changed():
    made = sealer()
    text = made.seal({"user": 7}, max_age=60)
    for place, character in enumerate(text):
        for bit in range(8):
            changed = text[:place] + chr(ord(character) ^ 1 << bit) + text[place + 1 :]
            assert made.open(changed) is None


def test_of_five_thousand_mutants_none_opens_that_is_not_the_text_itself():
    source, made, opened = random.Random(5), sealer(), 0
    values = [{"a": random_json(source)} for _ in range(50)]
    texts = [(made.seal(value, max_age=60), value) for value in values]
    for _ in range(5000):
        text, value = source.choice(texts)
        mutant = mutated(source, text)
        found = made.open(mutant)
        assert found is None or (mutant, found) == (text, value)
        opened += found is not None
    assert 250 < opened < 1500


@pytest.mark.parametrize("payload", [b"[]", b"7", b"{", b"null", b"\xff", b"[" * 2000])
def test_an_authentic_text_that_holds_no_mapping_does_not_open(payload):
    made = sealer("mail")
    header = decode(made.seal({}, max_age=60).partition(".")[0].encode()).decode()
    text = jwe.encrypt_compact(json.loads(header), payload, key_of("mail"), registry=REGISTRY)
    assert made.open(text) is None


def test_a_refusal_is_logged_at_debug_with_its_reason_and_nothing_of_the_text(caplog):
    with caplog.at_level(logging.DEBUG, "sessionkit"):
        sealer().open("canary.canary")
        sealer().open("x" * 4000)
        sealer().open(sealer("mail").seal(VALUE, max_age=60))
    assert [
        "a value sealed for 'password-reset' was refused: malformed",
        "a value sealed for 'password-reset' was refused: too large",
        "a value sealed for 'password-reset' was refused: bad tag",
    ] == caplog.messages
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


# ---- joserfc


def test_joserfc_opens_what_we_seal():
    source, made = random.Random(6), sealer("mail", audience="b")
    for _ in range(300):
        value = {"a": random_json(source)}
        text = made.seal(value, max_age=60)
        plain = jwe.decrypt_compact(text, key_of("mail", "b"), registry=REGISTRY).plaintext
        assert value == json.loads(plain)


def test_what_joserfc_seals_in_our_exact_header_opens():
    made = sealer("mail")
    header = json.loads(decode(made.seal({}, max_age=60).partition(".")[0].encode()))
    text = jwe.encrypt_compact(header, json.dumps(VALUE), key_of("mail"), registry=REGISTRY)
    assert VALUE == made.open(text)
    deflating = jwe.JWERegistry(algorithms=["dir", "A256GCM", "DEF"], strict_check_header=False)
    header |= {"zip": "DEF"}
    assert made.open(jwe.encrypt_compact(header, b"{}", key_of("mail"), registry=deflating)) is None


# ---- what is refused where it is sealed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": datetime(2026, 1, 1)}}, r'^value\["a"\]\["b"\]: datetime is not JSON'),
        ({1: "a"}, "^value"),
        ({"a": float("nan")}, r'^value\["a"\]'),
        ({"session": "\ud800"}, r'^value\["session"\]'),
    ],
)  # fmt: skip
def test_what_is_no_json_is_named_with_its_path(value, message):
    with pytest.raises(SerializationError, match=message):
        sealer().seal(value, max_age=60)


@pytest.mark.parametrize("value", [None, [], "text", 7, ("a", 1)])
def test_what_is_no_mapping_is_refused(value):
    with pytest.raises(TypeError, match=r"seal\(\) takes a mapping"):
        sealer().seal(value, max_age=60)


def test_a_value_that_is_too_large_for_a_link_or_a_cookie_is_refused_with_its_size():
    made = sealer()
    for length in range(2000, 2400):
        try:
            text = made.seal({"a": "x" * length}, max_age=60)
        except SessionTooLargeError as error:
            assert "characters and may have 3072" in str(error)
            break
        assert len(text) <= 3072
        assert {"a": "x" * length} == made.open(text)
    else:
        raise AssertionError
    assert len(text) > 3060


@pytest.mark.parametrize("purpose", ["", "é", "a\0", "a\n", "x" * 101, None, 7, b"mail", []])
def test_a_purpose_is_printable_ascii(purpose):
    with pytest.raises(ConfigurationError, match="takes the purpose of its values"):
        store().sealer(purpose)


# ---- nothing is shown


def test_a_sealer_shows_its_purpose_and_is_not_pickled_or_copied():
    made = sealer()
    assert "<Sealer 'password-reset'>" == repr(made)
    assert (made, made) == (copy.copy(made), copy.deepcopy(made))
    assert isinstance(made, Sealer)
    with pytest.raises(TypeError, match="holds keys and does not pickle"):
        pickle.dumps(made)


@pytest.mark.parametrize(
    "call",
    [
        lambda made, value: made.seal(value, max_age=60),
        lambda made, value: made.seal({"a": "canary" * 1000}, max_age=60),
        lambda made, value: made.seal({"a": "canary"}, max_age=0),
        lambda made, value: made.seal(["canary"], max_age=60),
    ],
)
def test_no_frame_of_ours_in_a_traceback_holds_the_value(call):
    with pytest.raises((SerializationError, SessionTooLargeError, ValueError, TypeError)) as caught:
        call(sealer(), {"a": ["canary", object()]})
    error, trace = caught.value, caught.value.__traceback__
    assert "canary" not in str(error)
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).startswith("sessionkit"):
            assert "canary" not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next


def test_the_text_tells_when_it_was_made_and_when_it_ends_and_nothing_else():
    header = json.loads(decode(sealer().seal(VALUE, max_age=60).partition(".")[0].encode()))
    assert ["alg", "enc", "kid", "sid", "iat", "uat", "exp"] == list(header)
    assert (START, START, START + 60) == (header["iat"], header["uat"], header["exp"])
