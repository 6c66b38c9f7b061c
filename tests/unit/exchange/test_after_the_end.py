"""What is left of a session when its request has ended: a page for its failure may read it, and nothing may write it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from sessionkit import (
    CookieSettings,
    EventKind,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    rotate_session,
    touch_session,
    update_session,
)
from sessionkit._frameworks.contents import LazyContents, find_or_open_exchange
from sessionkit._requests.views import WSGIRequest

from ..asked import header, serve, who, wsgi_page
from ..scene import ALICE, BOB, OTHER_SECRET, Scene
from ..served import Wire, environ_of, scope_of, serve_asgi


@pytest.fixture(autouse=True)
def another_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONKIT_SECRET", OTHER_SECRET)


def ended(scene: Scene, view: Any = lambda environ: None) -> dict[str, Any]:
    """The environ of alice's request, once a gateway has answered it."""
    environ = environ_of(header(scene.store, ALICE))
    serve(scene.store.wsgi(wsgi_page(view)), environ)
    return environ


@pytest.mark.parametrize("read", [False, True])
def test_a_page_outside_of_the_gateway_reads_the_session_of_the_request(read: bool) -> None:
    scene = Scene()
    environ = ended(scene, get_session if read else lambda environ: None)
    for _ in range(2):
        assert who(get_session(environ)) == who(scene.store.get_session(environ)) == "alice"
    shown = find_or_open_exchange(WSGIRequest(environ), scene.store.settings)
    assert shown is not None
    assert LazyContents(shown)["user"] == ALICE["user"]


def test_a_page_outside_of_an_asgi_gateway_reads_it_too() -> None:
    scene, seen = Scene(), []

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise OSError

    async def errors(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(OSError):  # the application's own
            await scene.store.asgi(fails)(scope, receive, send)
        seen.append(who(get_session(scope)))
        seen.append(who(scene.store.get_session({**scope})))

    serve_asgi(errors, header(scene.store, ALICE))
    assert seen == ["alice", "alice"]


def test_the_session_is_the_one_of_the_requests_end() -> None:
    scene = Scene()
    assert get_session(ended(scene, delete_session)) is None
    assert who(get_session(ended(scene, lambda environ: create_session(environ, BOB)))) == "bob"
    changed = ended(scene, lambda environ: update_session(environ, {**ALICE, "n": 1}))
    assert get_session(changed) == {**ALICE, "n": 1}


@pytest.mark.parametrize("read", [False, True])
def test_the_clock_goes_on(read: bool) -> None:
    scene = Scene()
    environ = ended(scene, get_session if read else lambda environ: None)
    scene.clock.wait(90_000)
    assert get_session(environ) is None


@pytest.mark.parametrize("headers", [None, []])
@pytest.mark.parametrize("read", [False, True])
def test_every_write_is_refused(read: bool, headers: Any) -> None:
    scene = Scene()
    environ = ended(scene, get_session if read else lambda environ: None)
    response = [] if headers is None else [headers]
    for verb, contents in (
        (update_session, [{**ALICE, "n": 1}]), (create_session, [BOB]), (touch_session, []), (rotate_session, []), (delete_session, []),
    ):  # fmt: skip
        with pytest.raises(
            ResponseStartedError, match="has finished, and its session can only be read"
        ):
            verb(environ, *response, *contents)  # type: ignore[operator]  # one form for all
    with pytest.raises(ResponseStartedError, match="has finished"):
        get_session(environ)["n"] = 1  # type: ignore[index]  # there is one


def test_an_environ_that_is_used_again_is_a_second_request() -> None:
    scene, seen = Scene(), []
    environ = ended(scene, lambda environ: update_session(environ, {**ALICE, "n": 1}))
    lines = serve(scene.store.wsgi(wsgi_page(lambda own: seen.append(get_session(own)))), environ)
    assert seen == [ALICE]
    assert [name for name, _ in lines] == ["Vary", "Cache-Control"]


@pytest.mark.parametrize("user", ["bob", None])
@pytest.mark.parametrize("read", [False, True])
def test_a_copy_of_it_with_another_cookie_header_is_another_request(read: bool, user: Any) -> None:
    scene = Scene()
    environ = ended(scene, get_session if read else lambda environ: None)
    copy = {**environ, "HTTP_COOKIE": header(scene.store, BOB) if user else ""}
    assert who(scene.store.get_session(copy)) == user
    assert who(get_session(environ)) == "alice"


def test_a_task_that_outlives_its_request_falls_back_to_no_other_store() -> None:
    scene, seen, tasks = Scene(), [], []
    foreign = Scene(secret=OTHER_SECRET)

    async def late(scope: Any, go: asyncio.Event) -> None:
        await go.wait()
        for form in ((), (BOB,), (scope, BOB)):
            try:
                seen.append(create_session(*form) if form else get_session())
            except (NoActiveRequestError, ResponseStartedError) as error:
                seen.append(type(error).__name__)
        seen.append(who(get_session(scope)))
        seen.append(who(get_session(scope_of(header(foreign.store, BOB)))))

    async def main() -> None:
        go = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            tasks.append(asyncio.create_task(late(scope, go)))
            await send({"type": "http.response.start", "status": 200, "headers": []})

        await scene.store.asgi(app)(scope_of(header(scene.store, ALICE)), None, Wire().send)
        go.set()
        await tasks[0]

    asyncio.run(main())
    assert seen == [
        "NoActiveRequestError", "NoActiveRequestError", "ResponseStartedError", "alice", None,
    ]  # fmt: skip


class Watched(dict[str, Any]):
    """An environ or scope that can be referred to weakly."""


def outlives(request: dict[str, Any], serving: Any) -> bool:
    """Whether a request is still there when all have let go of it, with the collector at rest."""
    gc.collect()
    gc.disable()
    try:
        kept = Watched(request)
        request.clear()
        watched = weakref.ref(kept)
        serving(kept)
        del kept
        return watched() is not None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "view",
    [lambda _: None, get_session, delete_session, lambda environ: create_session(environ, BOB)],
)
def test_a_request_leaves_no_cycle_behind(view: Any) -> None:
    scene = Scene()
    environ, app = environ_of(header(scene.store, ALICE)), scene.store.wsgi(wsgi_page(view))
    assert outlives(environ, lambda kept: serve(app, kept)) is False


