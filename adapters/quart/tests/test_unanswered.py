"""A request context that no response leaves: what was changed in its session is lost, and told."""

from __future__ import annotations

import gc
from inspect import signature

import pytest
from quart import Quart, session, websocket

from sessionkit import EventKind, SessionStore
from sessionkit_quart import SessionKit

SECRET = "quart unanswered: 0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("answered", [False, True])
async def test_a_change_in_a_test_request_context_is_told_unless_a_response_carries_it(answered):
    told: list[EventKind] = []
    app = Quart("shop")
    SessionKit(app, store=SessionStore(SECRET, on_event=lambda event: told.append(event.kind)))

    @app.get("/")
    async def index() -> str:
        return "ok"

    async with app.test_request_context("/", scheme="https") as context:
        session["n"] = 1
        if answered:
            response = await app.make_response("ok")
            # Quart 0.23 takes the context first, and has to have it.
            first = next(iter(signature(app.process_response).parameters))
            given = (context, response) if first == "ctx" else (response,)
            response = await app.process_response(*given)
            assert "__Host-session=" in response.headers["Set-Cookie"]
    del context
    gc.collect()
    assert told == [] if answered else told == [EventKind.UNANSWERED]


async def test_a_change_that_the_acceptance_of_a_websocket_carries_is_not_told_when_it_ends():
    told: list[EventKind] = []
    app = Quart("shop")
    SessionKit(app, store=SessionStore(SECRET, on_event=lambda event: told.append(event.kind)))

    @app.websocket("/ws")
    async def ws() -> None:
        session["n"] = 1
        await websocket.send("saved")

    async with app.test_client().websocket("/ws", scheme="wss") as socket:
        assert await socket.receive() == "saved"
    assert told == []
