"""A request that a handler makes inside its own, over ASGI: the handler's verbs find the handler's session again."""

from __future__ import annotations

from typing import Any

import pytest
from sanic import Sanic
from sanic.exceptions import NotFound
from sanic.response import ResponseStream, text
from two_visitors import cookie_of, who

from sessionkit import CookieSettings, SessionStore, create_session, delete_session, get_session
from sessionkit_sanic import SessionKit

from .asgi_visits import ask_asgi
from .visitor import SECRET

pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")

STORE = SessionStore(SECRET)
OTHER = SessionStore(SECRET, cookie=CookieSettings(name="__Host-other"))


def cookies(sub: str) -> str:
    return f"{cookie_of(STORE, sub)}; {cookie_of(OTHER, sub)}"


def both() -> str:
    sessions = [store.get_session() for store in (STORE, OTHER)]
    return " ".join(session["user"]["sub"] if session else "nobody" for session in sessions)


async def ask_inside(app: Any, scope: dict[str, Any], path: str, cookie: str) -> str:
    """Return the body of what the application answers to another visitor."""
    pieces: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        pieces.append(message.get("body", b""))

    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
    inner = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
    await app(inner, receive, send)
    return b"".join(pieces).decode()


def make_app(name: str, path: str, *stores: SessionStore, visits: Any = who) -> Sanic[Any, Any]:
    app = Sanic(name)
    for store in stores:
        SessionKit(app, store=store, exclude="/open")
    seen: list[str] = []

    async def me(request: Any) -> Any:
        return text(visits())

    async def enter(request: Any) -> Any:
        create_session({"user": {"sub": "carl"}})
        return text(who())

    async def leave(request: Any) -> Any:
        return text(str(delete_session()))

    async def fail(request: Any) -> Any:
        raise NotFound(f"no page for {who()}")

    async def stream(request: Any) -> Any:
        async def write(response: Any) -> None:
            await response.write(f"{who()}, ")
            await response.write(who())

        return ResponseStream(write)

    async def excluded(request: Any) -> Any:
        return text(str(get_session()))

    async def outer(request: Any) -> Any:
        seen.append(await ask_inside(app, request.scope, path, cookies("bob")))
        seen.append(visits())
        if len(stores) == 1:
            delete_session()
        return text(" then ".join(seen))

    pages = {"/me": me, "/in": enter, "/out": leave, "/none": fail, "/stream": stream, "/open": excluded, "/": outer}  # fmt: skip
    for where, page in pages.items():
        app.add_route(page, where, name=page.__name__)
    return app


def visit(app: Sanic[Any, Any]) -> tuple[str, list[str]]:
    headers = [(b"host", b"localhost"), (b"cookie", cookies("ann").encode())]
    [messages] = ask_asgi(app, {"type": "http", "scheme": "https", "path": "/", "headers": headers})
    fields = messages[0]["headers"]
    set_by = [
        value.decode().partition("=")[0] for name, value in fields if name.lower() == b"set-cookie"
    ]
    return b"".join(message.get("body", b"") for message in messages).decode(), set_by


@pytest.mark.parametrize(
    ("path", "found"),
    [("/me", "bob"), ("/in", "carl"), ("/out", "True"), ("/none", "no page for bob"), ("/stream", "bob, bob"), ("/open", "None")],
)  # fmt: skip
def test_the_verbs_of_the_handler_find_its_own_session_again_and_end_it(path: str, found: str):
    body, set_by = visit(make_app(f"inside_{path[1:]}", path, STORE))
    said, _, then = body.partition(" then ")
    assert found in said
    assert then == "ann"
    assert set_by == ["__Host-session", "__Host-seen.session", "__Host-out.session"]


def test_with_two_stores_it_finds_both_of_its_own_sessions_again():
    app = make_app("two_inside", "/me", STORE, OTHER, visits=both)
    assert visit(app) == ("bob bob then ann ann", [])


def test_after_a_websocket_that_it_opened_the_handler_finds_its_own_session_again():
    app = make_app("socket_inside", "/me", STORE)
    seen: list[str] = []

    @app.websocket("/ws")
    async def socket(request: Any, ws: Any) -> None:
        seen.append(who())

    @app.get("/asks")
    async def asks(request: Any) -> Any:
        messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "websocket.disconnect", "code": 1000}

        async def send(message: dict[str, Any]) -> None:
            seen.append(message["type"])

        headers = [(b"host", b"localhost"), (b"cookie", cookies("bob").encode())]
        kind = {"type": "websocket", "scheme": "wss", "path": "/ws", "raw_path": b"/ws"}
        await app({**request.scope, **kind, "subprotocols": [], "headers": headers}, receive, send)
        return text(who())

    headers = [(b"host", b"localhost"), (b"cookie", cookies("ann").encode())]
    [answer] = ask_asgi(app, {"type": "http", "scheme": "https", "path": "/asks", "headers": headers})  # fmt: skip
    assert answer[1]["body"] == b"ann"
    assert seen[:2] == ["websocket.accept", "bob"]
