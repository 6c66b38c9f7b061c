"""A response that the application keeps and sends again carries the session of nobody but its visitor."""

from __future__ import annotations

from flask import Flask, Response, flash, get_flashed_messages, session
from flask_caching import Cache
from werkzeug.test import Client

from sessionkit import SessionStore
from sessionkit_flask import SessionKit

SECRET = "kept responses: 0123456789abcdefghijklmnopqrstuvwxyz"
FIELDS = {"Cache-Control": "public, max-age=60", "Vary": "Accept"}

app = Flask("kept")
SessionKit(app, store=SessionStore(SECRET))
DONE = Response("done", headers=FIELDS)


@app.get("/login")
def login():
    session["user"] = {"sub": "ann"}
    return DONE


@app.get("/done")
def done():
    return DONE


def ask(app, path):
    answer = Client(app, use_cookies=False).get(path, base_url="https://shop.local")
    return sorted(answer.headers.items()), [
        line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")
    ]


def test_the_next_visitor_gets_the_response_as_the_application_made_it():
    before, first, after = ask(app, "/done"), ask(app, "/login"), ask(app, "/done")
    assert ["__Host-session"] == first[1]
    assert ("Cache-Control", "private, no-store") in first[0]
    assert before == after
    assert set(FIELDS.items()) <= set(after[0])


def test_a_page_in_a_cache_holds_nobodys_cookie():
    cached = Flask("cached")
    SessionKit(cached, store=SessionStore(SECRET))
    cache = Cache(cached, config={"CACHE_TYPE": "SimpleCache"})  # it pickles the response

    @cached.get("/")
    @cache.cached()
    def page():
        session["seen"] = True
        flash("welcome")
        return Response(",".join(get_flashed_messages()), headers=FIELDS)

    first, second = ask(cached, "/"), ask(cached, "/")
    assert (["__Host-session"], []) == (first[1], second[1])
    assert set(FIELDS.items()) <= set(second[0])
