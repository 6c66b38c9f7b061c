"""Quart."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import quart
from quart import Quart, Response, abort, make_response, redirect, request, session, websocket

from contract import script
from contract.setting import FILE, App, make_store, serve_asgi
from sessionkit_quart import SessionKit, require_session_api, require_session_page

app = Quart(__name__)
SessionKit(app, store=make_store(awaits=True))
app.config["SECRET_KEY"] = "quart's own"  # nothing of ours uses it
JSON = {"Content-Type": "application/json"}


def do(
    perform: Any = script.perform, header: str = script.DO, response: Response | None = None
) -> str:
    named = {
        "request": request,
        "response": response or Response(""),
        "raw": request.scope,
        "framework": lambda: session,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named)


async def answer(perform: Any = script.perform) -> Response:
    response = await make_response("", 200, JSON)
    response.set_data(do(perform, response=response))
    return response


@app.route("/do", methods=["GET", "POST"])
@app.route("/async/do", methods=["GET", "POST"])
async def coroutine() -> Response:
    return await answer()


@app.route("/sync/do", methods=["GET", "POST"])
def plain() -> Response:
    return Response(do(), 200, JSON)


@app.route("/public", methods=["GET", "POST"])
async def public() -> Response:
    response = await answer()
    response.headers["Cache-Control"] = "public, max-age=600"
    response.headers["CDN-Cache-Control"] = "max-age=600"
    return response


@app.route("/thread", methods=["GET", "POST"])
async def thread() -> Response:
    # quart.request and quart.session are found through the context of the task: their objects are handed over
    own = session._get_current_object()  # type: ignore[attr-defined]
    this = request._get_current_object()  # type: ignore[attr-defined]
    response = await make_response("", 200, JSON)
    named = {
        "request": this,
        "response": response,
        "raw": this.scope,
        "framework": lambda: own,
    }
    response.set_data(
        script.in_thread(this.headers.get(script.DO), this.headers.get(script.FORM), **named)
    )
    return response


@app.route("/redirect", methods=["GET", "POST"])
async def redirected() -> Any:
    do()
    return redirect("/do")


@app.route("/not-modified", methods=["GET", "POST"])
async def not_modified() -> Response:
    do()
    response = Response("", status=304)
    response.set_etag("1")
    return response


@app.route("/missing", methods=["GET", "POST"])
async def missing() -> Any:
    do()
    abort(404)


@app.route("/handled", methods=["GET", "POST"])
async def handled() -> Any:
    do()
    raise script.Handled


@app.errorhandler(script.HANDLED[0])
@app.errorhandler(script.HANDLED[1])
async def on_handled(error: Exception) -> Any:
    return script.sorry(error), 500, {"Content-Type": "text/plain"}


@app.errorhandler(500)
async def on_500(error: Any) -> Any:
    """Answer what is raised after the view, when the session is saved."""
    original = error.original_exception
    return await on_handled(original) if isinstance(original, script.HANDLED) else error


@app.route("/unhandled", methods=["GET", "POST"])
async def unhandled() -> Any:
    do()
    raise script.Unhandled


@app.route("/stream", methods=["GET", "POST"])
async def stream() -> Response:
    do()

    @quart.stream_with_context
    async def chunks() -> AsyncIterator[str]:
        yield "one\n"
        yield "two\n"
        yield do(header=script.LATE)

    return Response(chunks(), mimetype="text/plain")


@app.route("/file", methods=["GET", "POST"])
async def file() -> Response:
    do()
    return await quart.send_file(FILE)


@app.route("/background", methods=["GET", "POST"])
async def background() -> Response:
    text = do()

    @quart.stream_with_context
    async def body() -> AsyncIterator[
        str
    ]:  # app.add_background_task starts at once, and outlives the request
        yield text
        do(script.note, script.LATE)

    return Response(body(), 200, JSON)


@app.route("/api", methods=["GET", "POST"])
@require_session_api
async def api() -> Response:
    return await answer()


@app.route("/page", methods=["GET", "POST"])
@app.route("/page/<path:rest>", methods=["GET", "POST"])
@require_session_page
async def page(rest: str = "") -> Response:
    return await answer()


@app.route("/after-login", methods=["GET", "POST"])
async def after_login() -> Any:
    return redirect(script.return_to(request.args.getlist("returnTo")))


@app.websocket("/ws")
async def ws() -> None:
    form = websocket.headers.get(script.FORM)
    named = {"request": websocket, "raw": websocket.scope, "framework": lambda: session}
    first = script.perform(websocket.headers.get(script.DO), form, **named)
    await websocket.accept()
    await websocket.send(first)
    while True:
        text = await websocket.receive()
        await websocket.send(await script.perform_on_socket(text, form, **named))


def serve(listening: socket.socket) -> None:
    serve_asgi(app, listening)


APP = App(
    serve=serve,
    dropped="csrf_token",
    versions=("quart", "werkzeug", "uvicorn"),
    pages=("docs/how-to/quart.md", "adapters/quart/README.md"),
)
