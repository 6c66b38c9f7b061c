"""The session of aiohttp requests where the contract suite does not reach: sub-applications, signals, tasks, its own names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    SessionTooLargeError,
)
from sessionkit.request import HeaderRequest
from sessionkit_aiohttp import (
    AiohttpSession,
    get_session,
    new_session,
    require_session_api,
    require_session_page,
    setup,
    verbs,
)

SECRET = "aiohttp tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET)


async def login(request: web.Request) -> web.Response:
    verbs.create_session(request, ANN)
    return web.Response()


async def me(request: web.Request) -> web.Response:
    return web.json_response(verbs.get_session(request))


def application(*routes: tuple[str, Any], **settings: Any) -> web.Application:
    app = web.Application(**settings)
    app.add_routes(
        [
            web.route("*", path, handler)
            for path, handler in (("/login", login), ("/me", me), *routes)
        ]
    )
    return app


def browse(app: web.Application, walk: Callable[[TestClient], Awaitable[Any]]) -> Any:
    """Run a walk of a browser through an application that is really served."""

    async def serve() -> Any:
        async with TestServer(app) as server:
            jar = CookieJar(unsafe=True, treat_as_secure_origin=server.make_url("/"))
            async with TestClient(server, cookie_jar=jar) as client:
                return await walk(client)

    return asyncio.run(serve())


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.getall("Set-Cookie", [])]


# ---- the names of aiohttp-session


def test_a_session_has_what_that_of_aiohttp_session_has(store):
    async def handler(request):
        session = await get_session(request)
        before = (session.empty, session.identity, session.created)
        session["cart"] = ["tea"]
        session.changed()
        return web.json_response(
            [
                before,
                session.empty,
                len(session.identity),
                session.created == session.stamp.created_at,
            ]
        )

    async def walk(client):
        return await (await client.get("/")).json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == [[True, None, None], False, 22, True]


def test_a_session_is_new_until_it_comes_with_a_request(store):
    async def handler(request):
        session = await get_session(request)
        before = session.new
        session["n"] = 1
        return web.json_response([before, session.new])

    async def anew(request):
        session = await new_session(request)
        return web.json_response([session.new])

    async def walk(client):
        return [await (await client.get(path)).json() for path in ("/", "/", "/anew")]

    app = application(("/", handler), ("/anew", anew))
    setup(app, store)
    assert browse(app, walk) == [[True, True], [False, False], [True]]


def test_the_identity_is_the_id_and_not_the_token(store):
    async def handler(request):
        return web.Response(text=(await get_session(request)).identity)

    async def walk(client):
        cookie = (await client.get("/login")).cookies["__Host-session"].value
        return cookie, await (await client.get("/")).text()

    app = application(("/", handler))
    setup(app, store)
    cookie, identity = browse(app, walk)
    assert len(identity) == 22
    assert identity not in cookie


def test_to_invalidate_a_session_is_a_logout(store):
    async def handler(request):
        (await get_session(request)).invalidate()
        return web.Response()

    async def walk(client):
        await client.get("/login")
        return names(await client.get("/")), await (await client.get("/me")).json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == (
        ["__Host-session", "__Host-seen.session", "__Host-out.session"],
        None,
    )


def test_an_anonymous_session_that_is_invalidated_and_written_is_another(store):
    async def handler(request):
        session = await get_session(request)
        before = session.identity
        session.invalidate()
        session["user_id"] = 7
        return web.json_response([before, session.identity])

    async def walk(client):
        return [await (await client.get("/")).json() for _ in range(2)]

    app = application(("/", handler))
    setup(app, store)
    (_, first), (came, second) = browse(app, walk)
    assert came == first
    assert second != first


def test_a_new_session_is_empty_and_the_earlier_one_is_dead(store):
    async def handler(request):
        session = await new_session(request)
        session["user"] = {"sub": "bob"}
        return web.json_response(dict(session))

    async def walk(client):
        dead = (await client.get("/login")).cookies["__Host-session"].value
        fence = (await client.get("/")).cookies["__Host-out.session"].value
        here = await (await client.get("/me")).json()
        client.session.cookie_jar.clear()
        there = await (
            await client.get(
                "/me", headers={"Cookie": f"__Host-session={dead}; __Host-out.session={fence}"}
            )
        ).json()
        return here, there

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == ({"user": {"sub": "bob"}}, None)


def test_the_identity_of_aiohttp_security_is_a_login(store):
    async def remember(request):
        (await get_session(request)).update({"cart": ["tea"], "csrf_token": "planted"})
        (await get_session(request))["AIOHTTP_SECURITY"] = "ann"
        return web.Response()

    async def walk(client):
        await client.get("/remember")
        return await (await client.get("/me")).json()

    app = application(("/remember", remember))
    setup(app, store)
    assert browse(app, walk) == {"cart": ["tea"], "AIOHTTP_SECURITY": "ann"}


def test_its_repr_shows_no_value(store):
    session = AiohttpSession(store.begin(HeaderRequest()))
    session["user"] = {"sub": "secret"}
    assert repr(session) == "<AiohttpSession keys=['user']>"


# ---- where there is none


def test_without_a_setup_it_says_what_to_do():
    with pytest.raises(NoActiveRequestError, match=r"call sessionkit_aiohttp\.setup"):
        asyncio.run(get_session(make_mocked_request("GET", "/")))


def test_an_excluded_path_has_no_session_and_no_header(store):
    async def static(request):
        with pytest.raises(NoActiveRequestError, match="do not exclude"):
            await get_session(request)
        with pytest.raises(NoActiveRequestError, match="excluded"):
            verbs.delete_session(request)
        return web.json_response(verbs.get_session())

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/static/a.css")
        return await answer.json(), names(answer), "Vary" in answer.headers

    app = application(("/static/a.css", static))
    setup(app, store, exclude="/static/*")
    assert browse(app, walk) == (None, [], False)


def test_a_handler_that_does_not_look_at_it_costs_no_header(store):
    async def handler(request):
        return web.Response()

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/")
        return names(answer), "Vary" in answer.headers

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == ([], False)


def test_without_a_setup_request_and_response_are_complete_in_themselves(store):
    async def handler(request):
        response = web.Response(headers={"Cache-Control": "public"})
        store.create_session(request, response, ANN)
        store.update_session(request, response, {**ANN, "n": 1})
        return response

    async def walk(client):
        answer = await client.get("/")
        return names(answer), answer.headers.getall("Cache-Control"), answer.headers.getall("Vary")

    assert browse(application(("/", handler)), walk) == (
        ["__Host-session"],
        ["private, no-store"],
        ["Cookie"],
    )


# ---- the signal and other cookies


def test_aiohttp_drops_a_cookie_that_is_set_while_a_response_is_prepared_and_ours_arrives(store):
    async def handler(request):
        response = web.Response()
        response.set_cookie("theirs", "1")
        verbs.create_session(request, response, ANN)
        return response

    async def late(request, response):
        response.set_cookie("late", "1")

    async def walk(client):
        return names(await client.get("/"))

    app = application(("/", handler))
    setup(app, store)
    app.on_response_prepare.append(late)
    assert browse(app, walk) == ["theirs", "__Host-session"]


def test_a_response_that_fails_while_it_is_prepared_is_answered_anew(store):
    async def handler(request):
        verbs.create_session(request, ANN)
        response = web.Response()
        await response.prepare(request)
        return response

    async def fails(request, response):
        if response.status == 200 and request.path == "/":
            raise RuntimeError

    async def walk(client):
        answer = await client.get("/")
        return answer.status, names(answer)

    app = application(("/", handler))
    setup(app, store)
    app.on_response_prepare.append(fails)
    assert browse(app, walk) == (500, [])


async def raw(
    client: TestClient, *paths: str, **headers: str
) -> list[tuple[str, dict[str, str], bytes]]:
    """What one connection carries in answer to requests that follow each other, to its last byte: status line, headers, body."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    answers = []
    try:
        for path in paths:
            lines = [
                f"GET {path} HTTP/1.1",
                "Host: localhost",
                *(f"{name}: {value}" for name, value in headers.items()),
            ]
            last = (
                ["Connection: close"] if path is paths[-1] and "Connection" not in headers else []
            )
            writer.write("\r\n".join([*lines, *last, "", ""]).encode())
            first, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
            found = {
                name.lower(): value
                for name, _, value in (field.partition(": ") for field in fields)
            }
            answers.append((first, found, await reader.readexactly(int(found["content-length"]))))
        assert await reader.read() == b""
    finally:
        writer.close()
        await writer.wait_closed()
    return answers


SOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    "contents", [{"big": "x" * 9000}, {"at": object}], ids=["too large", "no JSON"]
)
@pytest.mark.parametrize("way", ["chunked", "compressed", "sized", "response", "websocket"])
def test_a_response_begun_with_a_session_that_cannot_be_kept_becomes_a_well_formed_500(
    store, way, contents
):
    async def handler(request):
        (await get_session(request)).update(contents)
        response = {"response": web.Response, "websocket": web.WebSocketResponse}.get(
            way, web.StreamResponse
        )()
        if way == "compressed":
            response.enable_compression(web.ContentCoding.gzip)
        if way == "sized":
            response.content_length = 3
        await response.prepare(request)
        raise AssertionError("it was prepared")

    async def walk(client):
        return await raw(
            client, "/", **(SOCKET if way == "websocket" else {"Accept-Encoding": "gzip"})
        )

    app = application(("/", handler))
    setup(app, store)
    ((status, headers, body),) = browse(app, walk)
    assert status == "HTTP/1.1 500 Internal Server Error"
    assert body == b"500 Internal Server Error\n\nServer got itself in trouble"
    assert headers.keys().isdisjoint({"transfer-encoding", "content-encoding", "set-cookie"})
    assert headers["connection"] == "close"


def test_a_middleware_may_answer_in_the_place_of_a_stream_whose_session_cannot_be_kept(store):
    @web.middleware
    async def explain(request, handler):
        try:
            return await handler(request)
        except SessionTooLargeError:
            return web.Response(
                status=507, text="too large"
            )  # below 500 it would carry the session too

    async def handler(request):
        (await get_session(request))["big"] = "x" * 9000
        await web.StreamResponse().prepare(request)

    async def walk(client):
        return [
            (status, "transfer-encoding" in headers, body)
            for status, headers, body in await raw(client, "/", "/me")
        ]

    app = application(("/", handler), middlewares=[explain])
    setup(app, store)
    assert browse(app, walk) == [
        ("HTTP/1.1 507 Insufficient Storage", False, b"too large"),
        ("HTTP/1.1 200 OK", False, b"null"),
    ]


