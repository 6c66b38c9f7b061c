"""Servers for one request: wsgiref's for WSGI, and the few lines that ASGI needs."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any, ClassVar
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    log: str = ""

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name]

    @property
    def lines(self) -> list[str]:
        return self.values("set-cookie")


class _Handler(SimpleHandler):
    os_environ: ClassVar[dict[str, str]] = {}
    origin_server = True

    def get_stderr(self) -> Any:
        return self.stderr


def environ_of(
    cookies: str = "", *, method: str = "GET", path: str = "/", **more: Any
) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "HTTP_HOST": "app.example.org",
    }
    setup_testing_defaults(environ)
    environ["wsgi.url_scheme"], environ["HTTPS"] = "https", "on"
    if cookies:
        environ["HTTP_COOKIE"] = cookies
    environ.update(more)
    return environ


def serve_wsgi(app: Any, cookies: str = "", **request: Any) -> Answer:
    """What wsgiref's server makes of one request."""
    environ, out, log = environ_of(cookies, **request), BytesIO(), StringIO()
    handler = _Handler(BytesIO(), out, log, environ, multithread=False)
    handler.wsgi_file_wrapper = environ.get("wsgi.file_wrapper", SimpleHandler.wsgi_file_wrapper)
    handler.run(app)
    head, _, body = out.getvalue().partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    return Answer(
        int(first.split()[1]),
        [(name, value) for name, _, value in (one.partition(": ") for one in fields)],
        body,
        log.getvalue(),
    )


def scope_of(
    cookies: str | Iterable[str] = "",
    *,
    type: str = "http",
    method: str = "GET",
    path: str = "/",
    **more: Any,
) -> dict[str, Any]:
    fields = [cookies] if isinstance(cookies, str) else list(cookies)
    headers = [
        (b"host", b"app.example.org"),
        *((b"cookie", one.encode("latin-1")) for one in fields if one),
    ]
    headers += more.pop("headers", [])
    scope = {
        "type": type,
        "path": path,
        "headers": headers,
        "query_string": b"",
        "scheme": "https" if type == "http" else "wss",
        **more,
    }
    if type == "http":
        scope["method"] = method
    return scope


@dataclass
class Wire:
    """What an ASGI application receives, and what it has sent."""

    incoming: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def receive(self) -> dict[str, Any]:
        return self.incoming.pop(0) if self.incoming else {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> Answer:
        start = next(one for one in self.sent if "headers" in one)
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        ]
        return Answer(
            start.get("status", 200), headers, b"".join(one.get("body", b"") for one in self.sent)
        )


def serve_asgi(
    app: Any, cookies: str | Iterable[str] = "", *, wire: Wire | None = None, **request: Any
) -> Wire:
    """One connection, served in an event loop and a context of its own."""
    wire = wire or Wire()
    contextvars.Context().run(
        lambda: asyncio.run(app(scope_of(cookies, **request), wire.receive, wire.send))
    )
    return wire


def answering(
    view: Callable[[], Any], status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> Callable[..., Any]:
    """A WSGI application that calls a view and answers with what it returns."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = repr(view()).encode()
        start_response(f"{status} Status", [("Content-Type", "text/plain"), *headers])
        return [body]

    return app


def answering_async(
    view: Callable[[], Any], status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()
) -> Callable[..., Awaitable[None]]:
    """The same for ASGI."""

    async def app(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        body = repr(view()).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"text/plain"), *headers],
            }
        )
        await send({"type": "http.response.body", "body": body})

    return app
