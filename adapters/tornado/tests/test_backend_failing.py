"""Tornado's handlers when the backend fails: a 500 through Tornado's error handling, and no cookie that says more than is so."""

from __future__ import annotations

import asyncio
import json

import pytest
from awaited_memory import AwaitedMemory
from tornado.web import stream_request_body

from sessionkit import BackendError, SessionStore
from sessionkit_tornado import create_session, delete_session, get_session

from .visitor import ANN, SECRET, Handler, browse, names


@pytest.fixture
def backend():
    return AwaitedMemory()


def walk_through(routes, walk, backend):
    return browse(routes, walk, sessionkit=SessionStore(SECRET, backend=backend))


class Plain(Handler):
    def get(self):
        self.write("plain")


def test_an_outage_is_raised_where_the_session_is_asked_for(backend):
    class Index(Handler):
        def get(self):
            with pytest.raises(BackendError):
                get_session()
            self.set_status(503)
            self.finish("later")

    async def walk(client):
        await client.get("/login")
        backend.failing.add("load")
        answers = [await client.get(path) for path in ("/plain", "/", "/me")]
        backend.failing.clear()
        return (
            [(answer.code, names(answer)) for answer in answers],
            answers[1].body,
            json.loads((await client.get("/me")).body),
        )

    assert walk_through([("/plain", Plain), ("/", Index)], walk, backend) == (
        [(200, []), (503, []), (500, [])],
        b"later",
        ANN,
    )


