"""Sanic's websockets with sessions on the server, and Sanic under ASGI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from awaited_memory import AwaitedMemory
from sanic import response
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sessionkit import ResponseStartedError, SessionStore
from sessionkit_sanic import delete_session, get_session, update_session

from .asgi_visits import ask_asgi
from .visitor import ANN, SECRET, Client, application, browse

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")


@pytest.fixture
def store():
    return SessionStore(SECRET, backend=AwaitedMemory())


@pytest.fixture
def app(store):
    app = application(store)

    @app.get("/logout")
    async def logout(request):
        delete_session()
        return response.empty()

    @app.websocket("/ws")
    async def ws(request, socket):
        with pytest.raises(ResponseStartedError):
            request.ctx.session["late"] = True
        async for _ in socket:
            valid = [await store.astill_valid(), await store.astill_valid(request)]
            await socket.send(json.dumps([valid, get_session()]))

    return app


def opened(client: Client) -> Any:
    address = f"ws://127.0.0.1:{client.port}/ws"
    return connect(address, additional_headers={"Cookie": client.cookie}, proxy=None)


def ask(socket: Any) -> Any:
    socket.send("?")
    return json.loads(socket.recv(timeout=10))


def test_a_websocket_learns_of_a_logout(app):
    def walk(client):
        client.get("/login")
        with opened(client) as socket:
            first = ask(socket)
            client.get("/logout")
            return first, ask(socket)

    assert browse(app, walk) == ([[True, True], ANN], [[False, False], None])


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_middleware_writes_is_saved_with_the_handshake(app, store, fails):
    @app.on_request
    async def visit(request):
        if request.path == "/ws":
            update_session(lambda session: {**session, "visited": True})

    def walk(client):
        client.get("/login")
        if fails:
            store.settings.backend.failing.add("replace")
            with pytest.raises(InvalidStatus) as refused:
                opened(client)
            return refused.value.response.status_code, json.loads(client.get("/me").text)
        with opened(client) as socket:
            return ask(socket)[1], json.loads(client.get("/me").text)

    seen = {**ANN, "visited": True}
    assert browse(app, walk) == ((500, ANN) if fails else (seen, seen))


def test_under_asgi_it_works_too(app):
    https = {"type": "http", "scheme": "https"}
    _, answer, _, after = ask_asgi(
        app, *({**https, "path": path} for path in ("/login", "/me", "/logout", "/me"))
    )
    bodies = [b"".join(part.get("body", b"") for part in parts) for parts in (answer, after)]
    assert [json.loads(body) for body in bodies] == [ANN, None]


def test_under_asgi_a_websocket_reads_the_session(app, store):
    @app.websocket("/once")
    async def once(request, socket):
        await socket.send(json.dumps([await store.astill_valid(), get_session()]))

    _, answer = ask_asgi(
        app,
        {"type": "http", "scheme": "https", "path": "/login"},
        {"type": "websocket", "scheme": "wss", "path": "/once"},
    )
    assert json.loads(answer[1]["text"]) == [True, ANN]
