"""require_session_api and require_session_page, on every kind of view."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory, override_settings
from django.urls import path as route
from django.urls import reverse_lazy
from site_under_test import Methods

from sessionkit_django import SessionMiddleware, require_session_page
from sessionkit_django.testing import AsyncClient, Client

API = ["/api", "/api-async", "/plain", "/awaited"]


def signed_in(client: Any) -> Any:
    session = client.session
    session["user"] = {"sub": "ann"}
    session.save()
    return client


@pytest.mark.parametrize("path", API)
def test_an_api_refuses_with_401_and_json(path):
    answer = Client().get(path)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["error"] == "not_authenticated"


@pytest.mark.parametrize("path", API)
def test_an_api_refuses_under_asgi_too(path):
    assert asyncio.run(AsyncClient().get(path)).status_code == 401


@pytest.mark.parametrize("path", API)
def test_a_signed_in_user_passes(path):
    assert signed_in(Client()).get(path).status_code == 200


@pytest.mark.parametrize("path", API)
def test_a_signed_in_user_passes_under_asgi_too(path):
    assert asyncio.run(signed_in(AsyncClient()).get(path)).status_code == 200


def test_an_anonymous_session_is_no_sign_in():
    client = Client()
    client.get("/put?cart=tea")
    assert client.get("/api").status_code == 401


def test_a_page_redirects_to_the_login_of_ones_own_with_where_to_return_to():
    answer = Client().get("/page?b=2")
    assert (answer.status_code, answer["Location"]) == (302, "/signin?a=1&returnTo=/page%3Fb%3D2")


def test_a_post_returns_to_the_default():
    answer = Client().post("/page")
    assert (answer.status_code, answer["Location"]) == (303, "/signin?a=1&returnTo=/home")


def test_a_method_may_be_decorated_directly():
    assert Client().get("/methods")["Location"] == "/auth/login?returnTo=/methods"
    assert signed_in(Client()).get("/methods").content == b"got"


def test_an_async_method_may_be_decorated_directly():
    async def served(request):
        return await Methods().post_async(request)

    assert (
        asyncio.run(SessionMiddleware(served)(AsyncRequestFactory().post("/methods"))).status_code
        == 401
    )


lazy = require_session_page(
    login_url=reverse_lazy("enter"), logout_url=reverse_lazy("leave"), default=reverse_lazy("start")
)(lambda request: HttpResponse())
urlpatterns = [route(f"at/{name}", lazy, name=name) for name in ("enter", "leave", "start", "page")]


@override_settings(ROOT_URLCONF=__name__)
def test_the_urls_may_be_lazy():
    client = Client()
    answers = [
        client.get("/at/page"),
        client.post("/at/page"),
        client.get("/at/enter"),
        client.get("/at/leave"),
    ]
    assert [one["Location"] for one in answers] == [
        "/at/enter?returnTo=/at/page",
        *["/at/enter?returnTo=/at/start"] * 3,
    ]


@pytest.mark.parametrize("path", ["//evil.example/%2e%2e", "//evil.example", "/\\evil.example"])
def test_the_return_never_leaves_the_site(path):
    request = RequestFactory().get(
        "/", headers={"host": "evil.example", "x-forwarded-host": "evil.example"}
    )
    request.META["PATH_INFO"] = path
    answer = SessionMiddleware(require_session_page(lambda request: HttpResponse()))(request)
    assert answer["Location"] == "/auth/login?returnTo=/"
