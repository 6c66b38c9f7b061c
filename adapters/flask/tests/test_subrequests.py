"""A request context of another visitor inside a request: the verbs find its own session in it, and the outer one afterwards."""

from __future__ import annotations

import pytest
from flask import Flask, request, session
from two_visitors import cookie_of, who
from werkzeug.test import Client

from sessionkit import NoActiveRequestError, SessionStore, delete_session, get_session
from sessionkit_flask import SessionKit

STORE = SessionStore("subrequests: 0123456789abcdefghijklmnopqrstuvwxyz")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__, static_folder=None)
    SessionKit(app, store=STORE)
    return app


def ask(app: Flask):
    client = Client(app, use_cookies=False)
    return client.get("/", base_url="https://x", headers={"Cookie": cookie_of(STORE, "ann")})


def test_a_dispatched_request_has_its_own_session_and_its_response_carries_it(app):
    @app.get("/inner")
    def inner():
        session["seen"] = True
        return who()

    @app.get("/")
    def outer():
        environ = {**request.environ, "HTTP_COOKIE": cookie_of(STORE, "bob"), "PATH_INFO": "/inner"}
        with app.request_context(environ):
            response = app.full_dispatch_request()
        carried = [line.partition("=")[0] for line in response.headers.getlist("Set-Cookie")]
        return [response.get_data(as_text=True), carried, who(), "seen" in session]

    answer = ask(app)
    assert answer.json == ["bob", ["__Host-session"], "ann", False]
    assert "Set-Cookie" not in answer.headers


def test_a_logout_inside_is_refused_and_not_done_to_the_visitor_outside(app):
    @app.get("/")
    def outer():
        with app.test_request_context(
            "/", base_url="https://x", headers={"Cookie": cookie_of(STORE, "bob")}
        ):
            with pytest.raises(NoActiveRequestError):
                delete_session()
            inside = who()
        return f"{inside} {who()}"

    answer = ask(app)
    assert answer.text == "bob ann"
    assert "Set-Cookie" not in answer.headers


def test_a_transaction_of_the_test_client_leaves_the_request_around_it_current(app):
    @app.get("/")
    def outer():
        with app.test_client().session_transaction(base_url="https://x") as opened:
            opened["user"] = {"sub": "bob"}
            inside = who()
        return f"{inside} {who()}"

    assert ask(app).text == "ann ann"


def test_nothing_is_current_after_a_context_with_nothing_around_it(app):
    with app.test_request_context(
        "/", base_url="https://x", headers={"Cookie": cookie_of(STORE, "bob")}
    ):
        assert who() == "bob"
    with pytest.raises(NoActiveRequestError):
        get_session()
