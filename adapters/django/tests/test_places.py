"""An application puts something else in the place of the session."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory, override_settings

from sessionkit import (
    EventKind,
    SessionStore,
    create_session,
    delete_session,
    get_session,
)
from sessionkit.testing import read_cookies, session_cookies
from sessionkit_django import SessionMiddleware

NAME = "__Host-session"
SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("put", "kept"),
    [({"n": 1}, {"n": 1}), ({}, {}), (None, {"cart": 1})],
    ids=["contents", "empty", "nothing"],
)
def test_a_dict_in_the_place_of_the_session_replaces_its_contents(put, kept, fails):
    def view(request):
        request.session = put
        return HttpResponse(status=500 if fails else 200)

    store = SessionStore(SECRET)
    with override_settings(SESSIONKIT={"store": store}):
        kit = SessionMiddleware(view)
        browser = RequestFactory()
        browser.cookies.load(session_cookies(store, {"cart": 1}))
        browser.cookies.update(kit(browser.get("/", secure=True)).cookies)
        asked = browser.get("/", secure=True)
        SessionMiddleware(lambda request: HttpResponse())(asked)
        assert dict(asked.session) == ({"cart": 1} if fails and kept else kept)


def test_an_async_view_can_put_a_dict_there_too():
    async def view(request):
        request.session = {"n": 1}
        return HttpResponse()

    request = AsyncRequestFactory().get("/", secure=True)
    response = asyncio.run(SessionMiddleware(view)(request))
    assert list(response.cookies) == [NAME]


def test_a_dict_that_is_put_there_while_the_response_is_streamed_is_reported():
    heard: list[Any] = []

    def view(request):
        def parts():
            yield b"a"
            request.session = {"late": 1}

        request.session["n"] = 1
        return StreamingHttpResponse(parts())

    with override_settings(SESSIONKIT={"store": SessionStore(SECRET, on_event=heard.append)}):
        request = RequestFactory().get("/", secure=True)
        response = SessionMiddleware(view)(request)
        list(response.streaming_content)
        request.close()
    assert [EventKind.LATE_CHANGE] == [event.kind for event in heard]


def test_a_verb_after_a_dict_counts_and_a_later_change_is_reported_inside_a_gateway_too():
    heard: list[Any] = []
    store = SessionStore(SECRET, on_event=heard.append)

    def view(request):
        request.session = given = {"user": {"sub": "bob"}}
        delete_session()
        given["late"] = 1
        return HttpResponse()

    def app(environ, start_response):
        response = SessionMiddleware(view)(WSGIRequest(environ))
        start_response("200 OK", list(response.items()))
        return [b""]

    with override_settings(SESSIONKIT={"store": store}):
        cookies = session_cookies(store, {"user": {"sub": "ann"}})
        environ = RequestFactory()._base_environ(**{"wsgi.url_scheme": "https"})
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        sent: list[Any] = []
        store.wsgi(app)(environ, lambda status, headers, exc_info=None: sent.extend(headers))
    lines = [value for name, value in sent if name == "Set-Cookie"]
    assert read_cookies(store, lines, cookies) is None
    assert [EventKind.DETACHED_CHANGE] == [event.kind for event in heard]


@pytest.mark.parametrize("put", [{}, {"user": {"sub": "bob"}}])
def test_a_verb_after_a_dict_in_the_place_of_the_session_counts(put):
    seen: list[Any] = []

    def again(request):
        request.session = dict(put)
        seen.append(dict(get_session() or {}))
        create_session({"user": {"sub": "cyd"}})
        return HttpResponse()

    def out(request):
        request.session = dict(put)
        delete_session()
        return HttpResponse()

    store = SessionStore(SECRET)
    with override_settings(SESSIONKIT={"store": store}):
        for view, kept in ((again, {"user": {"sub": "cyd"}}), (out, {})):
            browser = RequestFactory()
            browser.cookies.load(session_cookies(store, {"user": {"sub": "ann"}}))
            browser.cookies.update(SessionMiddleware(view)(browser.get("/", secure=True)).cookies)
            asked = browser.get("/", secure=True)
            SessionMiddleware(lambda request: HttpResponse())(asked)
            assert dict(asked.session) == kept
    assert seen == [put]
