"""Consumers of Channels behind real servers: uvicorn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.test import Client
from django.urls import path
from websockets.sync.client import connect

from sessionkit import ResponseStartedError
from sessionkit_django import asgi


class Who(WebsocketConsumer):
    def connect(self):
        self.accept()
        self.send(str(self.scope["user"]))


class Seat(AsyncWebsocketConsumer):
    async def connect(self):
        self.scope["session"]["seat"] = 7
        await self.accept()
        try:
            self.scope["session"]["late"] = True
        except ResponseStartedError:
            await self.send("refused")


def make_application() -> Any:
    sockets = URLRouter([path("who", Who.as_asgi()), path("seat", Seat.as_asgi())])
    return ProtocolTypeRouter(
        {"http": get_asgi_application(), "websocket": AuthMiddlewareStack(sockets)}
    )


def make_wrapped() -> Any:
    return asgi(make_application())


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, *args: Any, **named: Any) -> None:
        await super().startup(*args, **named)
        self.is_up.set()


@contextmanager
def by_uvicorn(make: Any) -> Iterator[int]:
    config = uvicorn.Config(
        make(), port=0, log_level="error", lifespan="off", ws="websockets-sansio"
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.is_up.wait(10)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def cookie(ann) -> str:
    client = Client()
    client.force_login(ann)
    return "; ".join(f"{one.key}={one.coded_value}" for one in client.cookies.values())


def hear(port: int, url: str, cookie: str) -> tuple[str, list[str]]:
    headers = {"Cookie": cookie}
    with connect(f"ws://127.0.0.1:{port}/{url}", additional_headers=headers) as socket:
        said = socket.recv(timeout=10)
        return said, socket.response.headers.get_all("Set-Cookie")


@pytest.mark.parametrize("make", [make_application, make_wrapped])
def test_uvicorn_serves_a_consumer_that_knows_the_user(cookie, make):
    with by_uvicorn(make) as port:
        assert hear(port, "who", cookie) == ("ann", [])
        assert hear(port, "who", "") == ("AnonymousUser", [])


def test_what_a_consumer_writes_before_it_accepts_is_kept_and_later_it_is_refused(cookie):
    with by_uvicorn(make_wrapped) as port:
        said, lines = hear(port, "seat", cookie)
    assert said == "refused"
    client = Client()
    client.cookies.load(cookie)
    for line in lines:
        client.cookies.load(line)
    assert client.session["seat"] == 7
