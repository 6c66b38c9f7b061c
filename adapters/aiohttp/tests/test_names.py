"""The session of aiohttp by the names of aiohttp-session, and where there is none."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from sessionkit import NoActiveRequestError
from sessionkit._exchange.request import HeaderRequest
from sessionkit_aiohttp import AiohttpSession, get_session, new_session, setup, verbs

from .visitor import ANN, application, browse, names

# ---- the names of aiohttp-session


def test_a_session_has_what_that_of_aiohttp_session_has(store):
    async def handler(request):
        session = await get_session(request)
        before = (session.empty, session.identity, session.created)
        session["cart"] = ["tea"]
        session.changed()
        return web.json_response(
            [
                before,
                session.empty,
                len(session.identity),
                session.created == session.stamp.created_at,
            ]
        )

    async def walk(client):
        return await (await client.get("/")).json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == [[True, None, None], False, 22, True]


def test_a_session_is_new_until_it_comes_with_a_request(store):
    async def handler(request):
        session = await get_session(request)
        before = session.new
        session["n"] = 1
        return web.json_response([before, session.new])

    async def anew(request):
        session = await new_session(request)
        return web.json_response([session.new])

    async def walk(client):
        return [await (await client.get(path)).json() for path in ("/", "/", "/anew")]

    app = application(("/", handler), ("/anew", anew))
    setup(app, store)
    assert browse(app, walk) == [[True, True], [False, False], [True]]


def test_the_identity_is_the_id_and_not_the_token(store):
    async def handler(request):
        return web.Response(text=(await get_session(request)).identity)

    async def walk(client):
        cookie = (await client.get("/login")).cookies["__Host-session"].value
        return cookie, await (await client.get("/")).text()

    app = application(("/", handler))
    setup(app, store)
    cookie, identity = browse(app, walk)
    assert len(identity) == 22
    assert identity not in cookie


def test_to_invalidate_a_session_is_a_logout(store):
    async def handler(request):
        (await get_session(request)).invalidate()
        return web.Response()

    async def walk(client):
        await client.get("/login")
        return names(await client.get("/")), await (await client.get("/me")).json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == (
        ["__Host-session", "__Host-seen.session", "__Host-out.session"],
        None,
    )


def test_an_anonymous_session_that_is_invalidated_and_written_is_another(store):
    async def handler(request):
        session = await get_session(request)
        before = session.identity
        session.invalidate()
        session["user_id"] = 7
        return web.json_response([before, session.identity])

    async def walk(client):
        return [await (await client.get("/")).json() for _ in range(2)]

    app = application(("/", handler))
    setup(app, store)
    (_, first), (came, second) = browse(app, walk)
    assert came == first
    assert second != first


def test_a_new_session_is_empty_and_the_earlier_one_is_dead(store):
    async def handler(request):
        session = await new_session(request)
        session["user"] = {"sub": "bob"}
        return web.json_response(dict(session))

    async def walk(client):
        dead = (await client.get("/login")).cookies["__Host-session"].value
        fence = (await client.get("/")).cookies["__Host-out.session"].value
        here = await (await client.get("/me")).json()
        client.session.cookie_jar.clear()
        there = await (
            await client.get(
                "/me", headers={"Cookie": f"__Host-session={dead}; __Host-out.session={fence}"}
            )
        ).json()
        return here, there

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == ({"user": {"sub": "bob"}}, None)


def test_the_identity_of_aiohttp_security_is_a_login(store):
    async def remember(request):
        (await get_session(request)).update({"cart": ["tea"], "csrf_token": "planted"})
        (await get_session(request))["AIOHTTP_SECURITY"] = "ann"
        return web.Response()

    async def walk(client):
        await client.get("/remember")
        return await (await client.get("/me")).json()

    app = application(("/remember", remember))
    setup(app, store)
    assert browse(app, walk) == {"cart": ["tea"], "AIOHTTP_SECURITY": "ann"}


def test_its_repr_shows_no_value(store):
    session = AiohttpSession(store.begin(HeaderRequest()))
    session["user"] = {"sub": "secret"}
    assert repr(session) == "<AiohttpSession keys=['user']>"


# ---- where there is none


def test_without_a_setup_it_says_what_to_do():
    with pytest.raises(NoActiveRequestError, match=r"call sessionkit_aiohttp\.setup"):
        asyncio.run(get_session(make_mocked_request("GET", "/")))


def test_a_middleware_around_that_of_the_setup_is_told_so(store):
    @web.middleware
    async def around(request, handler):
        with pytest.raises(NoActiveRequestError, match="leave its middleware the first"):
            await get_session(request)
        return await handler(request)

    async def walk(client):
        return (await client.get("/me")).status

    app = application()
    setup(app, store)
    app.middlewares.insert(0, around)
    assert browse(app, walk) == 200


def test_an_excluded_path_has_no_session_and_no_header(store):
    async def static(request):
        with pytest.raises(NoActiveRequestError, match="do not exclude"):
            await get_session(request)
        with pytest.raises(NoActiveRequestError, match="excluded"):
            verbs.delete_session(request)
        return web.json_response(verbs.get_session())

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/static/a.css")
        return await answer.json(), names(answer), "Vary" in answer.headers

    app = application(("/static/a.css", static))
    setup(app, store, exclude="/static/*")
    assert browse(app, walk) == (None, [], False)


def test_a_handler_that_does_not_look_at_it_costs_no_header(store):
    async def handler(request):
        return web.Response()

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/")
        return names(answer), "Vary" in answer.headers

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == ([], False)


def test_without_a_setup_request_and_response_are_complete_in_themselves(store):
    async def handler(request):
        response = web.Response(headers={"Cache-Control": "public"})
        store.create_session(request, response, ANN)
        store.update_session(request, response, {**ANN, "n": 1})
        return response

    async def walk(client):
        answer = await client.get("/")
        return names(answer), answer.headers.getall("Cache-Control"), answer.headers.getall("Vary")

    assert browse(application(("/", handler)), walk) == (
        ["__Host-session"],
        ["private, no-store"],
        ["Cookie"],
    )