def test_a_stream_whose_session_could_not_be_kept_can_be_prepared_when_it_can(store):
    async def handler(request):
        session, response = await get_session(request), web.StreamResponse()
        session["big"] = "x" * 9000
        with pytest.raises(SessionTooLargeError):
            await response.prepare(request)
        with pytest.raises(RuntimeError, match="before prepare"):
            await response.write(b"headless")
        session["big"] = "x"
        await response.prepare(request)
        await response.write(b"sent")
        return response

    async def walk(client):
        answer = await client.get("/")
        return answer.status, names(answer), await answer.read()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == (200, ["__Host-session"], b"sent")


def test_a_stream_prepared_again_with_two_stores_carries_each_cookie_once(store):
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))

    async def handler(request):
        store.create_session(request, ANN)
        admin.create_session(request, ANN)
        response = web.StreamResponse(headers={"Vary": "Accept"})
        admin.get_session(request)["big"] = "x" * 9000
        with pytest.raises(SessionTooLargeError):
            await response.prepare(request)
        del admin.get_session(request)["big"]
        await response.prepare(request)
        return response

    async def walk(client):
        answer = await client.get("/below/")
        return sorted(names(answer)), answer.headers.getall("Vary")

    inner = application(("/", handler))
    setup(inner, admin)
    assert browse(below(inner, store), walk) == (
        ["__Host-admin", "__Host-session"],
        ["Accept, Cookie"],
    )


