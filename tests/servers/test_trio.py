"""A server that runs trio: its tasks are told apart as asyncio's are, and a backend needs asyncio."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import trio

from sessionkit import ConfigurationError, NoActiveRequestError, SessionStore, get_session
from sessionkit.backends import MemoryBackend

SECRET = "a-secret-for-the-tests-of-the-servers-0123456789"
STORE = SessionStore(SECRET)
START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"part", "more_body": True}
REFUSED = "refused"


def asked() -> Any:
    try:
        session = get_session()
    except NoActiveRequestError:
        return REFUSED
    return session and session["user"]["sub"]


def visit(app: Callable[..., Any], store: SessionStore = STORE) -> None:
    with STORE.exchange() as login:
        STORE.create_session({"user": {"sub": "alice"}})
    line = next(value for name, value in login.response_headers if name == "Set-Cookie")
    headers = [(b"cookie", line.partition(";")[0].encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": headers}

    async def ignore(*message: Any) -> None:
        """Take what is sent; nothing is received."""

    trio.run(store.asgi(app), scope, ignore, ignore)


def test_a_worker_that_a_stream_started_does_not_work_as_its_visitor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Where the application uses anyio, the tasks of a group belong to the stream (Starlette streams in one).
    monkeypatch.delitem(sys.modules, "anyio", raising=False)
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def work(jobs: Any) -> None:
            async for done in jobs:
                seen.append(asked())
                done.set()

        async with trio.open_nursery() as nursery:
            give, jobs = trio.open_memory_channel[trio.Event](1)
            nursery.start_soon(work, jobs)
            for message in (None, START, PART):
                if message:
                    await send(message)
                done = trio.Event()
                await give.send(done)
                await done.wait()
                seen.append(asked())
            await give.aclose()

    visit(app)
    assert seen == ["alice", "alice", REFUSED, "alice", REFUSED, "alice"]


def test_the_task_that_sends_the_response_finds_it_and_so_does_a_thread_of_it() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def stream() -> None:
            await send(START)
            await send(PART)
            seen.append(asked())
            seen.append(await trio.to_thread.run_sync(asked))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream)
        seen.append(asked())

    visit(app)
    assert seen == ["alice", "alice", "alice"]


def test_a_backend_says_that_it_needs_asyncio() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application was called")

    with pytest.raises(ConfigurationError, match="need asyncio"):
        visit(app, SessionStore(SECRET, backend=MemoryBackend()))
