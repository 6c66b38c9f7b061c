"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Quart, stream_with_context

from sessionkit import NoActiveRequestError, SessionStore, get_session
from sessionkit.testing import session_cookies
from sessionkit_quart import SessionKit

SECRET = "quart tests: 0123456789abcdefghijklmnopqrstuvwxyz"
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


def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not():
    app = Quart(__name__)
    SessionKit(app, store=STORE)

    @app.get("/")
    async def stream() -> Any:
        return stream_with_context(parts)()

    async def ask() -> str:
        answer = await app.test_client().get("/", headers={"Cookie": COOKIE}, scheme="https")
        return await answer.get_data(as_text=True)

    assert asyncio.run(ask()) == STREAMED
