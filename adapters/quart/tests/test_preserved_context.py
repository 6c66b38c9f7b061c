"""The session in the context that Quart's test client preserves when the request is over."""

from __future__ import annotations

import pytest
from awaited_memory import AwaitedMemory
from quart import Quart, request, session

from sessionkit import (
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit.backends import MemoryBackend
from sessionkit_quart import SessionKit

from .visitor import ANN, SECRET


@pytest.fixture(params=[None, MemoryBackend, AwaitedMemory], ids=["cookies", "memory", "awaited"])
def store(request):
    return SessionStore(SECRET, backend=request.param and request.param())


@pytest.fixture
def app(store):
    app = Quart("preserved")
    SessionKit(app, store=store)
    app.add_url_rule("/login", "login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/visit", "visit", lambda: str(update_session({**ANN, "visits": 1})))
    app.add_url_rule("/unread", "unread", lambda: "nothing was read")
    app.add_url_rule("/logout", "logout", lambda: str(delete_session()))
    return app


async def test_the_verbs_read_it_without_the_request(app, store):
    async with app.test_client() as client:
        await client.get("/login", scheme="https")
        assert get_session() == store.get_session() == session == ANN
        await client.get("/visit", scheme="https")
        assert get_session() == store.get_session() == session == {**ANN, "visits": 1}
        await client.get("/unread", scheme="https")
        assert get_session() == get_session(request) == {**ANN, "visits": 1}
        await client.get("/logout", scheme="https")
        assert get_session() is None


async def test_it_cannot_be_written(app):
    async with app.test_client() as client:
        await client.get("/login", scheme="https")
        with pytest.raises(ResponseStartedError, match="has finished"):
            delete_session()
        assert get_session() == ANN


async def test_without_such_a_client_there_is_none(app, store):
    client = app.test_client()
    await client.get("/login", scheme="https")
    with pytest.raises(NoActiveRequestError):
        get_session()
    async with app.test_request_context("/"):
        assert get_session() is None
