"""FastAPI."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Query,
    Request,
    Response,
    WebSocket,
)
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse

from contract import script
from contract.setting import FILE, App, make_store, serve_asgi
from sessionkit_fastapi import SessionMiddleware, require_session_api, require_session_page

app = FastAPI()
app.add_middleware(SessionMiddleware, store=make_store(awaits=True))
BOTH = ["GET", "POST"]


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


@app.api_route("/do", methods=[*BOTH, "HEAD"])
@app.api_route("/async/do", methods=BOTH)
async def coroutine(request: Request) -> Response:
    return answer(request)


@app.api_route("/sync/do", methods=BOTH)
def plain(request: Request) -> Response:
    return answer(request)


@app.api_route("/public", methods=BOTH)
async def public(request: Request) -> Response:
    return answer(
        request,
        headers={"Cache-Control": "public, max-age=600", "CDN-Cache-Control": "max-age=600"},
    )


@app.api_route("/thread", methods=BOTH)
def thread(request: Request) -> Response:
    return answer(request, script.in_thread)


@app.api_route("/redirect", methods=BOTH)
async def redirected(request: Request) -> Response:
    response = RedirectResponse("/do", 302)
    do(request, response=response)
    return response


@app.api_route("/not-modified", methods=BOTH)
async def not_modified(request: Request) -> Response:
    response = Response(status_code=304, headers={"ETag": '"1"'})
    do(request, response=response)
    return response


@app.api_route("/missing", methods=BOTH)
async def missing(request: Request, response: Response) -> None:
    do(request, response=response)
    raise HTTPException(404)


@app.api_route("/handled", methods=BOTH)
async def handled(request: Request, response: Response) -> None:
    do(request, response=response)
    raise script.Handled


@app.exception_handler(script.HANDLED[0])
@app.exception_handler(script.HANDLED[1])
async def on_handled(request: Request, error: Exception) -> Response:
    return PlainTextResponse(script.sorry(error), 500)


@app.api_route("/unhandled", methods=BOTH)
async def unhandled(request: Request, response: Response) -> None:
    do(request, response=response)
    raise script.Unhandled


@app.api_route("/stream", methods=BOTH)
async def stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[str]:
        yield "one\n"
        yield "two\n"
        yield do(request, header=script.LATE, response=response)

    response = StreamingResponse(chunks(), media_type="text/plain")
    do(request, response=response)
    return response


@app.api_route("/file", methods=BOTH)
async def file(request: Request) -> Response:
    response = FileResponse(FILE)
    do(request, response=response)
    return response


@app.api_route("/background", methods=BOTH)
async def background(request: Request, tasks: BackgroundTasks) -> Response:
    response = answer(request)
    tasks.add_task(do, request, script.note, script.LATE, response)
    response.background = tasks
    return response


@app.api_route("/api", methods=BOTH, dependencies=[Depends(require_session_api)])
async def api(request: Request) -> Response:
    return answer(request)


@app.api_route("/page", methods=[*BOTH, "HEAD"], dependencies=[Depends(require_session_page)])
@app.api_route(
    "/page/{rest:path}", methods=[*BOTH, "HEAD"], dependencies=[Depends(require_session_page)]
)
def page(request: Request) -> Response:
    return answer(request)


@app.api_route("/after-login", methods=BOTH)
async def after_login(returnTo: Annotated[list[str] | None, Query()] = None) -> Response:
    return RedirectResponse(script.return_to(returnTo or []), 302)


@app.websocket("/ws")
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


def serve(listening: socket.socket) -> None:
    serve_asgi(app, listening)


APP = App(
    serve=serve,
    gaps={"unkept": "FastAPI's handlers of exceptions have returned when a response starts"},
    dropped="csrf_token",
    versions=("fastapi", "starlette", "pydantic", "uvicorn"),
    pages=("docs/how-to/fastapi.md", "adapters/fastapi/README.md"),
)
