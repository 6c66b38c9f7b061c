"""What Flask's own session takes, ours takes: values that JSON has not come back as what they were."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from flask import Flask, flash, get_flashed_messages, render_template_string, session
from flask.json.tag import JSONTag
from flask_babel import Babel, lazy_gettext
from markupsafe import Markup

from sessionkit import (
    Event,
    SerializationError,
    SessionStore,
    create_session,
    fast_json,
    get_session,
    update_session,
)
from sessionkit.formats import FlaskCookie, Importer
from sessionkit.testing import session_cookies
from sessionkit_flask import SessionKit

SECRET = "flask values: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
ID = uuid.UUID("12345678123456781234567812345678")
NOW = datetime(2026, 2, 1, 12, 30, tzinfo=timezone.utc)

VALUES = {
    "tuple": (1, "two", None),
    "empty tuple": (),
    "nested tuple": ((1,), ((2,), [3])),
    "bytes": b"\x00\xff",
    "uuid": ID,
    "datetime": NOW,
    "markup": Markup("<b>done</b>"),
    "in a list": [1, (2,), b"3", NOW, ID, Markup("4")],
    "in a dict": {"a": {"b": (Markup("<i>"), {"c": ID})}},
    "like a tag": {" t": [1]},
    "like an escaped tag": {" di": {" t__": [1]}},
    "like a tag, not alone": {" t": [1], "b": 2},
    "a key that begins with a blank": {" x": 1},
    "a text that begins like one": '{" t": [1]}',
}


@dataclass
class Point:
    x: int


def application(store: SessionStore | None = None) -> Flask:
    app = Flask("values")
    app.testing = True
    app.secret_key = "flask values, own: 0123456789abcdefghijklmnopqrstuvwxyz"
    app.config["SESSION_COOKIE_SECURE"] = True
    Babel(app)
    SessionKit(app, store=store)
    return app


def stores() -> list[SessionStore | None]:
    return [None, SessionStore(SECRET), SessionStore(SECRET, serializer=fast_json())]


def types_of(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return type(value), [types_of(item) for item in value]
    if isinstance(value, dict):
        return {key: types_of(item) for key, item in value.items()}
    return type(value)


class Browser:
    """Views are given to it one by one, and run in requests of one browser."""

    def __init__(self, app: Flask) -> None:
        self.view = lambda: "ok"

        @app.get("/")
        def view():
            return self.view()

        self.client = app.test_client()
        self.found: list[object] = []

    def get(self, view):
        def keep():
            self.found.append(view())
            return "ok"

        self.view = keep
        return self.client.get("/", base_url="https://localhost")

    def gives(self, view):
        self.get(view)
        return self.found[-1]


@pytest.mark.parametrize("store", stores(), ids=["own settings", "store", "fast"])
@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_what_it_was(name, store):
    browser, value = Browser(application(store)), VALUES[name]
    browser.get(lambda: session.update(value=value, more=[value]))
    for found in browser.gives(lambda: [session["value"], session["more"][0]]):
        assert (value, types_of(value)) == (found, types_of(found))


@pytest.mark.parametrize("name", VALUES)
def test_a_session_that_is_read_is_no_changed_one(name):
    browser, value = Browser(application(SessionStore(SECRET))), VALUES[name]
    browser.get(lambda: session.update(value=value))
    answer = browser.get(lambda: session["value"])
    assert (answer.headers.getlist("Set-Cookie"), session_modified(browser)) == ([], False)
    browser.get(lambda: session.update(value=value))
    assert not browser.client.get("/").headers.getlist("Set-Cookie")


def session_modified(browser):
    return browser.gives(lambda: [session.get("value"), session.modified])[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1,), [1]),
        ([1], (1,)),
        (b"1", "1"),
        (Markup("1"), "1"),
        (NOW, NOW.replace(year=2027)),
        (ID, str(ID)),
        ([Markup("1"), 2], [Markup("1"), 3]),
    ],
)
def test_another_value_or_another_type_is_a_change(before, after):
    browser = Browser(application(SessionStore(SECRET)))
    browser.get(lambda: session.update(value=before))

    def change():
        session["value"] = after
        return session.modified

    assert browser.gives(change) is True
    found = browser.gives(lambda: session["value"])
    assert (after, types_of(after)) == (found, types_of(found))


def test_a_nested_change_beside_such_values_is_saved():
    browser = Browser(application(SessionStore(SECRET)))
    browser.get(lambda: session.update(at=NOW, cart=[(Markup("tea"), 1)]))
    browser.get(lambda: session["cart"].append((Markup("cups"), 2)))
    assert [(Markup("tea"), 1), (Markup("cups"), 2)] == browser.gives(lambda: session["cart"])


# ---- flashed messages


def test_flashed_markup_is_shown_as_markup_and_text_escaped():
    browser = Browser(application())
    browser.get(lambda: [flash(Markup("<b>done</b>")), flash("<i>", "warning")])
    page = "{% for m in get_flashed_messages() %}{{ m }};{% endfor %}"
    assert "<b>done</b>;&lt;i&gt;;" == browser.gives(lambda: render_template_string(page))


def test_a_lazy_text_is_flashed_in_the_language_of_its_request():
    browser = Browser(application())
    browser.get(lambda: flash(lazy_gettext("please log in")))
    assert ["please log in"] == browser.gives(get_flashed_messages)


def test_a_lazy_text_is_read_while_its_request_lasts_and_then_no_more():
    heard: list[Event] = []
    browser = Browser(application(SessionStore(SECRET, on_event=heard.append)))
    read = []

    class Lazy:
        def __html__(self):
            read.append(bool(session))  # an error where there is no request
            return f"<b>{len(read)}</b>"

    browser.get(lambda: session.update(text=Lazy(), nested=[Lazy()]))
    found = browser.gives(lambda: session["text"])
    assert (Markup, heard) == (type(found), [])


def test_flashes_come_as_tuples_with_their_categories():
    browser = Browser(application())
    browser.get(lambda: flash("one", "info"))
    assert [("info", "one")] == browser.gives(lambda: get_flashed_messages(with_categories=True))


# ---- the verbs, and who the user is


def test_the_verbs_see_the_same_live_values():
    browser = Browser(application(SessionStore(SECRET)))
    browser.get(lambda: create_session({**ANN, "at": NOW, "ids": (ID,)}) and None)
    assert browser.gives(lambda: get_session()["ids"] is session["ids"]) is True
    assert browser.gives(lambda: update_session({**get_session(), "raw": b"1"})) is True
    assert {**ANN, "at": NOW, "ids": (ID,), "raw": b"1"} == browser.gives(lambda: dict(session))


def test_what_a_verb_was_given_is_at_once_what_the_next_request_reads():
    browser = Browser(application(SessionStore(SECRET)))

    def sign_in():
        create_session({**ANN, "price": Decimal("1.5"), "name": Markup("<b>")})
        return [session["price"], type(session["name"])]

    assert ["1.5", Markup] == browser.gives(sign_in)
    assert ["1.5", Markup] == browser.gives(lambda: [session["price"], type(session["name"])])


def test_a_user_known_by_a_uuid_stays_who_it_is():
    browser = Browser(application(SessionStore(SECRET)))
    browser.get(lambda: create_session({"user": {"id": ID}}) and None)

    def change():
        session["cart"] = (1,)
        return update_session({**get_session(), "seen": NOW})

    assert browser.gives(change) is True
    assert browser.gives(lambda: update_session({"user": {"id": str(ID)}})) is False
    assert {"user": {"id": ID}, "cart": (1,), "seen": NOW} == browser.gives(lambda: dict(session))


# ---- what is not known, and what is a text


def test_what_flask_makes_a_text_of_is_a_text_on_the_next_request():
    browser = Browser(application())
    browser.get(lambda: session.update(day=date(2026, 2, 1), price=Decimal("1.50"), at=Point(1)))
    expected = {"day": "Sun, 01 Feb 2026 00:00:00 GMT", "price": "1.50", "at": {"x": 1}}
    assert expected == browser.gives(lambda: dict(session))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), r'session\["x"\]: object is not JSON'),
        ({"a": [1, {"b": {1, 2}}]}, r'session\["x"\]\["a"\]\[1\]\["b"\]: set is not JSON'),
        ((Markup("1"), (NOW, object())), r'session\["x"\]\[1\]\[1\]: object is not JSON'),
        ({"n": (float("nan"),)}, r'session\["x"\]\["n"\]\[0\]: NaN and infinity'),
        ({"n": (2**64, b"")}, r'session\["x"\]\["n"\]\[0\]: an integer'),
        ({ID: 1}, r'session\["x"\]: a key is UUID'),
        (("\ud800", NOW), r'session\["x"\]\[0\]: a lone surrogate'),
    ],
)
@pytest.mark.parametrize("store", stores()[1:], ids=["store", "fast"])
def test_what_is_of_no_known_kind_is_refused_with_its_path(value, path, store):
    browser = Browser(application(store))
    with pytest.raises(SerializationError, match=path):
        browser.get(lambda: session.update(x=value))
    with pytest.raises(SerializationError, match=path):
        browser.get(lambda: create_session({**ANN, "x": value}))


def test_a_value_inside_itself_is_refused():
    loop: list[object] = [Markup("1")]
    loop.append(loop)
    with pytest.raises(SerializationError, match="nested deeper"):
        Browser(application()).get(lambda: session.update(x=loop))


def test_a_tag_of_ones_own_is_registered_as_in_flask():
    class TagSet(JSONTag):
        key = " s"

        def check(self, value):
            return isinstance(value, set)

        def to_json(self, value):
            return sorted(value)

        def to_python(self, value):
            return set(value)

    class Kit(SessionKit):
        serializer = type(SessionKit.serializer)()

    app = Flask("tags")
    Kit(app, store=SessionStore(SECRET))
    app.session_interface.serializer.register(TagSet)
    browser = Browser(app)
    browser.get(lambda: session.update(x={1, 2}))
    assert {1, 2} == browser.gives(lambda: session["x"])


# ---- sessions that Flask itself has written


def test_a_session_that_flask_wrote_keeps_its_types():
    before = Flask("before")
    before.secret_key = "the application's secret before sessionkit"
    before.add_url_rule("/", "/", lambda: session.update(VALUES) or "")
    theirs = before.test_client()
    theirs.get("/")
    own = Importer(FlaskCookie(), secret=before.secret_key, until=None)
    browser = Browser(application(SessionStore(SECRET, accept=[own])))
    browser.client.set_cookie("session", theirs.get_cookie("session").value)
    for _ in range(2):
        found = browser.gives(lambda: dict(session))
        assert (VALUES, types_of(VALUES)) == (found, types_of(found))


# ---- a store that another framework shares


def test_what_another_framework_wrote_in_the_form_of_a_tag_is_read_as_one_or_as_it_is():
    store = SessionStore(SECRET)
    browser = Browser(application(store))
    contents = {**ANN, "t": {" t": [1]}, "bad": {" u": "no uuid"}}
    for name, value in session_cookies(store, contents).items():
        browser.client.set_cookie(name, value, domain="localhost", secure=True)
    # One that cannot be read leaves all as it is: nothing is lost, and nothing raises.
    assert contents == browser.gives(lambda: dict(session))


def test_an_outer_gateway_that_read_the_session_first_does_not_hide_the_values():
    store = SessionStore(SECRET)
    app = application(store)
    inner, read = app.wsgi_app, []

    def reading(environ, start_response):
        read.append(get_session(environ))
        return inner(environ, start_response)

    app.wsgi_app = store.wsgi(reading)
    browser = Browser(app)
    browser.get(lambda: create_session({"user": {"id": ID}, "at": (NOW,)}) and None)
    answer = browser.get(lambda: [session["user"]["id"], session["at"]])
    assert (browser.found[-1], answer.headers.getlist("Set-Cookie")) == ([ID, (NOW,)], [])
    browser.get(lambda: session.update(n=1))
    assert {"user": {"id": ID}, "at": (NOW,), "n": 1} == browser.gives(lambda: dict(session))
