"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
import json

import pytest
from sanic import Request, response
from streams import asked, worker

from sessionkit import EventKind
from sessionkit_sanic import get_session

from .visitor import EVENTS, application, browse

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


def test_a_late_change_in_a_stream_that_fails_is_reported_at_the_next_request_of_its_connection():
    app = application()

    @app.get("/fails")
    async def fails(request: Request) -> None:
        sending = await request.respond(content_type="text/plain")
        await sending.send("begun")
        get_session()["user"]["late"] = True
        raise LookupError("in the midst of a stream")

    @app.get("/reported")
    async def reported(request: Request):
        return response.text(str([event.kind for event in EVENTS].count(EventKind.LATE_CHANGE)))

    def walk(client):
        client.get("/login")
        assert client.get("/fails").text == "begun"
        assert client.connection.sock is not None
        return client.get("/reported").text

    EVENTS.clear()
    assert browse(app, walk) == "1"
