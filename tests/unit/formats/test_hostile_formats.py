"""What a hostile reader found in formats and importers: odd contents, odd scopes, conversions that are used twice."""

import json
import zlib
from datetime import date, timedelta

import pytest

from sessionkit import (
    Absence,
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SerializationError,
    SessionStore,
)
from sessionkit._crypto.sealing import Opened
from sessionkit._exchange.conversion import import_token
from sessionkit._session.session import Stamp
from sessionkit.formats import (
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    FlaskCookie,
    Importer,
    IronSession,
    Native,
    NextAuthV4,
)
from sessionkit.formats._claims import check_foreign_secrets, is_time
from sessionkit.formats._framing import GCM

from ..scene import SECRET, Scene, names
from .foreign_cookies import JS, NOW, OLD, b64, flask_signed, iron_seal, put

USER = b'{"user":{"sub":"7"}}'


def flask(session, **settings):
    moved = Scene(
        accept=[Importer(FlaskCookie(), secret=OLD, until=None, **settings.pop("importer", {}))],
        **settings,
    )
    raw = session if isinstance(session, bytes) else json.dumps(session).encode()
    put(moved, f"session={flask_signed(b64(raw))}")
    return moved


# ---- numbers and dates that are none


@pytest.mark.parametrize(
    "number", [10**400, -(10**400), float("nan"), float("inf"), True], ids=lambda one: str(one)[:5]
)
def test_a_number_that_no_clock_shows_is_no_time(number):
    assert is_time(number) is False


def test_a_token_with_a_time_of_four_hundred_digits_is_malformed():
    codec = Auth0V4().codec(
        check_foreign_secrets(JS),
        name="__session",
        audience="",
        lifetime=Lifetime(),
        serializer=None,
    )
    key = codec.candidates({})[0]
    payload = '{"user":{"sub":"a"},"tokenSet":{},"internal":{"createdAt":1700000000},"exp":1%s}' % (
        "0" * 400
    )
    header = f"__session={GCM.seal({'enc': 'A256GCM', 'alg': 'dir'}, payload.encode(), key)}"
    with SessionStore(JS, format=Auth0V4(), clock=lambda: NOW).exchange(header) as exchange:
        assert exchange.absence is Absence.MALFORMED


@pytest.mark.parametrize(
    "text", ["Fri, 31 Dec 9999 23:59:59 -0500", f"Mon, {10**22} Jan 2020 00:00:00 GMT"]
)
def test_a_date_of_flask_beyond_the_years_that_there_are_is_malformed(text):
    assert flask({"at": {" d": text}}).browser.absence() is Absence.MALFORMED


# ---- what a format of others cannot hold


@pytest.mark.parametrize(
    "format", [Auth0V4(), NextAuthV4(), AuthJSV5()], ids=lambda one: type(one).__name__
)
def test_a_visitor_who_is_not_signed_in_is_not_taken_over_into_a_format_that_takes_every_token_for_somebody(
    format,
):
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


# ---- a conversion is done again when a mark is wanted


def popping(contents):
    return {"user": {"sub": contents.pop("_user_id")}, **contents}


@pytest.mark.parametrize("format", [Native(), Auth0V3()], ids=lambda one: type(one).__name__)
def test_a_conversion_that_changes_what_it_is_given_is_fenced_by_a_logout_in_the_same_request(
    format,
):
    moved = flask({"_user_id": "7"}, format=format, importer={"convert": popping})
    late, logout = moved.browser.visit(), moved.browser.visit()
    assert late.exchange.get() == {"user": {"sub": "7"}}
    logout.exchange.get()
    logout.exchange.delete()
    logout.arrive()
    late.arrive()
    assert moved.browser.absence() is Absence.LOGGED_OUT


