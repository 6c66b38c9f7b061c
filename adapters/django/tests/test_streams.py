"""Who finds the session while a response is streamed: the stream, and no task that works for others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from sessionkit import NoActiveRequestError, SessionStore, get_session
from sessionkit.testing import session_cookies

SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"
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
