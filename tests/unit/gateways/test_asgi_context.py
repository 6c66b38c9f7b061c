"""The ASGI gateway: the context."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

import pytest

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    NoActiveRequestError,
    SessionStore,
    bind,
    update_session,
)

from ..scene import BOB, OTHER_SECRET, SECRET, Scene, names
from ..served import Wire, answering_async, scope_of, serve_asgi
from .asgi_visits import CHANGED, end, signed_in, start, visit, who


def test_a_request_never_finds_the_exchange_that_was_left_in_its_context() -> None:
    """A pipelined keep-alive connection: the next request begins in the context of the last."""
    scene, bob = signed_in(), Scene()
    bob.browser.login(BOB)
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(who())
        await start(send)
        await end(send)

    gateway = scene.store.asgi(app, exclude="/static/*")

    async def connection() -> None:
        wire = Wire()
        for scope in (
            scope_of(scene.browser.jar.header()),
            scope_of(bob.browser.jar.header()),
            scope_of(bob.browser.jar.header(), path="/static/x"),
            scope_of(),
            {"type": "lifespan"},
        ):
            await gateway(scope, wire.receive, wire.send)
            seen.append(who())

    asyncio.run(connection())
    ended = NoActiveRequestError
    assert seen == ["alice", ended, "bob", ended, None, ended, None, ended, ended, ended]


@pytest.mark.parametrize("kind", ["lifespan", "a kind of tomorrow"])
def test_a_scope_of_another_kind_does_not_find_the_request_in_which_it_is_served(kind: str) -> None:
    scene, seen = signed_in(), []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(who())

    gateway = scene.store.asgi(inner)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gateway({"type": kind}, receive, send)
        seen.append(who())
        await start(send)
        await end(send)

    visit(scene, scene.store.asgi(app))
    assert seen == [NoActiveRequestError, "alice"]


def test_a_task_that_outlives_its_request_has_no_session() -> None:
    scene, seen = signed_in(), []
    tasks = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        over = asyncio.Event()

        async def later() -> None:
            seen.append(who())
            await over.wait()
            seen.append(who())

        tasks.append((over, asyncio.create_task(later())))
        await asyncio.sleep(0)
        await start(send)
        await end(send)

    async def server() -> None:
        wire = Wire()
        await scene.store.asgi(app)(scope_of(scene.browser.jar.header()), wire.receive, wire.send)
        for over, task in tasks:
            over.set()
            await task

    asyncio.run(server())
    assert seen == ["alice", NoActiveRequestError]


def test_threads_find_the_session_where_the_context_goes_and_through_bind() -> None:
    scene, seen = signed_in(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            seen.append(await asyncio.to_thread(who))
            seen.append(await loop.run_in_executor(pool, who))
            seen.append(await loop.run_in_executor(pool, bind(who)))
        await asyncio.to_thread(update_session, CHANGED)
        await start(send)
        await end(send)

    visit(scene, scene.store.asgi(app))
    assert seen == ["alice", NoActiveRequestError, "alice"]
    assert scene.browser.session() == CHANGED


def test_a_mounted_application_with_a_copied_scope_shares_the_session() -> None:
    scene = signed_in()

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        assert scene.store.update_session(scope, CHANGED) is True
        await start(send)
        await end(send)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await mounted({**scope, "root_path": "/mounted"}, receive, send)

    visit(scene, scene.store.asgi(app))
    assert scene.browser.session() == CHANGED


def test_a_second_gateway_of_an_equal_store_sets_one_cookie() -> None:
    scene = signed_in()
    equal = SessionStore(SECRET, clock=scene.clock)
    app = scene.store.asgi(equal.asgi(answering_async(lambda: update_session(CHANGED))))
    assert names(visit(scene, app).lines) == ["__Host-session"]


def test_two_secrets_under_one_cookie_name_are_refused() -> None:
    scene = signed_in()
    with pytest.raises(ConfigurationError, match="'__Host-session' in one request"):
        serve_asgi(scene.store.asgi(SessionStore(OTHER_SECRET).asgi(answering_async(who))))


def test_after_an_inner_store_the_outer_one_is_still_served() -> None:
    scene = signed_in()
    admin = SessionStore(
        OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"), clock=scene.clock
    )
    inner = admin.asgi(answering_async(lambda: admin.create_session(BOB)))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        wire = Wire()
        await inner(scope, wire.receive, wire.send)
        assert (
            update_session(CHANGED) is True
        )  # the context variable that the inner gateway set is over
        await send(wire.sent[0])
        await end(send)

    answer = visit(scene, scene.store.asgi(app))
    assert names(answer.lines) == ["__Host-admin", "__Host-session"]
    assert scene.browser.session() == CHANGED
