"""Tornado's websockets with sessions on the server: loaded and saved before the 101, and looked at again on request."""

from __future__ import annotations

import asyncio
import json

import pytest
from awaited_memory import AwaitedMemory
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketHandler, websocket_connect

from sessionkit import NoActiveRequestError, ResponseStartedError, SessionStore
from sessionkit_tornado import (
    SessionMixin,
    create_session,
    delete_session,
    get_session,
    require_session_api,
)

from .visitor import ANN, SECRET, Handler, browse, names


class Logout(Handler):
    def get(self):
        delete_session(self)


@pytest.fixture
def store():
    return SessionStore(SECRET, backend=AwaitedMemory())


async def connect(client):
    headers = {"Cookie": client.cookie}
    return await websocket_connect(HTTPRequest(f"ws://127.0.0.1:{client.port}/ws", headers=headers))


def test_what_prepare_writes_is_saved_with_the_handshake(store):
    class Socket(SessionMixin, WebSocketHandler):
        def prepare(self):
            create_session(self, ANN)

        async def open(self):
            with pytest.raises(ResponseStartedError):
                create_session(self, ANN)
            await self.write_message(json.dumps(get_session()))

    async def walk(client):
        socket = await connect(client)
        client.cookies["__Host-session"] = (
            socket.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        )
        seen = json.loads(await socket.read_message())
        socket.close()
        return seen, json.loads((await client.get("/me")).body)

    assert browse([("/ws", Socket)], walk, sessionkit=store) == (ANN, ANN)


def test_a_change_in_the_midst_of_the_handshake_comes_too_late(store):
    class Socket(SessionMixin, WebSocketHandler):
        def prepare(self):
            self.session["in time"] = True

        def select_subprotocol(self, subprotocols):
            with pytest.raises(ResponseStartedError):
                self.session["late"] = True

        async def open(self):
            await self.write_message(json.dumps(get_session()))

    async def walk(client):
        await client.get("/login")
        headers = {"Cookie": client.cookie, "Sec-WebSocket-Protocol": "chat"}
        url = f"ws://127.0.0.1:{client.port}/ws"
        socket = await websocket_connect(HTTPRequest(url, headers=headers))
        seen = json.loads(await socket.read_message())
        socket.close()
        return seen, json.loads((await client.get("/me")).body)

    kept = {**ANN, "in time": True}
    assert browse([("/ws", Socket)], walk, sessionkit=store) == (kept, kept)


def test_a_socket_learns_of_a_logout(store):
    class Socket(SessionMixin, WebSocketHandler):
        async def on_message(self, message):
            valid = [await store.astill_valid(), await store.astill_valid(self)]
            await self.write_message(json.dumps([valid, get_session()]))

    async def walk(client):
        await client.get("/login")
        socket, answers = await connect(client), []
        for _ in range(2):
            await socket.write_message("?")
            answers.append(json.loads(await socket.read_message()))
            await client.get("/logout")
        socket.close()
        return answers

    routes = [("/ws", Socket), ("/logout", Logout)]
    assert browse(routes, walk, sessionkit=store) == [[[True, True], ANN], [[False, False], None]]


@pytest.mark.parametrize("way", ["failing", "refused", "no upgrade", "unknown version"])
def test_a_socket_that_is_not_accepted_is_answered(store, way):
    backend = store.settings.backend

    class Socket(SessionMixin, WebSocketHandler):
        def prepare(self):
            create_session(self, ANN)

        if way == "refused":

            def check_origin(self, origin):
                return False

    async def walk(client):
        if way == "failing":
            backend.failing.add("insert")
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "https://elsewhere.example"}  # fmt: skip
        if way != "refused":
            del headers["Origin"]
        if way == "no upgrade":
            headers["Upgrade"] = "h2c"
        if way == "unknown version":
            headers["Sec-WebSocket-Version"] = "99"
        answer = await client.get("/ws", **headers)
        return answer.code, names(answer)

    status = {"failing": 500, "refused": 403, "no upgrade": 400, "unknown version": 426}[way]
    saved = [] if way == "failing" else ["__Host-session"]
    assert browse([("/ws", Socket)], walk, sessionkit=store) == (status, saved)


def test_a_guard_that_refuses_a_socket_saves_what_was_written(store):
    class Socket(SessionMixin, WebSocketHandler):
        @require_session_api
        async def get(self, *args, **kwargs):
            await super().get(*args, **kwargs)

        async def open(self):
            await self.write_message(json.dumps(get_session()))

    async def walk(client):
        with pytest.raises(HTTPClientError) as refused:
            await connect(client)
        await client.get("/login")
        socket = await connect(client)
        seen = json.loads(await socket.read_message())
        socket.close()
        return refused.value.code, seen

    assert browse([("/ws", Socket)], walk, sessionkit=store) == (401, ANN)


def test_a_socket_that_is_closed_before_its_session_is_loaded_has_none_yet(store):
    backend, closed = store.settings.backend, asyncio.Event()

    class Socket(SessionMixin, WebSocketHandler):
        async def open(self):
            pytest.fail("nobody is there")

        def on_close(self):
            with pytest.raises(NoActiveRequestError, match="is not loaded yet"):
                get_session(self)
            closed.set()

    async def walk(client):
        await client.get("/login")
        backend.held["load"], backend.waiting = asyncio.Event(), asyncio.Event()
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YQ=="
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: a\r\nCookie: {client.cookie}\r\n{upgrade}\r\n\r\n".encode()
        )
        await backend.waiting.wait()
        writer.close()
        await asyncio.wait_for(closed.wait(), 10)
        backend.held.pop("load").set()

    browse([("/ws", Socket)], walk, sessionkit=store)
