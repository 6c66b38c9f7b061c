"""Importers: conversion and settings."""

import json
from datetime import date, datetime, timezone

import pytest

from sessionkit import (
    JSON,
    Absence,
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SerializationError,
    SessionStore,
    anyone,
)
from sessionkit.formats import (
    Auth0V3,
    AuthJSV5,
    DjangoCookie,
    FlaskCookie,
    Importer,
    IronSession,
    Native,
    StarletteCookie,
)
from sessionkit.formats._recognition import recognize

from .foreign_cookies import (
    FLASK,
    JS,
    NOW,
    OLD,
    PYTHON,
    USER,
    b64,
    flask_signed,
    put,
    scene,
    v3_cookie,
)

# ---- conversion


async def awaited(session):
    return session


@pytest.mark.parametrize(
    "convert",
    [
        lambda session: None,
        lambda session: session["no"],
        lambda session: 1 + "x",
        lambda session: int("x"),
        lambda session: datetime.fromtimestamp(1e300, timezone.utc),
        lambda session: session.no,
        lambda session: [1],
    ],
)
def test_a_conversion_that_takes_nothing_takes_nothing(convert):
    with scene(Importer(FlaskCookie(), secret=OLD, until=None, convert=convert)).store.exchange(
        FLASK
    ) as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_conversion_into_what_is_no_json_is_the_programmers_mistake():
    moved = scene(
        Importer(
            FlaskCookie(), secret=OLD, until=None, convert=lambda session: {"at": date(2026, 1, 1)}
        )
    )
    with moved.store.exchange(FLASK) as exchange, pytest.raises(SerializationError, match="at"):
        exchange.get()


def test_the_guard_runs_on_what_the_conversion_made():
    from sessionkit import has_user

    moved = scene(
        Importer(FlaskCookie(), secret=OLD, until=None, convert=lambda session: {"cart": 1}),
        guard=has_user,
    )
    with moved.store.exchange(FLASK) as exchange:
        assert exchange.absence is Absence.ANONYMOUS
        assert exchange.contents == {"cart": 1}


def test_numbers_that_javascript_wrote_too_large_for_us_come_over_and_are_refused_at_a_write():
    moved = scene(Importer(Auth0V3(), secret=JS, until=None))
    store = SessionStore(JS, format=Auth0V3(), clock=moved.clock)
    codec = store.settings.codec
    with store.exchange() as exchange:
        stamp = exchange.create(USER).stamp
    large = json.dumps({**USER, "large": 10**20}).encode()
    header = f"appSession={codec.seal(large, stamp)}"
    with moved.store.exchange(header) as exchange:
        assert exchange.get()["large"] == 10**20
    assert exchange.response_headers[0][1].startswith("__Host-session=")
    with moved.store.exchange(header) as exchange, pytest.raises(SerializationError, match="large"):
        exchange.update({**USER, "large": 10**20})


