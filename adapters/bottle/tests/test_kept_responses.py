"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

import bottle
import pytest
from werkzeug.test import Client

from sessionkit import SessionStore, create_session
from sessionkit_bottle import SessionKit

SECRET = "kept responses: 0123456789abcdefghijklmnopqrstuvwxyz"
FIELDS = {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

app = bottle.Bottle()
SessionKit(app, store=SessionStore(SECRET))
DONE = bottle.HTTPResponse("done", 200, FIELDS)


@app.get("/login")
def login():
    create_session({"user": {"sub": "ann"}})
    return DONE


@app.get("/raised")
def raised():
    create_session({"user": {"sub": "ann"}})
    raise DONE


@app.get("/done")
def done():
    return DONE


def ask(app, path):
    answer = Client(app, use_cookies=False).get(path, base_url="https://shop.local")
    return sorted(answer.headers.items()), [
        line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")
    ]


@pytest.mark.parametrize("path", ["/login", "/raised"])
def test_the_next_visitor_gets_the_response_as_the_application_made_it(path):
    before, first, after = ask(app, "/done"), ask(app, path), ask(app, "/done")
    assert ["__Host-session"] == first[1]
    assert ("Cache-Control", "private, no-store") in first[0]
    assert before == after
    assert set(FIELDS.items()) <= set(after[0])
