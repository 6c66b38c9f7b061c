"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sessionkit import NoActiveRequestError, SessionStore
from sessionkit.testing import session_cookies
from sessionkit_aiohttp import setup, verbs
from sessionkit_aiohttp.verbs import get_session

SECRET = "aiohttp tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)
COOKIE = "; ".join(
    f"{name}={value}" for name, value in session_cookies(STORE, {"user": {"sub": "ann"}}).items()
)


def asked() -> str:
    try:
        session = get_session()
    except NoActiveRequestError:
        return "refused"
    return session["user"]["sub"] if session else "nobody"


async def worker() -> str:
    """Works for whoever asks; one visitor's stream has started it."""
    return asked()


async def parts() -> Any:
    """What the stream, a worker that it started and a thread of the stream find."""
    yield b"stream: "
    yield asked().encode()
    yield b", worker: " + (await asyncio.create_task(worker())).encode()
    yield b", thread: " + (await asyncio.to_thread(asked)).encode()


STREAMED = "stream: ann, worker: refused, thread: ann"


def ask(handler: Any) -> str:
    async def serve() -> str:
        app = web.Application()
        setup(app, STORE)
        app.add_routes([web.get("/", handler)])
        async with TestClient(TestServer(app)) as client:
            return await (await client.get("/", headers={"Cookie": COOKIE})).text()

    return asyncio.run(serve())


def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not():
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for part in parts():
            await response.write(part)
        return response

    assert ask(stream) == STREAMED


def test_a_clone_is_the_request_of_its_own_cookie_header():
    other = "; ".join(
        f"{name}={value}"
        for name, value in session_cookies(STORE, {"user": {"sub": "bob"}}).items()
    )

    async def clones(request: web.Request) -> web.Response:
        def who(one: web.BaseRequest) -> Any:
            session = verbs.get_session(one)
            return session and session["user"]["sub"]

        found = [
            who(request.clone(headers={**request.headers, "Cookie": cookie}))
            for cookie in (other, COOKIE, "", other)
        ]
        return web.json_response([*found, who(request.clone()), who(request)])

    assert ask(clones) == '["bob", "ann", null, "bob", "ann", "ann"]'
