"""Sanic when the backend fails: a 500 through Sanic's error handling, and no cookie that says more than is so."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from http.client import RemoteDisconnected
from typing import Any

import pytest
from awaited_memory import AwaitedMemory
from sanic import Sanic, response

from sessionkit import BackendError, EventKind, SessionStore
from sessionkit_sanic import create_session, delete_session, get_session

from .asgi_visits import start_asgi
from .visitor import ANN, SECRET, application, browse

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie", [])]


@pytest.fixture
def backend():
    return AwaitedMemory()


@pytest.fixture
def events():
    return []


@pytest.fixture
def app(backend, events):
    store = SessionStore(SECRET, backend=backend, on_event=events.append)
    app = application(store)
    app.ctx.store = store
    return app


def test_an_outage_is_raised_where_the_session_is_asked_for(app, backend):
    @app.get("/plain")
    async def plain(request):
        return response.text("plain")

    @app.get("/")
    async def index(request):
        with pytest.raises(BackendError):
            get_session()
        return response.text("later", 503)

    def walk(client):
        client.get("/login")
        backend.failing.add("load")
        answers = [client.get(path) for path in ("/plain", "/", "/me")]
        backend.failing.clear()
        found = [(answer.status, names(answer)) for answer in answers]
        return found, json.loads(client.get("/me").text)

    assert browse(app, walk) == ([(200, []), (503, []), (500, [])], ANN)


async def answered(request: Any, way: str) -> Any:
    if way == "redirect":
        return response.redirect("/elsewhere")
    if way == "unhandled":
        raise RuntimeError
    if way == "error":
        return response.text("of the application", 500)
    if way == "stream":
        sending = await request.respond()
        await sending.send("sent")
        return await sending.eof()
    if way == "responded":
        return await request.respond(response.text("whole"))
    return response.text("whole")


@pytest.mark.parametrize("way", ["response", "redirect", "stream", "responded"])
def test_a_login_that_cannot_be_kept_is_a_500(app, backend, way, caplog):
    @app.get("/")
    async def index(request):
        create_session(ANN)
        return await answered(request, way)

    def walk(client):
        backend.failing.add("insert")
        answer = client.get("/")
        return answer.status, names(answer)

    assert browse(app, walk) == (500, [])
    assert "the session backend cannot be reached" in caplog.text


@pytest.mark.parametrize("status", [503, 200])
def test_a_failing_write_is_for_the_applications_error_handler(app, backend, status):
    @app.exception(BackendError)
    async def on_error(request, error):
        return response.text("later", status)

    @app.get("/")
    async def index(request):
        create_session(ANN)
        return response.text("signed in")

    def walk(client):
        backend.failing.add("insert")
        answer = client.get("/")
        return answer.status, answer.text, names(answer)

    # The second answer cannot keep the login either.
    assert browse(app, walk) == (503 if status == 503 else 500, "later", [])


@pytest.mark.parametrize(
    "way", ["response", "redirect", "stream", "responded", "error", "unhandled"]
)
def test_a_logout_that_cannot_be_kept_is_a_500_that_clears_no_cookie(app, backend, way, caplog):
    @app.get("/logout")
    async def logout(request):
        delete_session()
        return await answered(request, way)

    def walk(client):
        client.get("/login")
        backend.failing.add("delete")
        answer = client.get("/logout")
        backend.failing.clear()
        return answer.status, names(answer), json.loads(client.get("/me").text)

    assert browse(app, walk) == (500, [], ANN)
    assert "the session backend cannot be reached" in caplog.text


@pytest.mark.parametrize("way", ["error", "unhandled"])
def test_a_failed_response_ends_the_session_all_the_same(app, way):
    @app.get("/logout")
    async def logout(request):
        delete_session()
        return await answered(request, way)

    def walk(client):
        client.get("/login")
        cookies = dict(client.cookies)
        answer = client.get("/logout")
        client.cookies = cookies
        return answer.status, names(answer)[0], json.loads(client.get("/me").text)

    assert browse(app, walk) == (500, "__Host-session", None)


@pytest.mark.parametrize("way", ["response", "stream"])
@pytest.mark.parametrize("operation", ["load", "insert", "delete"])
def test_a_backend_with_a_fault_of_its_own_is_a_500(app, backend, operation, way):
    backend.error = ValueError("a fault")

    @app.get("/")
    async def index(request):
        delete_session()
        if operation == "insert":
            create_session(ANN)
        return await answered(request, way)

    def walk(client):
        client.get("/login")
        backend.failing.add(operation)
        answer = client.get("/")
        return answer.status, names(answer)

    cleared = ["__Host-session", "__Host-seen.session"] if operation == "insert" else []
    assert browse(app, walk) == (500, cleared)


# ---- a client that hangs up


def ask_for_the_session(client: Any) -> Any:
    return json.loads(client.get("/me").text)


def hang_up(
    app: Sanic, backend: AwaitedMemory, path: str, ask: Callable[[Any], Any] = ask_for_the_session
) -> Any:
    """Hang up while a page is made or saved, and return what a client finds after that."""
    over = asyncio.Event()

    @app.signal("http.lifecycle.exception")
    async def cancelled(request, exception):
        over.set()

    @app.get("/waiting")
    async def wait(request):
        await backend.waiting.wait()
        return response.empty()

    @app.get("/over")
    async def release(request):
        await over.wait()
        for event in backend.held.values():
            event.set()
        return response.empty()

    def walk(client):
        backend.waiting = asyncio.Event()
        client.get("/login")
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Cookie: {client.cookie}", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            client.get("/waiting")
        client.get("/over")
        return ask(client)

    return browse(app, walk)


@pytest.mark.parametrize("moment", ["in the handler", "while it is saved"])
def test_a_client_that_hangs_up_stays_signed_out(app, backend, moment):
    @app.get("/logout")
    async def logout(request):
        delete_session()
        if moment == "while it is saved":
            backend.held["delete"] = asyncio.Event()
        else:
            backend.waiting.set()
            await asyncio.Event().wait()
        return response.empty()

    assert hang_up(app, backend, "/logout") is None


@pytest.mark.parametrize("way", ["response", "redirect", "stream", "responded"])
def test_a_client_that_hangs_up_while_it_is_signed_in_leaves_no_session(app, backend, way):
    store, insert, gone = app.ctx.store, backend.insert, asyncio.Event()

    @app.signal("http.lifecycle.complete")
    async def note(conn_info):
        if conn_info.lost:
            gone.set()

    async def insert_and_wait(*args):
        reply = await insert(*args)
        backend.waiting.set()
        await backend.held.setdefault("reply", asyncio.Event()).wait()
        return reply

    @app.get("/sign-in")
    async def sign_in(request):
        backend.insert = insert_and_wait
        create_session({"user": {"sub": "bob"}})
        return await answered(request, way)

    @app.get("/bob")
    async def bob(request):
        await gone.wait()
        return response.json(len(await store.asessions_of({"user": {"sub": "bob"}})))

    def after(client):
        return json.loads(client.get("/bob").text)

    assert hang_up(app, backend, "/sign-in", after) == 0


def test_a_connection_that_the_server_breaks_off_keeps_nobody_signed_in(app):
    @app.get("/logout")
    async def logout(request):
        delete_session()
        request.transport.get_protocol().abort()
        await asyncio.Event().wait()

    def walk(client):
        client.get("/login")
        with pytest.raises(RemoteDisconnected):
            client.get("/logout")
        return json.loads(client.get("/me").text)

    assert browse(app, walk) is None


def ask_and_leave(app: Sanic, path: str, type: str = "http") -> list[Any]:
    """Ask a page under ASGI, let all tasks come to an end, and return the sessions that are left."""

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        """Do nothing."""

    async def run():
        store = app.ctx.store
        await start_asgi(app)
        async with store.exchange() as exchange:
            exchange.create(ANN)
        cookie = exchange.response_headers[0][1].partition(";")[0].encode()
        scope = {"type": type, "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
                 "query_string": b"", "headers": [(b"host", b"localhost"), (b"cookie", cookie)], "scheme": "https",
                 "server": ("localhost", 443), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}}  # fmt: skip
        await asyncio.wait([asyncio.ensure_future(app(scope, receive, send))])
        for _ in range(50):
            await asyncio.sleep(0)
        return await store.asessions_of(ANN)

    return asyncio.run(run())


def test_a_server_under_asgi_that_cancels_a_request_keeps_nobody_signed_in(app):
    @app.get("/logout")
    async def logout(request):
        delete_session()
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    assert ask_and_leave(app, "/logout") == []


def test_a_change_in_a_websocket_under_asgi_is_reported_when_its_task_ends(app, events):
    @app.websocket("/ws")
    async def ws(request, socket):
        request.ctx.session["user"]["late"] = True

    assert len(ask_and_leave(app, "/ws", "websocket")) == 1
    assert [event.kind for event in events] == [EventKind.LATE_CHANGE]


def test_what_a_cancelled_handler_has_begun_is_dropped(app, backend):
    @app.get("/begin")
    async def begin(request):
        request.ctx.session["begun"] = True
        backend.waiting.set()
        await asyncio.Event().wait()

    assert hang_up(app, backend, "/begin") == ANN


def test_what_a_cancelled_request_has_begun_is_done_before_the_application_closes_the_backend(
    app, backend
):
    calls = []

    @app.after_server_stop
    async def close(_):
        calls.append("close")

    async def revoke(*arguments):
        backend.waiting.set()
        await asyncio.sleep(0.01)
        calls.append("revoke")
        return 0

    async def serve():
        backend.revoke, backend.waiting = revoke, asyncio.Event()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = await app.create_server(sock=listening, return_asyncio_server=True)
            await server.startup()
            task = asyncio.ensure_future(app.ctx.store.arevoke_user(ANN))
            await backend.waiting.wait()
            task.cancel()
            await server.after_stop()

    asyncio.run(serve())
    assert calls == ["revoke", "close"]
