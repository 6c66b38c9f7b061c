"""Litestar."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, Request, Response, WebSocket, route, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.response import File, Redirect, Stream

from contract import script
from contract.setting import FILE, App, make_store, serve_asgi
from sessionkit_litestar import SessionKitConfig, require_session_api, require_session_page

BOTH = ["GET", "POST"]
JSON = "application/json"


def do(
    request: Any, perform: Any = script.perform, header: str = script.DO, response: Any = None
) -> str:
    named = {
        "request": request,
        "response": response,
        "raw": request.scope,
        "framework": lambda: request.session,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named)


def answer(request: Request, perform: Any = script.perform, **named: Any) -> Response[Any]:
    response: Response[Any] = Response(b"", media_type=JSON, status_code=200, **named)
    response.content = do(request, perform, response=response).encode()
    return response


@route(["/do", "/async/do"], http_method=[*BOTH, "HEAD"])
async def coroutine(request: Request) -> Response[Any]:
    return answer(request)


@route("/sync/do", http_method=BOTH, sync_to_thread=True)
def plain(request: Request) -> Response[Any]:
    return answer(request)


@route("/public", http_method=BOTH)
async def public(request: Request) -> Response[Any]:
    return answer(
        request,
        headers={"Cache-Control": "public, max-age=600", "CDN-Cache-Control": "max-age=600"},
    )


@route("/thread", http_method=BOTH, sync_to_thread=True)
def thread(request: Request) -> Response[Any]:
    return answer(request, script.in_thread)


@route("/redirect", http_method=BOTH, status_code=302)
async def redirected(request: Request) -> Redirect:
    response = Redirect("/do", status_code=302)
    do(request, response=response)
    return response


@route("/not-modified", http_method=BOTH, status_code=304)
async def not_modified(request: Request) -> Response[None]:
    response = Response(None, status_code=304, headers={"ETag": '"1"'})
    do(request, response=response)
    return response


@route("/missing", http_method=BOTH)
async def missing(request: Request) -> None:
    do(request, response=Response(None))
    raise NotFoundException


@route("/handled", http_method=BOTH)
async def handled(request: Request) -> None:
    do(request, response=Response(None))
    raise script.Handled


def on_handled(request: Request, error: Exception) -> Response[str]:
    return Response(script.sorry(error), status_code=500, media_type="text/plain")


@route("/unhandled", http_method=BOTH)
async def unhandled(request: Request) -> None:
    do(request, response=Response(None))
    raise script.Unhandled


@route("/stream", http_method=BOTH, status_code=200)
async def stream(request: Request) -> Stream:
    async def chunks() -> AsyncIterator[str]:
        yield "one\n"
        yield "two\n"
        yield do(request, header=script.LATE, response=response)

    response = Stream(chunks, media_type="text/plain")
    do(request, response=response)
    return response


@route("/file", http_method=BOTH, status_code=200)
async def file(request: Request) -> File:
    response = File(FILE)
    do(request, response=response)
    return response


@route("/background", http_method=BOTH)
async def background(request: Request) -> Response[Any]:
    response = answer(request)
    response.background = BackgroundTask(do, request, script.note, script.LATE, response)
    return response


@route("/api", http_method=BOTH, guards=[require_session_api])
async def api(request: Request) -> Response[Any]:
    return answer(request)


@route(["/page", "/page/{rest:path}"], http_method=[*BOTH, "HEAD"], guards=[require_session_page])
async def page(request: Request) -> Response[Any]:
    return answer(request)


@route("/after-login", http_method=BOTH, status_code=302)
async def after_login(request: Request) -> Redirect:
    return Redirect(script.return_to(request.query_params.getall("returnTo", [])), status_code=302)


@websocket("/ws")
async def ws(socket: WebSocket) -> None:
    first = do(socket)
    await socket.accept()
    await socket.send_text(first)
    form = socket.headers.get(script.FORM)
    async for text in socket.iter_data():
        await socket.send_text(
            await script.perform_on_socket(
                text, form, request=socket, raw=socket.scope, framework=lambda: socket.session
            )
        )


app = Litestar(
    [
        coroutine, plain, public, thread, redirected, not_modified, missing, handled, unhandled, stream, file, background, api, page,
        after_login, ws,
    ],
    middleware=[SessionKitConfig(store=make_store(awaits=True)).middleware],
    exception_handlers=dict.fromkeys(script.HANDLED, on_handled),
)  # fmt: skip


def serve(listening: socket.socket) -> None:
    serve_asgi(app, listening)


APP = App(
    serve=serve,
    gaps={"unkept": "Litestar's handlers of exceptions have returned when a response starts"},
    dropped="csrf_token",
    versions=("litestar", "msgspec", "uvicorn"),
    pages=("docs/how-to/litestar.md", "adapters/litestar/README.md"),
)
