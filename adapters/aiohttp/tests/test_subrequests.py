"""A request that a handler makes inside its own: the handler's verbs find the handler's session again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from two_visitors import cookie_of, who

from sessionkit import CookieSettings, SessionStore, get_session
from sessionkit_aiohttp import setup

from .visitor import SECRET

STORE = SessionStore(SECRET)


async def me(request: web.Request) -> web.Response:
    return web.Response(text=who())


async def none(request: web.Request) -> web.Response:
    raise web.HTTPNotFound(text=who())


async def open_to_all(request: web.Request) -> web.Response:
    return web.Response(text=str(get_session()))


@pytest.mark.parametrize(
    ("inside", "found"), [("/me", "bob ann"), ("/none", "bob ann"), ("/open", "None ann")]
)
def test_the_verbs_of_the_handler_find_its_own_session_again(inside: str, found: str):
    async def outer(request: web.Request) -> web.Response:
        headers = {**request.headers, "Cookie": cookie_of(STORE, "bob")}
        clone: Any = request.clone(rel_url=inside, headers=headers)
        try:
            said = (await request.app._handle(clone)).text
        except web.HTTPException as answer:
            said = answer.text
        return web.Response(text=f"{said} {who()}")

    async def serve() -> str:
        app = web.Application()
        setup(app, STORE, exclude="/open")
        routes = (("/me", me), ("/none", none), ("/open", open_to_all), ("/", outer))
        app.add_routes([web.get(to, handler) for to, handler in routes])
        async with TestClient(TestServer(app)) as client:
            return await (await client.get("/", headers={"Cookie": cookie_of(STORE, "ann")})).text()

    assert asyncio.run(serve()) == found


def test_with_two_stores_the_handler_finds_both_of_its_own_sessions_again():
    other = SessionStore(SECRET, cookie=CookieSettings(name="__Host-other"))

    def both() -> str:
        sessions = [store.get_session() for store in (STORE, other)]
        return " ".join(session["user"]["sub"] if session else "nobody" for session in sessions)

    def cookies(sub: str) -> str:
        return f"{cookie_of(STORE, sub)}; {cookie_of(other, sub)}"

    async def inner(request: web.Request) -> web.Response:
        return web.Response(text=both())

    async def outer(request: web.Request) -> web.Response:
        clone: Any = request.clone(rel_url="/inner", headers={"Cookie": cookies("bob")})
        return web.Response(text=f"{(await request.app._handle(clone)).text} {both()}")

    async def serve() -> str:
        app = web.Application()
        setup(app, STORE)
        setup(app, other)
        app.add_routes([web.get("/inner", inner), web.get("/", outer)])
        async with TestClient(TestServer(app)) as client:
            return await (await client.get("/", headers={"Cookie": cookies("ann")})).text()

    assert asyncio.run(serve()) == "bob bob ann ann"
