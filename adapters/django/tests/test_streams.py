"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from streams import COOKIE, STORE, STREAMED, parts


async def stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(parts())


urlpatterns = [path("", stream)]


def synchronous(get_response: Any) -> Any:
    """A middleware of the old kind, around which Django moves from tasks to threads and back."""

    def serve(request: Any) -> Any:
        request.seen = True
        return get_response(request)

    return serve


async def ask() -> str:
    sent: list[Any] = []
    scope = {
        "type": "http", "method": "GET", "path": "/", "scheme": "https", "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"app.example.org"), (b"cookie", COOKIE.encode())],
    }  # fmt: skip
    came = [{"type": "http.request", "body": b"", "more_body": False}]
    over: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def receive() -> Any:
        return came.pop() if came else await over

    async def send(message: Any) -> None:
        sent.append(message)

    await ASGIHandler()(scope, receive, send)
    return b"".join(one.get("body", b"") for one in sent).decode()


@pytest.mark.parametrize("outside", [[], [f"{__name__}.synchronous"]])
def test_a_stream_finds_the_session_and_a_worker_that_it_started_does_not(outside):
    settings = {
        "ROOT_URLCONF": __name__,
        "ALLOWED_HOSTS": ["*"],
        "MIDDLEWARE": [*outside, "sessionkit_django.SessionMiddleware"],
        "SESSIONKIT": {"store": STORE},
    }
    with override_settings(**settings):
        assert asyncio.run(ask()) == STREAMED
