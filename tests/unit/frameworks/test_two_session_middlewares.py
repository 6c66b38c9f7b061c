"""Another library's session middleware beside ours: it never sees our contents, and it is told of once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessionkit import EventKind, create_session
from sessionkit._frameworks.scope_session import ScopeSessionMiddleware

from ..scene import Scene
from ..served import scope_of, serve_asgi

ANN = {"user": {"sub": "ann"}, "token": "canary"}


class TheirSession(dict[str, Any]):
    """Starlette's session object, as far as it can be told apart from a dict of the application's."""

    def mark_accessed(self) -> None:
        """Do nothing."""


class Theirs:
    """A middleware as Starlette's: it puts a session into the scope, and writes what it finds there when the response starts."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.written: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["session"] = TheirSession()

        async def write(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.written.append(dict(scope["session"]))
            await send(message)

        await self.app(scope, receive, write)


class Application:
    """Puts itself into the scope, as Starlette's and FastAPI's do."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["app"] = self
        await self.app(scope, receive, send)


def mounted(app: Any) -> Any:
    async def route(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "endpoint": app}, receive, send)

    return route


def serve(app: Any, *, times: int = 1) -> list[Any]:
    """Serve requests, and return the session that was in the scope after each one's start and at its end."""
    seen: list[Any] = []

    async def send(message: Any) -> None:
        """Do nothing."""

    for _ in range(times):
        scope = scope_of()
        asyncio.run(app(scope, send, send))
        seen.append(scope.get("session"))
    return seen


async def page(scope: Any, receive: Any, send: Any) -> None:
    create_session(ANN)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
    scope["after"] = dict(scope["session"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


def told(scene: Scene) -> list[EventKind]:
    return [event.kind for event in scene.events]


def test_a_middleware_around_ours_does_not_write_our_contents(scene: Scene) -> None:
    theirs = Theirs(ScopeSessionMiddleware(page, scene.store))
    assert [type(one) for one in serve(theirs)] == [TheirSession]
    assert theirs.written == [{}]


def test_after_the_start_the_application_has_its_own_session_again(scene: Scene) -> None:
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await page(scope, receive, send)

    serve(Theirs(ScopeSessionMiddleware(app, scene.store)))
    assert scopes[0]["after"] == ANN


def test_an_error_page_of_a_middleware_around_ours_has_none_of_them_either(scene: Scene) -> None:
    async def fail(scope: Any, receive: Any, send: Any) -> None:
        create_session(ANN)
        raise LookupError

    theirs = Theirs(ScopeSessionMiddleware(fail, scene.store))
    with pytest.raises(LookupError):
        serve(theirs)
    assert theirs.written in ([], [{}])


@pytest.mark.parametrize("order", ["around", "inside"])
def test_it_is_told_once_in_both_orders(scene: Scene, order: str) -> None:
    if order == "around":
        app: Any = Theirs(ScopeSessionMiddleware(page, scene.store))
    else:
        app = ScopeSessionMiddleware(Theirs(page), scene.store)
    serve(Application(app), times=3)
    assert told(scene) == [EventKind.TWO_SESSIONS]


def test_an_application_with_sessions_of_its_own_that_is_mounted_is_no_mistake(
    scene: Scene,
) -> None:
    ours_outside = ScopeSessionMiddleware(Application(Theirs(page)), scene.store)
    serve(Application(ours_outside))
    ours_inside = mounted(ScopeSessionMiddleware(page, scene.store))
    serve(Application(Theirs(ours_inside)))
    assert told(scene) == []


@pytest.mark.parametrize("kind", [TheirSession, dict])
def test_a_gateway_around_both_does_not_take_their_session_for_ours(
    scene: Scene, kind: Any
) -> None:
    def around(inner: Any) -> Any:
        async def put(scope: Any, receive: Any, send: Any) -> None:
            scope["session"] = kind(theirs="canary")
            await inner(scope, receive, send)

        return put

    scene.browser.login()
    app = scene.store.asgi(around(ScopeSessionMiddleware(page, scene.store)))
    wire = serve_asgi(app, scene.browser.jar.header())
    scene.browser.jar.receive(wire.answer.lines)
    assert scene.browser.session() == ANN
    assert told(scene) == [EventKind.TWO_SESSIONS]


def test_it_is_told_where_ours_wraps_the_whole_application_by_hand(scene: Scene) -> None:
    serve(ScopeSessionMiddleware(Application(Theirs(page)), scene.store), times=2)
    assert told(scene) == [EventKind.TWO_SESSIONS]


def test_a_mounted_application_is_no_mistake_there_either(scene: Scene) -> None:
    async def main(scope: Any, receive: Any, send: Any) -> None:
        # As Starlette's `Mount`, which changes the scope itself.
        scope.update(root_path="/shop", endpoint=shop)
        await shop(scope, receive, send)

    shop = Application(Theirs(page))
    serve(ScopeSessionMiddleware(Application(main), scene.store))
    assert told(scene) == []


def test_two_of_ours_are_no_mistake(scene: Scene) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    serve(ScopeSessionMiddleware(ScopeSessionMiddleware(app, scene.store), scene.store))
    assert told(scene) == []
