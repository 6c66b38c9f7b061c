"""What is put into `scope["session"]` after the response has started is lost, and told."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from sessionkit import EventKind, SessionStore
from sessionkit.testing import session_cookies
from sessionkit_starlette import SessionMiddleware

SECRET = "starlette tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
VALUES = [{**ANN, "n": 2}, {}, None, [1]]


def put(connection: Any) -> None:
    connection.scope["session"] = connection.app.state.value


async def background(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", background=BackgroundTask(put, request))


async def stream(request: Request) -> StreamingResponse:
    async def parts() -> Any:
        put(request)
        yield b"ok"

    return StreamingResponse(parts())


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    put(websocket)
    await websocket.close()


class Site:
    def __init__(self, value: Any, *, mounted: bool = False) -> None:
        self.told: list[EventKind] = []
        store = SessionStore(SECRET, on_event=lambda event: self.told.append(event.kind))
        routes = [
            Route("/background", background),
            Route("/stream", stream),
            WebSocketRoute("/socket", socket),
        ]
        ours = [Middleware(SessionMiddleware, store=store)]
        app = Starlette(routes=routes, middleware=ours)
        app.state.value = value
        if mounted:
            app = Starlette(routes=[Mount("/inner", app)], middleware=ours)
        self.client = TestClient(
            app, base_url="https://app.example.org", cookies=session_cookies(store, ANN)
        )


@pytest.mark.parametrize("path", ["/background", "/stream"])
@pytest.mark.parametrize("value", VALUES)
def test_in_a_background_task_or_a_stream(value, path):
    site = Site(value)
    assert site.client.get(path).text == "ok"
    assert site.told == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize("value", VALUES)
def test_after_a_websocket_is_accepted(value):
    site = Site(value)
    with site.client.websocket_connect("wss://app.example.org/socket"):
        pass
    assert site.told == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize("value", VALUES)
def test_in_an_application_that_is_mounted_inside_with_the_same_store_it_is_told_once(value):
    site = Site(value, mounted=True)
    assert site.client.get("/inner/background").text == "ok"
    assert site.told == [EventKind.LATE_CHANGE]


def test_an_equal_dict_is_no_change():
    site = Site(dict(ANN))
    assert site.client.get("/background").text == "ok"
    assert site.told == []
