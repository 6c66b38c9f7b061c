"""The reference app over raw ASGI: no framework, the gateway of the core."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import parse_qs

from contract import script
from contract.setting import FILE, LOGIN_URL, LOGOUT_URL, App, make_store, serve_asgi
from sessionkit import get_session
from sessionkit._frameworks.guards import Refusal, api_refusal, page_refusal
from sessionkit._requests.views import ASGIRequest


def do(scope: Any, header: bytes = b"x-do", perform: Any = script.perform) -> bytes:
    fields = dict(scope["headers"])
    text, form = fields.get(header, b"[]").decode(), fields.get(b"x-form", b"none").decode()
    start = {"type": "http.response.start", "status": 200, "headers": []}
    return (perform(text, form, request=scope, response=start, raw=scope) or "").encode()


async def answer(send: Any, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
    fields = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


JSON = [("Content-Type", "application/json")]
TEXT = [("Content-Type", "text/plain")]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        return await socket_app(scope, receive, send)
    try:
        await route(scope["path"], scope, send)
    except script.HANDLED as error:
        await answer(send, 500, TEXT, script.sorry(error).encode())


async def lifespan(receive: Any, send: Any) -> None:
    for kind in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{kind}.complete"})


async def route(path: str, scope: Any, send: Any) -> None:
    if path in ("/do", "/async/do"):
        await answer(send, 200, JSON, do(scope))
    elif path == "/sync/do":
        await answer(send, 200, JSON, await asyncio.to_thread(do, scope))
    elif path == "/public":
        await answer(
            send,
            200,
            [*JSON, ("Cache-Control", "public, max-age=600"), ("CDN-Cache-Control", "max-age=600")],
            do(scope),
        )
    elif path == "/thread":
        await answer(send, 200, JSON, do(scope, perform=script.in_thread))
    elif path == "/redirect":
        do(scope)
        await answer(send, 302, [("Location", "/do")])
    elif path == "/not-modified":
        do(scope)
        await answer(send, 304, [("ETag", '"1"')])
    elif path == "/missing":
        do(scope)
        await answer(send, 404, TEXT, b"missing")
    elif path == "/handled":
        do(scope)
        raise script.Handled
    elif path == "/unhandled":
        do(scope)
        raise script.Unhandled
    elif path == "/stream":
        do(scope)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/plain")],
            }
        )
        await send({"type": "http.response.body", "body": b"one\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"two\n", "more_body": True})
        await send({"type": "http.response.body", "body": do(scope, b"x-late")})
    elif path == "/file":
        do(scope)
        await answer(send, 200, [("Content-Type", "text/markdown")], FILE.read_bytes())
    elif path == "/background":
        await answer(send, 200, JSON, do(scope))
        do(scope, b"x-late", script.note)
    elif path == "/api":
        await (
            refuse(send, api_refusal())
            if get_session(scope) is None
            else answer(send, 200, JSON, do(scope))
        )
    elif path == "/page" or path.startswith("/page/"):
        if get_session(scope) is None:
            await refuse(send, page_refusal(ASGIRequest(scope), LOGIN_URL, logout_url=LOGOUT_URL))
        else:
            await answer(send, 200, JSON, do(scope))
    elif path == "/after-login":
        values = parse_qs(scope["query_string"].decode(), keep_blank_values=True).get(
            "returnTo", []
        )
        await answer(send, 302, [("Location", script.return_to(values))])
    else:
        await answer(send, 404, TEXT, b"not here")


async def refuse(send: Any, refusal: Refusal) -> None:
    await answer(send, refusal.status, list(refusal.headers), refusal.body)


async def socket_app(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    first = do(scope).decode()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": first})
    form = dict(scope["headers"]).get(b"x-form", b"none").decode()
    while (message := await receive())["type"] == "websocket.receive":
        await send(
            {
                "type": "websocket.send",
                "text": await script.perform_on_socket(
                    message["text"], form, request=scope, raw=scope
                ),
            }
        )


def serve(listening: socket.socket) -> None:
    serve_asgi(make_store(awaits=True).asgi(app), listening)


APP = App(
    serve=serve,
    gaps={
        "framework": "raw ASGI has no session object of its own",
        "dropped": "raw ASGI has no session object of its own",
        "page": "its page runs with the documentation",
    },
    versions=("uvicorn",),
)
