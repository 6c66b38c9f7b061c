"""Falcon over ASGI."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import falcon
import falcon.asgi

from contract import script
from contract.setting import FILE, App, make_store, serve_asgi
from sessionkit_falcon import SessionMiddleware, require_session_api, require_session_page

store = make_store(awaits=True)
app = falcon.asgi.App(middleware=[SessionMiddleware(store)])


def do(
    req: falcon.asgi.Request, resp: Any, perform: Any = script.perform, header: str = script.DO
) -> str:
    named = {
        "request": req,
        "response": resp,
        "raw": req.scope,
        "framework": lambda: req.context.session,
    }
    return perform(req.get_header(header), req.get_header(script.FORM), **named)


def answer(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, perform: Any = script.perform
) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.text = do(req, resp, perform)


class Resource:
    """A resource whose responders all do the same."""

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str
    ) -> None:
        raise NotImplementedError

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str
    ) -> None:
        await self.on_get(req, resp, **params)

    async def on_head(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str
    ) -> None:
        await self.on_get(req, resp, **params)


class Plain(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        answer(req, resp)


class Public(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        answer(req, resp)
        resp.cache_control = ["public", "max-age=600"]
        resp.set_header("CDN-Cache-Control", "max-age=600")


class Thread(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        answer(req, resp, script.in_thread)


class Redirect(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        raise falcon.HTTPFound("/do")


class NotModified(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        resp.status = falcon.HTTP_304
        resp.etag = "1"


class Missing(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        raise falcon.HTTPNotFound


class Handled(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        raise script.Handled


class Unhandled(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        raise script.Unhandled


async def on_handled(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: Any
) -> None:
    resp.status = falcon.HTTP_500
    resp.content_type = "text/plain"
    resp.text = script.sorry(error)


class Stream(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        resp.content_type = "text/plain"
        resp.stream = self.chunks(req, resp)

    async def chunks(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response
    ) -> AsyncIterator[bytes]:
        yield b"one\n"
        yield b"two\n"
        yield do(req, resp, header=script.LATE).encode()


class Opened:
    """A file as Falcon reads one over ASGI."""

    def __init__(self) -> None:
        self.file = FILE.open("rb")

    async def read(self, size: int) -> bytes:
        return self.file.read(size)

    async def close(self) -> None:
        self.file.close()


class File(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        do(req, resp)
        resp.content_type = "text/markdown"
        resp.set_stream(Opened(), FILE.stat().st_size)


class Afterwards:
    """A stream whose `close` works on when the response is out. (What `resp.schedule` starts outlives the request.)"""

    def __init__(self, text: str, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.left = text.encode()
        self.req, self.resp = req, resp

    async def read(self, size: int) -> bytes:
        data, self.left = self.left, b""
        return data

    async def close(self) -> None:
        do(self.req, self.resp, script.note, script.LATE)


class Background(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_JSON
        resp.stream = Afterwards(do(req, resp), req, resp)


@falcon.before(require_session_api)
class Api(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        answer(req, resp)


class Page(Resource):
    @falcon.before(require_session_page)
    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str
    ) -> None:
        answer(req, resp)


class AfterLogin(Resource):
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        raise falcon.HTTPFound(script.return_to(req.get_param_as_list("returnTo") or []))


class Socket:
    async def on_websocket(self, req: falcon.asgi.Request, ws: falcon.asgi.WebSocket) -> None:
        first = do(req, None)
        await ws.accept()
        await ws.send_text(first)
        named = {"request": req, "raw": req.scope, "framework": lambda: req.context.session}
        with contextlib.suppress(falcon.WebSocketDisconnected):
            while True:
                await ws.send_text(
                    await script.perform_on_socket(
                        await ws.receive_text(), req.get_header(script.FORM), **named
                    )
                )


app.add_error_handler(script.HANDLED, on_handled)
for path, resource in {
    "/do": Plain(), "/async/do": Plain(), "/public": Public(), "/thread": Thread(), "/redirect": Redirect(), "/not-modified": NotModified(),
    "/missing": Missing(), "/handled": Handled(), "/unhandled": Unhandled(), "/stream": Stream(), "/file": File(), "/background": Background(),
    "/api": Api(), "/page": Page(), "/page/{rest:path}": Page(), "/after-login": AfterLogin(), "/ws": Socket(),
}.items():  # fmt: skip
    app.add_route(path, resource)


def serve(listening: socket.socket) -> None:
    serve_asgi(store.asgi(app), listening)


APP = App(
    serve=serve,
    gaps={"sync": "over ASGI Falcon's responders are coroutine functions"},
    dropped="csrf",
    versions=("falcon", "uvicorn"),
    pages=("docs/how-to/falcon.md", "adapters/falcon/README.md"),
)
