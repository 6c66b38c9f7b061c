"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from sessionkit import NoActiveRequestError, SessionStore
from sessionkit.testing import session_cookies
from sessionkit_tornado import SessionMixin, get_session

SECRET = "tornado tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)
COOKIE = "; ".join(
    f"{name}={value}" for name, value in session_cookies(STORE, {"user": {"sub": "ann"}}).items()
)


def asked() -> str:
    try:
        session = get_session()
    except NoActiveRequestError:
        return "refused"
    return session["user"]["sub"] if session else "nobody"


async def worker() -> str:
    """Works for whoever asks; one visitor's stream has started it."""
    return asked()


async def parts() -> Any:
    """What the stream, a worker that it started and a thread of the stream find."""
    yield b"stream: "
    yield asked().encode()
    yield b", worker: " + (await asyncio.create_task(worker())).encode()
    yield b", thread: " + (await asyncio.to_thread(asked)).encode()


STREAMED = "stream: ann, worker: refused, thread: ann"


class Stream(SessionMixin, RequestHandler):
    async def get(self) -> None:
        async for part in parts():
            self.write(part)
            await self.flush()


def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not():
    async def ask() -> str:
        socket, port = bind_unused_port()
        server = HTTPServer(Application([("/", Stream)], sessionkit=STORE))
        server.add_socket(socket)
        answer = await AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{port}/", headers={"Cookie": COOKIE}
        )
        server.stop()
        return answer.body.decode()

    assert asyncio.run(ask()) == STREAMED
