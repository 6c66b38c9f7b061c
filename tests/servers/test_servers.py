"""Real servers, real sockets: no visitor ever sees another's session."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import pytest

from .apps import CHUNKS
from .conftest import Browser
from .serve import SERVERS

USERS = 50
ROUNDS = 13  # of three requests; with the login 40 a user, 2,000 in all
PIPELINED = 100

Start = Callable[[str], int]
Browsers = Callable[[int], Browser]


def visit(port: int, user: str) -> list[Any]:
    """Everything that one visitor was shown and that was not the visitor's own."""
    browser, wrong = Browser(port), []
    if browser.ask(f"/login?user={user}") != user:
        wrong.append("login")
    for number in range(1, ROUNDS + 1):
        counted = browser.ask("/count")
        if counted != {"before": user, "after": user, "count": number}:
            wrong.append(counted)
        status, body = browser.get("/stream")
        if (status, [json.loads(line) for line in body.splitlines()]) != (200, [user] * CHUNKS):
            wrong.append(body)
        left_out = browser.ask("/static/x")
        if left_out is not None:
            wrong.append(left_out)
    browser.connection.close()
    return wrong


@pytest.mark.parametrize("server", SERVERS)
def test_fifty_visitors_at_once_each_see_only_their_own_session(server: str, served: Start) -> None:
    port = served(server)
    users = [f"user-{number}" for number in range(USERS)]
    with ThreadPoolExecutor(USERS) as pool:
        wrong = list(pool.map(lambda user: visit(port, user), users))
    assert dict(zip(users, wrong, strict=True)) == {user: [] for user in users}


def answer(stream: BinaryIO) -> Any:
    """The next response of a connection."""
    status = stream.readline()
    assert b" 200 " in status, status
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length))


@pytest.mark.parametrize(
    "server",
    [
        "uvicorn h11",
        "uvicorn httptools",
        "hypercorn",
        "hypercorn trio",
        "granian ASGI",
        "gunicorn threads",
        "gunicorn gevent",
        "waitress",
    ],
)
def test_pipelined_requests_on_one_connection_do_not_leak_into_one_another(
    server: str, served: Start, browsers: Browsers
) -> None:
    port = served(server)
    visitors = {user: browsers(port) for user in ("alice", "bob", None)}
    for user in ("alice", "bob"):
        visitors[user].ask(f"/login?user={user}")
    requests, expected = [], []
    for number in range(PIPELINED):
        user = ("alice", None, "bob")[number % 3]
        path = "/static/x" if number % 5 == 4 else "/who"
        cookies = visitors[user].cookie_header or "nothing=1"
        requests.append(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n")
        expected.append(None if path == "/static/x" else user)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        connection.makefile("rb") as stream,
    ):
        connection.sendall("".join(requests).encode())
        assert [answer(stream) for _ in requests] == expected


@pytest.mark.parametrize("server", ["wsgiref", *SERVERS])
def test_a_logout_outlives_the_failure_of_the_application(
    server: str, served: Start, browsers: Browsers
) -> None:
    browser = browsers(served(server))
    assert browser.ask("/login?user=alice") == "alice"
    before = browser.cookie_header
    assert browser.get("/fail")[0] == 500
    browser.connection.close()  # as uvicorn does, once it has the exception
    assert browser.ask("/who") is None
    browser.cookies.update(
        part.split("=", 1) for part in before.split("; ")
    )  # what a late response would bring back
    assert browser.ask("/who") is None