WAYS = [
    "return",
    "finish",
    "await finish",
    "redirect",
    "flush",
    "await flush",
    "finish in prepare",
    "redirect and wait",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_login_that_cannot_be_kept_is_a_500_that_the_application_can_write(backend, way, caplog):
    class Index(Handler):
        async def prepare(self):
            if way == "finish in prepare":
                create_session(self, ANN)
                self.finish("signed in")

        async def get(self):
            create_session(self, ANN)
            if way == "finish":
                self.finish("signed in")
            if way == "await finish":
                await self.finish("signed in")
            if "redirect" in way:
                self.redirect("/elsewhere")
            if way == "redirect and wait":
                for _ in range(20):
                    await asyncio.sleep(0)
            if "flush" in way:
                self.write("signed in")
                sent = self.flush()
                if way == "await flush":
                    await sent

        def write_error(self, status_code, **named):
            self.finish(f"{status_code} {named['exc_info'][0].__name__}")

    async def walk(client):
        backend.failing.add("insert")
        answer = await client.get("/")
        return answer.code, answer.body, names(answer), answer.headers.get("Location")

    assert walk_through([("/", Index)], walk, backend) == (500, b"500 BackendError", [], None)
    assert "the session backend cannot be reached" in caplog.text


def test_a_handler_that_awaits_may_answer_the_failure_itself(backend):
    class Index(Handler):
        async def get(self):
            create_session(self, ANN)
            try:
                await self.finish("signed in")
            except BackendError:
                delete_session(self)
                self.clear()
                self.set_status(503)
                await self.finish("later")

    async def walk(client):
        backend.failing.add("insert")
        answer = await client.get("/")
        return answer.code, answer.body

    assert walk_through([("/", Index)], walk, backend) == (503, b"later")


@pytest.mark.parametrize(
    "way", ["return", "await finish", "redirect", "raise", "write_error", "kept"]
)
def test_a_logout_that_cannot_be_kept_is_a_500_that_clears_no_cookie(backend, way, caplog):
    kept = []

    class Logout(Handler):
        async def get(self):
            delete_session(self)
            if way == "await finish":
                await self.finish()
            if way == "redirect":
                self.redirect("/")
            if way == "raise":
                raise RuntimeError
            if way == "write_error":
                self.send_error(500)
            if way == "kept":
                self._auto_finish = False
                asyncio.get_running_loop().call_soon(self.finish)
                kept.append(self)

    async def walk(client):
        await client.get("/login")
        backend.failing.add("delete")
        answer = await client.get("/logout")
        backend.failing.clear()
        return answer.code, names(answer), json.loads((await client.get("/me")).body)

    assert walk_through([("/logout", Logout)], walk, backend) == (500, [], ANN)
    assert "the session backend cannot be reached" in caplog.text


def test_a_failed_response_ends_the_session_all_the_same(backend):
    class Logout(Handler):
        def get(self):
            delete_session(self)
            raise RuntimeError

    async def walk(client):
        await client.get("/login")
        cookie = client.cookie
        answer = await client.get("/logout")
        return (
            answer.code,
            names(answer)[0],
            json.loads((await client.get("/me", Cookie=cookie)).body),
        )

    assert walk_through([("/logout", Logout)], walk, backend) == (500, "__Host-session", None)


def test_a_client_that_hangs_up_stays_signed_out(backend):
    class Logout(Handler):
        def get(self):
            delete_session(self)

    async def walk(client):
        await client.get("/login")
        backend.waiting, backend.held["delete"] = asyncio.Event(), asyncio.Event()
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(
            f"GET /logout HTTP/1.1\r\nHost: localhost\r\nCookie: {client.cookie}\r\n\r\n".encode()
        )
        await backend.waiting.wait()
        writer.transport.abort()
        release, backend.held = backend.held["delete"], {}
        release.set()
        return json.loads((await client.get("/me")).body)

    assert walk_through([("/logout", Logout)], walk, backend) is None


@pytest.mark.parametrize("revokes", [False, True])
@pytest.mark.parametrize("flushes", [False, True])
def test_a_client_that_hangs_up_while_it_is_signed_in_leaves_no_session(backend, flushes, revokes):
    class SignIn(Handler):
        async def get(self):
            create_session(self, ANN)
            if revokes:
                # This saves the session first.
                await self.settings["sessionkit"].arevoke_user(ANN, keep_current=True)
            if flushes:
                await self.flush()

    async def walk(client):
        backend.waiting, backend.held["insert"] = asyncio.Event(), asyncio.Event()
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await backend.waiting.wait()
        writer.transport.abort()
        await client.get("/me")
        backend.held.pop("insert").set()
        for _ in range(500):  # each step is one of the handler
            await asyncio.sleep(0)
        return list(backend.memory._records)

    assert walk_through([("/sign-in", SignIn)], walk, backend) == []


@pytest.mark.parametrize("operation", ["load", "insert", "delete"])
def test_a_backend_with_a_fault_of_its_own_is_a_500(backend, operation):
    backend.error = ValueError("a fault")

    class Index(Handler):
        def get(self):
            delete_session(self)
            if operation == "insert":
                create_session(self, ANN)

    async def walk(client):
        await client.get("/login")
        backend.failing.add(operation)
        answer = await client.get("/")
        return answer.code, names(answer)

    cleared = ["__Host-session", "__Host-seen.session"] if operation == "insert" else []
    assert walk_through([("/", Index)], walk, backend) == (500, cleared)


def test_a_client_that_hangs_up_during_its_upload_stays_signed_out(backend):
    left = asyncio.Event()

    @stream_request_body
    class Upload(Handler):
        def prepare(self):
            delete_session(self)

        def data_received(self, chunk):
            """Take it."""

        def post(self):
            """Answer."""

        def on_connection_close(self):
            super().on_connection_close()
            left.set()

    async def walk(client):
        await client.get("/login")
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        lines = f"Host: localhost\r\nCookie: {client.cookie}\r\nContent-Length: 10\r\n"
        writer.write(f"POST / HTTP/1.1\r\n{lines}\r\nabc".encode())
        await writer.drain()
        while "load" not in backend.calls:  # noqa: ASYNC110  # of the upload
            await asyncio.sleep(0)
        writer.transport.abort()
        await left.wait()
        return json.loads((await client.get("/me")).body)

    assert walk_through([("/", Upload)], walk, backend) is None


def test_a_change_in_on_finish_is_an_error_in_the_log(backend, caplog):
    class Index(Handler):
        def get(self):
            create_session(self, ANN)

        def on_finish(self):
            self.session["late"] = True

    async def walk(client):
        await client.get("/")
        return json.loads((await client.get("/me")).body)

    assert walk_through([("/", Index)], walk, backend) == ANN
    assert "came too late" in caplog.text
