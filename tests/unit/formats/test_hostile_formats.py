"""What a hostile reader found in formats and importers: odd contents, odd scopes, conversions that are used twice."""

import json

import pytest

from sessionkit import Absence, Lifetime, SessionStore
from sessionkit.formats import Auth0V4, AuthJSV5, FlaskCookie, Importer, NextAuthV4
from sessionkit.formats.foreign import foreign_secrets, is_time
from sessionkit.formats.jose import GCM

from ..scene import Scene
from .test_importers import JS, NOW, OLD, b64, flask_signed, put


def flask(session, **settings):
    moved = Scene(accept=[Importer(FlaskCookie(), secret=OLD, until=None, **settings.pop("importer", {}))], **settings)
    raw = session if isinstance(session, bytes) else json.dumps(session).encode()
    put(moved, f"session={flask_signed(b64(raw))}")
    return moved


# ---- numbers and dates that are none


@pytest.mark.parametrize("number", [10**400, -(10**400), float("nan"), float("inf"), True], ids=lambda one: str(one)[:5])
def test_a_number_that_no_clock_shows_is_no_time(number):
    assert is_time(number) is False


def test_a_token_with_a_time_of_four_hundred_digits_is_malformed():
    codec = Auth0V4().codec(foreign_secrets(JS), name="__session", audience="", lifetime=Lifetime(), serializer=None)
    key = codec.candidates({})[0]
    payload = '{"user":{"sub":"a"},"tokenSet":{},"internal":{"createdAt":1700000000},"exp":1%s}' % ("0" * 400)
    header = f"__session={GCM.seal({'enc': 'A256GCM', 'alg': 'dir'}, payload.encode(), key)}"
    with SessionStore(JS, format=Auth0V4(), clock=lambda: NOW).exchange(header) as exchange:
        assert exchange.absence is Absence.MALFORMED


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -0500", f"Mon, {10**22} Jan 2020 00:00:00 GMT"])
def test_a_date_of_flask_beyond_the_years_that_there_are_is_malformed(date):
    assert flask({"at": {" d": date}}).browser.absence() is Absence.MALFORMED


# ---- what a format of others cannot hold


@pytest.mark.parametrize("format", [Auth0V4(), NextAuthV4(), AuthJSV5()], ids=lambda one: type(one).__name__)
def test_a_visitor_who_is_not_signed_in_is_not_taken_over_into_a_format_that_takes_every_token_for_somebody(format):
    moved = flask({"cart": [1]}, format=format)
    page = moved.browser.visit()
    assert page.exchange.absence is Absence.MALFORMED
    assert page.arrive() == []


def test_a_user_who_is_no_object_is_not_taken_over_into_nextjs_auth0_v4():
    assert flask({"user": "ada"}, format=Auth0V4()).browser.absence() is Absence.MALFORMED


def test_whoever_is_signed_in_is_taken_over_into_it():
    moved = flask({"user": {"sub": "ada"}}, format=Auth0V4())
    page = moved.browser.visit()
    page.exchange.get()
    page.arrive()
    assert moved.browser.session()["user"] == {"sub": "ada"}
