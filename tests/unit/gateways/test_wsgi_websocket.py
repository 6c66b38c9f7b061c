"""A websocket under WSGI: the server answers the handshake by its own hand, so a changed session is kept on the server, or told."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import (
    BackendError,
    EventKind,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit._exchange.exchange import ENDED, Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit._requests.views import WSGIRequest
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

SECRET = "websocket tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


def heard_of(view: Any, *, status: str | None = "200 OK", **environ: str) -> list[EventKind]:
    """What is told of a request whose view answers with a status, or not at all."""
    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind))

    def app(environ: Any, start_response: Any) -> list[bytes]:
        view()
        if status is not None:
            start_response(status, [])
        return []

    request = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "HTTP_HOST": "a.example"}
    list(store.wsgi(app)({**request, **environ}, lambda status, headers, exc_info=None: None))
    return heard


def sign_in() -> None:
    create_session(ANN)


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket"])
@pytest.mark.parametrize("status", ["200 OK", "101 Switching Protocols", None])
def test_a_change_in_its_handler_is_told(status: str | None, upgrade: str) -> None:
    assert [EventKind.UNANSWERED] == heard_of(sign_in, status=status, HTTP_UPGRADE=upgrade)


@pytest.mark.parametrize("status", ["303 See Other", "403 Forbidden"])
def test_a_refused_handshake_is_a_response_like_any(status: str) -> None:
    assert [] == heard_of(sign_in, status=status, HTTP_UPGRADE="websocket")


def test_one_that_only_reads_is_not_told() -> None:
    assert [] == heard_of(get_session, HTTP_UPGRADE="websocket")


@pytest.mark.parametrize("environ", [{}, {"HTTP_UPGRADE": "h2c"}])
def test_other_requests_are_answered(environ: dict[str, str]) -> None:
    assert [] == heard_of(sign_in, **environ)
    assert [EventKind.ROLLED_BACK] == heard_of(sign_in, status=None, **environ)


# ---- with sessions on the server


class Handler:
    """A handler of a websocket that runs a function, and ends as a server or a framework asks for it."""

    def __init__(self, act: Any, *, ends: str | type[BaseException]) -> None:
        self.heard: list[EventKind] = []
        self.store = SessionStore(
            SECRET,
            backend=MemoryBackend(),
            on_event=lambda event: self.heard.append(event.kind),
        )
        cookies = session_cookies(self.store, ANN)
        self.header = "; ".join(f"{name}={value}" for name, value in cookies.items())

        def app(environ: Any, start_response: Any) -> Any:
            act()
            if isinstance(ends, type):
                raise ends
            if ends:
                start_response(ends, [])
            return iter(()) if ends == "200 OK" else []

        environ = {
            "REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "HTTP_HOST": "a.example",
            "HTTP_UPGRADE": "websocket", "HTTP_COOKIE": self.header,
        }  # fmt: skip
        try:
            body = self.store.wsgi(app)(environ, lambda status, headers, exc_info=None: None)
        except (StopIteration, ZeroDivisionError):
            return
        list(body)
        getattr(body, "close", lambda: None)()

    def page(self) -> dict[str, Any]:
        with self.store.exchange(self.header) as exchange:
            return dict(exchange.contents)


# eventlet and gevent return nothing, and gunicorn's threads end by StopIteration.
ENDS = pytest.mark.parametrize("ends", ["200 OK", "101 Switching Protocols", "", StopIteration])


def change() -> None:
    update_session({**ANN, "x": 1})


@ENDS
def test_with_a_backend_a_change_is_kept(ends: Any) -> None:
    handler = Handler(change, ends=ends)
    assert ([], {**ANN, "x": 1}) == (handler.heard, handler.page())


@ENDS
def test_with_a_backend_a_logout_is_kept(ends: Any) -> None:
    handler = Handler(delete_session, ends=ends)
    assert ([], []) == (handler.heard, handler.store.sessions_of(ANN))


@ENDS
def test_with_a_backend_a_login_is_told(ends: Any) -> None:
    handler = Handler(lambda: create_session({"user": {"sub": "bob"}}), ends=ends)
    assert [EventKind.UNANSWERED] == handler.heard


def test_with_a_backend_a_handler_that_fails_changes_nothing() -> None:
    handler = Handler(change, ends=ZeroDivisionError)
    assert ([EventKind.ROLLED_BACK], ANN) == (handler.heard, handler.page())


def test_a_backend_that_fails_at_the_end_is_an_error_and_the_request_ends() -> None:
    backend = MemoryBackend()
    store = SessionStore(SECRET, backend=backend)
    cookies = session_cookies(store, ANN)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    exchange = Exchange(store.settings, HeaderRequest(header))
    exchange.drive()
    exchange.update({**ANN, "x": 1})

    def fail(*_: object) -> None:
        raise BackendError("down")

    backend.replace = fail  # type: ignore[assignment,method-assign]
    with pytest.raises(BackendError):
        exchange.finish(unanswerable=True)
    assert exchange.phase is ENDED


def test_only_a_request_over_wsgi_can_be_one() -> None:
    assert WSGIRequest({"HTTP_UPGRADE": "websocket"}).is_websocket is True
    assert WSGIRequest({}).is_websocket is False
    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind))
    exchange = Exchange(store.settings, HeaderRequest("", headers={"Upgrade": "websocket"}))
    exchange.create(ANN)
    exchange.finish()
    assert [EventKind.ROLLED_BACK] == heard
