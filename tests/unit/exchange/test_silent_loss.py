"""What is lost, or said too late, is heard: writes that nobody answers, and pages that caches were not told of."""

from __future__ import annotations

import gc
import logging
from typing import Any
from wsgiref.headers import Headers

import pytest

from sessionkit import EventKind, get_session
from sessionkit._cookies.caching import is_kept_private
from sessionkit._frameworks.contents import LazyContents, find_or_open_exchange
from sessionkit._requests.responses import commit_response, write_response
from sessionkit._requests.views import ASGIRequest, WSGIRequest

from ..asked import header, serve, who
from ..scene import ALICE, Scene
from ..served import environ_of, scope_of, serve_asgi

CART = {**ALICE, "cart": {"items": []}}


def kinds(scene: Scene) -> list[EventKind]:
    return [event.kind for event in scene.events]


# ---- nobody answers


def assigned(session: Any) -> None:
    session["x"] = 1


def nested(session: Any) -> None:
    session["cart"]["items"].append(1)


@pytest.mark.parametrize("change", [assigned, nested])
@pytest.mark.parametrize("request_of", [environ_of, scope_of])
def test_a_change_in_a_request_that_nobody_answers_is_told_when_the_request_ends(
    request_of: Any, change: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    request = request_of(header(scene.store, CART))
    change(scene.store.get_session(request))
    assert kinds(scene) == []
    del request
    assert kinds(scene) == [EventKind.UNANSWERED]
    assert [(one.levelno, "install the middleware" in one.message) for one in caplog.records] == [
        (logging.WARNING, True)
    ]


@pytest.mark.parametrize("change", [assigned, nested])
@pytest.mark.parametrize("first", [True, False])
def test_a_change_that_a_call_with_the_response_writes_is_not(change: Any, first: bool) -> None:
    scene = Scene()
    environ, headers = environ_of(header(scene.store, CART)), list[Any]()
    session = scene.store.get_session(environ, *[headers] * first)
    assert session is not None
    change(session)
    assert scene.store.update_session(environ, headers, session) is True
    del environ, session
    assert kinds(scene) == []


def test_a_change_after_such_a_call_is_told() -> None:
    scene = Scene()
    environ, headers = environ_of(header(scene.store, CART)), list[Any]()
    session = scene.store.get_session(environ, headers)
    scene.store.update_session(environ, headers, {**CART, "n": 1})
    nested(session)
    del environ, session
    assert kinds(scene) == [EventKind.UNANSWERED]


def test_a_session_that_is_only_read_is_not_told_of() -> None:
    scene = Scene()
    for cookies in ("", header(scene.store, ALICE)):
        scene.store.get_session(environ_of(cookies))
    assert kinds(scene) == []


def test_a_change_that_a_framework_writes_afterwards_is_not() -> None:
    scene = Scene()
    environ = environ_of(header(scene.store, CART))
    scene.store.get_session(environ)
    shown = find_or_open_exchange(WSGIRequest(environ), scene.store.settings)
    assert shown is not None
    LazyContents(shown)["x"] = 1
    headers = list[Any]()
    write_response(shown, headers)
    assert [name for name, _ in headers] == ["Set-Cookie", "Vary", "Cache-Control"]
    del environ, shown
    gc.collect()
    assert kinds(scene) == []


# ---- a framework's session object in a request that nobody answers


def shown(scene: Scene, request: Any) -> LazyContents:
    view = WSGIRequest(request) if "REQUEST_METHOD" in request else ASGIRequest(request)
    exchange = find_or_open_exchange(view, scene.store.settings)
    assert exchange is not None
    return LazyContents(exchange)


def emptied(session: Any) -> None:
    session.clear()


@pytest.mark.parametrize("change", [assigned, nested, emptied])
@pytest.mark.parametrize("request_of", [environ_of, scope_of])
def test_a_change_of_a_session_object_that_nobody_saves_is_told_when_the_request_ends(
    request_of: Any, change: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    request = request_of(header(scene.store, CART))
    session = shown(scene, request)
    request["framework.session"] = session  # as Pyramid and Bottle keep it
    change(session)
    assert kinds(scene) == []
    gc.disable()  # no cycle: it goes with its request
    try:
        del request, session
        assert kinds(scene) == [EventKind.UNANSWERED]
    finally:
        gc.enable()
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("request_of", [environ_of, scope_of])
def test_a_session_object_that_is_only_looked_at_is_not_told_of(request_of: Any) -> None:
    scene = Scene()
    for cookies in ("", header(scene.store, ALICE)):
        session = shown(scene, request_of(cookies))
        assert session.copy() == (ALICE if cookies else {})
        shown(scene, request_of(cookies))
    del session
    assert kinds(scene) == []


@pytest.mark.parametrize("request_of", [environ_of, scope_of])
def test_a_session_object_that_was_written_and_then_changed_is_told_of(request_of: Any) -> None:
    scene = Scene()
    request = request_of(header(scene.store, CART))
    session = shown(scene, request)
    assigned(session)
    write_response(session.exchange, list[Any]())
    nested(session)
    del request, session
    assert kinds(scene) == [EventKind.UNANSWERED]


@pytest.mark.parametrize("first", ["verb", "object"])
@pytest.mark.parametrize("request_of", [environ_of, scope_of])
def test_a_verb_and_a_session_object_in_one_such_request_are_told_of_once(
    request_of: Any, first: str
) -> None:
    scene = Scene()
    request = request_of(header(scene.store, CART))
    if first == "verb":
        got, session = scene.store.get_session(request), shown(scene, request)
    else:
        session, got = shown(scene, request), scene.store.get_session(request)
    nested(got)
    assigned(session)
    assert got is session.exchange.contents
    del request, got, session
    assert kinds(scene) == [EventKind.UNANSWERED]


@pytest.mark.parametrize("request_of", [environ_of, scope_of])
def test_what_such_a_request_says_counts_when_its_response_is_written(request_of: Any) -> None:
    asked: list[Any] = []
    scene = Scene(renews=lambda request: asked.append(request.header("X-Quiet")) or False)
    scene.browser.login()
    scene.clock.wait(3_600)
    quiet = {"HTTP_X_QUIET": "1"} if request_of is environ_of else {"headers": [(b"x-quiet", b"1")]}
    session = shown(scene, request_of(scene.browser.jar.header(), **quiet))
    session.copy()
    headers = list[Any]()
    write_response(session.exchange, headers)
    assert asked == ["1"]
    assert all(name.lower() not in ("set-cookie", b"set-cookie") for name, _ in headers)


# ---- the response has started


def streaming(*headers: tuple[str, str]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(headers))
        yield who(get_session()).encode()

    return app


PRIVATE = [
    ("Cache-Control", "private"), ("cache-control", "max-age=5, Private"), ("Cache-Control", "no-store"), ("Vary", "Cookie"),
    ("vary", "Accept, cookie"), ("Vary", "*"),
]  # fmt: skip
SHARED = [("Cache-Control", "public"), ("Vary", "Accept"), ("Cache-Control", "no-cache"), ("X-Private", "private")]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "told"), [*((one, False) for one in PRIVATE), *((one, True) for one in SHARED)]
)
def test_a_stream_that_is_the_first_to_read_the_session_tells_that_caches_do_not_know(
    field: tuple[str, str], told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    serve(scene.store.wsgi(streaming(field)), environ_of(header(scene.store, ALICE)))
    assert kinds(scene) == [EventKind.NOT_PRIVATE] * told
    assert [one.levelno for one in caplog.records] == [logging.WARNING] * told


def asgi_app(read_at: str, *headers: tuple[bytes, bytes]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        read = lambda at: get_session() if at == read_at else None  # noqa: E731
        read("before")
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        read("start")
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        read("part")
        await send({"type": "http.response.body", "body": b"2"})
        read("done")

    return app


@pytest.mark.parametrize(
    ("read_at", "told"), [("before", False), ("start", True), ("part", True), ("done", False)]
)
def test_what_is_read_when_the_body_is_out_is_of_no_matter(read_at: str, told: bool) -> None:
    scene = Scene()
    serve_asgi(scene.store.asgi(asgi_app(read_at)), header(scene.store, ALICE))
    assert kinds(scene) == [EventKind.NOT_PRIVATE] * told


def test_an_asgi_stream_may_say_itself_that_it_is_private() -> None:
    scene = Scene()
    app = asgi_app("part", (b"cache-control", b"private"))
    serve_asgi(scene.store.asgi(app), header(scene.store, ALICE))
    assert kinds(scene) == []


def test_what_is_read_as_the_body_is_closed_is_of_no_matter() -> None:
    scene = Scene()

    class Closing:
        def __iter__(self) -> Any:
            return iter([b"x"])

        def close(self) -> None:
            get_session()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Closing()

    body = scene.store.wsgi(app)(environ_of(header(scene.store, ALICE)), lambda *_: None)
    assert list(body) == [b"x"]
    body.close()  # type: ignore[attr-defined]  # it has one
    assert kinds(scene) == []


def test_a_websocket_is_kept_by_no_cache() -> None:
    scene = Scene()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        get_session()

    serve_asgi(scene.store.asgi(app), header(scene.store, ALICE), type="websocket")
    assert kinds(scene) == []


def test_a_response_with_headers_of_its_own_kind_is_judged_by_them() -> None:
    assert is_kept_private({"Cache-Control": "private"})
    assert not is_kept_private({"Cache-Control": "public"})
    assert not is_kept_private([])


@pytest.mark.parametrize("told", [False, True])
def test_a_framework_with_a_server_of_its_own_hears_of_it_too(told: bool) -> None:
    scene = Scene()
    scene.browser.login()
    visit = scene.browser.visit()
    headers: Any = Headers([] if told else [("Vary", "Cookie")])
    headers.add = headers.add_header
    commit_response(visit.exchange, 200, headers)
    visit.exchange.get()
    assert kinds(scene) == [EventKind.NOT_PRIVATE] * told
