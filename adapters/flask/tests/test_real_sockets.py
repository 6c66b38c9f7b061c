"""Sockets on a real server: Flask-SocketIO and flask-sock over real websockets, on werkzeug's threads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
from flask import Flask, session
from flask_sock import Sock
from flask_socketio import SocketIO
from simple_websocket import Client as Socket
from simple_websocket import ConnectionClosed
from werkzeug.serving import make_server

from sessionkit import EventKind, SessionStore, get_session
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies
from sessionkit_flask import SessionKit

SECRET = "flask real sockets: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}, "cart": []}
BOTH = pytest.mark.parametrize("on_server", [False, True])


class Site:
    """An application on a real server, and a visitor who is signed in."""

    def __init__(self, *, on_server: bool, kit_first: bool) -> None:
        self.heard: list[EventKind] = []
        self.store = SessionStore(
            SECRET,
            backend=MemoryBackend() if on_server else None,
            on_event=lambda event: self.heard.append(event.kind),
        )
        cookies = session_cookies(self.store, ANN)
        self.header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.app = Flask("site")
        if kit_first:
            SessionKit(self.app, store=self.store)
        sockets = SocketIO(self.app, manage_session=False, async_mode="threading")
        if not kit_first:
            SessionKit(self.app, store=self.store)
        sockets.on_event("do", self.try_it)
        Sock(self.app).route("/ws")(self.answer)
        self.app.add_url_rule("/plain", "plain", self.try_it)
        self.act: Any = None
        self.port = 0

    def answer(self, socket: Any) -> None:
        # As for a connection of Socket.IO: the client speaks first.
        socket.receive()
        socket.send(self.try_it())

    def try_it(self) -> str:
        try:
            return json.dumps(self.act())
        except Exception as error:
            return type(error).__name__

    @contextmanager
    def served(self) -> Iterator[None]:
        server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.port = server.server_port
        server.daemon_threads = False  # then `server_close` waits for the handlers
        thread = Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def socket(self, path: str) -> Socket:
        return Socket(f"ws://127.0.0.1:{self.port}{path}", headers={"Cookie": self.header})

    def page(self) -> dict[str, Any]:
        with self.store.exchange(self.header) as exchange:
            return dict(exchange.contents)


class Chat:
    """A connection of Socket.IO over a websocket."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.socket = site.socket("/socket.io/?EIO=4&transport=websocket")
        # Before what comes first is read: simple_websocket's client shows a message that came together with the handshake only
        # once another one has come.
        self.socket.send("40")
        assert self.socket.receive(timeout=10).startswith("0")  # it is open
        assert self.socket.receive(timeout=10).startswith("40")  # it is connected

    def event(self, act: Any) -> Any:
        """What the event's handler has acknowledged; engine.io's packet 4, socket.io's packets 2 and 3."""
        self.site.act = act
        self.socket.send('421["do"]')
        answer = self.socket.receive(timeout=10)
        while answer == "2":
            self.socket.send("3")
            answer = self.socket.receive(timeout=10)
        assert answer.startswith("431")
        (text,) = json.loads(answer[3:])
        return json.loads(text) if text[0] in "{[n" else text


@pytest.fixture
def site(on_server: bool, kit_first: bool) -> Iterator[Site]:
    site = Site(on_server=on_server, kit_first=kit_first)
    with site.served():
        yield site


@BOTH
@pytest.mark.parametrize("kit_first", [True, False])
def test_the_events_of_a_socket(site: Site, on_server: bool) -> None:
    chat = Chat(site)
    assert ANN == chat.event(lambda: dict(session)) == chat.event(lambda: dict(get_session()))
    assert chat.event(lambda: session.update(x=1)) == (
        None if on_server else "ResponseStartedError"
    )
    expected = {**ANN, "x": 1} if on_server else ANN
    assert expected == chat.event(lambda: dict(session)) == site.page()
    with site.store.exchange(site.header) as exchange:
        exchange.update({**expected, "y": 2})
    # Without a backend the handshake's cookie has the session of then.
    assert chat.event(lambda: session.get("y")) == ("2" if on_server else None)
    chat.socket.close()
    assert EventKind.UNANSWERED not in site.heard


@BOTH
@pytest.mark.parametrize("kit_first", [True, False])
def test_a_request_beside_the_sockets_writes_its_session(site: Site) -> None:
    site.act = lambda: session.update(x=1)
    client = site.app.test_client()
    answer = client.get("/plain", base_url="https://localhost", headers={"Cookie": site.header})
    assert answer.text == "null"
    assert client.get("/plain", base_url="https://localhost").status_code == 200
    assert EventKind.UNANSWERED not in site.heard


@BOTH
def test_a_websocket_route_keeps_its_change_or_tells(on_server: bool) -> None:
    site = Site(on_server=on_server, kit_first=True)
    site.act = lambda: (session.update(x=1), dict(session))
    with site.served():
        socket = site.socket("/ws")
        socket.send("now")
        assert [None, {**ANN, "x": 1}] == json.loads(socket.receive(timeout=10))
        with suppress(ConnectionClosed):  # the handler may have ended, and the server with it
            socket.close()
    assert site.heard == ([] if on_server else [EventKind.UNANSWERED])
    assert site.page() == ({**ANN, "x": 1} if on_server else ANN)
