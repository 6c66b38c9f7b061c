"""Tornado's handlers with sessions on the server: `finish` and `flush` are put off until the session is saved."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from awaited_memory import AwaitedMemory
from tornado.web import Finish, HTTPError, authenticated

from sessionkit import ResponseStartedError, SessionStore
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_tornado import create_session, delete_session, get_session, update_session

from .visitor import ANN, SECRET, Handler, browse, names


class Logout(Handler):
    def get(self):
        delete_session(self)


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


def test_a_session_is_kept_on_the_server_from_login_to_logout(store):
    class Count(Handler):
        def get(self):
            update_session(lambda session: {**session, "n": session.get("n", 0) + 1})
            self.write("counted")

    async def walk(client):
        first = names(await client.get("/login"))
        cookie = client.cookie
        counted = [names(await client.get("/count")) for _ in range(2)]
        session = json.loads((await client.get("/me")).body)
        last = names(await client.get("/logout"))[0]
        return first, counted, session, last, (await client.get("/me", Cookie=cookie)).body

    routes = [("/count", Count), ("/logout", Logout)]
    assert browse(routes, walk, sessionkit=store) == (
        ["__Host-session"],
        [[], []],
        {**ANN, "n": 2},
        "__Host-session",
        b"null",
    )


def test_prepare_and_current_user_see_the_session(store):
    class Index(Handler):
        def prepare(self):
            self.seen = [get_session()["user"], self.current_user]

        @authenticated
        def get(self):
            self.write({"seen": self.seen})

    async def walk(client):
        await client.get("/login")
        return json.loads((await client.get("/")).body)["seen"]

    assert browse([("/", Index)], walk, sessionkit=store, login_url="/x") == [ANN["user"]] * 2


WAYS = ["return", "write", "finish", "await finish", "finish in prepare", "redirect", "render", "Finish", "HTTPError",
        "send_error", "flush", "await flush", "flush twice", "flush and finish"]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_answer_saves_the_session_and_says_the_same(awaited, way):
    class Index(Handler):
        def render_string(self, name, **_):
            return b"<body>whole</body>"

        async def prepare(self):
            if way == "finish in prepare":
                self.login()
                self.finish("whole")

        def login(self):
            if awaited is self.settings["sessionkit"]:
                create_session(self, ANN)

        async def get(self):
            self.login()
            if way == "write":
                self.write("whole")
            if way == "finish":
                self.finish("whole")
            if way == "await finish":
                await self.finish("whole")
            if way == "redirect":
                self.redirect("/elsewhere")
            if way == "render":
                self.render("page.html")
            if way == "Finish":
                raise Finish("whole")
            if way == "HTTPError":
                raise HTTPError(404)
            if way == "send_error":
                self.send_error(403)
            if "flush" in way:
                self.set_header("Content-Type", "text/plain")
                self.write("who")
                sent = self.flush()
                if way == "await flush":
                    await sent
                self.write("le")
                if way == "flush twice":
                    self.flush()
                if way == "flush and finish":
                    self.finish()

    def walk_in(path):
        async def walk(client):
            answer = await client.get("/")
            fields = {
                name: value
                for name, value in answer.headers.get_all()
                if name in {"Location", "Content-Type"}
            }
            return (
                answer.code,
                fields,
                answer.body,
                names(answer),
                json.loads((await client.get("/me")).body),
            )

        return walk

    plain = browse([("/", Index)], walk_in("/"), sessionkit=SessionStore(SECRET))
    answer = browse([("/", Index)], walk_in("/"), sessionkit=awaited)
    assert answer[:3] == plain[:3]
    assert answer[3:] == (["__Host-session"], ANN)


def test_a_response_is_finished_once_and_not_written_to_afterwards(awaited):
    raised = []

    class Index(Handler):
        def get(self):
            create_session(self, ANN)
            self.finish("whole")
            for late in (
                lambda: self.finish("again"),
                lambda: self.write("more"),
                lambda: create_session(self, ANN),
            ):
                with pytest.raises((RuntimeError, ResponseStartedError)) as error:
                    late()
                raised.append(str(error.value)[:22])

    async def walk(client):
        return (await client.get("/")).body

    assert browse([("/", Index)], walk, sessionkit=awaited) == b"whole"
    assert raised == ["finish() called twice", "Cannot write() after f", "create_session came to"]


def test_an_error_after_finish_is_logged_and_the_response_goes_out(awaited, caplog):
    class Index(Handler):
        def get(self):
            create_session(self, ANN)
            self.redirect("/elsewhere")
            raise RuntimeError("after the end")

    async def walk(client):
        answer = await client.get("/")
        return answer.code, names(answer)

    assert browse([("/", Index)], walk, sessionkit=awaited) == (302, ["__Host-session"])
    assert "after the end" in caplog.text


def test_an_error_after_an_unsent_flush_takes_its_place_and_drops_the_login(awaited):
    class Index(Handler):
        def get(self):
            create_session(self, ANN)
            self.write("part")
            self.flush()
            raise RuntimeError

    async def walk(client):
        answer = await client.get("/")
        return answer.code, b"part" in answer.body, names(answer)

    assert browse([("/", Index)], walk, sessionkit=awaited) == (500, False, [])
    calls = awaited.settings.backend.calls
    assert calls.count("insert") == calls.count("delete")


def test_an_error_while_a_flush_is_put_off_takes_its_place_and_takes_the_login_back(
    awaited, caplog
):
    backend, finished = awaited.settings.backend, []

    class Index(Handler):
        async def get(self):
            backend.waiting, backend.held["insert"] = asyncio.Event(), asyncio.Event()
            create_session(self, ANN)
            self.write("part")
            self.flush()
            await backend.waiting.wait()
            asyncio.get_running_loop().call_soon(backend.held["insert"].set)
            raise RuntimeError

        def on_finish(self):
            finished.append(self.get_status())

    async def walk(client):
        answer = await client.get("/")
        return answer.code, b"part" in answer.body, names(answer)

    assert browse([("/", Index)], walk, sessionkit=awaited) == (500, False, [])
    assert backend.calls == ["insert", "delete"]
    assert finished == [500]
    assert "ConfigurationError" not in caplog.text


def test_parallel_updates_are_merged_by_functions_that_may_use_the_verbs(awaited):
    backend, seen = awaited.settings.backend, []

    def count(session):
        seen.append(get_session()["user"]["sub"])
        return {**session, "n": session.get("n", 0) + 1}

    class Count(Handler):
        def get(self):
            update_session(count)
            self.redirect("/me")

    async def walk(client):
        await client.get("/login")
        backend.waiting, backend.held["replace"] = asyncio.Event(), asyncio.Event()
        first = asyncio.ensure_future(client.get("/count"))
        await backend.waiting.wait()
        release = backend.held.pop("replace")
        await client.get("/count")
        release.set()
        return (await first).code, json.loads((await client.get("/me")).body)

    answer = browse([("/count", Count)], walk, sessionkit=awaited)
    assert answer == (302, {**ANN, "n": 2})
    assert seen == ["ann"] * 3


def test_a_page_that_only_reads_is_answered_at_once(awaited):
    finished = []

    class Index(Handler):
        def get(self):
            get_session(self)
            self.finish("read")
            finished.append(self._headers_written)

    async def walk(client):
        await client.get("/login")
        return (await client.get("/")).body

    assert browse([("/", Index)], walk, sessionkit=awaited) == b"read"
    assert finished == [True]
    assert awaited.settings.backend.calls == ["insert", "load"]


def test_a_handler_that_somebody_keeps_is_finished_later(awaited):
    kept, is_kept = [], asyncio.Event()

    class Later(Handler):
        def get(self):
            self._auto_finish = False
            kept.append(self)
            is_kept.set()

    class Go(Handler):
        def get(self):
            create_session(kept[0], ANN)
            kept[0].write("who")
            kept[0].flush()
            kept[0].finish("le")

    async def walk(client):
        later = asyncio.ensure_future(client.get("/later"))
        await is_kept.wait()
        await client.get("/go", Cookie="")
        answer = await later
        return answer.body, names(answer), json.loads((await client.get("/me")).body)

    routes = [("/later", Later), ("/go", Go)]
    assert browse(routes, walk, sessionkit=awaited) == (b"whole", ["__Host-session"], ANN)
