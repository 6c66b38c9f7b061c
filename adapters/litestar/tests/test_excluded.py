"""What Litestar's own settings leave out has no session, and no other store is asked about it."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar, Request, WebSocket, get, websocket
from litestar.enums import ScopeType
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from sessionkit import NoActiveRequestError, SessionStore, configure, create_session, get_session
from sessionkit.testing import session_cookies
from sessionkit_litestar import SessionKitConfig, require_session_api

SECRET = "litestar tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)
COOKIE = "; ".join(
    f"{name}={value}" for name, value in session_cookies(STORE, {"user": {"sub": "ann"}}).items()
)
HEADERS = {"Cookie": COOKIE, "Origin": "https://evil.example"}


@pytest.fixture(autouse=True)
def a_default_store():
    configure(STORE)
    yield
    configure(None)


def found(request: Any) -> dict[str, Any]:
    try:
        create_session(request, {"user": {"sub": "bob"}})
        wrote = "wrote"
    except NoActiveRequestError as error:
        wrote = str(error)
    sessions = [get_session(), get_session(request), get_session(request.scope)]
    return {"users": [one and one["user"]["sub"] for one in sessions], "wrote": wrote}


@get(["/me", "/pub/me"], sync_to_thread=False)
def me(request: Request) -> dict[str, Any]:
    return found(request)


@get("/marked", skip_session=True, sync_to_thread=False)
def marked(request: Request) -> dict[str, Any]:
    return found(request)


@get("/named", no_session=True, sync_to_thread=False)
def named(request: Request) -> dict[str, Any]:
    return found(request)


@get("/pub/guarded", sync_to_thread=False, guards=[require_session_api])
def guarded() -> str:
    return "in"


@get("/pub/scope", sync_to_thread=False)
def in_scope(request: Request) -> bool:
    return "session" in request.scope


@websocket("/pub/ws")
async def socket(socket: WebSocket) -> None:
    await socket.accept()
    session = get_session(socket)
    await socket.send_json(session and session["user"]["sub"])
    await socket.close()


def client_of(**options: Any) -> TestClient:
    config = SessionKitConfig(store=STORE, **options)
    handlers = [me, marked, named, guarded, in_scope, socket]
    app = Litestar(handlers, middleware=[config.middleware])
    return TestClient(app, base_url="https://app.example.org", raise_server_exceptions=False)


LEFT_OUT = "this path is excluded from sessions"


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"exclude": "^/pub"}, "/pub/me"),
        ({"exclude": ["^/nothing", "^/pub"]}, "/pub/me"),
        ({}, "/marked"),
        ({"exclude_opt_key": "no_session"}, "/named"),
        ({"scopes": {ScopeType.WEBSOCKET}}, "/me"),
    ],
)
def test_there_is_no_session_and_nothing_to_write(options, path):
    with client_of(**options) as client:
        answer = client.get(path, headers=HEADERS)
    assert answer.json()["users"] == [None, None, None]
    assert LEFT_OUT in answer.json()["wrote"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("options", "path"),
    [({"exclude": "^/pub"}, "/me"), ({"exclude_opt_key": "no_session"}, "/marked"), ({}, "/named")],
)
def test_what_is_not_left_out_has_one(options, path):
    with client_of(**options) as client:
        assert client.get(path, headers=HEADERS).json() == {"users": ["bob"] * 3, "wrote": "wrote"}


def test_the_guard_refuses_there():
    with client_of(exclude="^/pub") as client:
        assert client.get("/pub/guarded", headers=HEADERS).status_code == 401
    with client_of() as client:
        assert client.get("/pub/guarded", headers=HEADERS).text == "in"


@pytest.mark.parametrize(("options", "there"), [({"exclude": "^/pub"}, False), ({}, True)])
def test_litestars_own_session_is_not_there_either(options, there):
    with client_of(**options) as client:
        assert client.get("/pub/scope", headers=HEADERS).json() is there


@pytest.mark.parametrize("options", [{"exclude": "^/pub"}, {"scopes": {ScopeType.HTTP}}])
def test_a_websocket_that_is_left_out_has_no_session(options):
    with client_of(**options) as client, client.websocket_connect("/pub/ws", headers=HEADERS) as ws:
        assert ws.receive_json() is None


@pytest.mark.parametrize("options", [{"exclude": "^/pub"}, {"scopes": {ScopeType.HTTP}}, {}])
def test_the_origins_hold_there_too(options):
    with (
        client_of(**options, origins=["https://app.example.org"]) as client,
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/pub/ws", headers=HEADERS),
    ):
        pass
