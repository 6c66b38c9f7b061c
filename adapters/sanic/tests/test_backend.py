"""Sanic with sessions on the server: loaded when a request begins, saved before the headers go out."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from awaited_memory import AwaitedMemory
from sanic import Sanic, response
from sanic.exceptions import NotFound

from sessionkit import CookieSettings, SessionStore
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_sanic import SessionKit, create_session, delete_session, update_session

from .visitor import ANN, SECRET, Client, application, browse

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie", [])]


@pytest.fixture(params=["awaited", "memory", "sqlite"])
def store(request, tmp_path):
    backend: Any = {
        "awaited": AwaitedMemory,
        "memory": MemoryBackend,
        "sqlite": lambda: SQLiteBackend(tmp_path / "sessions.db"),
    }[request.param]()
    yield SessionStore(SECRET, backend=backend)
    if request.param != "awaited":
        backend.close()


@pytest.fixture
def awaited():
    return SessionStore(SECRET, backend=AwaitedMemory())


def served(store: SessionStore) -> Sanic:
    app = application(store)

    @app.get("/logout")
    async def logout(request):
        delete_session(request)
        return response.empty()

    return app


def test_a_session_is_kept_on_the_server_from_login_to_logout(store):
    app = served(store)

    @app.get("/count")
    async def count(request):
        update_session(lambda session: {**session, "n": session.get("n", 0) + 1})
        request.ctx.session["m"] = 1
        return response.empty()

    def walk(client):
        first = names(client.get("/login"))
        cookies = dict(client.cookies)
        counted = [names(client.get("/count")) for _ in range(2)]
        session = json.loads(client.get("/me").text)
        last = names(client.get("/logout"))[0]
        client.cookies = cookies
        return first, counted, session, last, json.loads(client.get("/me").text)

    assert browse(app, walk) == (
        ["__Host-session"],
        [[], []],
        {**ANN, "n": 2, "m": 1},
        "__Host-session",
        None,
    )


WAYS = [
    "response",
    "redirect",
    "not found",
    "responded",
    "stream",
    "file",
    "middleware",
    "replaced",
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_answer_saves_the_session(awaited, way, tmp_path):
    app = served(awaited)
    (tmp_path / "file").write_text("file")

    @app.on_request
    async def before(request):
        if way == "middleware" and request.path == "/":
            create_session(ANN)
            return response.text("whole")
        return None

    @app.on_response
    async def after(request, answer):
        return response.text("replaced") if way == "replaced" and request.path == "/" else None

    @app.get("/")
    async def index(request):
        create_session(ANN)
        if way == "redirect":
            return response.redirect("/elsewhere")
        if way == "not found":
            raise NotFound
        if way == "responded":
            return await request.respond(response.text("whole"))
        if way == "stream":
            sending = await request.respond()
            await sending.send("who")
            await sending.send("le")
            return await sending.eof()
        if way == "file":
            return await response.file_stream(tmp_path / "file")
        return response.text("whole")

    def walk(client):
        answer = client.get("/")
        return answer.status, answer.text, names(answer), json.loads(client.get("/me").text)

    status, text, *saved = browse(app, walk)
    assert status == {"redirect": 302, "not found": 404}.get(way, 200)
    if status == 200:
        assert text == {"file": "file", "replaced": "replaced"}.get(way, "whole")
    assert saved == [["__Host-session"], ANN]
    assert awaited.settings.backend.calls == ["insert", "load"]


def test_a_response_that_the_application_keeps_is_sent_to_each_visitor_with_a_session_of_its_own(
    awaited,
):
    app, kept = served(awaited), response.text("kept")

    @app.get("/as/<name>")
    async def sign_in(request, name):
        create_session({"user": {"sub": name}})
        return kept

    def walk(client):
        seen = []
        for name in ("bob", "cat"):
            client.cookies.clear()
            cookies = names(client.get(f"/as/{name}"))
            seen.append((cookies, json.loads(client.get("/me").text)["user"]["sub"]))
        return seen

    assert browse(app, walk) == [(["__Host-session"], "bob"), (["__Host-session"], "cat")]
    assert "Set-Cookie" not in kept.headers


class Together(AwaitedMemory):
    """A backend whose first insert waits for the second."""

    def __init__(self) -> None:
        super().__init__()
        self.second = asyncio.Event()

    async def insert(self, *args: Any) -> Any:
        if "insert" in self.calls:
            self.second.set()
        inserted = await super().insert(*args)
        await self.second.wait()
        return inserted


@pytest.mark.parametrize(
    "way", ["returned", "responded", "sent", "not found", "middleware", "two stores"]
)
def test_a_response_that_the_application_keeps_is_sent_to_two_visitors_at_once(way):
    store, kept = SessionStore(SECRET, backend=Together()), response.text("kept")
    app = served(store)
    if way == "two stores":
        admin = CookieSettings(name="__Host-admin")
        SessionKit(app, store=SessionStore(SECRET, backend=AwaitedMemory(), cookie=admin))

    def sign_in(request):
        store.create_session(request, {"user": {"sub": request.args.get("name")}})

    @app.on_request
    async def before(request):
        if way == "middleware" and request.path == "/as":
            sign_in(request)
            return kept
        return None

    @app.exception(NotFound)
    async def missing(request, error):
        return kept

    @app.get("/as")
    async def answer(request):
        sign_in(request)
        if way == "not found":
            raise NotFound
        if way not in ("responded", "sent"):
            return kept
        sending = await request.respond(kept)
        return await sending.eof() if way == "sent" else None

    @app.get("/who")
    async def who(request):
        return response.json(store.get_session(request))

    def walk(client):
        visitors = {name: Client(("127.0.0.1", client.port)) for name in ("bob", "cat")}
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda name: visitors[name].get(f"/as?name={name}"), visitors))
        found = [
            json.loads(visitor.get("/who").text)["user"]["sub"] for visitor in visitors.values()
        ]
        for visitor in visitors.values():
            visitor.connection.close()
        return [(one.text, names(one), one.headers["Cache-Control"]) for one in answers], found

    right = ("kept", ["__Host-session"], "private, no-store")
    assert browse(app, walk) == ([right, right], ["bob", "cat"])
    assert "Set-Cookie" not in kept.headers


def test_each_request_of_a_connection_is_loaded_anew(awaited):
    def walk(client):
        first = json.loads(client.get("/me").text)
        client.get("/login")
        second = json.loads(client.get("/me").text)
        client.cookies.clear()
        return first, second, json.loads(client.get("/me").text)

    assert browse(served(awaited), walk) == (None, ANN, None)
    assert awaited.settings.backend.calls == ["insert", "load"]


def test_two_stores_each_load_and_save_for_themselves(awaited):
    admin = SessionStore(
        SECRET, backend=AwaitedMemory(), cookie=CookieSettings(name="__Host-admin")
    )
    app = served(awaited)
    SessionKit(app, store=admin)

    @app.get("/both")
    async def both(request):
        awaited.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})
        return response.empty()

    @app.get("/who")
    async def who(request):
        return response.json([one.get_session(request)["user"]["sub"] for one in (awaited, admin)])

    def walk(client):
        return sorted(names(client.get("/both"))), json.loads(client.get("/who").text)

    assert browse(app, walk) == (["__Host-admin", "__Host-session"], ["ann", "root"])


def test_a_login_that_becomes_an_error_is_taken_back(awaited):
    app = served(awaited)

    @app.get("/")
    async def index(request):
        create_session(ANN)
        await request.respond(response.text("signed in"))
        raise RuntimeError

    def walk(client):
        answer = client.get("/")
        return answer.status, names(answer)

    assert browse(app, walk) == (500, [])
    assert awaited.settings.backend.calls == ["insert", "delete"]
