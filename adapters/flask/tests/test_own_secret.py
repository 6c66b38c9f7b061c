"""The secret key and the lifetime are asked of the application, as Flask's own session asks, so that a class may say them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, request, session

from sessionkit_flask import SessionKit

KEY = "flask secrets: 0123456789abcdefghijklmnopqrstuvwxyz"
NEXT = "flask secrets, the next: 0123456789abcdefghijklmnopqrstuvwxyz"


class ByAttribute(Flask):
    secret_key = KEY


class ByProperty(Flask):
    current = KEY

    @property
    def secret_key(self):
        return self.current


class Lasting(ByAttribute):
    permanent_session_lifetime = timedelta(minutes=5)


def served(app: Flask) -> Flask:
    app.testing = True
    SessionKit(app)

    @app.get("/set")
    def set_() -> str:
        session["x"] = int(request.args.get("x", 1))
        return "set"

    @app.get("/get")
    def get() -> str:
        return str(session.get("x"))

    return app


@pytest.mark.parametrize("kind", [ByAttribute, ByProperty])
def test_the_secret_key_of_a_subclass_seals_and_opens(kind):
    client = served(kind("secrets")).test_client()
    client.get("/set")
    assert client.get("/get").text == "1"


def test_one_that_is_set_on_the_application_or_in_its_configuration_is_the_same():
    app = served(Flask("secrets"))
    app.secret_key = KEY
    client = app.test_client()
    client.get("/set")
    assert (client.get("/get").text, app.config["SECRET_KEY"]) == ("1", KEY)


def test_a_property_may_change_its_mind_and_fallbacks_open_what_it_sealed():
    app = served(ByProperty("secrets"))
    client = app.test_client()
    client.get("/set")
    app.current = NEXT
    assert client.get("/get").text == "None"
    app.config["SECRET_KEY_FALLBACKS"] = [KEY]
    assert client.get("/get").text == "1"
    client.get("/set?x=2")
    app.config["SECRET_KEY_FALLBACKS"] = []
    assert client.get("/get").text == "2"


def test_while_it_gives_none_there_is_no_session():
    app = served(ByProperty("secrets"))
    app.current = None
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get("/set").status_code == 500
    app.current = KEY
    assert app.test_client().get("/set").status_code == 200


def test_the_lifetime_of_a_subclass_is_that_of_the_store():
    app = served(Lasting("secrets"))
    assert app.extensions["sessionkit"].current.settings.lifetime.idle == 300
