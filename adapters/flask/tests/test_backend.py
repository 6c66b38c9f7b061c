"""flask.session with a store that keeps sessions on the server."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from awaited_memory import AwaitedMemory
from flask import Flask, session
from werkzeug.test import Client

from sessionkit import ConfigurationError, SessionStore, create_session, get_session, update_session
from sessionkit.backends import MemoryBackend
from sessionkit_flask import SessionKit

SECRET = "flask tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET, backend=MemoryBackend())


@pytest.fixture
def app(store: SessionStore) -> Flask:
    app = Flask(__name__, static_folder=None)
    SessionKit(app, store=store)
    app.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/all", "/all", lambda: dict(session))
    return app


def test_session_transaction_reads_and_writes_the_record(app, store):
    app.testing = True
    client = app.test_client()
    client.get("/login", base_url="https://localhost")
    with client.session_transaction(base_url="https://localhost") as opened:
        assert opened["user"] == {"sub": "ann"}
        opened["cart"] = {"items": ["tea"]}
    assert client.get("/all", base_url="https://localhost").json == {**ANN, "cart": {"items": ["tea"]}}  # fmt: skip
    assert [one.contents["cart"] for one in store.sessions_of(ANN)] == [{"items": ["tea"]}]


def test_session_transaction_begins_a_session_on_the_server(app, store):
    app.testing = True
    client = app.test_client()
    with client.session_transaction(base_url="https://localhost") as opened:
        opened["user"] = {"sub": "ann"}
    assert client.get("/all", base_url="https://localhost").json == ANN
    assert len(store.sessions_of(ANN)) == 1


def test_a_late_write_is_dropped_and_the_page_goes_out_as_the_application_made_it(app, store):
    @app.route("/lost")
    def lost():
        update_session({**get_session(), "n": 1})
        store.revoke_user(ANN)
        return "as the application made it"

    client = Client(app)
    client.get("/login", base_url="https://localhost")
    answer = client.get("/lost", base_url="https://localhost")
    assert (answer.status_code, answer.text) == (200, "as the application made it")
    assert answer.headers.getlist("Set-Cookie") == []
    assert client.get("/all", base_url="https://localhost").json == {}


@pytest.mark.parametrize("late", [False, True])
def test_an_awaited_backend_is_refused_where_the_store_is_given(late):
    store = SessionStore(SECRET, backend=AwaitedMemory())
    app = Flask(__name__)
    with pytest.raises(ConfigurationError, match="AwaitedMemory is awaited"):
        if late:
            SessionKit(store=store).init_app(app)
        else:
            SessionKit(app, store=store)


def test_a_list_of_sessions_has_the_values_that_the_session_object_has(app, store):
    values = {"at": datetime(2030, 1, 2, tzinfo=timezone.utc), "pair": (1, 2)}
    app.add_url_rule("/keep", "/keep", lambda: session.update(values) or "")
    app.add_url_rule("/devices", "/devices", lambda: found.extend(store.sessions_of(ANN)) or "")
    client, found = Client(app), []
    client.get("/login", base_url="https://localhost")
    client.get("/keep", base_url="https://localhost")
    client.get("/devices", base_url="https://localhost")
    assert [(one.contents, one.is_current) for one in found] == [({**ANN, **values}, True)]
