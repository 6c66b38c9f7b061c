"""A request whose context a framework preserves after its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from sessionkit import (
    NoActiveRequestError,
    ResponseStartedError,
    delete_session,
    get_session,
)
from sessionkit._requests.current import register_preserved
from sessionkit._requests.views import WSGIRequest

from ..scene import ALICE, BOB, Scene

preserved: ContextVar[WSGIRequest | None] = ContextVar("test_preserved", default=None)
register_preserved(preserved.get)


def serve(_: dict[str, Any], start_response: Any) -> list[bytes]:
    """An application that leaves the session alone."""
    start_response("200 OK", [])
    return []


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A scene in which a framework has preserved the context of alice's last request."""
    scene = Scene()
    scene.browser.login(ALICE)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_COOKIE": scene.browser.jar.header(),
    }
    with pytest.raises(NoActiveRequestError):
        get_session()
    scene.store.wsgi(serve)(environ, lambda *_: print)
    token = preserved.set(WSGIRequest(environ))
    yield scene
    preserved.reset(token)


def test_its_session_is_read_without_the_request(scene: Scene) -> None:
    assert get_session() == ALICE
    assert scene.store.get_session() == ALICE


def test_its_session_cannot_be_written(scene: Scene) -> None:
    with pytest.raises(ResponseStartedError):
        delete_session()
    with pytest.raises(ResponseStartedError):
        scene.store.delete_session()


def test_a_request_that_is_being_served_comes_first(scene: Scene) -> None:
    other = Scene()
    other.browser.login(BOB)
    with other.store.exchange(other.browser.jar.header()):
        assert get_session() == BOB
        assert scene.store.get_session() == BOB
    assert get_session() == ALICE
