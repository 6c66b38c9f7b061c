"""quart.session with a store that keeps sessions on the server, awaited or not."""

from __future__ import annotations

import pytest
from awaited_memory import AwaitedMemory
from quart import Quart, session

from sessionkit import BackendError, SessionStore, create_session, get_session, update_session
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_quart import SessionKit

from .visitor import ANN, SECRET


@pytest.fixture(params=["memory", "sqlite", "awaited"])
def store(request, tmp_path) -> SessionStore:
    backend = {
        "memory": MemoryBackend,
        "sqlite": lambda: SQLiteBackend(tmp_path / "sessions.db"),
        "awaited": AwaitedMemory,
    }[request.param]()
    return SessionStore(SECRET, backend=backend)


@pytest.fixture
def app(store) -> Quart:
    app = Quart(__name__)
    SessionKit(app, store=store)
    app.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/all", "/all", lambda: dict(session))
    return app


async def test_session_transaction_reads_and_writes_the_record(app, browser, store):
    await browser.ask("/login")
    async with browser.client.session_transaction(scheme="https") as opened:
        assert opened["user"] == {"sub": "ann"}
        opened["cart"] = {"items": ["tea"]}
    assert await browser.json("/all") == {**ANN, "cart": {"items": ["tea"]}}
    listed = await store.asessions_of(ANN)
    assert [one.contents["cart"] for one in listed] == [{"items": ["tea"]}]


async def test_session_transaction_begins_a_session_on_the_server(browser, store):
    async with browser.client.session_transaction(scheme="https") as opened:
        opened["user"] = {"sub": "ann"}
    assert await browser.json("/all") == ANN
    assert len(await store.asessions_of(ANN)) == 1


async def test_a_late_write_is_dropped_and_the_page_goes_out_as_the_application_made_it(
    app, browser, store
):
    @app.get("/lost")
    async def lost():
        update_session({**get_session(), "n": 1})
        await store.arevoke_user(ANN)
        return "as the application made it"

    await browser.ask("/login")
    answer = await browser.ask("/lost")
    assert (answer.status_code, await answer.get_data(as_text=True)) == (200, "as the application made it")  # fmt: skip
    assert answer.headers.getlist("Set-Cookie") == []
    assert await browser.json("/all") == {}


async def test_a_request_context_reads_the_record(app, browser, store):
    await browser.ask("/login")
    header = {"Cookie": "; ".join(f"{one.name}={one.value}" for one in browser.client.cookie_jar)}
    async with app.test_request_context("/all", headers=header, scheme="https"):
        assert dict(session) == ANN


async def test_the_handler_of_500_answers_when_the_backend_fails(app, browser, store, monkeypatch):
    @app.get("/update")
    async def update():
        update_session({**get_session(), "n": 1})
        return ""

    @app.errorhandler(500)
    async def sorry(error):
        return type(error.original_exception).__name__, 503

    await browser.ask("/login")
    inner = getattr(store.settings.backend, "memory", store.settings.backend)

    def fail(record, version):
        raise BackendError("the session backend is down")

    monkeypatch.setattr(inner, "replace", fail, raising=False)
    answer = await browser.ask("/update")
    assert (answer.status_code, await answer.get_data()) == (503, b"BackendError")
    assert await browser.json("/all") == ANN
