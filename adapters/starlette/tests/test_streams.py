"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streams import COOKIE, STORE, STREAMED, asked, parts

from sessionkit import get_session, update_session
from sessionkit_starlette import SessionMiddleware


class Between(BaseHTTPMiddleware):
    """It runs what is inside in a task of its own, and sends the answer itself."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        return await call_next(request)


OURS, BETWEEN = Middleware(SessionMiddleware, store=STORE), Middleware(Between)


def ask(endpoint: Any, *middleware: Middleware, **named: Any) -> str:
    app = Starlette(routes=[Route("/", endpoint)], middleware=middleware or [OURS], **named)
    client = TestClient(app, base_url="https://app.example.org", raise_server_exceptions=False)
    return client.get("/", headers={"Cookie": COOKIE}).text


@pytest.mark.parametrize(
    "middleware", [[OURS], [OURS, BETWEEN], [BETWEEN, OURS], [OURS, BETWEEN, BETWEEN]]
)
def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not(middleware):
    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(parts())

    assert ask(stream, *middleware) == STREAMED


def test_a_plain_generator_finds_it_in_its_threads():
    def plain() -> Any:
        yield b"stream: "
        yield asked().encode()

    def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(plain())

    assert ask(stream) == "stream: ann"


# ---- the page of a failure, which Starlette makes outside of every middleware


async def fails(request: Request) -> PlainTextResponse:
    raise RuntimeError("the handler fails")


async def fails_later(request: Request) -> PlainTextResponse:
    update_session({"user": {"sub": "ann"}, "n": 1})
    raise RuntimeError("the handler fails")


@pytest.mark.parametrize("endpoint", [fails, fails_later])
def test_the_page_of_a_500_knows_who_is_signed_in(endpoint, monkeypatch):
    monkeypatch.setenv("SESSIONKIT_SECRET", "another: 0123456789abcdefghijklmnopqrstuvwxyz")

    async def sorry(request: Request, error: Exception) -> PlainTextResponse:
        session = get_session(request)
        user = session["user"]["sub"] if session else "nobody"
        return PlainTextResponse(f"sorry, {user}; {asked()}; {dict(request.session)['user']}", 500)

    assert ask(endpoint, exception_handlers={500: sorry}) == "sorry, ann; refused; {'sub': 'ann'}"
