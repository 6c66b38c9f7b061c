"""The ASGI gateway: http, websocket, and all that passes through."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from typing import Any

import pytest

import sessionkit
from sessionkit import (
    ConfigurationError,
    CookieSettings,
    EventKind,
    IdentityChangedError,
    Lifetime,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    bind,
    delete_session,
    get_session,
    update_session,
)
from sessionkit.request import HOLDER

from .scene import ALICE, BOB, OTHER_SECRET, SECRET, Scene, names
from .served import Wire, answering_async, scope_of, serve_asgi

CHANGED = {**ALICE, "n": 1}


def signed_in(**settings: Any) -> Scene:
    scene = Scene(**settings)
    scene.browser.login()
    return scene


def visit(scene: Scene, app: Any, **request: Any) -> Any:
    answer = serve_asgi(app, scene.browser.jar.header(), **request).answer
    scene.browser.jar.receive(answer.lines)
    return answer


def kinds(scene: Scene) -> list[EventKind]:
    return [event.kind for event in scene.events]


def who() -> Any:
    """Whose session is in reach here, or the error that says there is none."""
    try:
        session = get_session()
    except NoActiveRequestError as error:
        return type(error)
    return session and session["user"]["sub"]


async def start(send: Any, **more: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [], **more})


async def end(send: Any, body: bytes = b"") -> None:
    await send({"type": "http.response.body", "body": body})


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


# ---- the context


def test_a_request_never_finds_the_exchange_that_was_left_in_its_context() -> None:
    """A pipelined keep-alive connection: the next request begins in the context of the last."""
    scene, bob = signed_in(), Scene()
    bob.browser.login(BOB)
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(who())
        await start(send)
        await end(send)

    gateway = scene.store.asgi(app, exclude="/static/*")

    async def connection() -> None:
        wire = Wire()
        for scope in (
            scope_of(scene.browser.jar.header()),
            scope_of(bob.browser.jar.header()),
            scope_of(bob.browser.jar.header(), path="/static/x"),
            scope_of(),
            {"type": "lifespan"},
        ):
            await gateway(scope, wire.receive, wire.send)
            seen.append(who())

    asyncio.run(connection())
    ended = NoActiveRequestError
    assert seen == ["alice", ended, "bob", ended, None, ended, None, ended, ended, ended]


def test_a_task_that_outlives_its_request_has_no_session() -> None:
    scene, seen = signed_in(), []
    tasks = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        over = asyncio.Event()

        async def later() -> None:
            seen.append(who())
            await over.wait()
            seen.append(who())

        tasks.append((over, asyncio.create_task(later())))
        await asyncio.sleep(0)
        await start(send)
        await end(send)

    async def server() -> None:
        wire = Wire()
        await scene.store.asgi(app)(scope_of(scene.browser.jar.header()), wire.receive, wire.send)
        for over, task in tasks:
            over.set()
            await task

    asyncio.run(server())
    assert seen == ["alice", NoActiveRequestError]


def test_threads_find_the_session_where_the_context_goes_and_through_bind() -> None:
    scene, seen = signed_in(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            seen.append(await asyncio.to_thread(who))
            seen.append(await loop.run_in_executor(pool, who))
            seen.append(await loop.run_in_executor(pool, bind(who)))
        await asyncio.to_thread(update_session, CHANGED)
        await start(send)
        await end(send)

    visit(scene, scene.store.asgi(app))
    assert seen == ["alice", NoActiveRequestError, "alice"]
    assert scene.browser.session() == CHANGED


def test_a_mounted_application_with_a_copied_scope_shares_the_session() -> None:
    scene = signed_in()

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        assert scene.store.update_session(scope, CHANGED) is True
        await start(send)
        await end(send)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await mounted({**scope, "root_path": "/mounted"}, receive, send)

    visit(scene, scene.store.asgi(app))
    assert scene.browser.session() == CHANGED


def test_a_second_gateway_of_an_equal_store_sets_one_cookie() -> None:
    scene = signed_in()
    equal = SessionStore(SECRET, clock=scene.clock)
    app = scene.store.asgi(equal.asgi(answering_async(lambda: update_session(CHANGED))))
    assert names(visit(scene, app).lines) == ["__Host-session"]


def test_two_secrets_under_one_cookie_name_are_refused() -> None:
    scene = signed_in()
    with pytest.raises(ConfigurationError, match="'__Host-session' in one request"):
        serve_asgi(scene.store.asgi(SessionStore(OTHER_SECRET).asgi(answering_async(who))))


def test_after_an_inner_store_the_outer_one_is_still_served() -> None:
    scene = signed_in()
    admin = SessionStore(
        OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"), clock=scene.clock
    )
    inner = admin.asgi(answering_async(lambda: admin.create_session(BOB)))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        wire = Wire()
        await inner(scope, wire.receive, wire.send)
        assert (
            update_session(CHANGED) is True
        )  # the context variable that the inner gateway set is over
        await send(wire.sent[0])
        await end(send)

    answer = visit(scene, scene.store.asgi(app))
    assert names(answer.lines) == ["__Host-admin", "__Host-session"]
    assert scene.browser.session() == CHANGED


# ---- websockets


def socket(scene: Scene, app: Any, wire: Wire | None = None, **request: Any) -> Wire:
    return serve_asgi(app, scene.browser.jar.header(), type="websocket", wire=wire, **request)


def test_a_websocket_sets_its_cookie_when_it_is_accepted() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        update_session(CHANGED)
        await send({"type": "websocket.accept", "subprotocol": "x"})
        with pytest.raises(ResponseStartedError):
            update_session(scope, ALICE)
        await send({"type": "websocket.send", "text": who()})

    wire = socket(scene, scene.store.asgi(app))
    scene.browser.jar.receive(wire.answer.lines)
    assert scene.browser.session() == CHANGED
    assert wire.sent[0]["subprotocol"] == "x"
    assert wire.sent[1] == {"type": "websocket.send", "text": "alice"}


def test_a_task_that_accepts_the_socket_serves_it_and_one_that_it_starts_does_not() -> None:
    scene = signed_in()
    found: list[Any] = []

    async def note() -> None:
        found.append(who())

    async def handle(send: Any) -> None:
        await send({"type": "websocket.accept"})
        await note()
        await asyncio.create_task(note())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.create_task(handle(send))
        await note()

    socket(scene, scene.store.asgi(app))
    assert found == ["alice", NoActiveRequestError, "alice"]


def test_a_websocket_that_is_denied_carries_the_logout() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        delete_session()
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    scene.browser.jar.receive(socket(scene, scene.store.asgi(app)).answer.lines)
    assert scene.browser.session() == {}


def test_a_websocket_that_fails_is_the_servers() -> None:
    scene, wire = signed_in(), Wire()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        delete_session()
        raise OSError("failed")

    with pytest.raises(OSError, match="failed"):
        socket(scene, scene.store.asgi(app), wire)
    assert wire.sent == []
    assert kinds(scene) == [EventKind.ROLLED_BACK]


def test_a_websocket_that_is_closed_before_it_is_accepted_tells_what_it_dropped() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        update_session(CHANGED)
        await send({"type": "websocket.close", "code": 1000})

    socket(scene, scene.store.asgi(app))
    assert (kinds(scene), scene.browser.session()) == ([EventKind.ROLLED_BACK], ALICE)


def test_a_request_that_only_read_and_was_never_answered_dropped_nothing() -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        get_session()

    serve_asgi(scene.store.asgi(app), scene.browser.jar.header())
    assert kinds(scene) == []


def test_after_accept_another_task_finds_the_session_only_through_bind_or_the_scope() -> None:
    scene, seen = signed_in(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def bound() -> Any:
            return who()

        seen.append(await asyncio.create_task(bound()))
        await send({"type": "websocket.accept"})
        for work in (bound(), bind(bound)(), asyncio.to_thread(bind(who))):
            seen.append(await asyncio.create_task(work))  # noqa: PERF401  # one after another
        seen.append(await asyncio.to_thread(who))
        seen.append(
            await asyncio.create_task(asyncio.to_thread(lambda: get_session(scope)["user"]["sub"]))
        )
        seen.append(who())

    socket(scene, scene.store.asgi(app))
    assert seen == [
        "alice",
        NoActiveRequestError,
        "alice",
        "alice",
        "alice",
        "alice",
        "alice",
    ]


def test_a_worker_started_by_one_visitor_does_not_serve_another_as_the_first() -> None:
    """THREATS 8.2: a lazy worker inherits the context of the socket that started it."""
    scene, seen = signed_in(), []
    jobs: asyncio.Queue[str] = asyncio.Queue()

    async def worker() -> None:
        while True:
            await jobs.get()
            seen.append(who())
            jobs.task_done()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        task = asyncio.create_task(worker())
        await jobs.put("for bob")
        await jobs.join()
        task.cancel()

    socket(scene, scene.store.asgi(app))
    assert seen == [NoActiveRequestError]


def test_a_session_that_expires_while_its_socket_is_open_is_gone() -> None:
    scene, seen = signed_in(lifetime=Lifetime(idle=600)), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        seen.append(who())
        scene.clock.wait(600)
        seen.extend([who(), scope[HOLDER].absence])

    socket(scene, scene.store.asgi(app))
    assert seen == ["alice", None, sessionkit.Absence.IDLE]


@pytest.mark.parametrize("exclude", [(), "*"])
@pytest.mark.parametrize(
    ("origin", "served"),
    [
        (b"https://app.example.org", True),
        (b"https://evil.example", False),
        (b"null", False),
        (None, False),
    ],
)
def test_a_websocket_is_served_to_the_named_origins_only(
    origin: bytes | None, served: bool, exclude: Any
) -> None:
    scene = signed_in()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    gateway = scene.store.asgi(app, origins=["https://app.example.org"], exclude=exclude)
    wire = socket(scene, gateway, headers=[] if origin is None else [(b"origin", origin)])
    refused = {"type": "websocket.close", "code": 1008, "reason": "origin not allowed"}
    assert wire.sent == [{"type": "websocket.accept"} if served else refused]


def test_the_origins_are_not_asked_of_http() -> None:
    scene = signed_in()
    gateway = scene.store.asgi(answering_async(who), origins=["https://app.example.org"])
    assert visit(scene, gateway, headers=[(b"origin", b"https://evil.example")]).body == b"'alice'"


def test_nothing_is_left_in_the_context_of_the_server() -> None:
    scene = signed_in()

    def serve() -> Any:
        visit(scene, scene.store.asgi(answering_async(who)))
        return who()

    assert contextvars.copy_context().run(serve) is NoActiveRequestError
