"""Starlette."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from contract import script
from contract.setting import FILE, App, make_store, serve_asgi
from sessionkit_starlette import SessionMiddleware, require_session_api, require_session_page


def do(
    request: Request | WebSocket,
    perform: Any = script.perform,
    header: str = script.DO,
    response: Response | None = None,
) -> str:
    named = {
        "request": request,
        "response": response,
        "raw": request.scope,
        "framework": lambda: request.session,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named)


def answer(request: Request, perform: Any = script.perform, **named: Any) -> Response:
    response = Response(media_type="application/json", **named)
    response.body = do(request, perform, response=response).encode()
    response.headers["content-length"] = str(len(response.body))
    return response


def plain(request: Request) -> Response:
    return answer(request)


async def coroutine(request: Request) -> Response:
    return answer(request)


async def public(request: Request) -> Response:
    return answer(
        request,
        headers={"Cache-Control": "public, max-age=600", "CDN-Cache-Control": "max-age=600"},
    )


def thread(request: Request) -> Response:
    return answer(request, script.in_thread)


async def redirected(request: Request) -> Response:
    response = RedirectResponse("/do", 302)
    do(request, response=response)
    return response


async def not_modified(request: Request) -> Response:
    response = Response(status_code=304, headers={"ETag": '"1"'})
    do(request, response=response)
    return response


async def missing(request: Request) -> Response:
    do(request, response=Response())
    raise HTTPException(404)


async def handled(request: Request) -> Response:
    do(request, response=Response())
    raise script.Handled


async def on_handled(request: Request, error: Exception) -> Response:
    return PlainTextResponse(script.sorry(error), 500)


async def unhandled(request: Request) -> Response:
    do(request, response=Response())
    raise script.Unhandled


async def stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[str]:
        yield "one\n"
        yield "two\n"
        yield do(request, header=script.LATE, response=response)

    response = StreamingResponse(chunks(), media_type="text/plain")
    do(request, response=response)
    return response


async def file(request: Request) -> Response:
    response = FileResponse(FILE)
    do(request, response=response)
    return response


async def background(request: Request) -> Response:
    response = answer(request)
    response.background = BackgroundTask(do, request, script.note, script.LATE, response)
    return response


@require_session_api
async def api(request: Request) -> Response:
    return answer(request)


@require_session_page
def page(request: Request) -> Response:
    return answer(request)


async def after_login(request: Request) -> Response:
    return RedirectResponse(script.return_to(request.query_params.getlist("returnTo")), 302)


async def websocket(socket: WebSocket) -> None:
    first = do(socket)
    await socket.accept()
    await socket.send_text(first)
    form = socket.headers.get(script.FORM)
    async for text in socket.iter_text():
        await socket.send_text(
            await script.perform_on_socket(
                text, form, request=socket, raw=socket.scope, framework=lambda: socket.session
            )
        )


BOTH = ["GET", "POST"]
ROUTES = {
    "/do": coroutine, "/async/do": coroutine, "/sync/do": plain, "/public": public, "/thread": thread, "/redirect": redirected,
    "/not-modified": not_modified, "/missing": missing, "/handled": handled, "/unhandled": unhandled, "/stream": stream, "/file": file,
    "/background": background, "/api": api, "/page": page, "/page/{rest:path}": page, "/after-login": after_login,
}  # fmt: skip

app = Starlette(
    routes=[
        *(Route(path, endpoint, methods=BOTH) for path, endpoint in ROUTES.items()),
        WebSocketRoute("/ws", websocket),
    ],
    middleware=[Middleware(SessionMiddleware, store=make_store(awaits=True))],
    exception_handlers=dict.fromkeys(script.HANDLED, on_handled),
)


def serve(listening: socket.socket) -> None:
    serve_asgi(app, listening)


APP = App(
    serve=serve,
    gaps={"unkept": "Starlette's handlers of exceptions have returned when a response starts"},
    dropped="csrf_token",
    versions=("starlette", "uvicorn"),
    pages=("docs/how-to/starlette.md", "adapters/starlette/README.md"),
)