# ---- sub-applications


def below(inner: web.Application, store: SessionStore | None, **settings: Any) -> web.Application:
    app = application(**settings)
    if store is not None:
        setup(app, store)
    app.add_subapp("/below/", inner)
    return app


def test_a_sub_application_shares_the_session_without_a_setup(store):
    async def walk(client):
        return names(await client.get("/below/login")), await (await client.get("/me")).json()

    assert browse(below(application(), store), walk) == (["__Host-session"], ANN)


def test_a_setup_of_the_same_store_in_a_sub_application_doubles_nothing(store):
    async def walk(client):
        answer = await client.get("/below/login")
        return names(answer), answer.headers.getall("Vary"), answer.headers.getall("Cache-Control")

    inner = application()
    setup(inner, store)
    assert browse(below(inner, store), walk) == (
        ["__Host-session"],
        ["Cookie"],
        ["private, no-store"],
    )


def test_a_sub_application_may_have_a_store_of_its_own(store):
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))

    async def both(request):
        store.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})
        return web.Response()

    async def walk(client):
        answer = await client.get("/below/both")
        return sorted(names(answer)), answer.headers.getall("Vary")

    inner = application(("/both", both))
    setup(inner, admin)
    assert browse(below(inner, store), walk) == (["__Host-admin", "__Host-session"], ["Cookie"])


def test_another_store_with_the_same_cookie_in_a_sub_application_is_refused(store):
    raised = []

    @web.middleware
    async def note(request, handler):
        try:
            return await handler(request)
        except ConfigurationError as error:
            raised.append(str(error))
            raise

    async def walk(client):
        return (await client.get("/below/me")).status

    inner = application()
    setup(inner, SessionStore("another secret: 0123456789abcdefghijklmnopqrstuvwxyz"))
    assert browse(below(inner, store, middlewares=[note]), walk) == 500
    assert "give one another name" in raised[0]


def test_a_logout_below_survives_an_error_above(store):
    @web.middleware
    async def fails(request, handler):
        await handler(request)
        raise RuntimeError

    async def logout(request):
        verbs.delete_session(request)
        return web.Response()

    async def walk(client):
        answer = await client.get("/below/logout", headers={"Cookie": "__Host-session=x"})
        return answer.status, names(answer)

    inner = application(("/logout", logout))
    setup(inner, store)
    assert browse(below(inner, None, middlewares=[fails]), walk) == (
        500,
        ["__Host-session", "__Host-seen.session"],
    )


# ---- tasks


def test_a_middleware_above_may_wait_for_the_handler_in_a_task_of_its_own(store):
    held = []

    @web.middleware
    async def apart(request, handler):
        return await asyncio.create_task(handler(request))

    async def keep(request):
        held.append(request)
        verbs.create_session(request, ANN)
        return web.Response()

    async def walk(client):
        answer = await client.get("/below/keep")
        with pytest.raises(NoActiveRequestError):
            await get_session(held[0])
        return names(answer), await (await client.get("/below/me")).json()

    inner = application(("/keep", keep))
    setup(inner, store)
    assert browse(below(inner, None, middlewares=[apart]), walk) == (["__Host-session"], ANN)


