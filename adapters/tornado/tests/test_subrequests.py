"""A handler that another one executes inside its own request: the outer handler's verbs find its own session again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, RequestHandler
from two_visitors import cookie_of, who

from sessionkit import SessionStore, create_session, delete_session
from sessionkit_tornado import SessionMixin

from .visitor import SECRET

STORE = SessionStore(SECRET)


class Answered(HTTPConnection):
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.context = SimpleNamespace(remote_ip="127.0.0.1", protocol="https")
        self.body = b""
        self.cookies: list[str] = []
        self.is_finished = asyncio.Event()

    def set_close_callback(self, callback: Any) -> None:
        pass

    def write_headers(self, start_line: Any, headers: Any, chunk: bytes | None = None) -> Any:
        self.cookies = [line.partition("=")[0] for line in headers.get_list("Set-Cookie")]
        return self.write(chunk or b"")

    def write(self, chunk: bytes) -> Any:
        self.body += chunk
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def finish(self) -> None:
        self.is_finished.set()


def ask(path: str, cookie: str) -> tuple[HTTPServerRequest, Answered]:
    connection = Answered()
    headers = HTTPHeaders({"Host": "localhost", "Cookie": cookie})
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(headers=headers, connection=connection, start_line=line), connection  # type: ignore[call-arg]


class Me(SessionMixin, RequestHandler):
    def get(self) -> None:
        self.write(f"{who()}")


class In(SessionMixin, RequestHandler):
    def get(self) -> None:
        create_session({"user": {"sub": "carl"}})
        self.write(who())


class Out(SessionMixin, RequestHandler):
    def get(self) -> None:
        self.write(str(delete_session()))


class Fails(SessionMixin, RequestHandler):
    def get(self) -> None:
        raise KeyError(who())


INSIDE = {"/me": Me, "/in": In, "/out": Out, "/fails": Fails}


class Outer(SessionMixin, RequestHandler):
    async def get(self) -> None:
        path, way = self.get_argument("path"), self.get_argument("way")
        request, connection = ask(path, cookie_of(STORE, "bob"))
        if way == "application":
            self.application(request)
            await connection.is_finished.wait()
        else:
            await INSIDE[path](self.application, request)._execute([])
        self.write(connection.body.decode() + " then " + who())
        delete_session()


@pytest.mark.parametrize("way", ["application", "handler"])
@pytest.mark.parametrize(
    ("path", "found"), [("/me", "bob"), ("/in", "carl"), ("/out", "True"), ("/fails", "500")]
)
def test_the_verbs_of_the_handler_find_its_own_session_again_and_end_it(way, path, found):
    async def serve() -> Answered:
        app = Application([*INSIDE.items(), ("/", Outer)], sessionkit=STORE)
        request, connection = ask(f"/?path={path}&way={way}", cookie_of(STORE, "ann"))
        app(request)
        await connection.is_finished.wait()
        return connection

    answer = asyncio.run(serve())
    said, _, then = answer.body.decode().partition(" then ")
    assert found in said
    assert then == "ann"
    assert answer.cookies == ["__Host-session", "__Host-seen.session", "__Host-out.session"]
