"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

import pytest
from litestar import Litestar, Request, Response, get
from litestar.response.base import ASGIResponse
from litestar.testing import TestClient

from sessionkit import SessionStore, create_session
from sessionkit_litestar import SessionKitConfig

SECRET = "kept responses: 0123456789abcdefghijklmnopqrstuvwxyz"
FIELDS = {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

MIDDLEWARE = [SessionKitConfig(store=SessionStore(SECRET)).middleware]


def application(kept):
    def login():
        create_session({"user": {"sub": "ann"}})
        return kept

    def done():
        return kept

    for handler in (login, done):
        handler.__annotations__["return"] = type(kept)
    handlers = [get(f"/{one.__name__}", sync_to_thread=False)(one) for one in (login, done)]
    return Litestar(handlers, middleware=MIDDLEWARE)


def ask(app, path):
    answer = TestClient(app, base_url="https://shop.local").get(path)
    return sorted(answer.headers.items()), [
        line.partition("=")[0] for line in answer.headers.get_list("set-cookie")
    ]


@pytest.mark.parametrize(
    "kept", [Response("done", headers=FIELDS), ASGIResponse(body=b"done", headers=FIELDS)]
)
def test_the_next_visitor_gets_the_response_as_the_application_made_it(kept):
    app = application(kept)
    before, first, after = ask(app, "/done"), ask(app, "/login"), ask(app, "/done")
    assert ["__Host-session"] == first[1]
    assert ("cache-control", "private, no-store") in first[0]
    assert before == after
    assert {(name.lower(), value) for name, value in FIELDS.items()} <= set(after[0])


def test_a_page_that_writes_the_session_is_not_kept_in_the_response_cache():
    made = []

    @get("/", cache=True, sync_to_thread=False)
    def page(request: Request) -> Response:
        made.append(request)
        request.session["seen"] = True
        return Response("page", headers=FIELDS)

    app = Litestar([page], middleware=MIDDLEWARE)
    first, second = ask(app, "/"), ask(app, "/")
    assert (["__Host-session"], ["__Host-session"], 2) == (first[1], second[1], len(made))
    assert dict(first[0])["set-cookie"] != dict(second[0])["set-cookie"]
    assert ("cache-control", "private, no-store") in second[0]
