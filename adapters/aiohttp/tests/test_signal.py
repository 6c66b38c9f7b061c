"""The signal at which the session is written, beside other cookies; the raw header; guards."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from sessionkit import CookieSettings, SessionStore, SessionTooLargeError
from sessionkit_aiohttp import get_session, require_session_api, require_session_page, setup, verbs

from .visitor import ANN, SECRET, SOCKET, application, below, browse, names

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
