"""The session in a context that Flask's test client, or Werkzeug's debugger, preserves when the request is over."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from flask import Flask, copy_current_request_context, request, session
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from sessionkit import (
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit.backends import MemoryBackend
from sessionkit_flask import SessionKit

SECRET = "flask preserved: 0123456789abcdefghijklmnopqrstuvwxyz"
HTTPS = "https://localhost"
ANN = {"user": {"sub": "ann"}}
BOB = {"user": {"sub": "bob"}}


@pytest.fixture(params=[None, MemoryBackend], ids=["cookies", "backend"])
def store(request):
    return SessionStore(SECRET, backend=request.param and request.param())


def make_app(store, name="preserved"):
    app = Flask(name)
    app.testing = True
    SessionKit(app, store=store)
    app.add_url_rule("/login", "login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/visit", "visit", lambda: str(update_session({**ANN, "visits": 1})))
    app.add_url_rule("/unread", "unread", lambda: "nothing was read")
    app.add_url_rule("/logout", "logout", lambda: str(delete_session()))
    return app


@pytest.fixture
def app(store):
    return make_app(store)


def test_the_verbs_read_it_without_the_request(app, store):
    with app.test_client() as client:
        client.get("/login", base_url=HTTPS)
        assert get_session() == store.get_session() == session == ANN
        client.get("/visit", base_url=HTTPS)
        assert get_session() == store.get_session() == session == {**ANN, "visits": 1}
        client.get("/logout", base_url=HTTPS)
        assert get_session() is None
        assert store.get_session() is None


def test_a_page_that_did_not_read_it_has_it_too(app, store):
    with app.test_client() as client:
        client.get("/login", base_url=HTTPS)
        client.get("/unread", base_url=HTTPS).close()
        assert get_session() == store.get_session() == ANN
        assert get_session(request) == ANN


def test_it_cannot_be_written(app):
    with app.test_client() as client:
        client.get("/login", base_url=HTTPS).close()
        with pytest.raises(ResponseStartedError, match="has finished"):
            update_session(BOB)
        with pytest.raises(ResponseStartedError, match="has finished"):
            delete_session()
        assert get_session() == ANN


def test_it_is_gone_with_the_context(app, store):
    with app.test_client() as client:
        client.get("/login", base_url=HTTPS)
    with pytest.raises(NoActiveRequestError):
        get_session()
    with pytest.raises(NoActiveRequestError):
        store.get_session()


def test_without_a_context_there_is_none(app):
    client = app.test_client()
    client.get("/login", base_url=HTTPS)
    with pytest.raises(NoActiveRequestError):
        get_session()


def test_after_a_redirect_it_is_that_of_the_last_page(app):
    app.add_url_rule(
        "/in", "in", lambda: (str(create_session(BOB)), 302, {"Location": HTTPS + "/visited"})
    )
    app.add_url_rule("/visited", "visited", lambda: str(update_session({**BOB, "visits": 2})))
    with app.test_client() as client:
        client.get("/in", base_url=HTTPS, follow_redirects=True)
        assert get_session() == {**BOB, "visits": 2}


def test_a_view_that_visits_another_app_keeps_its_own_visitor(app, store):
    inner = make_app(store, "inner")
    inner.add_url_rule("/bob", "bob", lambda: dict(create_session(BOB)))

    @app.get("/outer")
    def outer():
        with inner.test_client() as client:
            client.get("/bob", base_url=HTTPS)
            kept = [get_session(), store.get_session()]
        return {"kept": [*kept, get_session()]}

    browser = Client(app)
    browser.get("/login", base_url=HTTPS)
    assert browser.get("/outer", base_url=HTTPS).json == {"kept": [ANN] * 3}


def test_the_debugger_enters_it_as_often_as_it_likes(app, store):
    # Werkzeug's debugger collects contexts in this way, and enters them for each expression.
    browser = Client(app)
    browser.get("/login", base_url=HTTPS)
    contexts = []
    environ = EnvironBuilder("/unread", base_url=HTTPS).get_environ()
    cookie = browser.get_cookie("__Host-session")
    environ["HTTP_COOKIE"] = f"{cookie.key}={cookie.value}"
    environ["werkzeug.debug.preserve_context"] = contexts.append
    run_wsgi_app(app, environ)
    for _ in range(2):
        with ExitStack() as stack:
            for context in contexts:
                stack.enter_context(context)
            assert get_session() == ANN
        with pytest.raises(NoActiveRequestError):
            get_session()


def test_a_thread_finds_as_little_as_without_a_debugger(app):
    found = []

    @copy_when_served
    def work():
        with pytest.raises(NoActiveRequestError):
            get_session()
        found.append(get_session(request))

    @app.get("/thread")
    def start():
        thread = threading.Thread(target=work())
        thread.start()
        thread.join()
        return "ok"

    with app.test_client() as client:
        client.get("/login", base_url=HTTPS)
        client.get("/thread", base_url=HTTPS)
    assert found == [ANN]


def copy_when_served(function):
    """Return a function that copies the request's context, in which it then runs."""
    return lambda: copy_current_request_context(function)
