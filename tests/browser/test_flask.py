"""Flask under waitress, in real browsers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import waitress
from engines import PATIENCE
from flask import Flask, redirect, request
from waitress.wasyncore import close_all
from walk import SECRET, Clock, Gate, Sent, Walk, page

from sessionkit import SessionStore, create_session, delete_session, get_session, update_session
from sessionkit_flask import SessionKit


def make_app(store: SessionStore, gate: Gate) -> Flask:
    app = Flask(__name__)
    SessionKit(app, store=store)

    @app.get("/")
    def index() -> str:
        return page(get_session())

    @app.post("/login")
    def login() -> Any:
        create_session({"user": {"sub": request.form["name"]}})
        return redirect("/", 303)

    @app.post("/write")
    def write() -> Any:
        update_session({**get_session(), "note": request.form["note"]})
        return redirect("/", 303)

    @app.post("/logout")
    def logout() -> Any:
        delete_session()
        return redirect("/", 303)

    @app.get("/slow")
    def slow() -> str:
        session = get_session()
        gate.passed()
        return str(update_session({**session, "late": True}))

    return app


@pytest.fixture
def url(clock: Clock, gate: Gate, sent: Sent) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    connections: dict[int, Any] = {}
    app = make_app(SessionStore(SECRET, clock=clock), gate)
    server = waitress.create_server(sent.wsgi(app), sockets=[listening], threads=4, map=connections)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    gate.open()
    # Everything is closed by the thread that waits on it, which then has nothing left to wait for.
    server.trigger.pull_trigger(lambda: close_all(connections))
    thread.join(PATIENCE)
    server.task_dispatcher.shutdown()


class TestFlask(Walk): ...