def test_what_an_application_changes_in_what_it_took_over_is_no_part_of_the_mark_that_a_rotation_fences():
    moved = flask({"user": {"sub": "7", "sid": "op"}}, format=Auth0V3())
    late, rotation = moved.browser.visit(), moved.browser.visit()
    late.exchange.get()
    rotation.exchange.get()["user"]["sid"] = "another"
    rotation.exchange.rotate()
    rotation.arrive()
    late.arrive()
    assert moved.browser.absence() is Absence.LOGGED_OUT


def taken_with(value, began=NOW):
    settings = flask({}).store.settings
    stamp = Stamp(id="x", created_at=began, updated_at=began, expires_at=NOW + 9)
    return import_token(settings, settings.importers[0], Opened({"value": value}, stamp, "x"), NOW)


def test_a_source_may_hold_what_is_no_json():
    assert {"value": date(2024, 2, 29)} == taken_with(date(2024, 2, 29)).contents


def test_a_source_that_does_not_look_at_its_times_imports_nothing_from_the_future():
    assert taken_with(1, began=NOW + 61) is Absence.NOT_YET_VALID
    assert taken_with(1, began=0) is Absence.MALFORMED
    assert taken_with(1, began=NOW + 60).stamp.created_at == NOW


def test_what_is_too_deep_to_be_copied_is_malformed():
    value = []
    for _ in range(50_000):
        value = [value]
    assert Absence.MALFORMED is taken_with(value)


# ---- what a conversion was given, and has passed on


@pytest.mark.parametrize(
    "value", ["NaN", "9" * 30, "[" * 70 + "]" * 70], ids=["NaN", "a huge integer", "deep"]
)
def test_what_others_may_write_and_we_may_not_comes_over_through_a_conversion_too(value):
    moved = flask(b'{"user":{"sub":"7"},"odd":%s}' % value.encode(), importer={"convert": dict})
    page = moved.browser.visit()
    assert page.exchange.get()["user"] == {"sub": "7"}
    assert names(page.arrive()) == ["__Host-session", "-session"]
    assert moved.browser.session().keys() == {"user", "odd"}


def test_a_conversion_into_what_is_no_json_is_told_also_where_what_came_was_odd():
    moved = flask(
        b'{"odd":NaN}', importer={"convert": lambda contents: {**contents, "user": object()}}
    )
    with pytest.raises(SerializationError):
        moved.browser.visit().exchange.get()


# ---- the end of what is left


def test_a_logout_clears_the_cookies_of_importers_though_the_header_is_too_large_to_be_read():
    moved = flask({"user": {"sub": "7"}})
    with moved.store.exchange("x=" + "a" * 65_536 + "; session=whatever") as exchange:
        exchange.delete()
    assert "-session" in names([line for _, line in exchange.response_headers])


@pytest.mark.parametrize("scope", [{"domain": "example.org"}, {"path": "/app"}], ids=str)
def test_a_foreign_cookie_of_our_name_is_removed_where_ours_is_not(scope):
    moved = flask({"user": {"sub": "7"}}, cookie=CookieSettings(name="session", **scope))
    page = moved.browser.visit()
    page.exchange.get()
    ours, foreign = page.answer()
    assert ours.startswith("session=ey")
    assert foreign == "session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High"


def test_a_logout_removes_a_foreign_cookie_of_our_name_where_ours_is_not():
    moved = flask(
        {"user": {"sub": "7"}}, cookie=CookieSettings(name="session", domain="example.org")
    )
    page = moved.browser.visit()
    page.exchange.delete()
    assert names(page.answer()) == ["-session", "-seen.session", "-session", "out.session"]


# ---- what was compressed


def compressed(session, **settings):
    moved = flask({}, **settings)
    payload = "." + b64(zlib.compress(json.dumps(session).encode()))
    put(moved, f"session={flask_signed(payload)}")
    return moved


def test_a_compressed_session_that_does_not_fit_into_our_cookies_goes_on_living_in_its_own():
    moved = compressed({"user": {"sub": "7"}, "text": "a" * 30_000})
    page = moved.browser.visit()
    assert page.exchange.get()["user"] == {"sub": "7"}
    assert page.arrive() == []
    assert moved.browser.session()["user"] == {"sub": "7"}


