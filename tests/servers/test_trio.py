"""A server that runs trio: its tasks are told apart as asyncio's are, and a backend needs asyncio."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
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


def scope_of_alice() -> dict[str, Any]:
    with STORE.exchange() as login:
        STORE.create_session({"user": {"sub": "alice"}})
    line = next(value for name, value in login.response_headers if name == "Set-Cookie")
    headers = [(b"cookie", line.partition(";")[0].encode())]
    return {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": headers}


async def ignore(*message: Any) -> None:
    """Take what is sent; nothing is received."""


def visit(app: Callable[..., Any], store: SessionStore = STORE) -> None:
    trio.run(store.asgi(app), scope_of_alice(), ignore, ignore)


class Unasked:
    """What anyio is, where nothing asks it."""

    def get_running_tasks(self) -> Any:
        raise AssertionError("anyio was asked for the tasks of trio")


@pytest.fixture(params=[None, Unasked()], ids=["without anyio", "beside anyio"], autouse=True)
def anyio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import anyio or not, which must make no difference."""
    monkeypatch.delitem(sys.modules, "anyio", raising=False)
    if request.param:
        monkeypatch.setitem(sys.modules, "anyio", request.param)


@pytest.mark.parametrize("started_by", ["start_soon", "spawn_system_task"])
def test_a_worker_that_a_stream_started_does_not_work_as_its_visitor(started_by: str) -> None:
    """It belongs to a nursery of the whole application, or to none; its context is that of the visitor."""
    seen: list[Any] = []

    async def work(jobs: Any) -> None:
        async for done in jobs:
            seen.append(asked())
            done.set()

    async def serve(nursery: trio.Nursery) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            give, jobs = trio.open_memory_channel[trio.Event](1)
            if started_by == "start_soon":
                nursery.start_soon(work, jobs)
            else:
                trio.lowlevel.spawn_system_task(work, jobs, context=copy_context())
            for message in (None, START, PART):
                if message:
                    await send(message)
                done = trio.Event()
                await give.send(done)
                await done.wait()
                seen.append(asked())
            await give.aclose()

        await STORE.asgi(app)(scope_of_alice(), ignore, ignore)

    async def main() -> None:
        async with trio.open_nursery() as whole:
            whole.start_soon(serve, whole)

    trio.run(main)
    assert seen == ["alice", "alice", REFUSED, "alice", REFUSED, "alice"]


def test_a_task_of_a_nursery_that_the_serving_task_waits_for_is_part_of_it() -> None:
    seen: list[Any] = []

    async def ask(levels: int) -> None:
        if not levels:
            seen.append(asked())
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, levels - 1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await ask(1)
        await ask(3)

    visit(app)
    assert seen == ["alice", "alice"]


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
