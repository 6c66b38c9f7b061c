"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

from litestar import Litestar, get
from litestar.response import Stream
from litestar.testing import TestClient
from streams import COOKIE, STORE, STREAMED, parts

from sessionkit_litestar import SessionKitConfig


@get("/")
async def stream() -> Stream:
    return Stream(parts())


def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not():
    app = Litestar([stream], middleware=[SessionKitConfig(store=STORE).middleware])
    with TestClient(app, base_url="https://app.example.org") as client:
        assert client.get("/", headers={"Cookie": COOKIE}).text == STREAMED
