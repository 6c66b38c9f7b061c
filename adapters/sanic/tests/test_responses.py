"""The session of Sanic over connections and responses, and several in one application."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sanic import response

from sessionkit import (
    CookieSettings,
    Lifetime,
    NoActiveRequestError,
    SessionStore,
    bind,
)
from sessionkit.testing import session_cookies
from sessionkit_sanic import SessionKit, create_session, delete_session, get_session, update_session

from .asgi_visits import ask_asgi
from .visitor import ANN, SECRET, STORE, application, browse

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie", [])]


# ---- one task serves a connection


def test_a_request_on_a_connection_that_served_another_has_a_session_of_its_own():
    app = application(exclude="/static/*")
    found = []

    @app.get("/static/a.css")
    async def static(request):
        found.append(hasattr(request.ctx, "session"))
        return response.json(get_session())

    @app.get("/implicit")
    async def implicit(request):
        return response.json(get_session())

    def walk(client):
        client.get("/login")
        signed_in = json.loads(client.get("/implicit").text)
        excluded = client.get("/static/a.css")
        client.cookies.clear()
        return (
            signed_in,
            json.loads(excluded.text),
            "Vary" in excluded.headers,
            json.loads(client.get("/implicit").text),
        )

    assert browse(app, walk) == (ANN, None, False, None)
    assert found == [False]


def test_a_task_that_outlives_the_request_has_no_session():
    app = application()
    found, over = [], []

    async def later(event):
        await event.wait()
        try:
            get_session()
        except NoActiveRequestError as error:
            found.append(str(error))

    @app.get("/")
    async def index(request):
        over.append(asyncio.Event())
        over.append(asyncio.ensure_future(later(over[0])))
        return response.text("begun")

    @app.get("/over")
    async def end(request):
        over[0].set()
        await over[1]
        return response.text("over")

    browse(app, lambda client: [client.get("/").text, client.get("/over").text])
    assert "has finished" in found[0]


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("first", [b"", b"GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n"])
@pytest.mark.parametrize(
    "head", [b"nonsense", b"GET / HTTP/1.1\r\nCookie: " + b"x" * 9000 + b"; a=1"]
)
def test_a_request_that_sanic_cannot_parse_has_no_session_and_asks_no_store_of_the_environment(
    monkeypatch, both, first, head
):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    app, other = application(), SessionStore(SECRET, cookie=CookieSettings(name="other"))
    if both:
        SessionKit(app, store=other)
    reads = [STORE.get_session, other.get_session] if both else [get_session]
    found = []

    @app.get("/first")
    async def begin(request):
        return response.text("first")

    @app.exception(Exception)
    async def show(request, error):
        found.extend([*(read(request) for read in reads), hasattr(request.ctx, "session")])
        with pytest.raises(NoActiveRequestError):
            STORE.create_session(request, ANN)
        return response.text("sorry", getattr(error, "status_code", 500))

    def walk(client):
        client.connection.connect()
        with client.connection.sock as connection:
            connection.sendall(first + head + b"\r\n\r\n")
            answers = b""
            while part := connection.recv(4096):
                answers += part
        return answers

    answers = browse(app, walk)
    assert answers.endswith(b"sorry") and b"Set-Cookie" not in answers
    assert found == [*(None for _ in reads), False]


def test_an_executor_needs_bind():
    app = application()

    @app.get("/")
    async def index(request):
        loop = asyncio.get_running_loop()
        with pytest.raises(NoActiveRequestError):
            await loop.run_in_executor(None, get_session)
        return response.json(await loop.run_in_executor(None, bind(lambda: dict(get_session()))))

    assert (
        browse(app, lambda client: [client.get("/login"), json.loads(client.get("/").text)][1])
        == ANN
    )


# ---- responses


def test_a_cookie_of_the_application_goes_out_beside_ours():
    app = application()

    @app.get("/")
    async def index(request):
        create_session(ANN)
        answer = response.text("hello", headers={"Vary": "Accept"})
        answer.add_cookie("theirs", "1")
        return answer

    def walk(client):
        answer = client.get("/")
        return sorted(names(answer)), answer.headers.get_all("Vary")

    assert browse(app, walk) == (["__Host-session", "theirs"], ["Accept, Cookie"])


def test_a_response_middleware_may_write_the_session_and_replace_the_response():
    app = application()

    @app.on_response
    async def replace(request, answer):
        if request.path == "/":
            update_session(request, {**ANN, "seen": True})
            return response.text("replaced")
        return None

    @app.get("/")
    async def index(request):
        return response.text("hello")

    def walk(client):
        client.get("/login")
        return client.get("/").text, json.loads(client.get("/me").text)

    assert browse(app, walk) == ("replaced", {**ANN, "seen": True})


def test_a_response_middleware_that_fails_does_not_cost_the_session():
    app = application()

    @app.on_response
    async def fails(request, answer):
        raise RuntimeError

    assert browse(app, lambda client: names(client.get("/login"))) == ["__Host-session"]


def test_what_cannot_be_saved_is_for_the_applications_error_handler():
    app = application()

    @app.exception(ValueError)
    async def on_error(request, error):
        return response.text(type(error).__name__, 500)

    @app.get("/")
    async def index(request):
        request.ctx.session["big"] = "x" * 8000
        return response.text("saved")

    def walk(client):
        answer = client.get("/")
        return answer.status, answer.text, names(answer)

    assert browse(app, walk) == (500, "SessionTooLargeError", [])


def test_a_stream_whose_session_cannot_be_saved_becomes_a_500():
    app = application()

    @app.get("/")
    async def index(request):
        request.ctx.session["big"] = "x" * 8000
        sending = await request.respond()
        await sending.send("sent")
        await sending.eof()

    def walk(client):
        answer = client.get("/")
        return answer.status, names(answer)

    assert browse(app, walk) == (500, [])


def test_a_stream_may_send_what_is_no_bytes():
    app = application()

    @app.get("/")
    async def index(request):
        sending = await request.respond(headers={"content-length": "10"})
        await sending.send(b"01234")
        await sending.send(memoryview(b"56789"))
        await sending.eof()

    assert browse(app, lambda client: client.get("/").text) == "0123456789"


def test_a_handler_that_responds_and_fails_before_it_sends_is_answered_with_a_500_that_keeps_a_logout():
    app = application()

    @app.get("/logout")
    async def logout(request):
        delete_session(request)
        await request.respond()
        raise RuntimeError

    def walk(client):
        client.get("/login")
        return client.get("/logout").status, list(client.cookies)

    assert browse(app, walk) == (500, ["__Host-out.session"])


def test_an_empty_file_stream_carries_each_cookie_once(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    app = application()

    @app.get("/")
    async def index(request):
        create_session(ANN)
        return await response.file_stream(tmp_path / "empty")

    assert browse(app, lambda client: names(client.get("/"))) == ["__Host-session"]


def test_without_session_kit_request_and_response_are_complete_in_themselves():
    app = application(None)

    @app.get("/")
    async def index(request):
        answer = response.text("hello")
        answer.add_cookie("theirs", "1")
        STORE.create_session(request, answer, ANN)
        STORE.update_session(request, answer, {**ANN, "n": 1})
        return answer

    assert browse(app, lambda client: sorted(names(client.get("/")))) == [
        "__Host-session",
        "theirs",
    ]


# ---- several in one application


@pytest.mark.parametrize("path", ["/both", "/stream"])
def test_two_stores_each_answer_for_themselves(path):
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))
    app = application()
    SessionKit(app, store=admin)

    def create(request):
        STORE.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})

    @app.get("/both")
    async def both(request):
        create(request)
        return response.empty()

    @app.get("/stream")
    async def stream(request):
        create(request)
        sending = await request.respond()
        await sending.send("sent")
        await sending.eof()

    @app.get("/who")
    async def who(request):
        return response.json(
            [STORE.get_session()["user"]["sub"], admin.get_session()["user"]["sub"]]
        )

    def walk(client):
        return sorted(names(client.get(path))), json.loads(client.get("/who").text)

    assert browse(app, walk) == (["__Host-admin", "__Host-session"], ["ann", "root"])


def test_a_second_session_kit_of_the_same_store_doubles_nothing():
    app = application()
    SessionKit(app, store=STORE)
    assert browse(app, lambda client: names(client.get("/login"))) == ["__Host-session"]


@pytest.mark.parametrize("stricter", ["first", "last"])
@pytest.mark.parametrize("guarded", [True, False])
def test_two_stores_of_one_cookie_that_differ_are_an_error(stricter, guarded):
    admin = (
        SessionStore(SECRET, guard=lambda session: session.get("admin") is True)
        if guarded
        else SessionStore(SECRET, lifetime=Lifetime(idle=600, absolute=900))
    )
    app = application(admin if stricter == "first" else STORE)
    SessionKit(app, store=STORE if stricter == "first" else admin)
    ann = session_cookies(STORE, ANN)

    def walk(client):
        client.cookies.update(ann)
        return [client.get("/me").status for _ in range(2)]

    assert browse(app, walk) == [500, 500]


# ---- over http


@pytest.mark.parametrize(
    ("scheme", "proxied", "told"),
    [("https", None, []), ("http", "https", []), ("http", None, ["INSECURE"])],
)
def test_under_asgi_the_scheme_is_that_of_the_server_unless_a_proxy_says_another(
    scheme, proxied, told
):
    events = []
    app = application(SessionStore(SECRET, on_event=lambda event: events.append(event.kind.name)))
    if proxied:
        app.config.SERVER_NAME = f"{proxied}://example.org"
    scope = {"type": "http", "scheme": scheme, "path": "/login"}
    ask_asgi(app, scope, host=b"example.org")
    assert events == told
