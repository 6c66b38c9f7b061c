"""The ASGI gateway: http, and what passes through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessionkit import (
    EventKind,
    IdentityChangedError,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit.backends import MemoryBackend

from ..scene import ALICE, SECRET, Scene, names
from ..served import Wire, answering_async, scope_of, serve_asgi
from .asgi_visits import CHANGED, end, kinds, signed_in, start, visit, who

# ---- http


def test_a_view_reads_its_session_without_an_argument() -> None:
    scene = signed_in()
    assert visit(scene, scene.store.asgi(answering_async(who))).body == b"'alice'"


def test_an_update_reaches_the_browser() -> None:
    scene = signed_in()
    visit(scene, scene.store.asgi(answering_async(lambda: update_session(CHANGED))))
    assert scene.browser.session() == CHANGED


def test_several_cookie_fields_are_one_header() -> None:
    scene = Scene()
    large = {**ALICE, "text": "x" * 5000}
    scene.browser.login(large)
    fields = scene.browser.jar.header().split("; ")
    assert len(fields) > 1
    wire = serve_asgi(
        scene.store.asgi(answering_async(lambda: dict(get_session() or {}) == large)), fields
    )
    assert wire.answer.body == b"True"


def test_headers_that_can_be_read_once_only_are_there_for_everybody() -> None:
    scene = signed_in()
    scope = scope_of(scene.browser.jar.header())
    scope["headers"] = iter([iter(pair) for pair in scope["headers"]])
    wire = Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert [name for name, _ in scope["headers"]] == [b"host", b"cookie"]  # uses them up
        await answering_async(who)(scope, receive, send)

    asyncio.run(scene.store.asgi(app)(scope, wire.receive, wire.send))
    assert wire.answer.body == b"'alice'"


def test_a_request_nobody_asks_for_its_session_goes_through_untouched() -> None:
    scene, message = (
        signed_in(),
        {"type": "http.response.start", "status": 200, "headers": iter([(b"x", b"y")])},
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(message)
        await end(send)

    wire = serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    assert wire.sent[0] is message
    assert list(message["headers"]) == [(b"x", b"y")]


def test_the_message_of_the_application_stays_as_it_was() -> None:
    scene, message = signed_in(), {"type": "http.response.start", "status": 200, "trailers": True}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        get_session()
        await send(message)
        await end(send)

    wire = serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    assert message == {"type": "http.response.start", "status": 200, "trailers": True}
    assert wire.sent[0] == {
        **message,
        "headers": [(b"vary", b"Cookie"), (b"cache-control", b"private")],
    }


def test_other_messages_pass_as_they_are() -> None:
    scene = signed_in()
    hint = {"type": "http.response.early_hint", "links": []}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(hint)
        assert update_session(CHANGED) is True
        await start(send)
        await send({"type": "http.response.pathsend", "path": "/x"})

    wire = serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    assert wire.sent[0] is hint
    assert wire.sent[2] == {"type": "http.response.pathsend", "path": "/x"}
    assert names(wire.answer.lines) == ["__Host-session"]


def test_a_500_drops_the_update_and_keeps_the_logout() -> None:
    scene = signed_in()
    assert (
        visit(scene, scene.store.asgi(answering_async(lambda: update_session(CHANGED), 500))).lines
        == []
    )
    assert (
        names(visit(scene, scene.store.asgi(answering_async(delete_session, 500))).lines)[0]
        == "-__Host-session"
    )


def test_a_session_changed_into_another_users_is_not_sent() -> None:
    scene = signed_in()

    def view() -> None:
        get_session()["user"].update(sub="admin")

    wire = Wire()
    with pytest.raises(IdentityChangedError):
        serve_asgi(scene.store.asgi(answering_async(view)), scene.browser.jar.header(), wire=wire)
    assert wire.sent == []


def test_a_stream_reads_the_session_and_a_late_write_says_so() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        for _ in range(2):
            await send(
                {
                    "type": "http.response.body",
                    "body": repr(await asyncio.create_task(asyncio.to_thread(who))).encode(),
                    "more_body": True,
                }
            )
        with pytest.raises(ResponseStartedError):
            update_session(CHANGED)
        await end(send)

    assert visit(scene, scene.store.asgi(app)).body == b"'alice''alice'"


def test_a_background_task_cannot_write_and_its_nested_change_is_reported() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        session = get_session()
        await start(send)
        await end(send)
        with pytest.raises(ResponseStartedError):
            session["n"] = 1
        with pytest.raises(ResponseStartedError):
            delete_session()
        session["user"]["late"] = True

    visit(scene, scene.store.asgi(app))
    assert kinds(scene) == [EventKind.LATE_CHANGE]


@pytest.mark.parametrize("started", [False, True])
def test_a_logout_outlives_the_failure_of_the_application(started: bool) -> None:
    scene, wire = signed_in(), Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        delete_session()
        if started:
            await start(send)
        raise OSError("failed")

    with pytest.raises(OSError, match="failed"):
        serve_asgi(scene.store.asgi(app), scene.browser.jar.header(), wire=wire)
    scene.browser.jar.receive(wire.answer.lines)
    assert (wire.answer.status, scene.browser.session()) == (200 if started else 500, {})
    assert [message["type"] for message in wire.sent][1:] == (
        [] if started else ["http.response.body"]
    )


def test_a_failure_with_nothing_to_end_is_the_servers() -> None:
    scene, wire = signed_in(), Wire()

    def view() -> None:
        update_session(CHANGED)
        raise OSError("failed")

    with pytest.raises(OSError, match="failed"):
        serve_asgi(scene.store.asgi(answering_async(view)), scene.browser.jar.header(), wire=wire)
    assert wire.sent == []


def test_a_cancelled_request_is_answered_by_nobody() -> None:
    scene, wire = signed_in(), Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        delete_session()
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        serve_asgi(scene.store.asgi(app), scene.browser.jar.header(), wire=wire)
    assert wire.sent == []


# ---- what passes through


@pytest.mark.parametrize("kind", ["lifespan", "webtransport"])
def test_other_scopes_pass_through_and_have_no_session(kind: str) -> None:
    scene, seen = Scene(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, who()))

    scope = {"type": kind}
    asyncio.run(scene.store.asgi(app)(scope, Wire().receive, Wire().send))
    assert seen == [({"type": kind}, NoActiveRequestError)]


@pytest.mark.parametrize("kind", ["lifespan", "webtransport"])
def test_other_scopes_do_not_see_the_request_that_is_current_around_them(kind: str) -> None:
    scene, seen = signed_in(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(who())

    async def inside_a_request() -> None:
        await scene.store.asgi(app)({"type": kind}, Wire().receive, Wire().send)
        seen.append(who())

    with scene.store.exchange(scene.browser.jar.header()):
        asyncio.run(inside_a_request())
    assert seen == [NoActiveRequestError, "alice"]


def test_an_excluded_path_has_no_session() -> None:
    scene, seen = signed_in(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(
            [
                get_session(),
                get_session(scope),
                scene.store.get_session(),
                scene.store.get_session(scope),
            ]
        )
        with pytest.raises(NoActiveRequestError, match="excluded"):
            update_session(scope, ALICE)
        await start(send)
        await end(send)

    answer = visit(scene, scene.store.asgi(app, exclude="/static/*"), path="/static/x.css")
    assert (seen, answer.headers) == ([None] * 4, [])


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_name_of_a_header_is_a_byte_string_of_any_kind(kind: type) -> None:
    scene = signed_in()
    wire = Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert get_session() is not None
        headers = [(kind(b"Vary"), kind(b"Accept")), (kind(b"X-Own"), kind(b"1"))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    scope = scope_of(scene.browser.jar.header())
    asyncio.run(scene.store.asgi(app)(scope, wire.receive, wire.send))
    fields = {bytes(name): bytes(value) for name, value in wire.sent[0]["headers"]}
    assert fields == {b"x-own": b"1", b"vary": b"Accept, Cookie", b"cache-control": b"private"}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    "fields",
    [[("content-type", "text/plain")], [(b"vary", "Accept")], {b"vary": b"Accept"}, [b"vary"]],
)
def test_headers_that_are_no_pairs_of_bytes_are_an_error_that_says_so(
    fields: Any, kept: bool
) -> None:
    store = SessionStore(SECRET, backend=MemoryBackend() if kept else None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        create_session(ALICE)
        await send({"type": "http.response.start", "status": 200, "headers": fields})

    with pytest.raises(TypeError, match=r'a list of pairs of bytes, such as \(b"content-type"'):
        serve_asgi(store.asgi(app))
