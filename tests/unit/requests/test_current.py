"""The context variable, and functions bound to a request."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import Any

import pytest

from sessionkit import NoActiveRequestError, bind, get_session, update_session
from sessionkit._requests.current import get_current

from ..scene import ALICE, BOB, Scene


def signed_in(session: dict[str, Any] = ALICE) -> Scene:
    scene = Scene()
    scene.browser.login(session)
    return scene


def elsewhere(function: Any) -> Any:
    """What a function gives in a thread that inherits nothing."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(contextvars.Context().run(function)))
    thread.start()
    thread.join()
    return results[0]


def who() -> Any:
    try:
        session = get_session()
    except NoActiveRequestError:
        return "nobody's request"
    return session and session["user"]["sub"]


def test_a_script_has_its_request_for_a_block() -> None:
    scene = signed_in()
    with scene.store.exchange(scene.browser.jar.header()) as exchange:
        assert get_current() is exchange
        assert update_session({**ALICE, "n": 1}) is True
    scene.browser.jar.receive(
        value for name, value in exchange.response_headers if name == "Set-Cookie"
    )
    assert scene.browser.session() == {**ALICE, "n": 1}
    assert who() == "nobody's request"


def test_a_block_inside_a_block_gives_the_outer_request_back() -> None:
    alice, bob = signed_in(), signed_in(BOB)
    with alice.store.exchange(alice.browser.jar.header()):
        with bob.store.exchange(bob.browser.jar.header()):
            assert who() == "bob"
        assert who() == "alice"


def test_a_block_that_raises_keeps_a_logout_and_drops_the_rest() -> None:
    scene = signed_in()
    with (
        pytest.raises(OSError, match="failed"),
        scene.store.exchange(scene.browser.jar.header()) as updated,
    ):
        update_session({**ALICE, "n": 1})
        raise OSError("failed")
    with (
        pytest.raises(OSError, match="failed"),
        scene.store.exchange(scene.browser.jar.header()) as deleted,
    ):
        scene.store.delete_session()
        raise OSError("failed")
    assert [name for name, _ in updated.response_headers if name == "Set-Cookie"] == []
    scene.browser.jar.receive(
        value for name, value in deleted.response_headers if name == "Set-Cookie"
    )
    assert scene.browser.session() == {}


def test_a_bound_function_finds_the_request_from_anywhere() -> None:
    scene = signed_in()
    with scene.store.exchange(scene.browser.jar.header()):
        assert [elsewhere(who), elsewhere(bind(who))] == ["nobody's request", "alice"]


def test_a_bound_function_keeps_its_name_arguments_and_result() -> None:
    scene = signed_in()

    def add(one: int, *, two: int) -> int:
        """Add."""
        return one + two

    with scene.store.exchange():
        bound = bind(add)
    assert (bound.__name__, bound.__doc__, bound(1, two=2)) == ("add", "Add.", 3)


class Callable_:
    async def __call__(self) -> Any:
        return who()


async def who_async() -> Any:
    await asyncio.sleep(0)
    return who()


@pytest.mark.parametrize("function", [who_async, functools.partial(who_async), Callable_()])
def test_a_bound_coroutine_function_keeps_the_request_while_it_waits(function: Any) -> None:
    scene = signed_in()
    with scene.store.exchange(scene.browser.jar.header()):
        bound = bind(function)
        assert elsewhere(lambda: asyncio.run(bound())) == "alice"


@pytest.mark.parametrize("kind", ["generator", "asynchronous generator"])
def test_a_generator_function_cannot_be_bound(kind: str) -> None:
    def generator() -> Any:
        yield

    async def asynchronous() -> Any:
        yield

    with (
        Scene().store.exchange(),
        pytest.raises(TypeError, match="bind the function that iterates over it"),
    ):
        bind(generator if kind == "generator" else asynchronous)


def test_what_was_current_before_a_bound_function_is_current_after_it() -> None:
    alice, bob = signed_in(), signed_in(BOB)
    with alice.store.exchange(alice.browser.jar.header()):
        bound = bind(who)
        with bob.store.exchange(bob.browser.jar.header()):
            assert [who(), bound(), who()] == ["bob", "alice", "bob"]


def test_a_bound_function_has_no_session_once_the_request_has_ended() -> None:
    scene = signed_in()
    with scene.store.exchange(scene.browser.jar.header()):
        bound = bind(get_session)
    with pytest.raises(NoActiveRequestError, match="has finished"):
        bound()


def test_nothing_can_be_bound_outside_a_request() -> None:
    with pytest.raises(NoActiveRequestError, match="no request is being served here"):
        bind(who)


def test_a_function_bound_on_an_excluded_path_finds_no_session_there_either() -> None:
    scene, seen = signed_in(), []
    app = scene.store.wsgi(
        lambda environ, start_response: seen.append(elsewhere(bind(who))) or [], exclude="*"
    )
    app(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_COOKIE": scene.browser.jar.header()},
        lambda *args: None,
    )
    assert seen == [None]
