"""The WSGI gateway around an application that fails."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

import pytest

import sessionkit
from sessionkit import EventKind, delete_session, update_session
from sessionkit._exchange.exchange import ENDED
from sessionkit._exchange.request import HOLDER

from ..scene import ALICE, BOB, names
from ..served import environ_of
from .wsgi_visits import HTML, kinds, signed_in, visit


def failing_at(where: str) -> Any:
    """An application that logs out and fails."""

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        if where == "before":
            raise OSError("failed before")
        start_response("200 OK", HTML)
        if where == "after":
            raise OSError("failed after")
        return body()

    def body() -> Any:
        if where == "body":
            raise OSError("failed in the body")
        yield b"begun"
        raise OSError("failed in the midst")

    return app


@pytest.mark.parametrize("where", ["before", "after", "body"])
def test_a_logout_outlives_the_failure_of_the_application(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = signed_in()
    answer = visit(scene, scene.store.wsgi(failing_at(where)))
    assert (answer.status, answer.body) == (500, b"")
    assert names(answer.lines) == ["-__Host-session", "-__Host-seen.session", "__Host-out.session"]
    assert answer.values("cache-control") == ["private, no-store"]
    assert scene.browser.session() == {}
    assert [record.exc_info[0] for record in caplog.records] == [OSError]


def test_a_generator_that_fails_before_it_answers_is_answered_for() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        raise OSError("failed")
        yield b""

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, scene.browser.session()) == (500, {})


def test_an_empty_piece_of_the_body_is_not_its_beginning() -> None:
    scene = signed_in()
    started: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        start_response("200 OK", HTML)
        yield b""
        raise OSError("failed")

    served = scene.store.wsgi(app)(
        environ_of(scene.browser.jar.header()), lambda *args: started.append(args)
    )
    assert list(served) == [b""]
    assert [args[0] for args in started] == ["200 OK", "500 Internal Server Error"]


def test_a_failure_in_the_midst_of_the_body_is_the_servers() -> None:
    scene = signed_in()
    answer = visit(scene, scene.store.wsgi(failing_at("midst")))
    assert (answer.status, answer.body, scene.browser.session()) == (200, b"begun", {})
    assert "failed in the midst" in answer.log


def test_a_failure_after_write_is_the_servers() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        start_response("200 OK", HTML)(b"begun")
        raise OSError("failed after write")

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, answer.body, scene.browser.session()) == (200, b"begun", {})
    assert "failed after write" in answer.log


def test_a_login_over_a_session_that_fails_ends_the_earlier_one_and_begins_none() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        sessionkit.create_session(BOB)
        raise OSError("failed")

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, names(answer.lines)[0], scene.browser.session()) == (
        500,
        "-__Host-session",
        {},
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_with_nothing_to_end_is_the_servers(late: bool) -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        update_session({**ALICE, "n": 1})
        if not late:
            raise OSError("failed")
        return body()

    def body() -> Any:
        raise OSError("failed")
        yield b""

    environ = environ_of(scene.browser.jar.header())
    with (
        pytest.raises(OSError, match="failed"),
        closing(scene.store.wsgi(app)(environ, lambda *args: None)) as answer,
    ):
        list(answer)
    assert environ[HOLDER].phase is ENDED
    assert kinds(scene) == [EventKind.ROLLED_BACK]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_process_that_is_told_to_stop_stops(kind: type[BaseException]) -> None:
    scene, started = signed_in(), []

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        raise kind

    with pytest.raises(kind):
        scene.store.wsgi(app)(
            environ_of(scene.browser.jar.header()), lambda *args: started.append(args)
        )
    assert started == []


def test_an_application_may_name_the_arguments_of_start_response_as_servers_do() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        start_response(status="200 OK", headers=HTML)
        try:
            raise OSError("failed")
        except OSError:
            start_response("503 Later", HTML, exc_info=sys.exc_info())
        return [b"later"]

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, answer.body) == (503, b"later")
    assert scene.browser.session() == {}
