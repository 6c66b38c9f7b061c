"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
import json

import pytest
from sanic import Request, response
from streams import asked, worker

from .visitor import application, browse

pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")


def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not():
    app = application()

    @app.get("/stream")
    async def stream(request: Request) -> None:
        sending = await request.respond(content_type="text/plain")
        await sending.send("[")
        await sending.send(json.dumps(asked()))
        await sending.send(f", {json.dumps(await asyncio.create_task(worker()))}")
        await sending.send(f", {json.dumps(await asyncio.to_thread(asked))}]")

    @app.get("/before")
    async def before(request: Request):
        return response.json(await asyncio.create_task(worker()))

    def walk(client):
        client.get("/login")
        return [json.loads(client.get(path).text) for path in ("/stream", "/before", "/stream")]

    streamed = ["ann", "refused", "ann"]
    assert browse(app, walk) == [streamed, "ann", streamed]
