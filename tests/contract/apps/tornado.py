"""Tornado."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

import sessionkit_tornado
from contract import script
from contract.setting import FILE, App, make_store
from sessionkit_tornado import SessionMixin, require_session_api, require_session_page


class Handler(SessionMixin, RequestHandler):
    def do(self, perform: Any = script.perform, header: str = script.DO) -> str:
        text, form = self.request.headers.get(header), self.request.headers.get(script.FORM)
        named = {
            "request": self.request,
            "response": self,
            "framework": lambda: self.session,
            "verbs": sessionkit_tornado,
        }
        return perform(text, form, **named) or ""

    def write_error(self, status_code: int, **named: Any) -> None:
        error = named["exc_info"][1]
        if isinstance(error, script.HANDLED):
            self.set_header("Content-Type", "text/plain")
            self.finish(script.sorry(error))
        else:
            super().write_error(status_code, **named)

    def answer(self, perform: Any = script.perform) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(self.do(perform))


class Plain(Handler):
    def get(self) -> None:
        self.answer()

    post = head = get


class Coroutine(Handler):
    async def get(self) -> None:
        self.answer()

    post = get


class Public(Handler):
    def get(self) -> None:
        self.set_header("Cache-Control", "public, max-age=600")
        self.set_header("CDN-Cache-Control", "max-age=600")
        self.answer()

    post = get


class Thread(Handler):
    def get(self) -> None:
        self.answer(script.in_thread)

    post = get


class Redirect(Handler):
    def get(self) -> None:
        self.do()
        self.redirect("/do")

    post = get


class NotModified(Handler):
    def get(self) -> None:
        self.do()
        self.set_status(304)
        self.set_header("ETag", '"1"')

    post = get


class Missing(Handler):
    def get(self) -> None:
        self.do()
        raise HTTPError(404)

    post = get


class Handled(Handler):
    def get(self) -> None:
        self.do()
        raise script.Handled

    post = get


class Unhandled(Handler):
    def get(self) -> None:
        self.do()
        raise script.Unhandled

    post = get


class Stream(Handler):
    async def get(self) -> None:
        self.do()
        self.set_header("Content-Type", "text/plain")
        for chunk in ("one\n", "two\n"):
            self.write(chunk)
            await self.flush()
        self.write(self.do(header=script.LATE))

    post = get


class File(Handler, StaticFileHandler):
    async def get(self, path: str = FILE.name, include_body: bool = True) -> None:
        self.do()
        await StaticFileHandler.get(self, FILE.name, include_body)

    post = get


class Background(Handler):
    def get(self) -> None:
        self.answer()

    post = get

    def on_finish(self) -> None:
        self.do(script.note, script.LATE)


class Socket(SessionMixin, WebSocketHandler):
    def prepare(self) -> None:
        self.named = {
            "request": self.request,
            "response": self,
            "framework": lambda: self.session,
            "verbs": sessionkit_tornado,
        }
        self.form = self.request.headers.get(script.FORM)
        text = self.request.headers.get(script.DO)
        self.first = script.perform(text, self.form, **self.named)

    async def open(self) -> None:
        await self.write_message(self.first)

    async def on_message(self, message: str | bytes) -> None:
        done = await script.perform_on_socket(str(message), self.form, **self.named)
        await self.write_message(done)


class Api(Handler):
    @require_session_api
    def get(self) -> None:
        self.answer()

    post = get


class Page(Handler):
    @require_session_page
    async def get(self, rest: str = "") -> None:
        self.answer()

    post = head = get


class AfterLogin(Handler):
    def get(self) -> None:
        self.redirect(
            script.return_to(
                [value.decode() for value in self.request.query_arguments.get("returnTo", [])]
            )
        )

    post = get


def serve(listening: socket.socket) -> None:
    async def run() -> None:
        routes: list[Any] = [
            ("/do", Plain), ("/sync/do", Plain), ("/async/do", Coroutine), ("/public", Public), ("/thread", Thread), ("/redirect", Redirect),
            ("/not-modified", NotModified), ("/missing", Missing), ("/handled", Handled), ("/unhandled", Unhandled), ("/stream", Stream),
            ("/file", File, {"path": FILE.parent}), ("/background", Background), ("/ws", Socket), ("/api", Api), ("/page", Page),
            ("/page/(.*)", Page), ("/after-login", AfterLogin),
        ]  # fmt: skip
        server = HTTPServer(Application(routes, sessionkit=make_store(awaits=True)))
        listening.setblocking(False)
        server.add_socket(listening)
        await asyncio.Event().wait()

    asyncio.run(run())


APP = App(
    serve=serve,
    gaps={"raw": "Tornado has neither environ nor scope under its request"},
    dropped="csrf_token",
    versions=("tornado",),
    pages=("docs/how-to/tornado.md", "adapters/tornado/README.md"),
)
