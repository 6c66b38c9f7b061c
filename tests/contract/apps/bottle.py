"""Bottle."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import bottle
from bottle import Bottle, HTTPResponse, abort, redirect, request, response, static_file

from contract import script
from contract.setting import FILE, App, make_store, serve_wsgi
from sessionkit_bottle import SessionKit, require_session_api, require_session_page

app = Bottle()
SessionKit(app, store=make_store())
BOTH = ["GET", "POST"]


def do(perform: Any = script.perform, header: str = script.DO) -> str:
    named = {
        "request": request,
        "response": response,
        "raw": request.environ,
        "framework": lambda: request.session,
    }
    return perform(request.get_header(header), request.get_header(script.FORM), **named)


def answer() -> str:
    response.content_type = "application/json"
    return do()


@app.route("/do", method=BOTH)
@app.route("/sync/do", method=BOTH)
def plain() -> str:
    return answer()


@app.route("/public", method=BOTH)
def public() -> str:
    response.set_header("Cache-Control", "public, max-age=600")
    response.set_header("CDN-Cache-Control", "max-age=600")
    return answer()


@app.route("/thread", method=BOTH)
def thread() -> str:
    response.content_type = "application/json"
    # bottle.request and bottle.response are bound to the thread that serves them: objects of their kind are handed over
    this, own = bottle.Request(request.environ), request.session
    named = {
        "request": this,
        "response": bottle.Response(),
        "raw": request.environ,
        "framework": lambda: own,
    }
    return script.in_thread(request.get_header(script.DO), request.get_header(script.FORM), **named)


@app.route("/redirect", method=BOTH)
def redirected() -> None:
    do()
    redirect("/do", 302)


@app.route("/not-modified", method=BOTH)
def not_modified() -> HTTPResponse:
    do()
    return HTTPResponse(status=304, ETag='"1"')


@app.route("/missing", method=BOTH)
def missing() -> None:
    do()
    abort(404)


@app.route("/handled", method=BOTH)
def handled() -> None:
    do()
    raise script.Handled


@app.route("/unhandled", method=BOTH)
def unhandled() -> None:
    do()
    raise script.Unhandled


@app.error(500)
def on_error(error: bottle.HTTPError) -> str:
    if not isinstance(error.exception, script.HANDLED):
        return app.default_error_handler(error)
    response.content_type = "text/plain"
    return script.sorry(error.exception)


@app.route("/stream", method=BOTH)
def stream() -> Iterator[str]:
    do()
    response.content_type = "text/plain"
    yield "one\n"
    yield "two\n"
    yield do(header=script.LATE)


@app.route("/file", method=BOTH)
def file() -> HTTPResponse:
    do()
    return static_file(FILE.name, root=str(FILE.parent))


class Afterwards:
    """A body whose `close` works on when the response is out."""

    def __init__(self, body: str) -> None:
        self.body = iter([body])

    def __iter__(self) -> Iterator[str]:
        return self.body

    def close(self) -> None:
        do(script.note, script.LATE)


@app.route("/background", method=BOTH)
def background() -> Afterwards:
    return Afterwards(answer())


@app.route("/api", method=BOTH)
@require_session_api
def api() -> str:
    return answer()


@app.route("/page", method=BOTH)
@app.route("/page/<rest:path>", method=BOTH)
@require_session_page
def page(rest: str = "") -> str:
    return answer()


@app.route("/after-login", method=BOTH)
def after_login() -> HTTPResponse:
    return HTTPResponse(
        status=302, Location=script.return_to(request.query.getall("returnTo"))
    )  # redirect() would make it absolute


def serve(listening: socket.socket) -> None:
    serve_wsgi(app, listening)


APP = App(
    serve=serve,
    gaps={
        "unkept": "Bottle's hooks cannot tell a request that failed from others",
        "websocket": "Bottle has no websockets",
        "async": "Bottle has no coroutine handlers",
    },
    dropped="csrf",
    versions=("bottle", "waitress"),
    pages=("docs/how-to/bottle.md", "adapters/bottle/README.md"),
)
