"""An aiohttp application, and somebody who visits it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from sessionkit import SessionStore
from sessionkit_aiohttp import setup, verbs

SECRET = "aiohttp tests: 0123456789abcdefghijklmnopqrstuvwxyz"


ANN = {"user": {"sub": "ann"}}

SOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""The header fields that ask for a websocket."""


async def login(request: web.Request) -> web.Response:
    verbs.create_session(request, ANN)
    return web.Response()


async def me(request: web.Request) -> web.Response:
    return web.json_response(verbs.get_session(request))


def application(*routes: tuple[str, Any], **settings: Any) -> web.Application:
    app = web.Application(**settings)
    app.add_routes(
        [
            web.route("*", path, handler)
            for path, handler in (("/login", login), ("/me", me), *routes)
        ]
    )
    return app


def browse(app: web.Application, walk: Callable[[TestClient], Awaitable[Any]]) -> Any:
    """Run a walk of a browser through an application that is really served."""

    async def serve() -> Any:
        async with TestServer(app) as server:
            jar = CookieJar(unsafe=True, treat_as_secure_origin=server.make_url("/"))
            async with TestClient(server, cookie_jar=jar) as client:
                return await walk(client)

    return asyncio.run(serve())


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.getall("Set-Cookie", [])]


def below(inner: web.Application, store: SessionStore | None, **settings: Any) -> web.Application:
    app = application(**settings)
    if store is not None:
        setup(app, store)
    app.add_subapp("/below/", inner)
    return app
