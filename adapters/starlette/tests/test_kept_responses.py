"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from sessionkit import SessionStore
from sessionkit_starlette import SessionMiddleware

SECRET = "kept responses: 0123456789abcdefghijklmnopqrstuvwxyz"
FIELDS = {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

DONE = PlainTextResponse("done", headers=FIELDS)


async def login(request):
    request.session["user"] = {"sub": "ann"}
    return DONE


async def done(request):
    return DONE


app = Starlette(
    routes=[Route("/login", login), Route("/done", done)],
    middleware=[Middleware(SessionMiddleware, store=SessionStore(SECRET))],
)


def ask(app, path):
    answer = TestClient(app, base_url="https://shop.local").get(path)
    return sorted(answer.headers.items()), [
        line.partition("=")[0] for line in answer.headers.get_list("set-cookie")
    ]


def test_the_next_visitor_gets_the_response_as_the_application_made_it():
    before, first, after = ask(app, "/done"), ask(app, "/login"), ask(app, "/done")
    assert ["__Host-session"] == first[1]
    assert ("cache-control", "private, no-store") in first[0]
    assert before == after
    assert {(name.lower(), value) for name, value in FIELDS.items()} <= set(after[0])
