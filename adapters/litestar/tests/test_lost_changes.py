"""What is put in the place of the session after the response has started, or into a request without one, is lost and told."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from litestar import Litestar, MediaType, Request, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.response import Response, Stream
from litestar.testing import RequestFactory, TestClient
from msgspec import Struct

from sessionkit import EventKind, SessionStore
from sessionkit.testing import session_cookies
from sessionkit_litestar import SessionKitBackend, SessionKitConfig

from .visitor import SECRET

ANN = {"user": {"sub": "ann"}, "n": 1}


class Cart(Struct):
    items: list[str]


class Unknown:
    """Nothing that Litestar serialises."""


class Shop:
    def __init__(self) -> None:
        self.told: list[EventKind] = []
        self.store = SessionStore(SECRET, on_event=lambda event: self.told.append(event.kind))
        self.config = SessionKitConfig(store=self.store)

    def client(self, handler: Any) -> TestClient:
        app = Litestar([handler], middleware=[self.config.middleware])
        client = TestClient(app, base_url="https://app.example.org")
        client.cookies.update(session_cookies(self.store, ANN))
        return client


CHANGES: dict[str, Any] = {
    "set_session": lambda connection: connection.set_session({**ANN, "n": 2}),
    "set_session of a model": lambda connection: connection.set_session(Cart(items=["tea"])),
    "set_session of something else": lambda connection: connection.set_session(Unknown()),
    "set_session of a list": lambda connection: connection.set_session([1]),
    "set_session of True": lambda connection: connection.set_session({**ANN, "n": True}),
    "clear_session": lambda connection: connection.clear_session(),
    "scope": lambda connection: connection.scope.update(session={"n": 2}),
    "scope without": lambda connection: connection.scope.pop("session"),
    "in place": lambda connection: connection.session["user"].update(name="Ann"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_a_background_task_is_told(change):
    shop = Shop()

    @get("/")
    async def page(request: Request) -> Response[str]:
        async def later() -> None:
            CHANGES[change](request)

        return Response("ok", media_type=MediaType.TEXT, background=BackgroundTask(later))

    with shop.client(page) as client:
        assert client.get("/").text == "ok"
    assert shop.told == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_a_stream_is_told(change):
    shop = Shop()

    @get("/")
    async def page(request: Request) -> Stream:
        assert request.session["n"] == 1

        async def parts() -> Any:
            yield b"o"
            CHANGES[change](request)
            yield b"k"

        return Stream(parts())

    with shop.client(page) as client:
        assert client.get("/").text == "ok"
    assert shop.told == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_a_websocket_is_accepted_is_told(change):
    shop = Shop()

    @websocket("/")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        CHANGES[change](socket)
        await socket.close()

    with shop.client(socket) as client, client.websocket_connect("wss://app.example.org/"):
        pass
    assert shop.told == [EventKind.LATE_CHANGE]


def test_equal_contents_and_a_change_before_the_response_are_not_told_of():
    shop = Shop()

    @get("/")
    async def page(request: Request) -> Response[str]:
        request.set_session({**request.session, "n": 2})

        async def later() -> None:
            request.set_session(dict(request.session))

        return Response("ok", media_type=MediaType.TEXT, background=BackgroundTask(later))

    with shop.client(page) as client:
        assert "set-cookie" in client.get("/").headers
    assert shop.told == []


@pytest.mark.parametrize("stored", [False, True])
def test_a_change_in_a_request_that_nobody_answers_is_told_unless_it_is_stored(stored):
    shop = Shop()
    backend = SessionKitBackend(shop.config)

    async def visit() -> None:
        request = RequestFactory().get("/", headers={"host": "localhost"})
        session = await backend.load_from_connection(request)
        session["n"] = 1
        if stored:
            message: Any = {"headers": []}
            await backend.store_in_message(session, message, request)
            assert message["headers"] != []

    asyncio.run(visit())
    gc.collect()
    assert shop.told == [EventKind.UNANSWERED] * (not stored)


def test_without_a_middleware_the_cookies_are_read_as_they_came():
    shop = Shop()
    ((name, token),) = session_cookies(shop.store, ANN).items()
    request = RequestFactory().get("/", headers={"cookie": f"{name}={token}; {name}=planted"})
    session = asyncio.run(SessionKitBackend(shop.config).load_from_connection(request))
    assert dict(session) == ANN
