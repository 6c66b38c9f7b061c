"""What a visitor can cause leaves with no contents in a frame of ours, through whichever door."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

import sessionkit
from sessionkit import IdentityChangedError, SerializationError, SessionStore, SessionTooLargeError
from sessionkit._frameworks.flask_extension import FlaskFamilyGateway
from sessionkit._frameworks.scope_session import ScopeSessionMiddleware
from sessionkit._requests.responses import commit_response, write_response
from sessionkit._requests.views import WSGIRequest
from sessionkit._session.tracebacks import clears_frames
from sessionkit.wsgi import SessionMiddleware

from ..leaving import CANARY, STORES, header, leaves
from ..served import environ_of, scope_of

CHANGES = {
    "too large": (lambda session: session.update(large="x" * 9000), SessionTooLargeError),
    "no JSON": (lambda session: session.update(set={CANARY}), SerializationError),
    "half a surrogate": (lambda session: session.update(half=CANARY + "\ud800"), None),
    "nested": (lambda session: session.update(nested=nested(900)), SerializationError),
    "NaN": (lambda session: session.update(nan=[CANARY, float("nan")]), SerializationError),
    "somebody else": (lambda session: session["user"].update(sub="bob"), IdentityChangedError),
    "nobody": (lambda session: session.pop("user"), IdentityChangedError),
}


def nested(levels: int) -> Any:
    value: Any = CANARY
    for _ in range(levels):
        value = [value]
    return value


# ---- the ways in: each is given a store and a change, and lets the error out


def by_exchange(store: SessionStore, change: Any) -> None:
    with store.exchange(header(store)):
        change(store.get_session())


def by_commit(store: SessionStore, change: Any) -> None:
    with store.exchange(header(store)) as exchange:
        change(exchange.contents)
        try:
            exchange.commit(200, [("X-Own", CANARY)])
        finally:
            exchange.delete()


def by_answer(store: SessionStore, change: Any) -> None:
    with store.exchange(header(store)) as exchange:
        change(exchange.contents)
        try:
            exchange.answer(200, [("X-Own", CANARY)])
        finally:
            exchange.delete()


def by_response(store: SessionStore, change: Any) -> None:
    environ = environ_of(header(store))
    change(store.get_session(environ))
    store.get_session(environ, [("X-Own", CANARY)])


def by_touch(store: SessionStore, change: Any) -> None:
    environ = environ_of(header(store))
    change(store.get_session(environ))
    store.touch_session(environ, [("X-Own", CANARY)])


def by_rotation(store: SessionStore, change: Any) -> None:
    environ = environ_of(header(store))
    change(store.get_session(environ))
    store.rotate_session(environ, [("X-Own", CANARY)])


def by_module(store: SessionStore, change: Any) -> None:
    sessionkit.configure(store)
    try:
        environ = environ_of(header(store))
        change(sessionkit.get_session(environ))
        sessionkit.get_session(environ, [("X-Own", CANARY)])
    finally:
        sessionkit.configure(None)


def by_message(store: SessionStore, change: Any) -> None:
    scope = scope_of(header(store))
    change(store.get_session(scope))
    store.get_session(scope, {"type": "http.response.start", "status": 200, "headers": []})


def by_wsgi(store: SessionStore, change: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        change(store.get_session())
        start_response("200 OK", [("X-Own", CANARY)])
        return [b""]

    environ = environ_of(header(store), CANARY=CANARY)
    store.wsgi(app)(environ, lambda *_: None)


def by_wsgi_stream(store: SessionStore, change: Any) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        change(store.get_session())
        start_response("200 OK", [("X-Own", CANARY)])
        yield b""

    list(store.wsgi(app)(environ_of(header(store), CANARY=CANARY), lambda *_: None))


class Kit:
    settings: ClassVar[dict[str, Any]] = {}
    tags = None

    def __init__(self, store: SessionStore) -> None:
        self.store = store


class Flask:
    """An application of its kind."""

    def __init__(self) -> None:
        self.extensions: dict[str, Any] = {}


def by_flask(store: SessionStore, change: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        change(store.get_session(environ))
        if store.get_session() is None or store.get_session()["user"]["sub"] != "ada":
            raise IdentityChangedError("a login through this object is one")
        start_response("200 OK", [("X-Own", CANARY)])
        return [b""]

    front = FlaskFamilyGateway(Flask(), app, SessionMiddleware, Kit(store))  # type: ignore[arg-type]
    front(environ_of(header(store), CANARY=CANARY), lambda *_: None)


def by_two_gateways(store: SessionStore, change: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        change(store.get_session(environ))
        start_response("200 OK", [("X-Own", CANARY)])
        return [b""]

    store.wsgi(store.wsgi(app))(environ_of(header(store), CANARY=CANARY), lambda *_: None)


async def _served(app: Any, scope: Any) -> None:
    async def send(message: Any) -> None: ...

    await app(scope, None, send)


async def _answer(scope: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x", CANARY.encode())]})


def by_asgi(store: SessionStore, change: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        change(store.get_session())
        await _answer(scope, send)

    asyncio.run(_served(store.asgi(store.asgi(app)), scope_of(header(store), CANARY=CANARY)))


def by_websocket(store: SessionStore, change: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        change(store.get_session())
        await send({"type": "websocket.accept", "headers": []})

    scope = scope_of(header(store), type="websocket", CANARY=CANARY)
    asyncio.run(_served(store.asgi(app), scope))


def by_framework(store: SessionStore, change: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        change(scope["session"])
        if store.get_session() is None or store.get_session()["user"]["sub"] != "ada":
            raise IdentityChangedError("a login through this object is one")
        await _answer(scope, send)

    middleware = ScopeSessionMiddleware(app, store)
    asyncio.run(_served(middleware, scope_of(header(store), CANARY=CANARY)))


def by_replacing(store: SessionStore, change: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        contents = dict(scope["session"])
        contents["user"] = dict(contents["user"])
        change(contents)
        scope["session"] = contents
        await _answer(scope, send)
        raise IdentityChangedError("a login through this object is one")

    middleware = ScopeSessionMiddleware(app, store)
    asyncio.run(_served(middleware, scope_of(header(store), CANARY=CANARY)))


class Fields(dict):
    add = dict.__setitem__


def by_fields(store: SessionStore, change: Any) -> None:
    exchange = store.begin(WSGIRequest(environ_of(header(store))))
    change(exchange.contents)
    commit_response(exchange, 200, Fields({"X-Own": CANARY}))


def by_write(store: SessionStore, change: Any) -> None:
    exchange = store.begin(WSGIRequest(environ_of(header(store))), owned=False)
    change(exchange.contents)
    write_response(exchange, [("X-Own", CANARY)])


WAYS = [
    by_exchange, by_commit, by_answer, by_response, by_touch, by_rotation, by_module, by_message, by_wsgi, by_wsgi_stream, by_flask, by_two_gateways,
    by_asgi, by_websocket, by_framework, by_replacing, by_fields, by_write,
]  # fmt: skip


CASES = [
    (way, change)
    for way in WAYS
    for change in CHANGES
    if (way, change) != (by_flask, "nobody")  # a logout, which is answered and not raised
]


@pytest.mark.parametrize(("way", "change"), CASES)
@pytest.mark.parametrize("kind", STORES)
def test_what_a_visitor_can_cause_carries_no_contents(kind, way, change):
    act, expected = CHANGES[change]
    if kind == "foreign" and (change in ("NaN", "half a surrogate") or way is by_replacing):
        expected = None
    leaves(lambda: way(STORES[kind](), act), expected or sessionkit.SessionKitError)


def test_a_function_that_can_wait_is_not_decorated() -> None:
    async def awaited() -> None: ...

    def generator() -> Any:
        yield

    for function in (awaited, generator):
        with pytest.raises(TypeError, match=f"{function.__name__} can wait"):
            clears_frames(function)
