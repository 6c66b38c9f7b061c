"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio

from streams import COOKIE, STORE, STREAMED, parts
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from sessionkit_tornado import SessionMixin


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
