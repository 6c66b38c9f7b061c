"""An application puts something else in the place of the session."""

from __future__ import annotations

import asyncio
from typing import Any

import falcon
import falcon.asgi
import pytest
from falcon import testing

from sessionkit import (
    EventKind,
    SessionStore,
    create_session,
    delete_session,
    get_session,
)
from sessionkit.testing import read_cookies
from sessionkit_falcon import SessionMiddleware

from .routes import ANN, SECRET, AsyncRoute, Route


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("put", "kept"),
    [({**ANN, "n": 1}, {**ANN, "n": 1}), ({}, {}), (None, ANN), (object(), ANN)],
    ids=["contents", "empty", "nothing", "of a database"],
)
@pytest.mark.parametrize("fails", [False, True])
def test_a_dict_in_the_place_of_the_session_replaces_its_contents(
    store, put, kept, is_async, fails
):
    def replace(req, resp):
        req.context.session = put
        if fails:
            raise RuntimeError

    if is_async:
        app: Any = falcon.asgi.App(middleware=[SessionMiddleware(store)])
    else:
        app = falcon.App(middleware=[SessionMiddleware(store)])
    route = AsyncRoute if is_async else Route
    app.add_route("/put", route(replace))
    app.add_route("/all", route(lambda req, resp: dict(req.context.session)))
    app.add_route("/login", route(lambda req, resp: dict(create_session(ANN))))
    client = testing.TestClient(store.asgi(app) if is_async else store.wsgi(app))
    cookies: dict[str, str] = {}
    for path in ("/login", "/put"):
        answer = client.simulate_get(path, cookies=cookies, protocol="https")
        for name, cookie in answer.cookies.items():
            cookies[name] = cookie.value
            if cookie.max_age == 0:
                del cookies[name]
    if fails and kept:
        kept = ANN
    assert client.simulate_get("/all", cookies=cookies, protocol="https").json == kept


def test_a_dict_that_is_put_there_before_a_websocket_is_accepted_is_saved(store):
    class Socket:
        async def on_websocket(self, req, ws):
            req.context.session = {**ANN, "n": 1}
            await ws.accept()

    app = falcon.asgi.App(middleware=[SessionMiddleware(store)])
    app.add_route("/socket", Socket())
    sent: list[dict[str, Any]] = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/socket", "root_path": "", "query_string": b"", "scheme": "wss", "http_version": "1.1",
        "headers": [(b"host", b"localhost")], "subprotocols": [], "asgi": {"version": "3.0", "spec_version": "2.3"},
    }  # fmt: skip
    asyncio.run(store.asgi(app)(scope, receive, send))
    lines = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
    assert read_cookies(store, lines) == {**ANN, "n": 1}


def test_a_dict_that_is_put_there_while_the_response_is_streamed_is_reported():
    heard: list[Any] = []
    store = SessionStore(SECRET, on_event=heard.append)

    def stream(req, resp):
        def parts():
            yield b"a"
            req.context.session = {"late": 1}

        resp.stream = parts()

    app = falcon.App(middleware=[SessionMiddleware(store)])
    app.add_route("/stream", Route(stream))
    testing.TestClient(store.wsgi(app)).simulate_get("/stream", protocol="https")
    assert [EventKind.LATE_CHANGE] == [event.kind for event in heard]


@pytest.mark.parametrize("put", [{}, {"user": {"sub": "bob"}}])
def test_a_verb_after_a_dict_in_the_place_of_the_session_counts(store, put):
    seen: list[Any] = []

    def again(req, resp):
        req.context.session = dict(put)
        seen.append(dict(get_session() or {}))
        create_session({"user": {"sub": "cyd"}})

    def out(req, resp):
        req.context.session = dict(put)
        delete_session()

    app = falcon.App(middleware=[SessionMiddleware(store)])
    app.add_route("/login", Route(lambda req, resp: dict(create_session(ANN))))
    app.add_route("/again", Route(again))
    app.add_route("/out", Route(out))
    app.add_route("/all", Route(lambda req, resp: dict(req.context.session)))
    client, cookies, bodies = testing.TestClient(store.wsgi(app)), {}, []
    for path in ("/login", "/again", "/all", "/out", "/all"):
        answer = client.simulate_get(path, cookies=cookies, protocol="https")
        bodies.append(answer.json)
        for name, cookie in answer.cookies.items():
            cookies[name] = cookie.value
            if cookie.max_age == 0:
                del cookies[name]
    assert seen == [put]
    assert (bodies[2], bodies[4]) == ({"user": {"sub": "cyd"}}, {})
