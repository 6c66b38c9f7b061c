"""What Quart shares with Flask: values that JSON has not, messages after the request, the secret key of a subclass."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timezone

import pytest
from markupsafe import Markup
from quart import Quart, flash, get_flashed_messages, session, websocket

from sessionkit import (
    ResponseStartedError,
    SerializationError,
    SessionStore,
    create_session,
    get_session,
)
from sessionkit_quart import SessionKit

SECRET = "quart values: 0123456789abcdefghijklmnopqrstuvwxyz"
VALUES = {
    "tuple": (1, "two"),
    "bytes": b"\x00\xff",
    "uuid": uuid.UUID("12345678123456781234567812345678"),
    "datetime": datetime(2026, 2, 1, 12, 30, tzinfo=timezone.utc),
    "markup": Markup("<b>done</b>"),
    "nested": {"a": [(b"1", Markup("2"))]},
}


class Site:
    """An application whose one page runs what it is given."""

    def __init__(self, kind=Quart, **named):
        self.app = app = kind("family")
        app.testing = True
        SessionKit(app, **named)
        self.found = []

        @app.get("/")
        async def page():
            self.found.append(await self.view())
            return "ok"

        self.client = app.test_client()

    async def get(self, view):
        self.view = view
        return await self.client.get("/", scheme="https")

    def gives(self, *views):
        async def run():
            return [await self.get(view) for view in views]

        return asyncio.run(run())


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_what_it_was_and_counts_as_unchanged(name):
    site, value = Site(store=SessionStore(SECRET)), VALUES[name]

    async def put():
        create_session({"user": {"sub": "ann"}, "value": value})

    async def read():
        return [session["value"], get_session()["value"], session.modified]

    answers = site.gives(put, read)
    assert [value, value, False] == site.found[-1]
    assert type(value) is type(site.found[-1][0])
    assert [] == answers[1].headers.getlist("Set-Cookie")


def test_what_is_of_no_known_kind_is_refused_with_its_path():
    async def verb():
        with pytest.raises(
            SerializationError, match=r'session\["x"\]\[0\]\[0\]: object is not JSON'
        ):
            create_session({"user": {"sub": "ann"}, "x": [(object(),)]})

    async def put():
        session["x"] = [(object(),)]

    first, second = Site(store=SessionStore(SECRET)).gives(verb, put)
    assert (200, 500) == (first.status_code, second.status_code)


def test_flashed_markup_is_markup_on_the_next_page():
    async def say():
        await flash(Markup("<b>done</b>"), "info")

    async def show():
        return get_flashed_messages(with_categories=True)

    site = Site(store=SessionStore(SECRET))
    site.gives(say, show)
    assert [("info", Markup("<b>done</b>"))] == site.found[-1]
    assert type(site.found[-1][0][1]) is Markup


class ByAttribute(Quart):
    secret_key = SECRET


class ByProperty(Quart):
    @property
    def secret_key(self):
        return SECRET


@pytest.mark.parametrize("kind", [ByAttribute, ByProperty])
def test_the_secret_key_of_a_subclass_seals_and_opens(kind):
    async def put():
        session["x"] = 1

    async def read():
        return session.get("x")

    site = Site(kind)
    site.gives(put, read)
    assert site.found[-1] == 1


def test_flashed_messages_are_read_in_the_context_that_the_test_client_preserves():
    async def say():
        await flash("hello")

    async def run():
        site = Site(store=SessionStore(SECRET))
        async with site.client as client:
            site.view = say
            await client.get("/", scheme="https")
            shown = get_flashed_messages()
            with pytest.raises(ResponseStartedError):
                session["x"] = 1
        return shown

    assert asyncio.run(run()) == ["hello"]


def test_a_write_on_an_open_websocket_raises():
    app = Quart("sockets")
    SessionKit(app, store=SessionStore(SECRET))
    raised = []

    @app.websocket("/ws")
    async def socket():
        await websocket.accept()
        try:
            session["x"] = 1
        except ResponseStartedError as error:
            raised.append(error)
        await websocket.send("done")

    async def run():
        async with app.test_client().websocket("/ws", scheme="wss") as connection:
            return await connection.receive()

    assert asyncio.run(run()) == "done"
    assert len(raised) == 1
