"""Two servers, one browser: an Express application and a WSGI application take turns at one session."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from sessionkit import get_session, update_session

from .jar import Jar
from .javascript import HEADER_SIZE, NODE
from .partners import EXPRESS, SECRET

ROUNDS = 50


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """What node/express-app.mjs does, by us."""
    session = get_session()
    if session is None:
        start_response("401 Unauthorized", [])
        return [b""]
    if environ["REQUEST_METHOD"] == "POST":
        _, _, number, size = environ["PATH_INFO"].split("/")
        turns = [turn | {"note": ""} for turn in session["turns"]]
        update_session(
            {
                **session,
                "turns": [*turns, {"by": "wsgi", "number": int(number), "note": "é" * int(size)}],
            }
        )
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(get_session()).encode()]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def wsgi() -> Iterator[int]:
    server = make_server(
        "127.0.0.1", 0, EXPRESS.store(time.time, SECRET).wsgi(app), WSGIServer, Quiet
    )
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def express(node: None) -> Iterator[int]:
    command = [
        "node",
        f"--max-http-header-size={HEADER_SIZE}",
        "express-server.mjs",
        json.dumps(EXPRESS.options()),
    ]
    process = subprocess.Popen(
        command, cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield int(process.stdout.readline())
    process.communicate(timeout=30)


def ask(port: int, method: str, path: str, jar: Jar, body: str | None = None) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, {"Cookie": jar.header} if jar.header else {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == 200, (response.status, text[:300])
    jar.take(value for name, value in response.getheaders() if name.lower() == "set-cookie")
    return json.loads(text)


def test_express_and_wsgi_take_turns_at_one_session_for_fifty_rounds_and_nothing_is_lost(
    express: int, wsgi: int
) -> None:
    jar = Jar(int(time.time()))
    core = EXPRESS.core | {"turns": []}
    ask(express, "PUT", "/", jar, json.dumps(core))
    expected: list[dict[str, Any]] = []
    for number in range(2 * ROUNDS):
        port, by = ((express, "express"), (wsgi, "wsgi"))[number % 2]
        size = (
            (0, 3000, 10, 1200)[number // 2 % 4]
            if number % 2
            else (2500, 0, 4000, 700)[number // 2 % 4]
        )
        answer = ask(port, "POST", f"/turn/{number}/{size}", jar)
        expected = [
            *({**turn, "note": ""} for turn in expected),
            {"by": by, "number": number, "note": "é" * size},
        ]
        assert answer["turns"] == expected
    for port in (wsgi, express):
        assert ask(port, "GET", "/", jar) == core | {"turns": expected}
