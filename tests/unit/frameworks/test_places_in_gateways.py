"""The place of a session object among the attributes of a request: the gateways of WSGI and ASGI ask it themselves."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import EventKind, SessionStore, get_exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._frameworks.contents import LazyContents
from sessionkit.asgi import SessionMiddleware as AsyncMiddleware
from sessionkit.backends import MemoryBackend
from sessionkit.testing import read_cookies
from sessionkit.wsgi import SessionMiddleware

from ..asked import header
from ..served import serve_asgi, serve_wsgi

SECRET = "places in gateways: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}, "n": 1}
KEYS = FrameworkKeys()
WSGI, HTTP, WEBSOCKET = "wsgi", "http", "websocket"


class Failing(Exception):
    pass


def serve(
    kind: str, store: SessionStore, sent: str, put: Any, *, late: Any = None, fails: bool = False
) -> Any:
    """What goes out if an application puts a value in the place of its session, and a late one while it streams."""
    place: dict[str, Any] = {}

    def stand() -> None:
        LazyContents(get_exchange()).stand_in(place)
        if put is not None:
            place["session"] = put
        if fails:
            raise Failing

    def app(environ: Any, start_response: Any) -> Any:
        stand()
        start_response("200 OK", [])
        yield b"a"
        if late is not None:
            place["session"] = late

    async def async_app(scope: Any, receive: Any, send: Any) -> None:
        stand()
        if kind == WEBSOCKET:
            await send({"type": "websocket.accept", "headers": []})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        if late is not None:
            place["session"] = late

    if kind == WSGI:
        return serve_wsgi(SessionMiddleware(app, store, framework=KEYS), sent).lines
    wire = serve_asgi(AsyncMiddleware(async_app, store, framework=KEYS), sent, type=kind)
    return wire.answer.lines


@pytest.mark.parametrize("kind", [WSGI, HTTP, WEBSOCKET])
def test_what_was_put_there_is_saved_when_the_response_starts(kind: str) -> None:
    store = SessionStore(SECRET)
    lines = serve(kind, store, header(store, ANN), {**ANN, "n": 2})
    assert read_cookies(store, lines) == {**ANN, "n": 2}


@pytest.mark.parametrize("kind", [WSGI, HTTP, WEBSOCKET])
def test_what_is_put_there_later_is_reported(kind: str) -> None:
    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind))
    serve(kind, store, header(store, ANN), None, late={**ANN, "n": 2})
    assert heard == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize("kind", [WSGI, HTTP])
def test_a_logout_holds_although_the_application_fails(kind: str) -> None:
    store = SessionStore(SECRET, backend=MemoryBackend())
    sent = header(store, ANN)
    try:
        lines = serve(kind, store, sent, {}, fails=True)
    except Failing:
        lines = ["Max-Age=0"]
    assert any("Max-Age=0" in line for line in lines)
    with store.exchange(sent) as exchange:
        assert exchange.get() is None


def test_a_logout_in_a_websocket_that_is_not_accepted_holds() -> None:
    store = SessionStore(SECRET, backend=MemoryBackend())
    sent = header(store, ANN)
    with pytest.raises(Failing):
        serve(WEBSOCKET, store, sent, {}, fails=True)
    with store.exchange(sent) as exchange:
        assert exchange.get() is None
