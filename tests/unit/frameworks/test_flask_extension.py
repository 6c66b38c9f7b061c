"""The extension of Flask and Quart: its gateway follows the settings of the application."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sessionkit import (
    EventKind,
    SessionStore,
    get_session,
)
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._frameworks.flask_session import KEYS
from sessionkit._requests.views import WSGIRequest
from sessionkit.wsgi import SessionMiddleware

from .test_flask_settings import DEFAULTS, KEY, OLD


class Application:
    """What Flask's and Quart's have in common, over WSGI."""

    def __init__(self, **config):
        self.config = {**DEFAULTS, **config}
        self.extensions, self.debug, self.testing = {}, False, True
        self.session_interface: Any = None

    def served_as(self, environ, start_response):
        start_response("200 OK", [])
        return (
            [str(get_session(environ)).encode()]
            if "sessionkit.exchange" in environ
            else [b"no gateway"]
        )


class Kept(FlaskFamilyExtension[Any]):
    """An extension that keeps the gateway that it has made."""

    front: Any
    serializer = json = tags = None

    def _serve(self, app: Any) -> None:
        self.front = self.make_gateway(app, getattr(app, "served_as", app), SessionMiddleware)


def served(front):
    return b"".join(front({"REQUEST_METHOD": "GET"}, lambda status, headers: None))


def test_a_gateway_is_made_anew_when_the_settings_change_and_not_else():
    app = Application(SECRET_KEY=None)
    front = Kept(app).front
    assert front.current is None
    app.config["SECRET_KEY"] = KEY
    first = front.current
    assert first.settings.name == "session"
    assert front.current is first
    app.config["SESSION_COOKIE_NAME"] = "mine"
    assert front.current.settings.name == "mine"


def test_a_gateway_of_a_store_that_was_given_stays():
    app, store = Application(), SessionStore(OLD)
    kit = Kept(store=store)
    kit.init_app(app)
    first = kit.front.current
    app.config["SECRET_KEY"] = "other"
    assert kit.front.current is first
    assert first.settings.same_store(store.settings)


def test_a_gateway_knows_the_keys_of_the_framework_and_the_settings_of_the_kit():
    settings = Kept(Application(), audience="shop").front.current.settings
    assert (settings.framework, settings.audience) == (KEYS, "shop")


def test_an_application_without_a_secret_key_is_served_as_it_is():
    app = Application(SECRET_KEY=None)
    front = Kept(app).front
    assert served(front) == b"no gateway"
    app.config["SECRET_KEY"] = KEY
    assert served(front) == b"None"


@pytest.mark.parametrize(
    ("debug", "testing", "warned"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
def test_plain_http_is_fine_while_an_application_is_debugged_or_tested(
    caplog, debug, testing, warned
):
    app = Application()
    app.debug, app.testing = debug, testing
    with caplog.at_level(logging.WARNING, "sessionkit"):
        assert Kept(app).front.current is not None
    assert bool(caplog.records) is warned


def events_of(app, *, replaced, asked):
    """Return what is told of two kinds of sessions in three requests of an application."""
    found = []
    kit = Kept(app, on_event=lambda event: found.append(event.kind))
    app.session_interface = object() if replaced else kit
    for _ in range(3):
        served(kit.front)
        if asked:
            kit.open_exchange(app, WSGIRequest({"REQUEST_METHOD": "GET"}))
    return [kind for kind in found if kind is EventKind.TWO_SESSIONS]


@pytest.mark.parametrize(
    ("replaced", "asked", "told"),
    [
        (True, False, [EventKind.TWO_SESSIONS]),
        (True, True, []),
        (False, False, []),
        (False, True, []),
    ],
)
def test_a_session_interface_in_the_place_of_ours_is_told_unless_it_asks_ours(
    replaced, asked, told
):
    assert events_of(Application(), replaced=replaced, asked=asked) == told


def test_that_there_is_no_secret_key_is_said_once_with_what_to_do(caplog):
    app = Application(SECRET_KEY=None)
    front = Kept(app).front
    with caplog.at_level(logging.WARNING, "sessionkit"):
        assert caplog.messages == []
        for _ in range(2):
            served(front)
        (said,) = caplog.messages
        app.config["SECRET_KEY"] = KEY
        assert front.current is not None
    assert said.startswith("SECRET_KEY is not set: the application is served without sessions")
    assert caplog.messages == [said]


def test_the_exchange_in_an_application_is_none_without_a_secret_key():
    app = Application(SECRET_KEY=None)
    kit = Kept(app)
    assert kit.open_exchange(app, WSGIRequest({})) is None
    app.config["SECRET_KEY"] = KEY
    assert (
        kit.open_exchange(app, WSGIRequest({})).settings
        is app.extensions["sessionkit"].current.settings
    )


class Subclass:
    """One whose class says its secret key."""

    secret_key: Any = KEY
    permanent_session_lifetime = 300
    debug, testing = False, True

    def __init__(self) -> None:
        self.config = {**DEFAULTS, "SECRET_KEY": None}
        self.extensions: dict[str, Any] = {}


def test_the_application_is_asked_for_its_secret_key_and_lifetime() -> None:
    app = Subclass()
    front = Kept(app).front
    first = front.current
    assert first.settings.lifetime.idle == 300
    assert front.current is first
    app.secret_key = OLD
    assert front.current.settings.codec.ids != first.settings.codec.ids
    app.secret_key = None
    assert front.current is None
