"""A request inside a request: each is served by its own Cookie header, and the outer one is the current one again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from sessionkit import SessionStore, get_session
from sessionkit.testing import session_cookies

SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)


def header(user: str) -> str:
    cookies = session_cookies(STORE, {"user": {"sub": user}})
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def who(found: Any) -> Any:
    return found["user"]["sub"] if found else None


def meta_of(request: HttpRequest, user: str | None) -> dict[str, Any]:
    meta = {**request.META, "PATH_INFO": "/inner"}
    meta["HTTP_COOKIE"] = header(user) if user else ""
    return meta


def by_client(request: HttpRequest, user: str | None) -> Any:
    headers = {"Cookie": header(user)} if user else {}
    return Client(headers=headers).get("/inner", secure=True).content.decode() or None


def by_handler(request: HttpRequest, user: str | None) -> Any:
    response: Any = WSGIHandler()(meta_of(request, user), lambda *_: print)
    body = b"".join(response).decode()
    response.close()
    return body or None


def by_request(request: HttpRequest, user: str | None) -> Any:
    return who(get_session(WSGIRequest(meta_of(request, user))))


def by_plain_request(request: HttpRequest, user: str | None) -> Any:
    made = HttpRequest()
    made.META = meta_of(request, user)
    return who(get_session(made))


def inner(request: HttpRequest) -> HttpResponse:
    users = {who(request.session), who(get_session()), who(get_session(request))}
    return HttpResponse(", ".join(str(one) for one in users if one))


@pytest.mark.parametrize("user", ["ann", "bob", None])
@pytest.mark.parametrize("ask", [by_client, by_handler, by_request, by_plain_request])
def test_a_request_that_a_view_makes_is_that_of_its_own_cookies(ask, user):
    found: list[Any] = []

    def outer(request: HttpRequest) -> HttpResponse:
        found.append(ask(request, user))
        found.append([who(request.session), who(get_session()), who(get_session(request))])
        return HttpResponse()

    urls = type("urls", (), {"urlpatterns": [path("", outer), path("inner", inner)]})
    settings = {
        "ROOT_URLCONF": urls,
        "ALLOWED_HOSTS": ["*"],
        "MIDDLEWARE": ["sessionkit_django.SessionMiddleware"],
        "SESSIONKIT": {"store": STORE},
    }
    with override_settings(**settings):
        Client(headers={"Cookie": header("ann")}).get("/", secure=True)
    assert found == [user, ["ann", "ann", "ann"]]