def test_an_update_of_one_that_makes_it_fit_moves_it():
    moved = compressed({"user": {"sub": "7"}, "text": "a" * 30_000})
    page = moved.browser.visit()
    assert page.exchange.update({"user": {"sub": "7"}}) is True
    assert names(page.arrive()) == ["__Host-session", "-session"]


def test_a_logout_of_one_ends_it():
    moved = compressed({"user": {"sub": "7"}, "text": "a" * 30_000})
    header = moved.browser.jar.header()
    moved.browser.logout()
    with moved.store.exchange(f"{header}; {moved.browser.jar.header()}") as late:
        assert late.absence is Absence.LOGGED_OUT


def test_a_compressed_session_that_fits_is_taken_over():
    moved = compressed({"user": {"sub": "7"}, "text": "a" * 5_000})
    page = moved.browser.visit()
    page.exchange.get()
    assert names(page.arrive()) == ["__Host-session.0", "__Host-session.1", "-session"]


def test_a_session_that_came_larger_than_our_budget_is_taken_over_as_large():
    at = {"clock": lambda: NOW}
    theirs = SessionStore(JS, format=Auth0V3(), cookie=CookieSettings(max_bytes=32_768), **at)
    with theirs.exchange() as created:
        created.create({"user": {"sub": "7"}, "text": "a" * 12_000})
    header = "; ".join(
        line.partition(";")[0] for field, line in created.response_headers if field == "Set-Cookie"
    )
    with SessionStore(SECRET, accept=[Importer(Auth0V3(), secret=JS, until=None)], **at).exchange(
        header
    ) as taking:
        taking.get()
    lines = [line for field, line in taking.response_headers if field == "Set-Cookie"]
    assert names(lines) == [f"__Host-session.{number}" for number in range(5)]


# ---- iron-session


@pytest.mark.parametrize("ttl", [0, timedelta(0)])
def test_iron_session_may_be_told_that_its_seals_do_not_expire(ttl):
    moved = Scene(accept=[Importer(IronSession(ttl=ttl), secret="p" * 32, name="sid", until=None)])
    with moved.store.exchange(f"sid={iron_seal(USER)}") as exchange:
        assert exchange.get().stamp.created_at == NOW


def test_a_seal_from_before_that_began_fourteen_days_before_its_expiry():
    moved = Scene(accept=[Importer(IronSession(ttl=0), secret="p" * 32, name="sid", until=None)])
    day = 86_400
    with moved.store.exchange(f"sid={iron_seal(USER, ends=(NOW + 13 * day) * 1000)}") as exchange:
        assert exchange.get().stamp.created_at == NOW - day


# ---- what is refused at once


@pytest.mark.parametrize("secret", [5, object()], ids=["number", "object"])
def test_a_secret_of_an_importer_that_is_none_is_a_configuration_error(secret):
    with pytest.raises(ConfigurationError):
        SessionStore(SECRET, accept=[Importer(FlaskCookie(), secret=secret, until=None)])


@pytest.mark.parametrize(
    "until", [NOW * 1000, 10**400, -1], ids=["milliseconds", "huge", "negative"]
)
def test_until_is_in_seconds(until):
    with pytest.raises(ConfigurationError):
        Importer(FlaskCookie(), until=until)


def test_until_may_be_the_last_day_there_is():
    assert Importer(FlaskCookie(), until=date.max).until == 253_402_300_800


@pytest.mark.parametrize(
    ("salts", "opens"),
    [(("a" * 256, "b" * 256), True), (("a" * 257, "b"), False), (("a", "b" * 257), False)],
)
def test_a_salt_of_a_seal_that_would_take_long_to_derive_a_key_from_is_refused(salts, opens):
    importer = Importer(IronSession(), name="sid", secret="p" * 32, until=None)
    moved = Scene(accept=[importer])
    with moved.store.exchange(f"sid={iron_seal(USER, salts=salts)}") as exchange:
        assert exchange.absence is (None if opens else Absence.MALFORMED)
