"""aiohttp."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from aiohttp import WSMsgType, web

from contract import script
from contract.setting import FILE, App, make_store
from sessionkit_aiohttp import get_session, require_session_api, require_session_page, setup, verbs

JSON, TEXT = "application/json", "text/plain"
routes = web.RouteTableDef()


async def do(
    request: web.Request,
    perform: Any = script.perform,
    *,
    header: str = script.DO,
    text: str | None = None,
    response: Any = None,
) -> str:
    text = request.headers.get(header) if text is None else text
    session = await get_session(request) if "framework" in (text or "") else None
    named = {
        "request": request,
        "response": response or web.Response(),
        "framework": lambda: session,
        "verbs": verbs,
    }
    done = perform(text, request.headers.get(script.FORM), **named)
    return (await done if isawaitable(done) else done) or ""


async def answer(
    request: web.Request, perform: Any = script.perform, **headers: str
) -> web.Response:
    response = web.Response(content_type=JSON, headers=headers)
    response.text = await do(request, perform, response=response)
    return response


def both(path: str) -> Callable[[Any], Any]:
    def add(handler: Any) -> Any:
        return routes.post(path)(routes.get(path)(handler))

    return add


@both("/do")
@both("/async/do")
async def plain(request: web.Request) -> web.Response:
    return await answer(request)


@both("/public")
async def public(request: web.Request) -> web.Response:
    return await answer(
        request, **{"Cache-Control": "public, max-age=600", "CDN-Cache-Control": "max-age=600"}
    )


@both("/thread")
async def thread(request: web.Request) -> web.Response:
    return await answer(request, script.in_thread)


@both("/redirect")
async def redirected(request: web.Request) -> web.Response:
    await do(request)
    raise web.HTTPFound("/do")


@both("/not-modified")
async def not_modified(request: web.Request) -> web.Response:
    await do(request)
    raise web.HTTPNotModified(headers={"ETag": '"1"'})


@both("/missing")
async def missing(request: web.Request) -> web.Response:
    await do(request)
    raise web.HTTPNotFound


@both("/handled")
async def handled(request: web.Request) -> web.Response:
    await do(request)
    raise script.Handled


@web.middleware
async def errors(request: web.Request, handler: Any) -> Any:
    try:
        return await handler(request)
    except script.HANDLED as error:
        return web.Response(status=500, text=script.sorry(error))


@both("/unhandled")
async def unhandled(request: web.Request) -> web.Response:
    await do(request)
    raise script.Unhandled


@both("/stream")
async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": TEXT})
    await do(request, response=response)
    await response.prepare(request)
    await response.write(b"one\n")
    await response.write(b"two\n")
    await response.write((await do(request, header=script.LATE, response=response)).encode())
    return response


@both("/file")
async def file(request: web.Request) -> web.FileResponse:
    await do(request)
    return web.FileResponse(FILE)


@both("/background")
async def background(request: web.Request) -> web.Response:
    response = await answer(request)
    await response.prepare(request)
    await response.write_eof()
    await do(request, script.note, header=script.LATE, response=response)
    return response


@routes.get("/ws")
async def ws(request: web.Request) -> web.WebSocketResponse:
    response = web.WebSocketResponse()
    first = await do(request, response=response)
    await response.prepare(request)
    await response.send_str(first)
    async for message in response:
        if message.type is WSMsgType.TEXT:
            perform = script.perform_on_socket
            done = await do(request, perform, text=message.data, response=response)
            await response.send_str(done)
    return response


@both("/api")
@require_session_api
async def api(request: web.Request) -> web.Response:
    return await answer(request)


@both("/page")
@both("/page/{rest:.*}")
@require_session_page
async def page(request: web.Request) -> web.Response:
    return await answer(request)


@both("/after-login")
async def after_login(request: web.Request) -> web.Response:
    raise web.HTTPFound(script.return_to(request.query.getall("returnTo", [])))


def serve(listening: socket.socket) -> None:
    async def run() -> None:
        app = web.Application(middlewares=[errors])
        app.add_routes(routes)
        setup(app, make_store(awaits=True))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        await asyncio.Event().wait()

    asyncio.run(run())


APP = App(
    serve=serve,
    gaps={
        "unkept": "aiohttp's middlewares have returned when a response starts",
        "raw": "aiohttp has neither environ nor scope under its request",
        "sync": "aiohttp's handlers are coroutine functions",
    },
    dropped="csrf_token",
    versions=("aiohttp",),
    pages=("docs/how-to/aiohttp.md", "adapters/aiohttp/README.md"),
)
