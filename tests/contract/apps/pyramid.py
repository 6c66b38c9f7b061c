"""Pyramid."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPNotFound
from pyramid.request import Request
from pyramid.response import FileResponse, Response

from contract import script
from contract.setting import FILE, App, make_store, serve_wsgi
from sessionkit_pyramid import require_session_api, require_session_page


def do(
    request: Request, response: Any = None, perform: Any = script.perform, header: str = script.DO
) -> str:
    named = {
        "request": request,
        "response": response or request.response,
        "raw": request.environ,
        "framework": lambda: request.session,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named)


def answer(request: Request, perform: Any = script.perform) -> Response:
    response = Response(content_type="application/json", charset="utf-8")
    response.text = do(request, response, perform)
    return response


def plain(request: Request) -> Response:
    return answer(request)


def public(request: Request) -> Response:
    response = answer(request)
    response.headers["Cache-Control"] = "public, max-age=600"
    response.headers["CDN-Cache-Control"] = "max-age=600"
    return response


def thread(request: Request) -> Response:
    return answer(request, script.in_thread)


def redirected(request: Request) -> None:
    do(request)
    raise HTTPFound(location="/do")


def not_modified(request: Request) -> Response:
    do(request)
    return Response(status=304, etag="1")


def missing(request: Request) -> None:
    do(request)
    raise HTTPNotFound


def handled(request: Request) -> None:
    do(request)
    raise script.Handled


def on_handled(error: Exception, request: Request) -> Response:
    return Response(script.sorry(error), status=500, content_type="text/plain")


def unhandled(request: Request) -> None:
    do(request)
    raise script.Unhandled


def stream(request: Request) -> Response:
    do(request)

    def chunks() -> Iterator[bytes]:
        yield b"one\n"
        yield b"two\n"
        yield do(request, header=script.LATE).encode()

    return Response(app_iter=chunks(), content_type="text/plain")


def file(request: Request) -> FileResponse:
    do(request)
    return FileResponse(FILE, request=request)


class Afterwards:
    """A body whose `close` works on when the response is out."""

    def __init__(self, request: Request) -> None:
        self.body = iter([do(request).encode()])
        self.request = request

    def __iter__(self) -> Iterator[bytes]:
        return self.body

    def close(self) -> None:
        do(self.request, None, script.note, script.LATE)


def background(request: Request) -> Response:
    return Response(app_iter=Afterwards(request), content_type="application/json")


@require_session_page
def page(request: Request) -> Response:
    return answer(request)


class Relative(HTTPFound):
    """A redirect whose Location stays relative (WebOb makes it absolute by the Host header)."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        start_response(self.status, [("Location", self.location)])
        return []


def after_login(request: Request) -> HTTPFound:
    return Relative(location=script.return_to(request.GET.getall("returnTo")))


VIEWS = {
    "/do": plain, "/sync/do": plain, "/public": public, "/thread": thread, "/redirect": redirected, "/not-modified": not_modified,
    "/missing": missing, "/handled": handled, "/unhandled": unhandled, "/stream": stream, "/file": file, "/background": background,
    "/page": page, "/page/*rest": page, "/after-login": after_login,
}  # fmt: skip


def make_app() -> Any:
    with Configurator() as config:
        config.include("sessionkit_pyramid")
        config.set_sessionkit_store(make_store())
        for path, view in VIEWS.items():
            config.add_route(path, path)
            config.add_view(view, route_name=path)
        config.add_route("/api", "/api")
        config.add_view(plain, route_name="/api", decorator=require_session_api)
        for error in script.HANDLED:
            config.add_exception_view(on_handled, context=error)
    return config.make_wsgi_app()


def serve(listening: socket.socket) -> None:
    serve_wsgi(make_app(), listening)


APP = App(
    serve=serve,
    gaps={"websocket": "Pyramid has no websockets", "async": "Pyramid has no coroutine views"},
    dropped="_csrft_",
    versions=("pyramid", "webob", "waitress"),
    pages=("docs/how-to/pyramid.md", "adapters/pyramid/README.md"),
)
