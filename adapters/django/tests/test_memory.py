"""A request is freed as soon as it is over: nothing of it waits for the cyclic garbage collector."""

from __future__ import annotations

import gc
import io
from typing import Any
from weakref import ref

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from sessionkit import SessionStore
from sessionkit.testing import session_cookies

STORE = SessionStore("django tests: 0123456789abcdefghijklmnopqrstuvwxyz")
SEEN: list[Any] = []


def untouched(request: Any) -> HttpResponse:
    SEEN.append(ref(request))
    return HttpResponse("hello")


def read(request: Any) -> HttpResponse:
    SEEN.append(ref(request))
    return HttpResponse(request.session["user"]["sub"])


def written(request: Any) -> HttpResponse:
    SEEN.append(ref(request))
    request.session["seen"] = True
    return HttpResponse("hello")


urlpatterns = [path(view.__name__, view) for view in (untouched, read, written)]


@pytest.mark.parametrize("to", ["untouched", "read", "written"])
def test_a_request_is_freed_without_the_garbage_collector(to: str):
    cookies = session_cookies(STORE, {"user": {"sub": "ann"}})
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": f"/{to}", "SERVER_NAME": "x", "SERVER_PORT": "443", "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(), "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items()),
    }  # fmt: skip
    settings = override_settings(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["sessionkit_django.SessionMiddleware"],
        SESSIONKIT={"store": STORE},
    )
    SEEN.clear()
    gc.collect()
    gc.disable()
    try:
        with settings:
            response = WSGIHandler()(environ, lambda *_: None)
            assert b"".join(response) in (b"hello", b"ann")
            response.close()
            del response
        (request,) = SEEN
        assert request() is None
    finally:
        gc.enable()
