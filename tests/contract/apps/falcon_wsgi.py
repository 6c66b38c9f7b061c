"""Falcon over WSGI."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import falcon

from contract import script
from contract.setting import FILE, App, make_store, serve_wsgi
from sessionkit_falcon import SessionMiddleware, require_session_api, require_session_page

store = make_store()
app = falcon.App(middleware=[SessionMiddleware(store)])


def do(
    req: falcon.Request, resp: Any, perform: Any = script.perform, header: str = script.DO
) -> str:
    named = {
        "request": req,
        "response": resp,
        "raw": req.env,
        "framework": lambda: req.context.session,
    }
    return perform(req.get_header(header), req.get_header(script.FORM), **named)


def answer(req: falcon.Request, resp: falcon.Response, perform: Any = script.perform) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.text = do(req, resp, perform)


class Resource:
    """A resource whose responders all do the same."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        raise NotImplementedError

    def on_post(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        self.on_get(req, resp, **params)

    def on_head(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        self.on_get(req, resp, **params)


class Plain(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer(req, resp)


class Public(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer(req, resp)
        resp.cache_control = ["public", "max-age=600"]
        resp.set_header("CDN-Cache-Control", "max-age=600")


class Thread(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer(req, resp, script.in_thread)


class Redirect(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        raise falcon.HTTPFound("/do")


class NotModified(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        resp.status = falcon.HTTP_304
        resp.etag = "1"


class Missing(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        raise falcon.HTTPNotFound


class Handled(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        raise script.Handled


class Unhandled(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        raise script.Unhandled


def on_handled(req: falcon.Request, resp: falcon.Response, error: Exception, params: Any) -> None:
    resp.status = falcon.HTTP_500
    resp.content_type = "text/plain"
    resp.text = script.sorry(error)


class Stream(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        resp.content_type = "text/plain"
        resp.stream = self.chunks(req, resp)

    def chunks(self, req: falcon.Request, resp: falcon.Response) -> Iterator[bytes]:
        yield b"one\n"
        yield b"two\n"
        yield do(req, resp, header=script.LATE).encode()


class File(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        do(req, resp)
        resp.content_type = "text/markdown"
        resp.set_stream(FILE.open("rb"), FILE.stat().st_size)


class Afterwards:
    """A stream whose `close` works on when the response is out."""

    def __init__(self, text: str, req: falcon.Request, resp: falcon.Response) -> None:
        self.chunks = iter([text.encode()])
        self.req, self.resp = req, resp

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        do(self.req, self.resp, script.note, script.LATE)


class Background(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.stream = Afterwards(do(req, resp), req, resp)


@falcon.before(require_session_api)
class Api(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer(req, resp)


class Page(Resource):
    @falcon.before(require_session_page)
    def on_get(self, req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        answer(req, resp)


class AfterLogin(Resource):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        raise falcon.HTTPFound(script.return_to(req.get_param_as_list("returnTo") or []))


app.add_error_handler(script.HANDLED, on_handled)
for path, resource in {
    "/do": Plain(), "/sync/do": Plain(), "/public": Public(), "/thread": Thread(), "/redirect": Redirect(), "/not-modified": NotModified(),
    "/missing": Missing(), "/handled": Handled(), "/unhandled": Unhandled(), "/stream": Stream(), "/file": File(), "/background": Background(),
    "/api": Api(), "/page": Page(), "/page/{rest:path}": Page(), "/after-login": AfterLogin(),
}.items():  # fmt: skip
    app.add_route(path, resource)


def serve(listening: socket.socket) -> None:
    serve_wsgi(store.wsgi(app), listening)


APP = App(
    serve=serve,
    gaps={
        "websocket": "WSGI has no websockets",
        "async": "WSGI is synchronous, and so are Falcon's responders over it",
    },
    dropped="csrf",
    versions=("falcon", "waitress"),
    pages=("docs/how-to/falcon.md", "adapters/falcon/README.md"),
)
