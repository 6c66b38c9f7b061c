"""A websocket under WSGI: the server answers the handshake by its own hand, so a changed session is told."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import EventKind, SessionStore, create_session, get_session
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit._requests.views import WSGIRequest

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


def test_only_a_request_over_wsgi_can_be_one() -> None:
    assert WSGIRequest({"HTTP_UPGRADE": "websocket"}).is_websocket is True
    assert WSGIRequest({}).is_websocket is False
    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind))
    exchange = Exchange(store.settings, HeaderRequest("", headers={"Upgrade": "websocket"}))
    exchange.create(ANN)
    exchange.finish()
    assert [EventKind.ROLLED_BACK] == heard
