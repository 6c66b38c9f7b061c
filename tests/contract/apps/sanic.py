"""Sanic."""

from __future__ import annotations

import socket
from typing import Any

from sanic import HTTPResponse, Request, Sanic, Websocket, response
from sanic.exceptions import NotFound

import sessionkit_sanic
from contract import script
from contract.setting import FILE, App, make_store
from sessionkit_sanic import SessionKit, require_session_api, require_session_page

JSON, TEXT = "application/json", "text/plain"
BOTH = ("GET", "POST")


def do(
    request: Request, perform: Any = script.perform, *, header: str = script.DO, answer: Any = None
) -> str:
    named = {
        "request": request,
        "response": answer or HTTPResponse(),
        "framework": lambda: request.ctx.session,
        "verbs": sessionkit_sanic,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named) or ""


def answered(request: Request, perform: Any = script.perform, **headers: str) -> HTTPResponse:
    made = HTTPResponse(content_type=JSON, headers=headers)
    made.body = do(request, perform, answer=made).encode()
    return made


def make() -> Sanic:
    app = Sanic("contract")
    SessionKit(app, store=make_store(awaits=True))

    @app.route("/do", methods=(*BOTH, "HEAD"))
    @app.route("/sync/do", methods=BOTH, name="sync")
    def plain(request: Request) -> HTTPResponse:
        return answered(request)

    @app.route("/async/do", methods=BOTH)
    async def coroutine(request: Request) -> HTTPResponse:
        return answered(request)

    @app.route("/public", methods=BOTH)
    async def public(request: Request) -> HTTPResponse:
        return answered(
            request, **{"Cache-Control": "public, max-age=600", "CDN-Cache-Control": "max-age=600"}
        )

    @app.route("/thread", methods=BOTH)
    async def thread(request: Request) -> HTTPResponse:
        return answered(request, script.in_thread)

    @app.route("/redirect", methods=BOTH)
    async def redirected(request: Request) -> HTTPResponse:
        do(request)
        return response.redirect("/do")

    @app.route("/not-modified", methods=BOTH)
    async def not_modified(request: Request) -> HTTPResponse:
        do(request)
        return response.empty(304, {"ETag": '"1"'})

    @app.route("/missing", methods=BOTH)
    async def missing(request: Request) -> HTTPResponse:
        do(request)
        raise NotFound

    @app.route("/handled", methods=BOTH)
    async def handled(request: Request) -> HTTPResponse:
        do(request)
        raise script.Handled

    @app.exception(*script.HANDLED)
    async def on_handled(request: Request, error: Exception) -> HTTPResponse:
        return response.text(script.sorry(error), 500)

    @app.route("/unhandled", methods=BOTH)
    async def unhandled(request: Request) -> HTTPResponse:
        do(request)
        raise script.Unhandled

    @app.route("/stream", methods=BOTH)
    async def stream(request: Request) -> None:
        do(request)
        sending = await request.respond(content_type=TEXT)
        await sending.send("one\n")
        await sending.send("two\n")
        await sending.send(do(request, header=script.LATE, answer=sending))
        await sending.eof()

    @app.route("/file", methods=BOTH)
    async def file(request: Request) -> Any:
        do(request)
        return await response.file_stream(FILE)

    @app.route("/background", methods=BOTH)
    async def background(request: Request) -> None:
        sending = await request.respond(answered(request))
        await sending.eof()
        do(request, script.note, header=script.LATE, answer=sending)

    @app.route("/api", methods=BOTH)
    @require_session_api
    async def api(request: Request) -> HTTPResponse:
        return answered(request)

    @app.route("/page", methods=(*BOTH, "HEAD"))
    @app.route("/page/<rest:path>", methods=(*BOTH, "HEAD"), name="pages")
    @require_session_page
    def page(request: Request, rest: str = "") -> HTTPResponse:
        return answered(request)

    @app.route("/after-login", methods=BOTH)
    async def after_login(request: Request) -> HTTPResponse:
        return response.redirect(
            script.return_to(request.get_args(keep_blank_values=True).getlist("returnTo", []))
        )

    @app.on_request
    async def before_the_handshake(request: Request) -> None:
        if request.path == "/ws":  # the handler runs when the socket is accepted
            request.ctx.first = do(request)

    @app.websocket("/ws")
    async def ws(request: Request, socket: Websocket) -> None:
        await socket.send(request.ctx.first)
        form = request.headers.get(script.FORM)
        async for text in socket:
            named = {
                "request": request,
                "framework": lambda: request.ctx.session,
                "verbs": sessionkit_sanic,
            }
            await socket.send(await script.perform_on_socket(text, form, **named))

    return app


def serve(listening: socket.socket) -> None:
    app = make()
    app.config.ACCESS_LOG = False
    app.run(sock=listening, single_process=True, motd=False)


APP = App(
    serve=serve,
    gaps={
        "unkept": "Sanic asks the handlers of exceptions only sometimes when a response has started",
        "raw": "Sanic's own server has neither environ nor scope under its request",
    },
    unprobed=("unkept",),
    dropped="csrf_token",
    versions=("sanic",),
    pages=("docs/how-to/sanic.md", "adapters/sanic/README.md"),
)
