"""Flask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import flask
from flask import Flask, Response, abort, make_response, redirect, request, session

from contract import script
from contract.setting import FILE, App, make_store, serve_wsgi
from sessionkit_flask import SessionKit, require_session_api, require_session_page

app = Flask(__name__)
SessionKit(app, store=make_store())
app.config["SECRET_KEY"] = "flask's own"  # nothing of ours uses it


def do(
    perform: Any = script.perform, header: str = script.DO, response: Response | None = None
) -> str:
    named = {
        "request": request,
        "response": response,
        "raw": request.environ,
        "framework": lambda: session,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named)


def answer(perform: Any = script.perform) -> Response:
    response = make_response("", 200, {"Content-Type": "application/json"})
    response.set_data(do(perform, response=response))
    return response


@app.route("/do", methods=["GET", "POST"])
@app.route("/sync/do", methods=["GET", "POST"])
def plain() -> Response:
    return answer()


@app.route("/async/do", methods=["GET", "POST"])
async def coroutine() -> Response:
    return answer()


@app.route("/public", methods=["GET", "POST"])
def public() -> Response:
    response = answer()
    response.headers["Cache-Control"] = "public, max-age=600"
    response.headers["CDN-Cache-Control"] = "max-age=600"
    return response


@app.route("/thread", methods=["GET", "POST"])
def thread() -> Response:
    # flask.request and flask.session are bound to the thread that serves them: their objects are handed over
    own = session._get_current_object()  # type: ignore[attr-defined]
    this = request._get_current_object()  # type: ignore[attr-defined]
    response = make_response("", 200, {"Content-Type": "application/json"})
    named = {
        "request": this,
        "response": response,
        "raw": this.environ,
        "framework": lambda: own,
    }
    response.set_data(
        script.in_thread(this.headers.get(script.DO), this.headers.get(script.FORM), **named)
    )
    return response


@app.route("/redirect", methods=["GET", "POST"])
def redirected() -> Any:
    do(response=make_response(""))
    return redirect("/do")


@app.route("/not-modified", methods=["GET", "POST"])
def not_modified() -> Response:
    do(response=make_response(""))
    response = Response(status=304)
    response.set_etag("1")
    return response


@app.route("/missing", methods=["GET", "POST"])
def missing() -> Any:
    do(response=make_response(""))
    abort(404)


@app.route("/handled", methods=["GET", "POST"])
def handled() -> Any:
    do(response=make_response(""))
    raise script.Handled


@app.errorhandler(script.HANDLED[0])
@app.errorhandler(script.HANDLED[1])
def on_handled(error: Exception) -> Any:
    return script.sorry(error), 500, {"Content-Type": "text/plain"}


@app.errorhandler(500)
def on_500(error: Any) -> Any:
    """Answer what is raised after the view, when the session is saved."""
    original = error.original_exception
    return on_handled(original) if isinstance(original, script.HANDLED) else error


@app.route("/unhandled", methods=["GET", "POST"])
def unhandled() -> Any:
    do(response=make_response(""))
    raise script.Unhandled


@app.route("/stream", methods=["GET", "POST"])
def stream() -> Response:
    do(response=make_response(""))

    @flask.stream_with_context
    def chunks() -> Iterator[str]:
        yield "one\n"
        yield "two\n"
        yield do(header=script.LATE)

    return Response(chunks(), mimetype="text/plain")


@app.route("/file", methods=["GET", "POST"])
def file() -> Response:
    do(response=make_response(""))
    return flask.send_file(FILE)


@app.route("/background", methods=["GET", "POST"])
def background() -> Response:
    response = answer()
    text, form, environ = (
        request.headers.get(script.LATE),
        request.headers.get(script.FORM),
        request.environ,
    )
    own = session._get_current_object()  # type: ignore[attr-defined]
    this = request._get_current_object()  # type: ignore[attr-defined]
    response.call_on_close(
        lambda: script.note(
            text, form, request=this, raw=environ, response=response, framework=lambda: own
        )
    )
    return response


@app.route("/api", methods=["GET", "POST"])
@require_session_api
def api() -> Response:
    return answer()


@app.route("/page", methods=["GET", "POST"])
@app.route("/page/<path:rest>", methods=["GET", "POST"])
@require_session_page
def page(rest: str = "") -> Response:
    return answer()


@app.route("/after-login", methods=["GET", "POST"])
def after_login() -> Any:
    return redirect(script.return_to(request.args.getlist("returnTo")))


def serve(listening: socket.socket) -> None:
    serve_wsgi(app, listening)


APP = App(
    serve=serve,
    gaps={"websocket": "Flask has no websockets"},
    dropped="csrf_token",
    versions=("flask", "werkzeug", "waitress"),
    pages=("docs/how-to/flask.md", "adapters/flask/README.md"),
)
