"""CherryPy, with the adapter of the page "Write your own adapter", as it stands there."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from typing import Any

import cherrypy
from cherrypy.lib.static import serve_file

from contract import pages, script
from contract.setting import FILE, App, make_store, serve_wsgi

PAGE = "docs/how-to/write-your-own-adapter.md"
adapter = pages.names_of(FILE.parent.parent.parent / PAGE)


def do(header: str = script.DO) -> bytes:
    request = cherrypy.request
    named = {
        "request": request,
        "response": cherrypy.response,
        "raw": request.wsgi_environ,
        "framework": lambda: cherrypy.serving.session,
    }
    return script.perform(
        request.headers.get(header), request.headers.get(script.FORM), **named
    ).encode()


def answer() -> bytes:
    cherrypy.response.headers["Content-Type"] = "application/json"
    return do()


def on_error() -> None:
    error = sys.exc_info()[1]
    if not isinstance(error, script.HANDLED):
        cherrypy.HTTPError(500).set_response()
        return
    cherrypy.response.status = 500
    cherrypy.response.headers["Content-Type"] = "text/plain"
    cherrypy.response.body = script.sorry(error).encode()


class Sync:
    @cherrypy.expose
    def do(self) -> bytes:
        return answer()


class Root:
    sync = Sync()

    @cherrypy.expose
    def do(self) -> bytes:
        return answer()

    @cherrypy.expose
    def public(self) -> bytes:
        cherrypy.response.headers["Cache-Control"] = "public, max-age=600"
        cherrypy.response.headers["CDN-Cache-Control"] = "max-age=600"
        return answer()

    @cherrypy.expose
    def thread(self) -> bytes:
        cherrypy.response.headers["Content-Type"] = "application/json"
        # cherrypy.request is bound to the thread that serves it: the objects behind it are handed over
        request, response, own = (
            cherrypy.serving.request,
            cherrypy.serving.response,
            cherrypy.serving.session,
        )
        named = {
            "request": request,
            "response": response,
            "raw": request.wsgi_environ,
            "framework": lambda: own,
        }
        return script.in_thread(
            request.headers.get(script.DO), request.headers.get(script.FORM), **named
        ).encode()

    @cherrypy.expose
    def redirect(self) -> None:
        do()
        raise cherrypy.HTTPRedirect("/do", 302)

    @cherrypy.expose
    def not_modified(self) -> bytes:
        do()
        cherrypy.response.status = 304
        cherrypy.response.headers["ETag"] = '"1"'
        return b""

    @cherrypy.expose
    def missing(self) -> None:
        do()
        raise cherrypy.NotFound

    @cherrypy.expose
    def handled(self) -> None:
        do()
        raise script.Handled

    @cherrypy.expose
    def unhandled(self) -> None:
        do()
        raise script.Unhandled

    @cherrypy.expose
    @cherrypy.config(**{"response.stream": True})
    def stream(self) -> Iterator[bytes]:
        do()
        cherrypy.response.headers["Content-Type"] = "text/plain"

        def chunks() -> Iterator[bytes]:
            yield b"one\n"
            yield b"two\n"
            yield do(header=script.LATE)

        return chunks()

    @cherrypy.expose
    def file(self) -> Any:
        do()
        return serve_file(str(FILE), "text/markdown")

    @cherrypy.expose
    def background(self) -> bytes:
        request = cherrypy.serving.request
        own, text, form = (
            cherrypy.serving.session,
            request.headers.get(script.LATE),
            request.headers.get(script.FORM),
        )
        named = {"request": request, "raw": request.wsgi_environ, "framework": lambda: own}
        request.hooks.attach("on_end_request", lambda: script.note(text, form, **named))
        return answer()

    @cherrypy.expose
    @adapter["require_session_api"]
    def api(self) -> bytes:
        return answer()

    @cherrypy.expose
    @adapter["require_session_page"]
    def page(self, *rest: str, **query: str) -> bytes:
        return answer()

    @cherrypy.expose
    def after_login(self, returnTo: Any = ()) -> None:
        values = returnTo if isinstance(returnTo, list) else [returnTo]
        cherrypy.response.status = 302
        cherrypy.response.headers["Location"] = script.return_to(values)


def serve(listening: socket.socket) -> None:
    cherrypy.config.update({"environment": "embedded"})
    app = cherrypy.Application(Root(), config={"/": {"request.error_response": on_error}})
    adapter["setup"](app, make_store())
    serve_wsgi(app, listening)


APP = App(
    serve=serve,
    gaps={"async": "CherryPy is synchronous", "websocket": "CherryPy has no websockets of its own"},
    dropped="_csrf_token",
    versions=("cherrypy", "waitress"),
    pages=(PAGE,),
)
