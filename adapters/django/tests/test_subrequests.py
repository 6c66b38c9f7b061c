"""A request that a view makes inside its own: each has its own session, and the view's verbs find the view's again."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.urls import path
from two_visitors import cookie_of, who

from sessionkit import SessionStore, get_session, update_session

SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)


def environ(sub: str, to: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": to, "SCRIPT_NAME": "", "SERVER_NAME": "x", "SERVER_PORT": "443",
        "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(), "HTTP_COOKIE": cookie_of(STORE, sub),
    }  # fmt: skip


def me(request: Any) -> HttpResponse:
    return HttpResponse(who())


def fails(request: Any) -> HttpResponse:
    raise SystemExit


def streams(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(who() for _ in range(2))


def reads_first_in_the_stream(request: Any) -> StreamingHttpResponse:
    def parts() -> Any:
        try:
            yield who()
        finally:
            ENDS.append(who())

    return StreamingHttpResponse(parts())


async def astreams(request: Any) -> StreamingHttpResponse:
    async def parts() -> Any:
        yield who()
        await asyncio.sleep(0)
        yield who()

    return StreamingHttpResponse(parts())


ENDS: list[str] = []


def asks_streams(request: Any) -> HttpResponse:
    found = [b"".join(Client(HTTP_COOKIE=cookie_of(STORE, "bob")).get("/streams", secure=True))]
    for to in ("/streams", "/reads_first_in_the_stream", "/reads_first_in_the_stream"):
        inner = WSGIHandler()(environ("bob", to), lambda *_: None)
        found.append(next(iter(inner)))
        inner.close()
    return HttpResponse(b" ".join([*found, *map(str.encode, [*ENDS, who()])]))


async def awaits_streams(request: Any) -> HttpResponse:
    handler = BaseHandler()
    handler.load_middleware(is_async=True)
    inner = await handler.get_response_async(WSGIRequest(environ("bob", "/astreams")))
    found = [part.decode() async for part in inner]
    return HttpResponse(" ".join([*found, who()]))


def by_handler(request: Any) -> HttpResponse:
    handler = BaseHandler()
    handler.load_middleware()
    inner = handler.get_response(WSGIRequest(environ("bob", "/me")))
    found = [inner.content.decode(), who()]
    inner.close()
    with pytest.raises(SystemExit):
        handler.get_response(WSGIRequest(environ("bob", "/fails")))
    update_session({**(get_session() or {}), "seen": found})
    return HttpResponse(" ".join([*found, who(), request.session["user"]["sub"]]))


def by_client(request: Any) -> HttpResponse:
    inner = Client(HTTP_COOKIE=cookie_of(STORE, "bob")).get("/me", secure=True)
    return HttpResponse(f"{inner.content.decode()} {who()}")


async def awaited(request: Any) -> HttpResponse:
    handler = BaseHandler()
    handler.load_middleware(is_async=True)
    inner = await handler.get_response_async(WSGIRequest(environ("bob", "/me")))
    return HttpResponse(f"{inner.content.decode()} {who()}")


urlpatterns = [
    path(view.__name__, view)
    for view in (
        me,
        fails,
        streams,
        reads_first_in_the_stream,
        astreams,
        asks_streams,
        awaits_streams,
        by_handler,
        by_client,
        awaited,
    )
]

SETTINGS = override_settings(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["sessionkit_django.SessionMiddleware"],
    SESSIONKIT={"store": STORE},
)


def ask(to: str, closes: bool = True) -> str:
    """Ask as a WSGI server does; without `closes`, as one that forgets the response's `close()`."""
    with SETTINGS:
        response = WSGIHandler()(environ("ann", to), lambda *_: None)
        body = b"".join(response).decode()
        if closes:
            response.close()
        return body


def test_the_verbs_of_the_view_find_its_own_session_again():
    assert ask("/by_handler") == "bob ann ann ann"
    assert ask("/by_client") == "bob ann"


@pytest.mark.parametrize(
    ("view", "found"), [("/awaited", "bob ann"), ("/awaits_streams", "bob bob ann")]
)
def test_an_async_view_finds_its_own_session_again(view: str, found: str):
    async def serve() -> str:
        handler = BaseHandler()
        handler.load_middleware(is_async=True)
        response = await handler.get_response_async(WSGIRequest(environ("ann", view)))
        return response.content.decode()

    with SETTINGS:
        assert asyncio.run(serve()) == found


def test_a_stream_inside_finds_its_own_session():
    ENDS.clear()
    assert ask("/asks_streams") == "bobbob bob bob bob bob bob ann"


@pytest.mark.parametrize("closes", [True, False])
def test_a_stream_after_the_request_of_another_visitor_in_the_same_thread_is_its_own(closes: bool):
    answers = [ask(to, closes) for to in ("/me", "/streams", "/by_client", "/streams")]
    assert answers == ["ann", "annann", "bob ann", "annann"]
