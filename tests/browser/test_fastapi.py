"""FastAPI under uvicorn, in real browsers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import parse_qs

import pytest
import uvicorn
from engines import PATIENCE
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from walk import SECRET, Clock, Gate, Sent, Walk, page

from sessionkit import SessionStore, create_session, delete_session, update_session
from sessionkit_fastapi import CurrentSession, OptionalSession, SessionMiddleware


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, without the package that FastAPI parses larger ones with."""
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


Form = Annotated[dict[str, str], Depends(form)]


def make_app(store: SessionStore, gate: Gate) -> FastAPI:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, store=store)

    @app.get("/")
    async def index(session: OptionalSession) -> Any:
        return HTMLResponse(page(session))

    @app.post("/login")
    async def login(form: Form) -> Any:
        create_session({"user": {"sub": form["name"]}})
        return RedirectResponse("/", 303)

    @app.post("/write")
    async def write(session: CurrentSession, form: Form) -> Any:
        update_session({**session, "note": form["note"]})
        return RedirectResponse("/", 303)

    @app.post("/logout")
    async def logout() -> Any:
        delete_session()
        return RedirectResponse("/", 303)

    @app.get("/slow")
    async def slow(request: Request, session: CurrentSession) -> Any:
        await asyncio.to_thread(gate.passed)
        return PlainTextResponse(str(update_session(request, {**session, "late": True})))

    return app


@pytest.fixture
def url(clock: Clock, gate: Gate, sent: Sent) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            sent.asgi(make_app(SessionStore(SECRET, clock=clock), gate)),
            log_level="warning",
            timeout_graceful_shutdown=PATIENCE,
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    gate.open()
    server.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


class TestFastAPI(Walk): ...
