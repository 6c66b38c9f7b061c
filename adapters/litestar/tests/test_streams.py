"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Litestar, get
from litestar.response import Stream
from litestar.testing import TestClient

from sessionkit import NoActiveRequestError, SessionStore, get_session
from sessionkit.testing import session_cookies
from sessionkit_litestar import SessionKitConfig

SECRET = "litestar tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)
COOKIE = "; ".join(
    f"{name}={value}" for name, value in session_cookies(STORE, {"user": {"sub": "ann"}}).items()
)


def asked() -> str:
    try:
        session = get_session()
    except NoActiveRequestError:
        return "refused"
    return session["user"]["sub"] if session else "nobody"


async def worker() -> str:
    """Works for whoever asks; one visitor's stream has started it."""
    return asked()


async def parts() -> Any:
    """What the stream, a worker that it started and a thread of the stream find."""
    yield b"stream: "
    yield asked().encode()
    yield b", worker: " + (await asyncio.create_task(worker())).encode()
    yield b", thread: " + (await asyncio.to_thread(asked)).encode()


STREAMED = "stream: ann, worker: refused, thread: ann"


@get("/")
async def stream() -> Stream:
    return Stream(parts())


def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not():
    app = Litestar([stream], middleware=[SessionKitConfig(store=STORE).middleware])
    with TestClient(app, base_url="https://app.example.org") as client:
        assert client.get("/", headers={"Cookie": COOKIE}).text == STREAMED
