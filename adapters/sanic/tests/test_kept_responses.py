"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from itertools import count
from typing import Any

import pytest
from sanic import HTTPResponse, Request, Sanic, response
from sanic.exceptions import SanicException
from sanic.response import ResponseStream

from sessionkit import CookieSettings, SessionStore
from sessionkit_sanic import SessionKit, create_session, get_session

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")

SECRET = "sanic tests: 0123456789abcdefghijklmnopqrstuvwxyz"
OTHER = "sanic tests of others: 0123456789abcdefghijklmnopqrstuvwxyz"
number = count()

Ask = Callable[..., Awaitable[Any]]


async def _one(stream: Any) -> None:
    await stream.write("done")


def kept(kind: str) -> Any:
    headers = {"Cache-Control": "public, max-age=60", "Vary": "Accept"}
    if kind == "stream":
        return ResponseStream(_one, headers=headers, content_type="text/plain")
    made = (
        response.json("done", headers=headers)
        if kind == "json"
        else response.text("done", headers=headers)
    )
    made.add_cookie("theme", "dark")
    return made


def application(done: Any, *, responds: bool = False) -> Sanic[Any, Any]:
    app = Sanic(f"kept-{next(number)}")
    app.config.TOUCHUP = False  # which Sanic can do once a process
    app.config.ACCESS_LOG = False
    SessionKit(app, store=SessionStore(SECRET))

    async def answer(request: Request) -> Any:
        if not responds:
            return done
        sending = await request.respond(done)
        sending.headers["X-Late"] = "1"
        await sending.eof()
        return None

    @app.get("/login")
    async def login(request: Request) -> Any:
        create_session(request, {"user": {"sub": "ann"}})
        return await answer(request)

    @app.get("/me")
    async def me(request: Request) -> Any:
        get_session(request)
        return await answer(request)

    @app.get("/health")
    async def health(request: Request) -> Any:
        return await answer(request)

    return app


