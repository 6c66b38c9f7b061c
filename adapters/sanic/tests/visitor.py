"""A Sanic application, and somebody who visits it."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

from sanic import HTTPResponse, Request, Sanic, response

from sessionkit import Event, SessionStore
from sessionkit_sanic import SessionKit, create_session, get_session

SECRET = "sanic tests: 0123456789abcdefghijklmnopqrstuvwxyz"


ANN = {"user": {"sub": "ann"}}


EVENTS: list[Event] = []


STORE = SessionStore(SECRET, on_event=EVENTS.append)


number = itertools.count()


def application(store: SessionStore | None = STORE, **options: Any) -> Sanic:
    app = Sanic(f"test-{next(number)}")
    app.config.TOUCHUP = False  # which Sanic can do once a process
    app.config.ACCESS_LOG = False
    if store is not None:
        SessionKit(app, store=store, **options)

    @app.get("/login")
    async def login(request: Request) -> HTTPResponse:
        create_session(request, ANN)
        return response.empty()

    @app.get("/me")
    async def me(request: Request) -> HTTPResponse:
        return response.json(get_session(request))

    return app


class Client:
    """A browser: it keeps its cookies and its connection."""

    def __init__(self, address: Any) -> None:
        self.port = address[1]
        self.connection = HTTPConnection(*address, timeout=10)
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, path: str, method: str = "GET", **headers: str) -> Any:
        self.connection.request(method, path, headers={"Cookie": self.cookie, **headers})
        answer = self.connection.getresponse()
        answer.text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer


def browse(app: Sanic, walk: Callable[[Client], Any]) -> Any:
    """Run a walk of a browser through an application that is really served."""

    def run(address: Any) -> Any:
        client = Client(address)
        try:
            return walk(client)
        finally:
            client.connection.close()

    async def serve() -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = await app.create_server(sock=listening, return_asyncio_server=True)
            await server.startup()
            await server.start_serving()
            try:
                return await asyncio.to_thread(run, listening.getsockname())
            finally:
                server.close()
                await server.wait_closed()

    return asyncio.run(serve())
