"""Once a response has started, a session is found implicitly where it is served, and by no task that works for others."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from sessionkit import (
    ConfigurationError,
    NoActiveRequestError,
    SessionStore,
    bind,
    get_session,
)
from sessionkit.asgi import SessionMiddleware
from sessionkit.backends import MemoryBackend

from ..asked import header, serve, who
from ..scene import ALICE, BOB, SECRET
from ..served import Wire, environ_of, scope_of, serve_asgi

STORE = SessionStore(SECRET)


@pytest.fixture(autouse=True)
def no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "anyio", raising=False)


START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"part", "more_body": True}
REFUSED = "refused"


def asked() -> Any:
    try:
        return who(get_session())
    except NoActiveRequestError:
        return REFUSED


async def asked_in_a_task() -> Any:
    return asked()


def visit(app: Any, **request: Any) -> None:
    serve_asgi(STORE.asgi(app), header(STORE, ALICE), **request)


@pytest.mark.parametrize("more", [False, True])
def test_a_worker_that_a_stream_started_does_not_work_as_its_visitor(more: bool) -> None:
    seen: list[Any] = []

    async def worker(jobs: asyncio.Queue[Any], bound: Any) -> None:
        for _ in range(3):
            await jobs.get()
            seen.append((asked(), await bound()))
            jobs.task_done()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        jobs: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.create_task(worker(jobs, bind(asked_in_a_task)))
        for message in (None, START, PART):
            if message:
                await send(message)
            jobs.put_nowait(message)
            await jobs.join()
            seen.append(asked())
        await task

    visit(app)
    assert seen == [
        ("alice", "alice"),
        "alice",
        (REFUSED, "alice"),
        "alice",
        (REFUSED, "alice"),
        "alice",
    ]


class Unasked:
    """What anyio is in a callback, where it raises an error."""


@pytest.mark.parametrize("kind", ["call_soon", "call_later", "done callback"])
def test_a_callback_that_a_stream_left_behind_does_not_work_as_its_visitor(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setitem(sys.modules, "anyio", Unasked())
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        bound = bind(asked)
        for message in (None, START):
            if message:
                await send(message)
            called = loop.create_future()

            def call(called: Any = called) -> None:
                seen.append((asked(), bound()))
                called.set_result(None)

            if kind == "call_soon":
                loop.call_soon(call)
            elif kind == "call_later":
                loop.call_later(0, call)
            else:
                done = loop.create_future()
                done.add_done_callback(lambda _, call=call: call())
                done.set_result(None)
            await called
            seen.append(asked())

    visit(app)
    assert seen == [("alice", "alice"), "alice", (REFUSED, "alice"), "alice"]


def test_a_callback_that_sends_the_response_finds_its_session() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        called = loop.create_future()

        def send_in_a_callback() -> None:
            # Without a task, as callbacks do that step a coroutine themselves.
            with pytest.raises(StopIteration):
                send(START).send(None)
            seen.append(asked())
            called.set_result(None)

        loop.call_soon(send_in_a_callback)
        await called

    visit(app)
    assert seen == ["alice"]


def test_a_binding_to_a_request_lets_no_worker_of_a_request_inside_it_work_as_its_visitor() -> None:
    seen: list[Any] = []

    async def streams(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        seen.append(asked())
        seen.append(await asyncio.create_task(asked_in_a_task()))

    async def ask_inside() -> None:
        wire = Wire()
        await STORE.asgi(streams)(scope_of(header(STORE, BOB)), wire.receive, wire.send)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await bind(ask_inside)()
        seen.append(asked())

    visit(app)
    assert seen == ["bob", REFUSED, "alice"]


def test_the_message_says_what_to_do() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        with pytest.raises(
            NoActiveRequestError,
            match="pass the request or scope, or wrap the function in sessionkit.bind",
        ):
            await asyncio.create_task(asked_with_error())

    async def asked_with_error() -> None:
        get_session()

    visit(app)


def test_the_task_that_sends_the_response_finds_it_and_so_does_the_gateways_own() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def stream() -> None:
            await send(START)
            await send(PART)
            seen.append(asked())
            seen.append(await asyncio.to_thread(asked))

        await asyncio.create_task(stream())
        seen.append(asked())
        seen.append(await asyncio.to_thread(asked))
        seen.append(await asyncio.create_task(asked_in_a_task()))

    visit(app)
    assert seen == ["alice", "alice", "alice", "alice", REFUSED]


@pytest.mark.parametrize("sender", ["itself", "another"])
def test_a_gateway_inside_another_of_its_store_has_a_task_of_its_own(sender: str) -> None:
    """As under a middleware that runs the application in a task and sends its answer itself."""
    seen: list[Any] = []

    async def streams(scope: Any, receive: Any, send: Any) -> None:
        async def stream() -> None:
            await send(START)
            seen.append(asked())

        await (stream() if sender == "itself" else asyncio.create_task(stream()))
        seen.append(asked())

    inner = STORE.asgi(streams)

    async def between(scope: Any, receive: Any, send: Any) -> None:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.create_task(inner(scope, receive, messages.put))
        await send(await messages.get())
        await task
        seen.append(asked())
        seen.append(await asyncio.create_task(asked_in_a_task()))

    visit(between)
    assert seen == ["alice", "alice", "alice", REFUSED]


def test_before_the_response_every_task_of_the_request_finds_it() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(await asyncio.gather(asked_in_a_task(), asyncio.to_thread(asked)))
        await send(START)

    visit(app)
    assert seen == ["alice", "alice"]


def test_an_explicit_request_is_found_in_any_task() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)

        async def explicit() -> None:
            seen.append(who(get_session(scope)))

        await asyncio.create_task(explicit())

    visit(app)
    assert seen == ["alice"]


def test_a_generator_of_wsgi_finds_it_to_its_end() -> None:
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"one"
        seen.append(asked())

    serve(STORE.wsgi(app), environ_of(header(STORE, ALICE)))
    assert seen == ["alice"]


def test_without_an_event_loop_there_are_no_tasks_to_tell_apart() -> None:
    """A library drives the coroutines itself."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        seen.append(asked())

    drive(app)
    assert seen == ["alice"]


def test_tasks_of_trio_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the servers do the same with trio itself."""
    running = ["the server's"]
    trio = SimpleNamespace(current_task=lambda: running[0])
    monkeypatch.setitem(sys.modules, "trio.lowlevel", trio)
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for task in ("the sender's", "a worker's", "the server's"):
            running[0] = task
            if not seen:
                await send(START)
            seen.append(asked())

    drive(app)
    assert seen == ["alice", REFUSED, "alice"]


def test_a_thread_beside_trio_has_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise RuntimeError("must be called from async context")

    monkeypatch.setitem(sys.modules, "trio.lowlevel", SimpleNamespace(current_task=fail))
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        seen.append(asked())

    drive(app)
    assert seen == ["alice"]


def test_a_backend_says_that_it_needs_asyncio() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application was called")

    with pytest.raises(ConfigurationError, match="need asyncio"):
        drive(app, SessionStore(SECRET, backend=MemoryBackend()))


def drive(app: Any, store: SessionStore = STORE) -> None:
    """Serve a request without an event loop."""
    scope = scope_of(header(STORE, ALICE))
    coroutine = SessionMiddleware(app, store)(scope, Wire().receive, Wire().send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