class Answer:
    def __init__(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.fields, self.body = status, sorted(fields), body
        self.headers = {name: value for name, value in fields if name != "set-cookie"}

    @property
    def cookies(self) -> list[str]:
        return [value.partition("=")[0] for name, value in self.fields if name == "set-cookie"]


class Served:
    """An application behind its own server."""

    def __init__(self, app: Sanic[Any, Any], address: Any) -> None:
        self.address = address

    async def __call__(self, path: str) -> Answer:
        def ask() -> Answer:
            connection = HTTPConnection(*self.address, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            fields = [(name.lower(), value) for name, value in answer.getheaders()]
            made = Answer(answer.status, fields, answer.read())
            connection.close()
            return made

        return await asyncio.to_thread(ask)


class OverASGI:
    """An application under ASGI."""

    def __init__(self, app: Sanic[Any, Any], address: Any) -> None:
        self.app = app

    async def __call__(self, path: str) -> Answer:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append({**message, "headers": list(message.get("headers", ()))})

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": b"", "root_path": "", "scheme": "https", "headers": [(b"host", b"shop.local")],
            "server": ("shop.local", 443), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await self.app(scope, receive, send)
        fields = [(name.decode().lower(), value.decode()) for name, value in sent[0]["headers"]]
        return Answer(sent[0]["status"], fields, b"".join(one["body"] for one in sent[1:]))


def browse(
    app: Sanic[Any, Any], walk: Callable[[Ask], Awaitable[None]], by: type[Any] = Served
) -> None:
    async def served() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = await app.create_server(sock=listening, return_asyncio_server=True)
            assert server is not None
            await server.startup()
            await server.start_serving()
            try:
                await walk(by(app, listening.getsockname()))
            finally:
                server.close()
                await server.wait_closed()

    async def over_asgi() -> None:
        events = iter(["startup", "shutdown"])

        async def lifespan() -> Any:
            return {"type": f"lifespan.{next(events)}"}

        async def send(message: Any) -> None: ...

        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, lifespan, send)
        await walk(by(app, None))

    asyncio.run(served() if by is Served else over_asgi())


SERVERS = pytest.mark.parametrize("by", [Served, OverASGI])


@SERVERS
@pytest.mark.parametrize(
    ("kind", "responds"),
    [("text", False), ("json", False), ("stream", False), ("text", True), ("json", True)],
)
def test_the_next_visitor_gets_the_response_as_the_application_made_it(
    by: type[Any], kind: str, responds: bool
) -> None:
    own = [] if kind == "stream" else ["theme"]

    async def walk(ask: Ask) -> None:
        before, first, after = await ask("/health"), await ask("/login"), await ask("/health")
        assert ["__Host-session", *own] == first.cookies
        assert "private, no-store" == first.headers["cache-control"]
        assert own == before.cookies == after.cookies
        assert before.fields == after.fields
        assert "public, max-age=60" == after.headers["cache-control"]
        assert "Accept" == after.headers["vary"]
        assert after.body == before.body == first.body

    browse(application(kept(kind), responds=responds), walk, by)


def test_what_is_added_to_a_response_before_it_is_sent_is_sent() -> None:
    async def walk(ask: Ask) -> None:
        assert "1" == (await ask("/login")).headers["x-late"]

    browse(application(response.text("done"), responds=True), walk)


def test_a_visitor_who_only_reads_leaves_nothing_in_a_kept_response() -> None:
    async def walk(ask: Ask) -> None:
        assert "Accept, Cookie" == (await ask("/me")).headers["vary"]
        assert "Accept" == (await ask("/health")).headers["vary"]

    browse(application(kept("text")), walk)


def test_an_error_page_that_is_kept_is_nobodys() -> None:
    page = kept("text")
    app = application(page)

    @app.get("/fail")
    async def fail(request: Request) -> HTTPResponse:
        create_session(request, {"user": {"sub": "ann"}})
        raise SanicException("no", status_code=403)

    @app.exception(SanicException)
    async def refused(request: Request, error: Exception) -> HTTPResponse:
        return page

    async def walk(ask: Ask) -> None:
        assert ["__Host-session", "theme"] == (await ask("/fail")).cookies
        assert ["theme"] == (await ask("/health")).cookies

    browse(app, walk)


def test_a_session_that_cannot_be_kept_fails_one_visitors_answer_and_not_the_next() -> None:
    done = response.text("done")
    app = application(done, responds=True)

    @app.get("/broken")
    async def broken(request: Request) -> None:
        request.ctx.session["file"] = object()
        sending = await request.respond(done)
        await sending.eof()

    async def walk(ask: Ask) -> None:
        failed = await ask("/broken")
        assert (500, []) == (failed.status, failed.cookies)
        assert 200 == (await ask("/health")).status

    browse(app, walk)


@pytest.mark.parametrize("kind", ["text", "stream"])
def test_two_stores_answer_in_one_kept_response_for_its_visitor_alone(kind: str) -> None:
    app = application(kept(kind))
    other = SessionStore(OTHER, cookie=CookieSettings(name="__Host-admin"))
    SessionKit(app, store=other)
    store = SessionStore(SECRET)

    @app.get("/both")
    async def both(request: Request) -> Any:
        store.create_session(request, {"user": {"sub": "ann"}})
        other.create_session(request, {"user": {"sub": "root"}})
        return kept_one

    kept_one = kept(kind)

    async def walk(ask: Ask) -> None:
        first = (await ask("/both")).cookies
        assert {"__Host-session", "__Host-admin"} <= set(first)
        assert len(first) == len(set(first))
        assert {"theme"} >= {name for name, _ in _set(kept_one)}

    browse(app, walk)


def _set(made: Any) -> list[tuple[str, str]]:
    return [
        (str(value).partition("=")[0], name)
        for name, value in made.headers.items()
        if name.lower() == "set-cookie"
    ]
