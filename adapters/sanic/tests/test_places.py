"""An application puts something else in the place of the session."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sanic import response

from sessionkit import (
    CookieSettings,
    EventKind,
    SessionStore,
)
from sessionkit_sanic import SessionKit, create_session, delete_session, get_session

from .visitor import ANN, SECRET, STORE, application, browse


def visit(*handlers: Any, store: SessionStore | None = None) -> list[Any]:
    """Return what each handler in turn has made of the session of somebody who is signed in."""
    app = application(STORE if store is None else store)

    @app.get("/<number:int>")
    async def handle(request, number):
        handlers[number](request)
        return response.json({})

    def walk(client):
        client.get("/login")
        found = []
        for number in range(len(handlers)):
            client.get(f"/{number}")
            found.append(json.loads(client.get("/me").text))
        return found

    return browse(app, walk)


def test_a_dict_in_the_place_of_the_session_replaces_its_contents():
    def put(contents):
        return lambda request: setattr(request.ctx, "session", contents)

    assert visit(put({**ANN, "n": 1}), put({}), put({**ANN, "n": 2})) == [
        {**ANN, "n": 1},
        None,
        {**ANN, "n": 2},
    ]


def test_a_session_of_a_database_in_the_place_of_the_session_is_left_alone():
    def delete(request):
        del request.ctx.session

    assert visit(lambda request: setattr(request.ctx, "session", object()), delete) == [ANN, ANN]


def test_the_session_of_another_extension_keeps_what_the_application_put_there():
    other = SessionStore(SECRET, cookie=CookieSettings(name="__Host-other"))
    app = application(STORE)
    SessionKit(app, store=other)

    @app.get("/put")
    async def put(request):
        request.ctx.session = {"of": "the other"}
        return response.json({})

    @app.get("/show")
    async def show(request):
        return response.json(
            [dict(STORE.get_exchange(request).contents), request.ctx.session.copy()]
        )

    def walk(client):
        client.get("/put")
        return json.loads(client.get("/show").text)

    assert browse(app, walk) == [{}, {"of": "the other"}]


@pytest.mark.parametrize(
    ("put", "told"), [({"late": 1}, [EventKind.LATE_CHANGE]), ({}, [])], ids=["other", "equal"]
)
def test_a_dict_that_is_put_there_too_late_is_reported(put, told):
    heard: list[Any] = []
    app = application(SessionStore(SECRET, on_event=heard.append))

    @app.get("/late")
    async def late(request):
        stream = await request.respond()
        await stream.send("a")
        request.ctx.session = put
        await stream.eof()

    browse(app, lambda client: client.get("/late"))
    assert told == [event.kind for event in heard]


@pytest.mark.parametrize("put", [{}, {"user": {"sub": "bob"}}])
def test_a_verb_after_a_dict_in_the_place_of_the_session_counts(put):
    app = application(SessionStore(SECRET))
    seen: list[Any] = []

    @app.get("/again")
    async def again(request):
        request.ctx.session = dict(put)
        seen.append(dict(get_session() or {}))
        create_session({"user": {"sub": "cyd"}})
        return response.text("")

    @app.get("/out")
    async def out(request):
        request.ctx.session = dict(put)
        delete_session()
        return response.text("")

    @app.get("/seen")
    async def look(request):
        seen.append(dict(request.ctx.session))
        return response.text("")

    paths = ("/again", "/seen", "/out", "/seen")
    browse(app, lambda client: [client.get(path) for path in paths])
    assert seen == [put, {"user": {"sub": "cyd"}}, {}]
