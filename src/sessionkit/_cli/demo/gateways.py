"""The site of the demo behind each of the two gateways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeAlias

from ..._exchange.request import RequestInfo
from ..._requests.views import ASGIRequest, WSGIRequest
from .messages import LARGEST_FORM, Request, Response
from .site import Site

__all__ = ["asgi_app", "wsgi_app"]

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]

DRAINED = 1_048_576
"""The bytes of an oversize form that are read and dropped, so that its sender can read the refusal."""


def wsgi_app(site: Site) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the demo as a WSGI application."""

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = site.respond(
            _make_request(WSGIRequest(environ), environ.get("HTTP_HOST"), _read_form(environ))
        )
        start_response(
            f"{response.status} {HTTPStatus(response.status).phrase}", response.complete()
        )
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]

    with_sessions = site.store.wsgi(handle)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        address = environ.get("REMOTE_ADDR", "")
        with site.journal.open_entry(WSGIRequest(environ), address) as entry:

            def note(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                entry.note_response(int(status[:3]), headers)
                return start_response(status, headers, *rest)

            return with_sessions(environ, note)

    return app


def asgi_app(site: Site) -> Callable[..., Awaitable[None]]:
    """Return the demo as an ASGI application."""

    async def handle(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        request = ASGIRequest(scope)
        response = site.respond(
            _make_request(request, request.header("host"), await _read_body(receive))
        )
        await _send(send, response, head=request.method == "HEAD")

    with_sessions = site.store.asgi(handle)

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        address, _ = scope.get("client") or ("", 0)
        with site.journal.open_entry(ASGIRequest(scope), address) as entry:

            async def note(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    entry.note_response(
                        message["status"],
                        [(name.decode(), value.decode()) for name, value in message["headers"]],
                    )
                await send(message)

            await with_sessions(scope, receive, note)

    return app


def _make_request(request: RequestInfo, host: str | None, body: bytes | None) -> Request:
    return Request(
        method=request.method,
        path=request.path,
        cookie_header=request.cookie_header,
        host=host,
        origin=request.header("origin"),
        fetch_site=request.header("sec-fetch-site"),
        body=body,
    )


def _read_form(environ: dict[str, Any]) -> bytes | None:
    length = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not (length.isascii() and length.isdigit()):
        return None  # wsgiref reads no chunks (RFC 9112 section 7.1)
    digits = length.lstrip("0") or "0"
    left = int(digits) if len(digits) <= len(str(DRAINED)) else DRAINED
    fits, body, stream = left <= LARGEST_FORM, b"", environ["wsgi.input"]
    left = min(left, DRAINED)
    with suppress(OSError):  # a client that sends less, and waits or goes, is refused as well
        while left > 0 and (data := stream.read(min(left, LARGEST_FORM))):
            left -= len(data)
            body = body + data if fits else b""
        return body if fits else None
    return None


async def _read_body(receive: Receive) -> bytes | None:
    body, size, more = b"", 0, True
    while more and size <= DRAINED:
        message = await receive()
        size += len(message.get("body", b""))
        body = body + message.get("body", b"") if size <= LARGEST_FORM else b""
        more = message.get("more_body", False)
    return body if size <= LARGEST_FORM else None


async def _send(send: Send, response: Response, *, head: bool) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.complete()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
