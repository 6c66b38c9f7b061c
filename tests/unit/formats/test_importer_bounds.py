"""Importers: time and bounds."""

import json
import zlib
from base64 import b64encode
from datetime import timedelta

import pytest

from sessionkit import Absence, Lifetime, SessionStore
from sessionkit.formats import (
    Auth0V3,
    DjangoCookie,
    FlaskCookie,
    Importer,
    NextAuthV4,
    StarletteCookie,
)
from sessionkit.formats._signed import base64, inflate

from .foreign_cookies import DJANGO_STAMP, FLASK, JS, NOW, OLD, b64, flask_signed, scene, v3_cookie

# ---- time


def test_a_session_without_an_idle_time_over_there_lives_for_our_absolute_lifetime_from_its_signing():
    moved = scene(lifetime=Lifetime(idle=100, absolute=1000))
    moved.clock.wait(999)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.get().stamp.expires_at == NOW + 1000
    moved.clock.wait(1)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.absence is Absence.ABSOLUTE


def test_without_an_absolute_lifetime_the_sources_own_expiry_holds():
    moved = scene(
        Importer(FlaskCookie(max_age=timedelta(days=1)), secret=OLD, until=None),
        lifetime=Lifetime(absolute=None),
    )
    moved.clock.wait(86_399)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.get() is not None
    moved.clock.wait(1)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.absence is Absence.EXPIRED


def test_a_source_may_have_no_expiry():
    moved = scene(
        Importer(FlaskCookie(max_age=None), secret=OLD, until=None),
        lifetime=Lifetime(absolute=None),
    )
    moved.clock.wait(10**7)
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.get() is not None


def test_a_creation_time_that_is_none_is_refused():
    moved = scene(
        Importer(FlaskCookie(max_age=None), secret=OLD, until=None),
        lifetime=Lifetime(absolute=None),
    )
    with moved.store.exchange(f"session={flask_signed(b64(b'{}'), at=0)}") as exchange:
        assert exchange.absence is Absence.MALFORMED
    with moved.store.exchange(f"session={flask_signed(b64(b'{}'), at=NOW + 61)}") as exchange:
        assert exchange.absence is Absence.NOT_YET_VALID
    with moved.store.exchange(f"session={flask_signed(b64(b'{}'), at=NOW + 60)}") as exchange:
        assert exchange.contents.stamp.created_at == NOW


def test_a_conversion_between_two_formats_keeps_the_creation_time():
    moved = scene(
        Importer(NextAuthV4(), secret=JS, until=None, convert=lambda claims: {"user": claims})
    )
    store = SessionStore(JS, format=NextAuthV4(), clock=moved.clock)
    with store.exchange() as exchange:
        store.create_session({"sub": "alice"})
    header = exchange.response_headers[0][1].partition(";")[0]
    moved.clock.wait(100)
    with moved.store.exchange(header) as exchange:
        assert exchange.get() == {"user": {"sub": "alice"}}
        assert exchange.get().stamp.created_at == NOW


# ---- bounds


def test_a_payload_is_inflated_only_to_64_kib():
    moved = scene()
    for size, expected in ((65_536, None), (65_537, Absence.MALFORMED)):
        packed = zlib.compress(json.dumps({"blob": "x" * (size - 12)}).encode())
        with moved.store.exchange(f"session={flask_signed('.' + b64(packed))}") as exchange:
            assert exchange.absence is expected


def test_nothing_is_inflated_before_its_signature_has_verified():
    bomb = zlib.compress(b"0" * 10_000_000)
    with scene().store.exchange(f"session={flask_signed('.' + b64(bomb), 'x' * 32)}") as exchange:
        assert exchange.absence is Absence.BAD_TAG
    with scene().store.exchange(f"session={flask_signed('.' + b64(bomb))}") as exchange:
        assert exchange.absence is Absence.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        "A",
        b64(b"{"),
        b64(b"[]"),
        b64(b"\xff\xff"),
        "." + b64(b"no zlib"),
        "." + b64(zlib.compress(b"{}")[:-3]),
        "." + "A",
    ],
)
def test_a_verified_payload_that_is_none_is_malformed(payload):
    with scene().store.exchange(f"session={flask_signed(payload)}") as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_date_of_flask_that_is_none_is_malformed():
    with scene().store.exchange(
        f"session={flask_signed(b64(json.dumps({'at': {' d': 'never'}}).encode()))}"
    ) as exchange:
        assert exchange.absence is Absence.MALFORMED


def signed_by(source, payload):
    opener = source.codec(
        source.keys(OLD), name="", audience="", lifetime=Lifetime(), serializer=None
    )
    stamp, dot = (
        (DJANGO_STAMP, ":")
        if isinstance(source, DjangoCookie)
        else (b64(NOW.to_bytes(4, "big")), ".")
    )
    covered = f"{payload}{dot}{stamp}"
    return f"{covered}{dot}{opener.sign(opener.key(OLD.encode()), covered.encode())}"


@pytest.mark.parametrize(
    "payload", ["AAAAA", b64encode(b"[1]").decode(), b64encode(b"{{").decode()]
)
def test_what_starlette_and_django_signed_and_is_no_session_is_malformed(payload):
    for source, name in ((StarletteCookie(), "session"), (DjangoCookie(), "sessionid")):
        value = signed_by(source, payload if name == "session" else payload.rstrip("="))
        with scene(Importer(source, secret=OLD, until=None)).store.exchange(
            f"{name}={value}"
        ) as exchange:
            assert exchange.absence is Absence.MALFORMED


def test_eight_tokens_are_opened_in_a_request_importers_included():
    moved = scene(
        *(Importer(Auth0V3(), secret=JS, name=f"a{number}x", until=None) for number in range(12))
    )
    token = v3_cookie(moved.clock).partition("=")[2]
    bad = token[:-2] + ("AA" if token[-2:] != "AA" else "QA")
    header = "; ".join(f"a{number}x={bad}" for number in range(8))
    with moved.store.exchange(header) as exchange:
        assert exchange.absence is Absence.BAD_TAG
    with moved.store.exchange(f"{header}; a8x={token}") as exchange:
        assert exchange.absence is Absence.TOO_LARGE


def test_a_header_over_64_kib_is_read_by_nobody():
    with scene().store.exchange(f"{FLASK}; x={'y' * 65_536}; __Host-session=1") as exchange:
        assert exchange.absence is Absence.TOO_LARGE


def test_inflating_and_decoding_say_none_for_what_is_none():
    assert inflate(zlib.compress(b"x")) == b"x"
    assert base64("_-8") == b"\xff\xef"
    assert base64("/+8") is None
    assert base64("/+8=", urlsafe=False) == b"\xff\xef"
    assert base64("_-8", urlsafe=False) is None
