"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

import asyncio

from quart import Quart, Response, session

from sessionkit import SessionStore
from sessionkit_quart import SessionKit

SECRET = "kept responses: 0123456789abcdefghijklmnopqrstuvwxyz"
FIELDS = {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

app = Quart("kept")
SessionKit(app, store=SessionStore(SECRET))
DONE = Response("done", headers=FIELDS)


@app.get("/login")
async def login():
    session["user"] = {"sub": "ann"}
    return DONE


@app.get("/done")
async def done():
    return DONE


async def ask(path):
    answer = await app.test_client(use_cookies=False).get(path, scheme="https")
    return sorted((name.lower(), value) for name, value in answer.headers.items()), [
        line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")
    ]


def test_the_next_visitor_gets_the_response_as_the_application_made_it():
    async def run():
        return [await ask(path) for path in ("/done", "/login", "/done")]

    before, first, after = asyncio.run(run())
    assert ["__Host-session"] == first[1]
    assert ("cache-control", "private, no-store") in first[0]
    assert before == after
    assert {(name.lower(), value) for name, value in FIELDS.items()} <= set(after[0])
