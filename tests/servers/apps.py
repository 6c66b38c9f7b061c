"""One application for WSGI and one for ASGI, with the same routes: what the real servers serve."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from sessionkit import (
    CookieSettings,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)

STORE = SessionStore(
    "a-secret-for-the-tests-of-the-servers-0123456789",
    cookie=CookieSettings(name="session", secure=False),
)
CHUNKS = 4


def who() -> Any:
    session = get_session()
    return None if session is None else session["user"]["sub"]


def login(query: str) -> Any:
    user = parse_qs(query)["user"][0]
    return dict(create_session({"user": {"sub": user}, "count": 0}))["user"]["sub"]


def counted(before: Any) -> Any:
    """One more, and whose session it was before and after others had their turn."""
    session = get_session()
    if session is None:
        return None
    update_session({**session, "count": session["count"] + 1})
    return {"before": before, "after": who(), "count": get_session()["count"]}


def fail() -> None:
    delete_session()
    raise RuntimeError("the application fails after a logout")


# ---- WSGI


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    path, headers = environ["PATH_INFO"], [("Content-Type", "application/json")]
    if path == "/stream":
        start_response("200 OK", headers)
        return _stream()
    if path == "/login":
        answer = login(environ["QUERY_STRING"])
    elif path == "/count":
        before = who()
        time.sleep(0)  # the turn of another thread, or of another greenlet
        answer = counted(before)
    elif path == "/fail":
        return fail()
    else:
        answer = who()
    body = json.dumps(answer).encode()
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _stream() -> Iterator[bytes]:
    for _ in range(CHUNKS):
        time.sleep(0)
        yield json.dumps(who()).encode() + b"\n"


# ---- ASGI

sleep: Callable[[float], Any] = asyncio.sleep
run_in_thread: Callable[..., Any] = asyncio.to_thread
if "trio" in sys.argv:  # the worker class of hypercorn
    import trio

    sleep, run_in_thread = trio.sleep, trio.to_thread.run_sync


async def asgi_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    headers = [(b"content-type", b"application/json")]
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(CHUNKS):
            await sleep(0)  # another task's turn
            await send(
                {
                    "type": "http.response.body",
                    "body": json.dumps(who()).encode() + b"\n",
                    "more_body": True,
                }
            )
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["path"] == "/login":
        answer = login(scope["query_string"].decode())
    elif scope["path"] == "/count":
        before = who()
        await sleep(0)
        answer = await run_in_thread(counted, before)
    elif scope["path"] == "/fail":
        answer = fail()
    else:
        answer = who()
    body = json.dumps(answer).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


wsgi = STORE.wsgi(wsgi_app, exclude="/static/*")
asgi = STORE.asgi(asgi_app, exclude="/static/*")
