"""What an application puts in the place of the session object after the response has started, and what is no session."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from tracebacks import frames_of_ours, held

from sessionkit import CookieSettings, EventKind, Session, SessionStore
from sessionkit._frameworks.scope_session import ScopeSessionMiddleware
from sessionkit.testing import read_cookies

from ..asked import header
from ..scene import OTHER_SECRET, Scene
from ..served import Wire, scope_of, serve_asgi

ANN = {"user": {"sub": "ann"}, "n": 1}
CANARY = "canary-5d41402abc4b2a76"
START = {"http": "http.response.start", "websocket": "websocket.accept"}


def app_of(*, before: Any = None, after: Any = None) -> Any:
    """An application that changes its scope before or after the response starts."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if before is not None:
            before(scope)
        await send({"type": START[scope["type"]], "status": 200, "headers": []})
        if scope["type"] == "http":
            await send({"type": "http.response.body", "body": b""})
        if after is not None:
            after(scope)

    return app


def put(value: Any) -> Any:
    return lambda scope: scope.__setitem__("session", value)


def told(app: Any, cookies: dict[str, Any] | None = ANN, **request: Any) -> list[EventKind]:
    """The kinds of events that a request to an application of `Scene.store` leaves."""
    scene = Scene()
    sent = header(scene.store, cookies) if cookies else ""
    serve_asgi(ScopeSessionMiddleware(app, scene.store), sent, **request)
    return [event.kind for event in scene.events]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("value", [{"user": {"sub": "ann"}, "n": 2}, {"user": {"sub": "bob"}}, {}, None, Session({"n": 2}), [1], 7])  # fmt: skip
def test_what_is_put_there_after_the_start_is_lost_and_told(
    value: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(app_of(after=put(value)), type=kind) == [EventKind.LATE_CHANGE]
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


def test_it_is_told_of_a_visitor_without_a_session_too() -> None:
    assert told(app_of(after=put({"cart": [1]})), None) == [EventKind.LATE_CHANGE]


def test_it_is_told_whether_or_not_anybody_read_the_session_before() -> None:
    app = app_of(before=lambda scope: len(scope["session"]), after=put({"n": 2}))
    assert told(app) == [EventKind.LATE_CHANGE]


def test_what_is_put_there_twice_is_saved_once_and_told_once() -> None:
    scene = Scene()
    app = app_of(before=put({**ANN, "n": 2}), after=put({**ANN, "n": 3}))
    wire = serve_asgi(ScopeSessionMiddleware(app, scene.store), header(scene.store, ANN))
    assert read_cookies(scene.store, wire.answer.lines) == {**ANN, "n": 2}
    assert [event.kind for event in scene.events] == [EventKind.LATE_CHANGE]


def test_a_change_in_place_beside_it_is_told_with_it() -> None:
    def both(scope: Any) -> None:
        scope["session"]["user"]["name"] = "Ann"
        put({"n": 2})(scope)

    assert told(app_of(after=both)) == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize(("value", "cookies"), [(dict(ANN), ANN), ({}, None), (None, None)])
def test_equal_contents_put_there_afterwards_are_no_change(value: Any, cookies: Any) -> None:
    assert told(app_of(after=put(value)), cookies) == []


def test_true_is_another_value_than_one() -> None:
    assert told(app_of(after=put({**ANN, "n": True}))) == [EventKind.LATE_CHANGE]


def test_nothing_in_its_place_afterwards_is_no_change() -> None:
    assert told(app_of(after=lambda scope: scope.pop("session"))) == []


def test_a_session_that_the_application_made_is_contents() -> None:
    scene = Scene()
    app = app_of(before=put(Session({**ANN, "n": 2})))
    wire = serve_asgi(ScopeSessionMiddleware(app, scene.store), header(scene.store, ANN))
    assert read_cookies(scene.store, wire.answer.lines) == {**ANN, "n": 2}


# ---- an application inside, with a store of its own


def admin_inside(site: Scene, app: Any) -> tuple[Scene, Any]:
    admin = Scene(secret=OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"))
    return admin, ScopeSessionMiddleware(ScopeSessionMiddleware(app, admin.store), site.store)


def test_what_an_application_inside_loses_is_told_by_its_own_store() -> None:
    site = Scene()
    admin, app = admin_inside(site, app_of(after=put({"n": 2})))
    serve_asgi(app, header(site.store, ANN))
    assert [event.kind for event in admin.events] == [EventKind.LATE_CHANGE]
    assert site.events == []


@pytest.mark.parametrize("before", [None, put({"n": 1})])
def test_an_application_inside_keeps_its_own_session_object_after_the_start(before: Any) -> None:
    site, seen = Scene(), []
    admin, app = admin_inside(
        site, app_of(before=before, after=lambda scope: seen.append(dict(scope["session"])))
    )
    serve_asgi(app, f"{header(site.store, ANN)}; {header(admin.store, {'n': 1})}")
    assert seen == [{"n": 1}]
    assert (admin.events, site.events) == ([], [])


# ---- no response at all


class Failing(Exception):
    pass


def failing(value: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["session"] = value
        raise Failing

    return app


@pytest.mark.parametrize("value", [{**ANN, "n": 2}, [1]])
def test_what_is_put_there_before_the_application_fails_is_rolled_back_and_told(value: Any) -> None:
    scene = Scene()
    with pytest.raises(Failing):
        serve_asgi(ScopeSessionMiddleware(failing(value), scene.store), header(scene.store, ANN))
    assert [event.kind for event in scene.events] == [EventKind.ROLLED_BACK]


def test_a_logout_by_it_is_kept_though_the_application_fails() -> None:
    scene, wire = Scene(), Wire()
    scene.browser.login(ANN)
    with pytest.raises(Failing):
        serve_asgi(
            ScopeSessionMiddleware(failing({}), scene.store), scene.browser.jar.header(), wire=wire
        )
    scene.browser.jar.receive(wire.answer.lines)
    assert wire.answer.status == 500
    assert scene.browser.session() == {}


# ---- what is no mapping


def raised_by(value: Any) -> BaseException:
    scene = Scene()
    app = ScopeSessionMiddleware(app_of(before=put(value)), scene.store)
    with pytest.raises(TypeError) as raised:
        asyncio.run(app(scope_of(header(scene.store, ANN)), Wire().receive, Wire().send))
    return raised.value


@pytest.mark.parametrize("value", [[CANARY], CANARY, (CANARY,), {CANARY}])
def test_the_error_says_what_to_do_and_holds_no_contents(value: Any) -> None:
    error = raised_by(value)
    assert str(error) == (
        f'scope["session"] was replaced by {type(value).__name__}: put a dict there, or change request.session in place'
    )
    assert frames_of_ours(error) > 2
    assert held(error, CANARY) == []


def test_a_guard_that_fails_on_what_was_put_there_leaves_no_contents_in_our_frames() -> None:
    def guard(session: Any) -> bool:
        raise Failing

    store = SessionStore(OTHER_SECRET, guard=guard)
    app = ScopeSessionMiddleware(app_of(before=put({"user": {"sub": CANARY}})), store)
    with pytest.raises(Failing) as raised:
        asyncio.run(app(scope_of(), Wire().receive, Wire().send))
    assert frames_of_ours(raised.value) > 2
    assert held(raised.value, CANARY) == []


def test_a_key_that_is_gone_before_the_start_is_there_again_afterwards() -> None:
    seen: list[object] = []
    app = app_of(before=lambda scope: scope.pop("session"), after=lambda scope: seen.append(dict(scope["session"])))  # fmt: skip
    assert told(app) == []
    assert seen == [ANN]
