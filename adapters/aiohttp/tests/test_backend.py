"""aiohttp with sessions on the server: loaded before the handler, saved before the headers go out."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from awaited_memory import AwaitedMemory

from sessionkit import ResponseStartedError, SessionStore
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_aiohttp import get_session, setup, verbs

from .visitor import ANN, SECRET, SOCKET, application, below, browse, names


async def logout(request: web.Request) -> web.Response:
    verbs.delete_session(request)
    return web.Response()


@pytest.fixture(params=["awaited", "memory", "sqlite"])
def store(request, tmp_path):
    backend: Any = {
        "awaited": AwaitedMemory,
        "memory": MemoryBackend,
        "sqlite": lambda: SQLiteBackend(tmp_path / "sessions.db"),
    }[request.param]()
    yield SessionStore(SECRET, backend=backend)
    if request.param != "awaited":
        backend.close()


@pytest.fixture
def awaited():
    return SessionStore(SECRET, backend=AwaitedMemory())


def served(store: SessionStore, *routes: Any, **settings: Any) -> web.Application:
    app = application(("/logout", logout), *routes, **settings)
    setup(app, store)
    return app


def test_a_session_is_kept_on_the_server_from_login_to_logout(store):
    async def count(request):
        session = await get_session(request)
        session["n"] = session.get("n", 0) + 1
        return web.Response()

    async def walk(client):
        first = await client.get("/login")
        cookie = f"__Host-session={first.cookies['__Host-session'].value}"
        counted = [names(await client.get("/count")) for _ in range(2)]
        session = await (await client.get("/me")).json()
        last = names(await client.get("/logout"))[0]
        again = await client.get("/me", headers={"Cookie": cookie})
        return names(first), counted, session, last, await again.json()

    assert browse(served(store, ("/count", count)), walk) == (
        ["__Host-session"],
        [[], []],
        {**ANN, "n": 2},
        "__Host-session",
        None,
    )


@pytest.mark.parametrize("way", ["response", "redirect", "stream", "file", "websocket"])
def test_every_way_to_answer_saves_the_session(awaited, way, tmp_path):
    (tmp_path / "file").write_text("file")

    async def handler(request):
        verbs.create_session(request, ANN)
        if way == "redirect":
            raise web.HTTPFound("/elsewhere")
        if way in ("stream", "websocket"):
            response = {"stream": web.StreamResponse, "websocket": web.WebSocketResponse}[way]()
            await response.prepare(request)
            with pytest.raises(ResponseStartedError):
                verbs.create_session(request, ANN)
            return response
        return web.FileResponse(tmp_path / "file") if way == "file" else web.Response()

    async def walk(client):
        headers = SOCKET if way == "websocket" else {}
        async with client.get("/", allow_redirects=False, headers=headers) as answer:
            set_cookies = names(answer)
        return set_cookies, await (await client.get("/me")).json()

    app = served(awaited, ("/", handler))
    assert browse(app, walk) == (["__Host-session"], ANN)
    assert awaited.settings.backend.calls == ["insert", "load"]


def test_a_websocket_learns_of_a_logout(awaited):
    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            valid = [await awaited.astill_valid(), await awaited.astill_valid(request)]
            await socket.send_json([valid, verbs.get_session()])
        return socket

    async def walk(client):
        await client.get("/login")
        answers = []
        async with client.ws_connect("/") as socket:
            for _ in range(2):
                await socket.send_str("?")
                answers.append(await socket.receive_json())
                await client.get("/logout")
        return answers

    app = served(awaited, ("/", handler))
    assert browse(app, walk) == [[[True, True], ANN], [[False, False], None]]


def test_a_request_without_a_session_asks_the_backend_nothing(awaited):
    async def walk(client):
        cookies = [{}, {"Cookie": "__Host-session=forged"}]
        return [await (await client.get("/me", headers=one)).json() for one in cookies]

    assert browse(served(awaited), walk) == [None, None]
    assert awaited.settings.backend.calls == []


def test_a_login_that_a_middleware_above_turns_into_an_error_is_taken_back(awaited):
    @web.middleware
    async def fails(request, handler):
        response = await handler(request)
        return web.Response(status=500) if request.path == "/below/login" else response

    async def walk(client):
        answer = await client.get("/below/login")
        return answer.status, names(answer)

    app = below(served(awaited), None, middlewares=[fails])
    assert browse(app, walk) == (500, [])
    assert awaited.settings.backend.calls == ["insert", "delete"]


def test_an_application_above_of_the_same_store_loads_and_saves_once(awaited):
    async def walk(client):
        await client.get("/below/login")
        return await (await client.get("/below/me")).json()

    assert browse(below(served(awaited), awaited), walk) == ANN
    assert awaited.settings.backend.calls == ["insert", "load"]