def test_a_task_that_outlives_the_request_has_no_session(store):
    found, over = [], asyncio.Event()

    async def later():
        await over.wait()
        try:
            verbs.get_session()
        except NoActiveRequestError as error:
            found.append(str(error))

    async def handler(request):
        found.append(asyncio.create_task(later()))
        return web.json_response(verbs.get_session())

    async def walk(client):
        await (await client.get("/")).read()
        over.set()
        await found[0]

    app = application(("/", handler))
    setup(app, store)
    browse(app, walk)
    assert "has finished" in found[1]


def test_a_task_begun_on_a_websocket_works_for_others_too_and_has_no_session(store):
    async def handler(request):
        response = web.WebSocketResponse()
        await response.prepare(request)

        async def worker():
            with pytest.raises(NoActiveRequestError, match="this task is not the one"):
                verbs.get_session()
            return verbs.get_session(request)

        with pytest.raises(ResponseStartedError):
            verbs.create_session(request, ANN)
        await response.send_json([verbs.get_session(), await asyncio.create_task(worker())])
        return response

    async def walk(client):
        await client.get("/login")
        async with client.ws_connect("/") as socket:
            return await socket.receive_json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == [ANN, ANN]


# ---- the raw header


def test_the_cookie_header_is_read_as_it_came(store):
    async def walk(client):
        value = (await client.get("/login")).cookies["__Host-session"].value
        client.session.cookie_jar.clear()
        inside_quotes = await client.get(
            "/me", headers={"Cookie": f'theirs="a; __Host-session={value}; b"'}
        )
        two_fields = await client.get(
            "/me", headers=[("Cookie", "a=1"), ("Cookie", f"__Host-session={value}")]
        )
        return await inside_quotes.json(), await two_fields.json()

    app = application()
    setup(app, store)
    assert browse(app, walk) == (ANN, ANN)


def test_a_clone_of_the_request_has_the_session_of_the_request(store):
    async def handler(request):
        verbs.create_session(request.clone(method="GET"), ANN)
        return web.json_response(verbs.get_session(request))

    async def walk(client):
        return await (await client.post("/")).json()

    app = application(("/", handler))
    setup(app, store)
    assert browse(app, walk) == ANN


def test_a_middleware_above_that_clones_the_request_loses_no_login(store):
    @web.middleware
    async def behind_a_proxy(request, handler):
        return await handler(request.clone(scheme="https"))

    async def walk(client):
        await client.get("/below/login")
        return await (await client.get("/below/me")).json()

    inner = application()
    setup(inner, store)
    assert browse(below(inner, None, middlewares=[behind_a_proxy]), walk) == ANN


# ---- guards


class Account(web.View):
    @require_session_api
    async def get(self):
        return web.Response(text="account")

    @require_session_page(login_url="/signin?from=page", logout_url="/signout", default="/home")
    async def post(self):
        return web.Response(text="posted")


class Handlers:
    @require_session_page(login_url="/signin")
    async def cart(self, request):
        return web.Response(text="cart")


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/account", 401, None),
        ("POST", "/account", 303, "/signin?from=page&returnTo=/home"),
        ("GET", "/cart?a=1", 302, "/signin?returnTo=/cart%3Fa%3D1"),
    ],
)
def test_guards_refuse_on_views_and_methods(store, method, path, status, location):
    async def walk(client):
        answer = await client.request(method, path, allow_redirects=False)
        return answer.status, answer.headers.get("Location")

    app = application(("/account", Account), ("/cart", Handlers().cart))
    setup(app, store)
    assert browse(app, walk) == (status, location)


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [("GET", "/account", "account"), ("POST", "/account", "posted"), ("GET", "/cart", "cart")],
)
def test_guards_let_a_signed_in_user_pass_on_views_and_methods(store, method, path, text):
    async def walk(client):
        await client.get("/login")
        return await (await client.request(method, path)).text()

    app = application(("/account", Account), ("/cart", Handlers().cart))
    setup(app, store)
    assert browse(app, walk) == text
