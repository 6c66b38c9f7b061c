"""Handlers with `cache=`: a page that looks at the session is one visitor's, and Litestar's cache does not keep it."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Request, get
from litestar.response import Stream

from sessionkit import get_session
from sessionkit_litestar import require_session_api

from .visitor import client_of

asked: list[str] = []


def who(request: Request[Any, Any, Any]) -> str:
    asked.append("who")
    return str((get_session() or {}).get("user"))


@get("/verb", cache=True)
async def by_verb(request: Request[Any, Any, Any]) -> str:
    return who(request)


@get("/object", cache=60)
async def by_object(request: Request[Any, Any, Any]) -> str:
    asked.append("object")
    return str(request.session.get("user"))


@get("/stream", cache=True)
async def by_stream(request: Request[Any, Any, Any]) -> Stream:
    async def parts() -> Any:
        yield "user: "
        yield who(request)

    return Stream(parts())


@get("/guarded", cache=True, guards=[require_session_api])
async def guarded() -> str:
    asked.append("guarded")
    return "for the signed-in"


@get("/plain", cache=True)
async def plain() -> str:
    asked.append("plain")
    return "for all"


@pytest.fixture
def client():
    asked.clear()
    with client_of(by_verb, by_object, by_stream, guarded, plain) as client:
        yield client


@pytest.mark.parametrize("path", ["/verb", "/object", "/stream"])
def test_a_page_that_looks_at_the_session_is_made_for_each_visitor(client, path):
    client.post("/login")
    assert "ann" in client.get(path).text
    client.cookies.clear()
    assert "ann" not in client.get(path).text


def test_a_guarded_page_is_made_for_each_visitor(client):
    client.post("/login")
    assert [client.get("/guarded").status_code for _ in range(2)] == [200, 200]
    client.cookies.clear()
    assert client.get("/guarded").status_code == 401
    assert asked == ["guarded", "guarded"]


def test_a_page_that_does_not_look_at_it_comes_from_the_cache(client):
    client.post("/login")
    assert [client.get("/plain").text for _ in range(2)] == ["for all", "for all"]
    assert asked == ["plain"]
