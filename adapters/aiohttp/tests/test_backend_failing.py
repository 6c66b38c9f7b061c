"""aiohttp when the backend fails: a 500 through aiohttp's error handling, and no cookie that says more than is so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient
from awaited_memory import AwaitedMemory

from sessionkit import BackendError, EventKind, SessionStore
from sessionkit_aiohttp import get_session, setup, verbs

from .visitor import ANN, SECRET, SOCKET, application, browse, names


@pytest.fixture
def backend():
    return AwaitedMemory()


@pytest.fixture
def events():
    return []


@pytest.fixture
def store(backend, events):
    return SessionStore(SECRET, backend=backend, on_event=events.append)


def served(store: SessionStore, *routes: Any, **settings: Any) -> web.Application:
    app = application(*routes, **settings)
    setup(app, store)
    return app


async def plain(request: web.Request) -> web.Response:
    return web.Response()


def test_an_outage_is_raised_where_the_session_is_asked_for(backend, store):
    async def handler(request):
        with pytest.raises(BackendError):
            verbs.get_session()
        return web.Response(status=503)

    async def walk(client):
        await client.get("/login")
        backend.failing.add("load")
        answers = [await client.get(path) for path in ("/plain", "/", "/me")]
        backend.failing.clear()
        found = [(answer.status, names(answer)) for answer in answers]
        return found, await (await client.get("/me")).json()

    app = served(store, ("/plain", plain), ("/", handler))
    assert browse(app, walk) == ([(200, []), (503, []), (500, [])], ANN)


WAYS = ["response", "redirect", "stream", "websocket", "compressed"]


async def answered(request: web.Request, way: str) -> web.StreamResponse:
    if way == "redirect":
        raise web.HTTPFound("/elsewhere")
    if way == "error":
        raise web.HTTPInternalServerError(text="of the application")
    if way == "unhandled":
        raise RuntimeError
    kinds = {"websocket": web.WebSocketResponse, "response": web.Response}
    response = kinds.get(way, web.StreamResponse)()
    if way == "compressed":
        response.enable_compression(web.ContentCoding.gzip)
    if way != "response":
        await response.prepare(request)
    return response


async def ask(client: TestClient, path: str, way: str) -> Any:
    headers = SOCKET if way == "websocket" else {}
    return await client.get(path, allow_redirects=False, headers=headers)


@pytest.mark.parametrize("way", WAYS)
def test_a_login_that_cannot_be_kept_is_a_500(backend, store, way, caplog):
    async def handler(request):
        verbs.create_session(request, ANN)
        return await answered(request, way)

    async def walk(client):
        backend.failing.add("insert")
        answer = await ask(client, "/", way)
        return answer.status, (await answer.text())[:3], names(answer)

    assert browse(served(store, ("/", handler)), walk) == (500, "500", [])
    assert "the session backend cannot be reached" in caplog.text


@pytest.mark.parametrize("way", [*WAYS, "error", "unhandled"])
def test_a_logout_that_cannot_be_kept_is_a_500_that_clears_no_cookie(backend, store, way, caplog):
    async def handler(request):
        verbs.delete_session(request)
        return await answered(request, way)

    async def walk(client):
        await client.get("/login")
        backend.failing.add("delete")
        answer = await ask(client, "/", way)
        text = await answer.text()
        backend.failing.clear()
        return answer.status, text[:3], names(answer), await (await client.get("/me")).json()

    text = "of " if way == "error" else "500"
    assert browse(served(store, ("/", handler)), walk) == (500, text, [], ANN)
    assert "the session backend cannot be reached" in caplog.text


@pytest.mark.parametrize("way", ["error", "unhandled"])
def test_a_failed_response_ends_the_session_all_the_same(store, way):
    async def handler(request):
        verbs.delete_session(request)
        return await answered(request, way)

    async def walk(client):
        login = await client.get("/login")
        cookie = f"__Host-session={login.cookies['__Host-session'].value}"
        answer = await client.get("/")
        again = await client.get("/me", headers={"Cookie": cookie})
        return answer.status, names(answer)[0], await again.json()

    assert browse(served(store, ("/", handler)), walk) == (500, "__Host-session", None)


@pytest.mark.parametrize("operation", ["load", "insert", "delete"])
def test_a_backend_with_a_fault_of_its_own_is_a_500(backend, store, operation):
    backend.error = ValueError("a fault")

    async def handler(request):
        verbs.delete_session(request)
        if operation == "insert":
            verbs.create_session(request, ANN)
        return web.Response()

    async def walk(client):
        await client.get("/login")
        backend.failing.add(operation)
        answer = await client.get("/")
        return answer.status, names(answer)

    cleared = ["__Host-session", "__Host-seen.session"] if operation == "insert" else []
    assert browse(served(store, ("/", handler)), walk) == (500, cleared)


# ---- a client that hangs up


async def serve(
    app: web.Application, walk: Callable[[str, int], Awaitable[Any]], *, cancels: bool = True
) -> Any:
    """Serve an application that cancels the handler of a client that hangs up, or does not."""
    runner = web.AppRunner(app, handler_cancellation=cancels)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return await walk(*runner.addresses[0])
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("moment", ["in the handler", "while it is saved", "while it fails"])
def test_a_client_that_hangs_up_stays_signed_out(backend, store, events, moment, caplog):
    reached, over, tasks = asyncio.Event(), asyncio.Event(), []

    async def handler(request):
        tasks.append(asyncio.current_task())
        tasks[0].add_done_callback(lambda _: over.set())
        verbs.delete_session(request)
        if moment == "while it is saved":
            backend.waiting, backend.held["delete"] = reached, asyncio.Event()
        else:
            reached.set()
            await asyncio.Event().wait()
        return web.Response()

    async def walk(host, port):
        async with ClientSession(f"http://{host}:{port}") as client:
            login = await client.get("/login")
            cookie = f"__Host-session={login.cookies['__Host-session'].value}"
            if moment == "while it fails":
                backend.failing.add("delete")
            _, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            await reached.wait()
            writer.transport.abort()
            while not tasks[0].cancelling():  # noqa: ASYNC110  # a task has no event for it
                await asyncio.sleep(0)
            for event in backend.held.values():
                event.set()
            await over.wait()
            backend.failing.clear()
            answer = await client.get("/me", headers={"Cookie": cookie})
            return await answer.json()

    fails = moment == "while it fails"
    left = asyncio.run(serve(served(store, ("/", handler)), walk))
    assert left == (ANN if fails else None)
    assert ("the session could not be ended" in caplog.text) is fails
    if moment == "in the handler":
        assert EventKind.ROLLED_BACK not in [event.kind for event in events]


@pytest.mark.parametrize("where", ["handler", "middleware around ours"])
def test_a_client_that_hangs_up_while_it_is_signed_in_leaves_no_session(backend, store, where):
    performed, over, insert = asyncio.Event(), asyncio.Event(), backend.insert

    async def insert_and_wait(*args):
        await insert(*args)
        performed.set()
        await asyncio.Event().wait()

    async def handler(request):
        asyncio.current_task().add_done_callback(lambda _: over.set())
        if where == "handler":
            verbs.create_session(request, ANN)
        return web.Response()

    @web.middleware
    async def around(request, handler):
        response = await handler(request)
        if where != "handler":
            verbs.create_session(request, ANN)
        return response

    async def walk(host, port):
        backend.insert = insert_and_wait
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await performed.wait()
        writer.transport.abort()
        await over.wait()
        return await store.asessions_of(ANN)

    app = served(store, ("/", handler))
    app.middlewares.insert(0, around)
    assert asyncio.run(serve(app, walk)) == []


@pytest.mark.parametrize("cancels", [False, True])
def test_a_client_that_hangs_up_while_a_middleware_around_ours_waits_leaves_no_session(
    backend, store, events, cancels
):
    waiting, over, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def sign_in(request):
        verbs.create_session(request, ANN)
        asyncio.current_task().add_done_callback(lambda _: over.set())
        return web.Response()

    @web.middleware
    async def around(request, handler):
        response = await handler(request)
        waiting.set()
        try:
            while request.transport is not None:  # noqa: ASYNC110  # aiohttp has no event for it
                await asyncio.sleep(0)
            await gone.wait()
        finally:
            gone.set()
        return response

    async def walk(host, port):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await waiting.wait()
        assert len(await store.asessions_of(ANN)) == 1
        writer.transport.abort()
        if not cancels:
            gone.set()
        await over.wait()
        while await store.asessions_of(ANN):  # noqa: ASYNC110  # each step is one of the gateway
            await asyncio.sleep(0)

    app = served(store, ("/", sign_in))
    app.middlewares.insert(0, around)
    asyncio.run(asyncio.wait_for(serve(app, walk, cancels=cancels), 9))
    assert [event.kind for event in events] == [EventKind.ROLLED_BACK]


def test_a_client_that_hangs_up_has_saved_what_its_handler_changed(backend, store):
    over = asyncio.Event()

    async def change(request):
        session = await get_session(request)
        while request.transport is not None:  # noqa: ASYNC110  # aiohttp has no event for it
            await asyncio.sleep(0)
        asyncio.current_task().add_done_callback(lambda _: over.set())
        session["n"] = 1
        return web.Response()

    async def walk(host, port):
        async with ClientSession(f"http://{host}:{port}") as client:
            login = await client.get("/login")
            cookie = f"__Host-session={login.cookies['__Host-session'].value}"
            _, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            loads = backend.calls.count("load")
            while backend.calls.count("load") == loads:  # noqa: ASYNC110  # each step is one of the request
                await asyncio.sleep(0)
            writer.transport.abort()
            await over.wait()
            return await (await client.get("/me", headers={"Cookie": cookie})).json()

    app = served(store, ("/", change))
    assert asyncio.run(serve(app, walk, cancels=False)) == {**ANN, "n": 1}


@pytest.mark.parametrize("where", ["handler", "around"])
def test_what_a_request_has_begun_is_done_before_the_application_closes_the_backend(
    backend, store, where
):
    reached, left = asyncio.Event(), []

    async def sign_out(request):
        verbs.delete_session(request)
        reached.set()
        await asyncio.Event().wait()

    async def handler(request):
        if where == "handler":
            await sign_out(request)
        return web.Response()

    @web.middleware
    async def around(request, handler):
        response = await handler(request)
        if request.path == "/" and where == "around":
            await sign_out(request)
        return response

    async def close(app):
        left.append(len(backend.memory._records))

    async def run():
        app = served(store, ("/", handler))
        app.middlewares.insert(0, around)
        app.on_cleanup.insert(1, close)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with ClientSession(f"http://{host}:{port}") as client:
            login = await client.get("/login")
            cookie = f"__Host-session={login.cookies['__Host-session'].value}"
            _, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            await reached.wait()
            backend.waiting, backend.held["delete"] = asyncio.Event(), asyncio.Event()
            cleanup = asyncio.ensure_future(runner.cleanup())
            await backend.waiting.wait()
            backend.held.pop("delete").set()
            await cleanup
            writer.close()

    asyncio.run(asyncio.wait_for(run(), 9))
    assert left == [0]