@pytest.mark.parametrize("outer_reads", [False, True])
@pytest.mark.parametrize("inner_reads", [False, True])
def test_nor_does_one_behind_two_gateways(outer_reads: bool, inner_reads: bool) -> None:
    site = Scene()
    admin = SessionStore(OTHER_SECRET, cookie=CookieSettings(name="other"))

    def view(environ: Any) -> None:
        if outer_reads:
            admin.get_session(environ)
        if inner_reads:
            site.store.get_session(environ)

    app = admin.wsgi(site.store.wsgi(wsgi_page(view)))
    environ = environ_of(header(site.store, ALICE))
    assert outlives(environ, lambda kept: serve(app, kept)) is False


def test_nor_does_one_that_a_page_for_its_failure_has_asked_about() -> None:
    scene = Scene()
    app = scene.store.wsgi(wsgi_page(lambda _: None))

    def failing(environ: Any) -> None:
        serve(app, environ)
        assert who(get_session(environ)) == "alice"

    assert outlives(environ_of(header(scene.store, ALICE)), failing) is False


@pytest.mark.parametrize("request_", [environ_of, scope_of])
def test_nor_does_one_that_no_gateway_serves(request_: Any) -> None:
    scene = Scene()

    def three_arguments(request: Any) -> None:
        session = scene.store.get_session(request, [])
        scene.store.update_session(request, [], {**(session or {}), "n": 1})

    assert outlives(request_(header(scene.store, ALICE)), three_arguments) is False
    assert scene.events == []


def test_the_end_is_told_of_once() -> None:
    scene = Scene()

    def page(environ: Any, start_response: Any) -> list[bytes]:
        session = get_session()
        start_response("200 OK", [])
        session["user"]["late"] = True  # type: ignore[index]  # there is one
        return []

    list(scene.store.wsgi(page)(environ_of(header(scene.store, ALICE)), lambda *_: None))
    assert [event.kind for event in scene.events] == [EventKind.LATE_CHANGE]
