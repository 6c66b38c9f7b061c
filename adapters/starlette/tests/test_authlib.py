"""Authlib's OAuth client, against a provider on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.starlette_client import OAuth
from oauth_provider import registered, state_of
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from sessionkit import SessionStore
from sessionkit_starlette import SessionMiddleware


@pytest.fixture
def app() -> Iterator[Starlette]:
    oauth = OAuth()

    def provider_of(request: Request):
        return oauth.create_client(request.query_params.get("at", "site"))

    async def start(request: Request):
        return await provider_of(request).authorize_redirect(
            request, "https://example.org/callback"
        )

    async def callback(request: Request) -> PlainTextResponse:
        token = await provider_of(request).authorize_access_token(request)
        request.session["user"] = {"sub": token["access_token"]}
        return PlainTextResponse("in")

    async def link(request: Request) -> PlainTextResponse:
        return PlainTextResponse(
            (await provider_of(request).authorize_access_token(request))["access_token"]
        )

    async def everything(request: Request) -> JSONResponse:
        return JSONResponse(request.session)

    async def stamp(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.session.stamp.id)

    views = (start, callback, link, everything, stamp)
    store = SessionStore("starlette tests: 0123456789abcdefghijklmnopqrstuvwxyz")
    with registered(oauth, "site", "other"):
        yield Starlette(
            routes=[Route(f"/{view.__name__}", view) for view in views],
            middleware=[Middleware(SessionMiddleware, store=store)],
        )


def client_of(app: Starlette) -> TestClient:
    return TestClient(app, base_url="https://example.org", follow_redirects=False)


def begin(client: TestClient, at: str = "site") -> str:
    return state_of(client.get(f"/start?at={at}").headers["location"])


def test_authlib_signs_in(app):
    client = client_of(app)
    state = begin(client)
    before = client.get("/stamp").text
    assert client.get(f"/callback?state={state}&code=ann").text == "in"
    assert client.get("/everything").json() == {"user": {"sub": "ann"}}
    assert client.get("/stamp").text != before


def test_of_two_sign_ins_in_two_tabs_either_may_end_first(app):
    client = client_of(app)
    site, other = begin(client), begin(client, "other")
    assert client.get(f"/link?state={site}&code=a").text == "a"
    assert client.get(f"/link?at=other&state={other}&code=b").text == "b"
    site, other = begin(client), begin(client, "other")
    assert client.get(f"/callback?at=other&state={other}&code=ann").text == "in"
    assert client.get("/everything").json() == {"user": {"sub": "ann"}}


def test_of_two_sign_ins_at_one_provider_authlib_itself_keeps_the_last(app):
    client = client_of(app)
    first, second = begin(client), begin(client)
    with pytest.raises(MismatchingStateError):
        client.get(f"/link?state={first}&code=a")
    assert client.get(f"/link?state={second}&code=b").text == "b"


def test_a_login_ends_the_sign_ins_that_other_tabs_began(app):
    client = client_of(app)
    site, other = begin(client), begin(client, "other")
    assert client.get(f"/callback?state={site}&code=ann").text == "in"
    with pytest.raises(MismatchingStateError):
        client.get(f"/callback?at=other&state={other}&code=eve")
    assert client.get("/everything").json() == {"user": {"sub": "ann"}}


def test_authlib_refuses_a_state_that_this_visitor_did_not_begin(app):
    state = begin(client_of(app))
    with pytest.raises(MismatchingStateError):
        client_of(app).get(f"/callback?state={state}&code=eve")


def test_sign_ins_that_nobody_finishes_make_room_for_the_next(app):
    client = client_of(app)
    for at in ["site", "other"] * 10:
        state = begin(client, at)
    assert client.get(f"/callback?at=other&state={state}&code=ann").text == "in"
    assert client.get("/everything").json() == {"user": {"sub": "ann"}}
