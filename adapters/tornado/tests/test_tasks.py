"""The session of Tornado's handlers in threads, tasks and sockets."""

from __future__ import annotations

import asyncio
import json

import pytest
from tornado.httpclient import HTTPRequest
from tornado.web import FallbackHandler
from tornado.websocket import WebSocketHandler, websocket_connect
from tornado.wsgi import WSGIContainer

import sessionkit
from sessionkit import NoActiveRequestError
from sessionkit_tornado import SessionMixin, delete_session, get_session, update_session

from .visitor import ANN, STORE, Handler, browse, names


def test_an_executor_does_not_carry_the_context_and_bind_does():
    class Index(Handler):
        async def get(self):
            loop = asyncio.get_running_loop()
            with pytest.raises(NoActiveRequestError):
                await loop.run_in_executor(None, get_session)
            self.write(
                await loop.run_in_executor(None, sessionkit.bind(lambda: dict(get_session())))
            )

    async def walk(client):
        await client.get("/login")
        return json.loads((await client.get("/")).body)

    assert browse([("/", Index)], walk) == ANN


def test_a_task_that_outlives_the_request_has_no_session():
    found, over = [], asyncio.Event()

    async def later():
        await over.wait()
        with pytest.raises(NoActiveRequestError, match="has finished"):
            get_session()
        return "checked"

    class Index(Handler):
        def get(self):
            found.append(asyncio.ensure_future(later()))

    async def walk(client):
        await client.get("/")
        over.set()
        return await found[0]

    assert browse([("/", Index)], walk) == "checked"


@pytest.mark.parametrize("coroutine", [True, False])
def test_a_socket_reads_its_session_in_plain_and_coroutine_methods(coroutine):
    class Plain(SessionMixin, WebSocketHandler):
        def on_message(self, message):
            self.write_message(json.dumps(get_session()))

    class Coroutine(SessionMixin, WebSocketHandler):
        async def on_message(self, message):
            await asyncio.sleep(0)
            await self.write_message(json.dumps(get_session()))

    async def walk(client):
        await client.get("/login")
        socket = await websocket_connect(
            HTTPRequest(f"ws://127.0.0.1:{client.port}/ws", headers={"Cookie": client.cookie})
        )
        await socket.write_message("?")
        answer = await socket.read_message()
        socket.close()
        return json.loads(answer)

    assert browse([("/ws", Coroutine if coroutine else Plain)], walk) == ANN


def test_a_task_begun_on_a_socket_works_for_others_too_and_has_no_session():
    class Socket(SessionMixin, WebSocketHandler):
        async def open(self):
            async def worker():
                with pytest.raises(NoActiveRequestError, match="this task is not the one"):
                    get_session()
                return get_session(self)

            await self.write_message(json.dumps(await asyncio.ensure_future(worker())))

    async def walk(client):
        await client.get("/login")
        socket = await websocket_connect(
            HTTPRequest(f"ws://127.0.0.1:{client.port}/ws", headers={"Cookie": client.cookie})
        )
        answer = await socket.read_message()
        socket.close()
        return json.loads(answer)

    assert browse([("/ws", Socket)], walk) == ANN


def test_a_wsgi_application_inside_shares_the_session_through_the_gateway_of_the_same_store():
    def page(environ, start_response):
        session = get_session()
        update_session({**session, "seen": True})
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [session["user"]["sub"].encode()]

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/wsgi")
        return answer.body, json.loads((await client.get("/me")).body)

    fallback = {"fallback": WSGIContainer(STORE.wsgi(page))}
    assert browse([("/wsgi", FallbackHandler, fallback)], walk) == (b"ann", {**ANN, "seen": True})


def test_a_large_session_and_a_logout():
    class Grow(Handler):
        def get(self):
            self.session["big"] = "x" * 4200

    class Logout(Handler):
        def get(self):
            self.write(str(delete_session(self.request)))

    async def walk(client):
        await client.get("/login")
        grown = names(await client.get("/grow"))
        await client.get("/logout")
        return grown, list(client.cookies)

    assert browse([("/grow", Grow), ("/logout", Logout)], walk) == (
        ["__Host-session.0", "__Host-session.1", "__Host-session"],
        ["__Host-out.session"],
    )
