"""A write into the session from a socket, which no response can carry, is kept on the server, or heard."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask, request, session
from flask_socketio import SocketIO
from werkzeug.test import Client

from sessionkit import (
    Event,
    EventKind,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    create_session,
    get_session,
    update_session,
)
from sessionkit.backends import MemoryBackend
from sessionkit_flask import SessionKit

SECRET = "flask sockets: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN: dict[str, Any] = {"user": {"sub": "ann"}, "cart": []}


class Chat:
    """A signed-in visitor with a socket whose events run what they are given."""

    def __init__(self, *, managed: bool, kit_first: bool = True, backend: Any = None) -> None:
        self.heard: list[Event] = []
        self.results: list[object] = []
        store = self.store = SessionStore(SECRET, backend=backend, on_event=self.heard.append)
        app = Flask("chat")
        app.secret_key = SECRET
        if kit_first:
            SessionKit(app, store=store)
        sockets = SocketIO(app, manage_session=managed, async_mode="threading")
        if not kit_first:
            SessionKit(app, store=store)

        @app.post("/login")
        def login() -> str:
            create_session(ANN)
            return "in"

        @app.get("/")
        def page() -> dict[str, Any]:
            return dict(session)

        @sockets.on("do")
        def do() -> None:
            try:
                self.results.append(self.act())
            except Exception as error:
                self.results.append(type(error))

        self.browser = app.test_client()
        self.browser.post("/login", base_url="https://localhost")
        cookie = self.browser.get_cookie("__Host-session")
        assert cookie is not None
        header = {"Cookie": f"__Host-session={cookie.value}"}
        self.socket = sockets.test_client(app, headers=header)
        self.heard.clear()

    def event(self, act: Any) -> object:
        self.act = act
        self.socket.emit("do")
        return self.results[-1]

    def page(self) -> object:
        return self.browser.get("/", base_url="https://localhost").json


@pytest.mark.parametrize("kit_first", [True, False])
@pytest.mark.parametrize("managed", [True, False])
def test_an_event_reads_the_session(managed: bool, kit_first: bool) -> None:
    chat = Chat(managed=managed, kit_first=kit_first)
    assert ANN == chat.event(lambda: dict(session))
    assert [] == chat.heard


@pytest.mark.parametrize("kit_first", [True, False])
@pytest.mark.parametrize(
    "write",
    [
        lambda: session.update(x=5),
        lambda: session.setdefault("x", 5),
        lambda: session.pop("cart"),
        lambda: session.clear(),  # noqa: PLW0108  # a proxy, which has nothing to look up yet
    ],
)
def test_a_write_in_an_event_raises(write: Any, kit_first: bool) -> None:
    chat = Chat(managed=False, kit_first=kit_first)
    assert ResponseStartedError is chat.event(write)
    assert ANN == chat.event(lambda: dict(session)) == chat.page()


def test_a_nested_change_in_an_event_is_told_and_not_seen_by_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chat = Chat(managed=False)
    with caplog.at_level(logging.WARNING, "sessionkit"):
        chat.event(lambda: session["cart"].append("tea"))
    assert [EventKind.UNANSWERED] == [event.kind for event in chat.heard]
    assert ["WARNING"] == [record.levelname for record in caplog.records]
    assert ANN == chat.event(lambda: dict(session)) == chat.page()


def test_a_managed_session_is_the_sockets_own_as_there() -> None:
    chat = Chat(managed=True)
    chat.event(lambda: session.update(x=5))
    assert {**ANN, "x": 5} == chat.event(lambda: dict(session))
    assert ANN == chat.page()


@pytest.mark.parametrize("managed", [True, False])
def test_a_verb_without_arguments_reads_the_session_in_an_event_and_writes_none(
    managed: bool,
) -> None:
    chat = Chat(managed=managed)
    assert ANN == chat.event(get_session)
    assert NoActiveRequestError is chat.event(lambda: update_session({**ANN, "x": 1}))
    assert [] == chat.heard


def test_a_verb_that_is_given_the_request_keeps_no_later_write_from_raising() -> None:
    chat = Chat(managed=False)
    chat.event(lambda: chat.store.get_session(request))
    assert ResponseStartedError is chat.event(lambda: session.update(x=5))
    assert ANN == chat.event(lambda: dict(session))


def test_with_a_backend_an_event_shares_the_session_with_the_pages() -> None:
    chat = Chat(managed=False, backend=MemoryBackend())
    chat.event(lambda: session.update(x=5))
    chat.event(lambda: session["cart"].append("tea"))
    expected = {"user": ANN["user"], "x": 5, "cart": ["tea"]}
    assert expected == chat.event(lambda: dict(session)) == chat.page()
    chat.event(lambda: session.clear())  # noqa: PLW0108  # a proxy, which has nothing to look up yet
    assert {} == chat.event(lambda: dict(session)) == chat.page()


def test_with_a_backend_a_login_in_an_event_raises_and_signs_nobody_out() -> None:
    chat = Chat(managed=False, backend=MemoryBackend())
    with pytest.raises(ResponseStartedError, match="it can set no cookie"):
        chat.event(lambda: session.update(user={"sub": "bob"}))
    assert ANN == chat.event(lambda: dict(session)) == chat.page()


@pytest.mark.parametrize("backend", [None, MemoryBackend()], ids=["cookie", "backend"])
def test_a_nested_change_of_a_verbs_session_is_told_if_nobody_saves_it(backend: Any) -> None:
    chat = Chat(managed=True, backend=backend)
    chat.event(lambda: get_session()["cart"].append("tea"))
    assert [EventKind.UNANSWERED] == [event.kind for event in chat.heard]
    assert ANN == chat.page()


# ---- flask-sock, and what else answers the handshake itself


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket"])
def test_a_write_in_a_websocket_route_is_told(upgrade: str) -> None:
    heard: list[Event] = []
    app = Flask("sock")
    SessionKit(app, store=SessionStore(SECRET, on_event=heard.append))

    @app.get("/ws")
    def socket() -> str:
        session["x"] = 1
        return ""  # the server has answered by now, and this goes nowhere

    ask = Client(app, use_cookies=False).get
    ask("/ws", base_url="https://localhost", headers={"Upgrade": upgrade})
    assert [EventKind.UNANSWERED] == [event.kind for event in heard]
    heard.clear()
    ask("/ws", base_url="https://localhost", headers={"Upgrade": "h2c"})
    assert [] == heard
