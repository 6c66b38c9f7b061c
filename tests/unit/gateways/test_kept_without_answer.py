"""The gateways with a backend around an application that does not answer, answers twice, or fails after it began to."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from sessionkit import EventKind, create_session, delete_session, get_session, rotate_session

from ..backends.awaited import AwaitedMemory
from ..kept import NAME, KeptScene
from ..scene import ALICE, BOB, Scene, names
from ..served import Wire, environ_of, scope_of, serve_asgi
from .wsgi_visits import HTML, kinds, visit


def signed_in(contents: Any = ALICE) -> KeptScene:
    scene = KeptScene()
    begin = scene.browser.visit()
    begin.exchange.contents.update(contents)
    if "user" in contents:
        begin.exchange.create(contents)
    begin.arrive()
    scene.events.clear()
    return scene


def log_in() -> None:
    create_session(BOB)


def never(act: Any) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        act()
        return [b"an answer without a head"]

    return app


def too_late(act: Any) -> Any:
    """The application answers with the first piece of its body, which a server does not ask for once the client is gone."""

    def app(environ: Any, start_response: Any) -> Any:
        act()

        def body() -> Any:
            start_response("200 OK", HTML)
            yield b"body"

        return body()

    return app


def hang_up(scene: Scene, app: Any) -> None:
    environ = environ_of(scene.browser.jar.header())
    served = scene.store.wsgi(app)(environ, lambda *_: None)
    getattr(served, "close", lambda: None)()


@pytest.mark.parametrize("app", [never, too_late])
@pytest.mark.parametrize(("act", "told"), [(delete_session, []), (log_in, [EventKind.ROLLED_BACK])])
def test_a_session_that_was_ended_in_a_request_that_is_not_answered_is_over(
    app: Any, act: Any, told: list[EventKind]
) -> None:
    scene = signed_in()
    hang_up(scene, app(act))
    assert told == kinds(scene)
    assert {} == scene.browser.session()
    assert (0, 0) == (scene.alive(ALICE), scene.alive(BOB))


def test_two_sessions_of_which_none_was_chosen_are_over_too() -> None:
    scene = signed_in()
    second = scene.another_browser()
    second.login(BOB)
    header = f"{scene.browser.jar.header()}; {second.jar.header()}"
    scene.store.wsgi(never(delete_session))(environ_of(header), lambda *_: None)
    assert (0, 0) == (scene.alive(ALICE), scene.alive(BOB))


@pytest.mark.parametrize("how", ["wsgi", "asgi"])
def test_an_anonymous_session_that_no_response_has_ended_is_told(how: str) -> None:
    scene = signed_in({"cart": [1]})
    if how == "wsgi":
        hang_up(scene, never(delete_session))
    else:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            delete_session()

        serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    assert [EventKind.ROLLED_BACK] == kinds(scene)


def test_an_end_that_no_driver_has_performed_is_told() -> None:
    scene = Scene(backend=AwaitedMemory(clock=lambda: 1_700_000_000))

    async def begin() -> Any:
        async with scene.store.exchange() as exchange:
            exchange.create(ALICE)
        return exchange

    lines = [line for _, line in asyncio.run(begin()).response_headers]
    scene.browser.jar.receive(lines)

    async def end() -> None:
        visit = scene.browser.visit()
        [wanted] = visit.exchange.wanted
        visit.exchange.supply([await scene.store.settings.backend.load(*wanted)])  # type: ignore[union-attr,misc]
        visit.exchange.delete()
        visit.exchange.finish()

    asyncio.run(end())
    assert [EventKind.ROLLED_BACK] == kinds(scene)


def test_a_login_whose_answer_has_begun_outlives_a_failure_under_wsgi() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        create_session(BOB)
        start_response("200 OK", HTML)
        yield b"begun"
        try:
            raise KeyError
        except KeyError:
            start_response("500 Internal Server Error", HTML, sys.exc_info())

    answer = visit(scene, scene.store.wsgi(app))
    assert (200, b"begun", BOB) == (answer.status, answer.body, scene.browser.session())


@pytest.mark.parametrize("answers_again", [True, False])
@pytest.mark.parametrize(("act", "stays"), [(log_in, BOB), (rotate_session, ALICE)])
def test_a_login_whose_answer_was_begun_by_write_outlives_a_failure(
    act: Any, stays: Any, answers_again: bool
) -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        act()
        start_response("200 OK", HTML)(b"begun")
        try:
            raise KeyError
        except KeyError:
            if not answers_again:
                raise
            start_response("500 Internal Server Error", HTML, sys.exc_info())

    answer = visit(scene, scene.store.wsgi(app))
    assert (200, b"begun", stays) == (answer.status, answer.body, scene.browser.session())
    assert 1 == scene.alive(stays)


def test_a_login_of_which_nothing_was_written_is_dropped_by_the_next_answer() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        log_in()
        start_response("200 OK", HTML)(b"")
        try:
            raise KeyError
        except KeyError:
            write = start_response("500 Internal Server Error", HTML, sys.exc_info())
        write(b"an error page")
        return []

    started: list[str] = []
    written: list[bytes] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started.append(status)
        return written.append

    scene.store.wsgi(app)(environ_of(scene.browser.jar.header()), start_response)
    assert (["200 OK", "500 Internal Server Error"], [b"", b"an error page"]) == (started, written)
    assert 0 == scene.alive(BOB)


def test_a_login_whose_answer_has_begun_outlives_a_second_answer_under_asgi() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        create_session(BOB)
        for status in (200, 500):
            await send({"type": "http.response.start", "status": status, "headers": []})

    wire = serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    scene.browser.jar.receive(wire.answer.lines)
    assert BOB == scene.browser.session()


def test_a_login_whose_answer_the_server_refuses_is_dropped_by_the_next_answer() -> None:
    scene = signed_in()

    class Refusing(Wire):
        async def send(self, message: dict[str, Any]) -> None:
            if message.get("status") == 200:
                raise ValueError("an illegal header")
            await super().send(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        create_session(BOB)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        except ValueError:
            await send({"type": "http.response.start", "status": 500, "headers": []})

    wire = Refusing()
    asyncio.run(
        scene.store.asgi(app)(scope_of(scene.browser.jar.header()), wire.receive, wire.send)
    )
    scene.browser.jar.receive(wire.answer.lines)
    assert ({}, 0) == (scene.browser.session(), scene.alive(BOB))


@pytest.mark.parametrize("where", ["before the body", "in the body"])
def test_a_rotation_that_is_done_reaches_the_browser_though_the_application_fails(
    where: str,
) -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        rotate_session()
        start_response("200 OK", HTML)
        if where == "before the body":
            raise KeyError("failed")
        return body()

    def body() -> Any:
        raise KeyError("failed")
        yield b""

    answer = visit(scene, scene.store.wsgi(app))
    assert (500, [NAME]) == (answer.status, names(answer.lines))
    assert ALICE == scene.browser.session()


def test_a_rotation_that_was_saved_before_an_asgi_application_fails_reaches_the_browser() -> None:
    scene, wire = signed_in(), Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        rotate_session()
        exchange = scene.store.get_exchange()
        while (operation := exchange.decide()[0]) is not None:
            exchange.took(operation, operation.on(scene.backend))
        raise KeyError("failed")

    with pytest.raises(KeyError):
        serve_asgi(scene.store.asgi(app), scene.browser.jar.header(), wire=wire)
    scene.browser.jar.receive(wire.answer.lines)
    assert (500, ALICE) == (wire.answer.status, scene.browser.session())


def test_a_page_that_only_reads_is_not_answered_for() -> None:
    scene = signed_in()
    hang_up(scene, never(get_session))
    assert ([], ALICE) == (kinds(scene), scene.browser.session())
