"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from streams import COOKIE, STORE, STREAMED, cookie_of, parts

from sessionkit_aiohttp import setup, verbs


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
    other = cookie_of("bob")

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
