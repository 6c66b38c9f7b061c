"""The application under stress, for WSGI and for ASGI. A page that yields waits at the gate of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from urllib.parse import parse_qsl

from sessionkit import BackendError, CookieSettings, SessionStore
from sessionkit.backends._url import open_backend

STORE = SessionStore(
    os.environ["STRESS_SECRET"],
    backend=open_backend(os.environ["STRESS_BACKEND"]),
    cookie=CookieSettings(secure=False),
)


def still(query):
    """Do not look at the session."""
    yield from ()
    return "still"


def login(query):
    STORE.create_session(
        {"user": {"sub": query["user"]}, "done": [], "content": query.get("content")}
    )
    if "gate" in query:
        yield
    return query["user"]


def logout(query):
    yield from ()
    STORE.delete_session()
    return "out"


def who(query):
    yield from ()
    session = STORE.get_session()
    return None if session is None else session["user"]["sub"]


def done(query):
    yield from ()
    session = STORE.get_session()
    return None if session is None else session["done"]


def write(query):
    yield from ()
    return STORE.update_session(lambda session: _with(session, query)) is not None


def late(query):
    """Load the session, wait, and write: by a function, or by contents that were made before."""
    session = STORE.get_session()
    yield
    if "function" in query:
        STORE.update_session(lambda session: _with(session, query))
    else:
        STORE.update_session(_with(session, query))
    return "late"


def _with(session, query):
    return {**session, "done": [*session["done"], query["token"]]}


PAGES = {f"/{one.__name__}": one for one in (still, login, logout, who, done, write, late)}


def open_page(path, query_string):
    query = dict(parse_qsl(query_string))
    return PAGES[path](query), query


def wait_at_gate(query):
    with socket.create_connection(("127.0.0.1", int(os.environ["STRESS_GATE"]))) as gate:
        gate.sendall(query["gate"].encode() + b"\n")
        gate.recv(1)


def encode(status, value):
    body = json.dumps(value).encode()
    return status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body


DOWN = encode("503 Service Unavailable", "down")


def plain_wsgi(environ, start_response):
    try:
        page, query = open_page(environ["PATH_INFO"], environ["QUERY_STRING"])
        while True:
            try:
                next(page)
            except StopIteration as end:
                status, headers, body = encode("200 OK", end.value)
                break
            wait_at_gate(query)
        start_response(status, headers)
    except BackendError:
        status, headers, body = DOWN
        start_response(status, headers, sys.exc_info())
    return [body]


async def plain_asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    try:
        page, query = open_page(scope["path"], scope["query_string"].decode())
        while True:
            try:
                next(page)
            except StopIteration as end:
                answer = encode("200 OK", end.value)
                break
            await asyncio.to_thread(wait_at_gate, query)
        await respond(send, *answer)
    except BackendError:
        await respond(send, *DOWN)


async def respond(send, status, headers, body):
    fields = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": int(status[:3]), "headers": fields})
    await send({"type": "http.response.body", "body": body})


if "async" in os.environ["STRESS_GATEWAY"]:
    asgi = STORE.asgi(plain_asgi)
else:
    wsgi = STORE.wsgi(plain_wsgi)
