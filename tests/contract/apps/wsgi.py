"""The reference app over raw WSGI: no framework, the gateway of the core."""

from __future__ import annotations

import mimetypes
import socket
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

from contract import script
from contract.setting import FILE, LOGIN_URL, LOGOUT_URL, App, make_store, serve_wsgi
from sessionkit import get_session
from sessionkit._frameworks.guards import Refusal, api_refusal, page_refusal
from sessionkit._requests.views import WSGIRequest

JSON = [("Content-Type", "application/json")]


def do(
    environ: dict[str, Any],
    headers: list[tuple[str, str]],
    header: str = "HTTP_X_DO",
    perform: Any = script.perform,
) -> bytes:
    form = environ.get("HTTP_X_FORM")
    return (
        perform(environ.get(header), form, request=environ, response=headers, raw=environ) or ""
    ).encode()


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    try:
        return route(path, environ, start_response)
    except script.HANDLED as error:
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [script.sorry(error).encode()]


def route(path: str, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    headers = list(JSON)
    if path in ("/do", "/sync/do"):
        body = do(environ, headers)
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
    if path == "/public":
        body = do(environ, headers)
        start_response(
            "200 OK",
            [
                *headers,
                ("Cache-Control", "public, max-age=600"),
                ("CDN-Cache-Control", "max-age=600"),
            ],
        )
        return [body]
    if path == "/thread":
        body = do(environ, headers, perform=script.in_thread)
        start_response("200 OK", headers)
        return [body]
    if path == "/redirect":
        do(environ, headers)
        start_response("302 Found", [("Location", "/do")])
        return [b""]
    if path == "/not-modified":
        do(environ, headers)
        start_response("304 Not Modified", [("ETag", '"1"')])
        return [b""]
    if path == "/missing":
        do(environ, headers)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"missing"]
    if path == "/handled":
        do(environ, headers)
        raise script.Handled
    if path == "/unhandled":
        do(environ, headers)
        raise script.Unhandled
    if path == "/stream":
        do(environ, headers)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return stream(environ, headers)
    if path == "/file":
        do(environ, headers)
        kind = mimetypes.guess_type(FILE.name)[0] or "application/octet-stream"
        start_response(
            "200 OK", [("Content-Type", kind), ("Content-Length", str(FILE.stat().st_size))]
        )
        return environ["wsgi.file_wrapper"](FILE.open("rb"))
    if path == "/background":
        body = do(environ, headers)
        start_response("200 OK", headers)
        return Afterwards(body, environ)
    if path == "/api":
        return (
            refuse(api_refusal(), start_response)
            if get_session(environ) is None
            else guarded(environ, headers, start_response)
        )
    if path == "/page" or path.startswith("/page/"):
        if get_session(environ) is not None:
            return guarded(environ, headers, start_response)
        return refuse(
            page_refusal(WSGIRequest(environ), LOGIN_URL, logout_url=LOGOUT_URL), start_response
        )
    if path == "/after-login":
        values = parse_qs(environ["QUERY_STRING"], keep_blank_values=True).get("returnTo", [])
        start_response("302 Found", [("Location", script.return_to(values))])
        return [b""]
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"not here"]


def guarded(
    environ: dict[str, Any], headers: list[tuple[str, str]], start_response: Any
) -> Iterable[bytes]:
    body = do(environ, headers)
    start_response("200 OK", headers)
    return [body]


def refuse(refusal: Refusal, start_response: Any) -> Iterable[bytes]:
    start_response(f"{refusal.status} Refused", list(refusal.headers))
    return [refusal.body]


def stream(environ: dict[str, Any], headers: list[tuple[str, str]]) -> Iterator[bytes]:
    yield b"one\n"
    yield b"two\n"
    yield do(environ, headers, "HTTP_X_LATE")


class Afterwards:
    """A body whose `close` works on when the response is out."""

    def __init__(self, body: bytes, environ: dict[str, Any]) -> None:
        self.body = iter([body])
        self.environ = environ

    def __iter__(self) -> Iterator[bytes]:
        return self.body

    def close(self) -> None:
        do(self.environ, [], "HTTP_X_LATE", script.note)


def serve(listening: socket.socket) -> None:
    serve_wsgi(make_store().wsgi(app), listening)


APP = App(
    serve=serve,
    gaps={
        "framework": "raw WSGI has no session object of its own",
        "dropped": "raw WSGI has no session object of its own",
        "page": "its page runs with the documentation",
        "async": "WSGI is synchronous",
        "websocket": "WSGI has no websockets",
    },
    versions=("waitress",),
)