# ---- settings


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Importer(FlaskCookie(), until="2026-01-01"), "until must be"),
        (lambda: Importer(FlaskCookie(), until=True), "until must be"),
        (lambda: Importer(FlaskCookie(), until=float("nan")), "until must be"),
        (lambda: Importer(IronSession(), until=None, clear=False), "log out"),
        (lambda: scene(Importer(IronSession(), until=None)), "no default cookie name"),
        (
            lambda: scene(Importer(Native(), name="__Host-session", until=None)),
            "own name and format",
        ),
        (
            lambda: scene(
                Importer(FlaskCookie(), until=None, clear=False),
                cookie=CookieSettings(secure=False),
            ),
            "cannot be left",
        ),
        (lambda: scene(Importer(FlaskCookie(), secret="short", until=None)), "at least 8"),
        (
            lambda: scene(
                Importer(DjangoCookie(), secret="django-insecure-xxxxxxxxxxxxxxxxxxxx", until=None)
            ),
            "startproject",
        ),
        (
            lambda: scene(
                Importer(
                    IronSession(),
                    name="x",
                    secret={"1": "django-insecure-xxxxxxxxxxxxxxxxxxxx"},
                    until=None,
                )
            ),
            "startproject",
        ),
        (lambda: scene(Importer(FlaskCookie(max_age=0), secret=OLD, until=None)), "max_age"),
        (
            lambda: scene(Importer(FlaskCookie(), secret=OLD, until=None, convert="app.convert")),
            "convert must be a function",
        ),
        (
            lambda: scene(Importer(FlaskCookie(), secret=OLD, until=None, convert=awaited)),
            "convert is async",
        ),
        (
            lambda: scene(Importer(FlaskCookie(), secret=OLD, until=None, name=5)),
            "name must be str",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_once(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_until_must_be_said():
    with pytest.raises(TypeError, match="until"):
        Importer(FlaskCookie())


def test_an_importer_shows_no_secret():
    assert OLD not in repr(Importer(FlaskCookie(), secret=OLD, until=None))


def test_a_secret_left_out_is_the_stores():
    store = SessionStore(
        OLD, accept=[Importer(FlaskCookie(), until=None)], guard=anyone, clock=lambda: NOW
    )
    with store.exchange(FLASK) as exchange:
        assert dict(exchange.get()) == PYTHON[0]["expect"]
    with store.for_audience("tenant").exchange(FLASK) as exchange:
        assert dict(exchange.get()) == PYTHON[0]["expect"]


@pytest.mark.parametrize(
    ("name", "secure"), [("__Host-old", True), ("__Secure-old", True), ("old", False)]
)
def test_a_name_keeps_what_its_prefix_promises(name, secure):
    store = SessionStore(
        OLD,
        accept=[Importer(Native(), name=name, until=None)],
        cookie=CookieSettings(secure=False, path="/app"),
    )
    found = store.settings.importers[0].settings.cookie
    assert (found.secure, found.path) == (secure, "/" if name.startswith("__Host-") else "/app")


def test_a_secure_store_looks_for_the_secure_name_of_auth_js():
    store = SessionStore(OLD, accept=[Importer(AuthJSV5(), until=None)])
    assert store.settings.importers[0].settings.name == "__Secure-authjs.session-token"


def test_what_opens_signed_cookies_shows_nothing_and_does_not_pickle():
    import pickle

    for source in (FlaskCookie(), StarletteCookie(), DjangoCookie(), IronSession()):
        opener = source.codec(
            source.keys(OLD), name="x", audience="", lifetime=Lifetime(), serializer=JSON
        )
        assert OLD not in repr(opener)
        assert opener.peek("x") is None
        with pytest.raises(TypeError):
            pickle.dumps(opener)


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "a:b:c", "é", "Fe26.2", "." * 30])
@pytest.mark.parametrize(
    "source",
    [FlaskCookie(), StarletteCookie(), DjangoCookie(), IronSession()],
    ids=lambda one: one.traits.label,
)
def test_what_has_not_the_grammar_is_malformed(source, value):
    moved = scene(Importer(source, secret=OLD, name="old", until=None))
    with moved.store.exchange(f"old={value}") as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_a_source_without_chunks_reads_none():
    with scene().store.exchange("session.0=a; session.1=b") as exchange:
        assert exchange.absence is Absence.INCOMPLETE


def test_signed_cookies_and_seals_know_their_grammar_and_have_no_id_to_peek_at():
    for source, value in ((FlaskCookie(), FLASK.partition("=")[2]), (IronSession(), "Fe26.2*1*")):
        opener = source.codec(
            source.keys(OLD), name="x", audience="", lifetime=Lifetime(), serializer=JSON
        )
        assert (source.recognizes(value), source.recognizes("x"), opener.peek(value)) == (
            True,
            False,
            None,
        )


def test_a_cookie_of_ours_looks_like_one():
    moved = scene()
    moved.browser.login(USER)
    assert recognize(moved.browser.jar.header() + "; theme=dark; x=a.b") == {
        "__Host-session": "sessionkit"
    }


def test_the_reason_that_came_furthest_is_told():
    moved = scene(
        Importer(FlaskCookie(), secret="x" * 32, until=None),
        Importer(StarletteCookie(), secret=OLD, name="other", until=None),
    )
    with moved.store.exchange(f"{FLASK}; other=x") as exchange:
        assert exchange.absence is Absence.BAD_TAG


def test_a_recursion_in_the_library_is_malformed(monkeypatch):
    from sessionkit.formats import _framing as jose

    def endless(*args, **named):
        raise RecursionError

    header = v3_cookie(scene().clock)
    monkeypatch.setattr(jose, "decrypt_compact", endless)
    with SessionStore(JS, format=Auth0V3(), clock=lambda: NOW).exchange(header) as exchange:
        assert exchange.absence is Absence.MALFORMED


def test_an_empty_session_of_nobody_is_not_taken_over():
    from sessionkit import has_user

    moved = scene(guard=has_user)
    put(moved, f"session={flask_signed(b64(b'{}'))}")
    page = moved.browser.visit()
    assert page.exchange.absence is Absence.NO_COOKIE
    assert page.answer() == []
