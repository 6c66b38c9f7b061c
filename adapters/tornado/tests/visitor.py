"""Handlers with a session, and somebody who visits them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from sessionkit import SessionStore
from sessionkit_tornado import SessionMixin, create_session, get_session

SECRET = "tornado tests: 0123456789abcdefghijklmnopqrstuvwxyz"


ANN = {"user": {"sub": "ann"}}


STORE = SessionStore(SECRET)


class Handler(SessionMixin, RequestHandler):
    pass


class Login(Handler):
    def get(self):
        create_session(self, ANN)


class Me(Handler):
    def get(self):
        self.write(json.dumps(get_session(self)))


class Client:
    """A browser: it keeps cookies, and does not follow redirects."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def get(self, path: str, method: str = "GET", **headers: str) -> Any:
        request = HTTPRequest(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers={"Cookie": self.cookie, **headers},
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_list("Set-Cookie")]


def browse(routes: list[Any], walk: Callable[[Client], Awaitable[Any]], **settings: Any) -> Any:
    """Run a walk of a browser through an application that is really served."""

    async def serve() -> Any:
        listening, port = bind_unused_port()
        server = HTTPServer(
            Application(
                [("/login", Login), ("/me", Me), *routes], **(settings or {"sessionkit": STORE})
            )
        )
        server.add_socket(listening)
        try:
            return await walk(Client(port))
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(serve())
