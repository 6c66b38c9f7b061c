"""Sub-applications, and tasks."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
)
from sessionkit_aiohttp import get_session, setup, verbs

from .visitor import ANN, SECRET, application, below, browse, names

# ---- sub-applications


def test_a_sub_application_shares_the_session_without_a_setup(store):
    async def walk(client):
        return names(await client.get("/below/login")), await (await client.get("/me")).json()

    assert browse(below(application(), store), walk) == (["__Host-session"], ANN)


def test_a_setup_of_the_same_store_in_a_sub_application_doubles_nothing(store):
    async def walk(client):
        answer = await client.get("/below/login")
        return names(answer), answer.headers.getall("Vary"), answer.headers.getall("Cache-Control")

    inner = application()
    setup(inner, store)
    assert browse(below(inner, store), walk) == (
        ["__Host-session"],
        ["Cookie"],
        ["private, no-store"],
    )


def test_a_sub_application_may_have_a_store_of_its_own(store):
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))

    async def both(request):
        store.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})
        return web.Response()

    async def walk(client):
        answer = await client.get("/below/both")
        return sorted(names(answer)), answer.headers.getall("Vary")

    inner = application(("/both", both))
    setup(inner, admin)
    assert browse(below(inner, store), walk) == (["__Host-admin", "__Host-session"], ["Cookie"])


def test_another_store_with_the_same_cookie_in_a_sub_application_is_refused(store):
    raised = []

    @web.middleware
    async def note(request, handler):
        try:
            return await handler(request)
        except ConfigurationError as error:
            raised.append(str(error))
            raise

    async def walk(client):
        return (await client.get("/below/me")).status

    inner = application()
    setup(inner, SessionStore("another secret: 0123456789abcdefghijklmnopqrstuvwxyz"))
    assert browse(below(inner, store, middlewares=[note]), walk) == 500
    assert "give one another name" in raised[0]


def test_a_logout_below_survives_an_error_above(store):
    @web.middleware
    async def fails(request, handler):
        await handler(request)
        raise RuntimeError

    async def logout(request):
        verbs.delete_session(request)
        return web.Response()

    async def walk(client):
        answer = await client.get("/below/logout", headers={"Cookie": "__Host-session=x"})
        return answer.status, names(answer)

    inner = application(("/logout", logout))
    setup(inner, store)
    assert browse(below(inner, None, middlewares=[fails]), walk) == (
        500,
        ["__Host-session", "__Host-seen.session"],
    )


# ---- tasks


def test_a_middleware_above_may_wait_for_the_handler_in_a_task_of_its_own(store):
    held = []

    @web.middleware
    async def apart(request, handler):
        return await asyncio.create_task(handler(request))

    async def keep(request):
        held.append(request)
        verbs.create_session(request, ANN)
        return web.Response()

    async def walk(client):
        answer = await client.get("/below/keep")
        with pytest.raises(NoActiveRequestError):
            await get_session(held[0])
        return names(answer), await (await client.get("/below/me")).json()

    inner = application(("/keep", keep))
    setup(inner, store)
    assert browse(below(inner, None, middlewares=[apart]), walk) == (["__Host-session"], ANN)


def test_a_task_that_outlives_the_request_has_no_session(store):
    found, over = [], asyncio.Event()

    async def later():
        await over.wait()
        try:
            verbs.get_session()
        except NoActiveRequestError as error:
            found.append(str(error))

    async def handler(request):
        found.append(asyncio.create_task(later()))
        return web.json_response(verbs.get_session())

    async def walk(client):
        await (await client.get("/")).read()
        over.set()
        await found[0]

    app = application(("/", handler))
    setup(app, store)
    browse(app, walk)
    assert "has finished" in found[1]


def test_a_task_begun_on_a_websocket_works_for_others_too_and_has_no_session(store):
    async def handler(request):
        response = web.WebSocketResponse()
        await response.prepare(request)

        async def worker():
            with pytest.raises(NoActiveRequestError, match="this task is not the one"):
                verbs.get_session()
            return verbs.get_session(request)

        with pytest.raises(ResponseStartedError):
            verbs.create_session(request, ANN)
        await response.send_json([verbs.get_session(), await asyncio.create_task(worker())])
        return response

    async def walk(client):
        await client.get("/login")
        async with client.ws_connect("/") as socket:
            return await socket.receive_json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == [ANN, ANN]
