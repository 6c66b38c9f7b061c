"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Quart, stream_with_context
from streams import COOKIE, STORE, STREAMED, parts

from sessionkit_quart import SessionKit


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
