"""The ASGI gateway: websockets."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

import sessionkit
from sessionkit import (
    EventKind,
    Lifetime,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    bind,
    create_session,
    delete_session,
    get_session,
    rotate_session,
    update_session,
)
from sessionkit._exchange.request import HOLDER
from sessionkit.backends import MemoryBackend

from ..asked import header
from ..scene import ALICE, SECRET, Scene
from ..served import Wire, answering_async, serve_asgi
from .asgi_visits import CHANGED, kinds, signed_in, visit, who


def socket(scene: Scene, app: Any, wire: Wire | None = None, **request: Any) -> Wire:
    return serve_asgi(app, scene.browser.jar.header(), type="websocket", wire=wire, **request)


def test_a_websocket_sets_its_cookie_when_it_is_accepted() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        update_session(CHANGED)
        await send({"type": "websocket.accept", "subprotocol": "x"})
        with pytest.raises(ResponseStartedError):
            update_session(scope, ALICE)
        await send({"type": "websocket.send", "text": who()})

    wire = socket(scene, scene.store.asgi(app))
    scene.browser.jar.receive(wire.answer.lines)
    assert scene.browser.session() == CHANGED
    assert wire.sent[0]["subprotocol"] == "x"
    assert wire.sent[1] == {"type": "websocket.send", "text": "alice"}


UNVERSIONED: Any = {"version": "3.0"}


def accept(act: Any, versions: Any, **settings: Any) -> list[EventKind]:
    """What is told if the handler of a websocket does something before it accepts."""
    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind), **settings)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        act()
        await send({"type": "websocket.accept"})

    serve_asgi(store.asgi(app), header(store, ALICE), type="websocket", **versions)
    return heard


@pytest.mark.parametrize("act", [lambda: update_session(CHANGED), delete_session, rotate_session])
@pytest.mark.parametrize("asgi", [UNVERSIONED, {**UNVERSIONED, "spec_version": "2.0"}])
def test_a_change_is_told_if_the_server_sends_no_cookie_with_the_accept(
    act: Any, asgi: Any
) -> None:
    # Daphne names no version of the specification, and drops the header fields of an accept, which 2.1 added.
    assert [EventKind.UNANSWERED] == accept(act, {"asgi": asgi})


@pytest.mark.parametrize("versions", [{}, {"asgi": {**UNVERSIONED, "spec_version": "2.1"}}])
def test_any_other_server_is_taken_to_send_it(versions: Any) -> None:
    assert [] == accept(lambda: update_session(CHANGED), versions)


def test_under_such_a_server_what_only_reads_is_not_told() -> None:
    assert [] == accept(get_session, {"asgi": UNVERSIONED})


@pytest.mark.parametrize(
    ("act", "heard"),
    [
        (lambda: update_session(CHANGED), []),
        (delete_session, []),
        (rotate_session, [EventKind.UNANSWERED]),
        (lambda: create_session(ALICE), [EventKind.UNANSWERED]),
    ],
)
def test_under_such_a_server_a_change_on_the_server_needs_no_cookie_unless_a_session_begins(
    act: Any, heard: Any
) -> None:
    assert heard == accept(act, {"asgi": UNVERSIONED}, backend=MemoryBackend())


def test_under_such_a_server_a_refusal_is_not_judged() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        update_session(CHANGED)
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})

    socket(scene, scene.store.asgi(app), asgi=UNVERSIONED)
    assert [] == kinds(scene)


def test_a_task_that_accepts_the_socket_serves_it_and_one_that_it_starts_does_not() -> None:
    scene = signed_in()
    found: list[Any] = []

    async def note() -> None:
        found.append(who())

    async def handle(send: Any) -> None:
        await send({"type": "websocket.accept"})
        await note()
        await asyncio.create_task(note())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.create_task(handle(send))
        await note()

    socket(scene, scene.store.asgi(app))
    assert found == ["alice", NoActiveRequestError, "alice"]


def test_a_websocket_that_is_denied_carries_the_logout() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        delete_session()
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    scene.browser.jar.receive(socket(scene, scene.store.asgi(app)).answer.lines)
    assert scene.browser.session() == {}


def test_a_websocket_that_fails_is_the_servers() -> None:
    scene, wire = signed_in(), Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        delete_session()
        raise OSError("failed")

    with pytest.raises(OSError, match="failed"):
        socket(scene, scene.store.asgi(app), wire)
    assert wire.sent == []
    assert kinds(scene) == [EventKind.ROLLED_BACK]


def test_a_websocket_that_is_closed_before_it_is_accepted_tells_what_it_dropped() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        update_session(CHANGED)
        await send({"type": "websocket.close", "code": 1000})

    socket(scene, scene.store.asgi(app))
    assert (kinds(scene), scene.browser.session()) == ([EventKind.ROLLED_BACK], ALICE)


def test_a_request_that_only_read_and_was_never_answered_dropped_nothing() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        get_session()

    serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    assert kinds(scene) == []


def test_after_accept_another_task_finds_the_session_only_through_bind_or_the_scope() -> None:
    scene, seen = signed_in(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def bound() -> Any:
            return who()

        seen.append(await asyncio.create_task(bound()))
        await send({"type": "websocket.accept"})
        for work in (bound(), bind(bound)(), asyncio.to_thread(bind(who))):
            seen.append(await asyncio.create_task(work))  # noqa: PERF401  # one after another
        seen.append(await asyncio.to_thread(who))
        seen.append(
            await asyncio.create_task(asyncio.to_thread(lambda: get_session(scope)["user"]["sub"]))
        )
        seen.append(who())

    socket(scene, scene.store.asgi(app))
    assert seen == [
        "alice",
        NoActiveRequestError,
        "alice",
        "alice",
        "alice",
        "alice",
        "alice",
    ]


def test_a_worker_started_by_one_visitor_does_not_serve_another_as_the_first() -> None:
    """THREATS 8.2: a lazy worker inherits the context of the socket that started it."""
    scene, seen = signed_in(), []
    jobs: asyncio.Queue[str] = asyncio.Queue()

    async def worker() -> None:
        while True:
            await jobs.get()
            seen.append(who())
            jobs.task_done()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        task = asyncio.create_task(worker())
        await jobs.put("for bob")
        await jobs.join()
        task.cancel()

    socket(scene, scene.store.asgi(app))
    assert seen == [NoActiveRequestError]


def test_a_session_that_expires_while_its_socket_is_open_is_gone() -> None:
    scene, seen = signed_in(lifetime=Lifetime(idle=600)), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        seen.append(who())
        scene.clock.wait(600)
        seen.extend([who(), scope[HOLDER].absence])

    socket(scene, scene.store.asgi(app))
    assert seen == ["alice", None, sessionkit.Absence.IDLE]


@pytest.mark.parametrize("exclude", [(), "*"])
@pytest.mark.parametrize(
    ("origin", "served"),
    [
        (b"https://app.example.org", True),
        (b"https://evil.example", False),
        (b"null", False),
        (None, False),
    ],
)
def test_a_websocket_is_served_to_the_named_origins_only(
    origin: bytes | None, served: bool, exclude: Any
) -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    gateway = scene.store.asgi(app, origins=["https://app.example.org"], exclude=exclude)
    wire = socket(scene, gateway, headers=[] if origin is None else [(b"origin", origin)])
    refused = {"type": "websocket.close", "code": 1008, "reason": "origin not allowed"}
    assert wire.sent == [{"type": "websocket.accept"} if served else refused]


def test_the_origins_are_not_asked_of_http() -> None:
    scene = signed_in()
    gateway = scene.store.asgi(answering_async(who), origins=["https://app.example.org"])
    assert visit(scene, gateway, headers=[(b"origin", b"https://evil.example")]).body == b"'alice'"


def test_nothing_is_left_in_the_context_of_the_server() -> None:
    scene = signed_in()

    def serve() -> Any:
        visit(scene, scene.store.asgi(answering_async(who)))
        return who()

    assert contextvars.copy_context().run(serve) is NoActiveRequestError
