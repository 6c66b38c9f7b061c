"""The session of Tornado's handlers: where the store comes from, Tornado's habits, guards."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import pytest
from tornado.web import Finish, RequestHandler, authenticated
from tornado.websocket import WebSocketHandler

from sessionkit import NoActiveRequestError, SessionStore
from sessionkit_tornado import (
    SessionMixin,
    create_session,
    get_session,
    require_session_api,
    require_session_page,
    save_session,
    session_of,
)

from .visitor import ANN, SECRET, STORE, Handler, browse, names

OLD = "tornado tests before: 0123456789abcdefghijklmnopqrstuvwxyz"


# ---- where the store comes from


@pytest.mark.parametrize(
    "settings",
    [
        {"sessionkit": STORE},
        {"cookie_secret": SECRET},
        {"cookie_secret": SECRET.encode()},
        {"cookie_secret": {1: OLD, 2: SECRET}, "key_version": 2},
    ],
)
def test_the_store_is_a_setting_or_made_of_the_cookie_secret(settings):
    async def walk(client):
        await client.get("/login")
        (name, value), *_ = client.cookies.items()
        return name, value

    name, value = browse([], walk, **settings)
    with STORE.exchange(f"{name}={value}"):
        assert get_session() == ANN


def test_a_session_of_an_earlier_key_version_opens():
    with SessionStore(OLD).exchange() as exchange:
        exchange.create(ANN)
    cookie = exchange.response_headers[0][1].partition(";")[0]

    async def walk(client):
        return json.loads((await client.get("/me", Cookie=cookie)).body)

    assert browse([], walk, cookie_secret={1: OLD, 2: SECRET}, key_version=2) == ANN
    assert browse([], walk, cookie_secret={2: SECRET}, key_version=2) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"debug": False}, "give the application a setting"),
        ({"cookie_secret": {1: SECRET}}, "key_version must name"),
        ({"cookie_secret": "short"}, "at least 32 are needed"),
    ],
)
def test_without_a_good_secret_a_request_fails_and_says_what_to_do(settings, message, caplog):
    async def walk(client):
        return (await client.get("/me")).code

    assert browse([], walk, **settings) == 500
    assert message in caplog.text


# ---- Tornado's habits


def test_current_user_is_the_user_of_the_session():
    class Index(Handler):
        @authenticated
        def get(self):
            self.write(self.current_user)

    async def walk(client):
        before = await client.get("/?a=1")
        await client.get("/login")
        return before.code, before.headers["Location"], json.loads((await client.get("/")).body)

    assert browse([("/", Index)], walk, sessionkit=STORE, login_url="/login") == (
        302,
        "/login?next=%2F%3Fa%3D1",
        {"sub": "ann"},
    )


def test_an_anonymous_session_is_no_current_user():
    class Index(Handler):
        def get(self):
            self.session["cart"] = ["tea"]
            self.write(json.dumps([self.current_user, dict(self.session)]))

    async def walk(client):
        return json.loads((await client.get("/")).body)

    assert browse([("/", Index)], walk) == [None, {"cart": ["tea"]}]


def test_prepare_may_be_overridden_without_calling_ours():
    class Index(Handler):
        def prepare(self):
            self.session["prepared"] = True

        def get(self):
            self.write(dict(self.session))

    async def walk(client):
        return json.loads((await client.get("/")).body)

    assert browse([("/", Index)], walk) == {"prepared": True}


@pytest.mark.parametrize("way", ["finish in prepare", "Finish", "flush", "send_error"])
def test_every_way_to_answer_carries_the_cookie(way):
    class Index(Handler):
        async def prepare(self):
            create_session(self, ANN)
            if way == "finish in prepare":
                await self.finish()

        async def get(self):
            if way == "Finish":
                raise Finish
            if way == "flush":
                await self.flush()
            if way == "send_error":
                self.send_error(403)

    async def walk(client):
        return names(await client.get("/"))

    assert browse([("/", Index)], walk) == ["__Host-session"]


@pytest.mark.parametrize("way", ["flush", "finish", "socket"])
@pytest.mark.parametrize(
    "contents", [{"big": "x" * 9000}, {"at": object}], ids=["too large", "no JSON"]
)
def test_a_session_that_cannot_be_kept_is_a_well_formed_500(way, contents):
    class Index(Handler):
        async def get(self):
            self.session.update(contents)
            self.write("x" * 2000)  # Tornado compresses from 1024 bytes on
            if way == "flush":
                await self.flush()

    class Socket(SessionMixin, WebSocketHandler):
        def prepare(self):
            self.session.update(contents)

    async def walk(client):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        socket = (
            [
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ]
            if way == "socket"
            else []
        )
        connection = f"Connection: {'Upgrade' if socket else 'close'}"
        writer.write(
            "\r\n".join(
                [
                    "GET / HTTP/1.1",
                    "Host: localhost",
                    "Accept-Encoding: gzip",
                    connection,
                    *socket,
                    "",
                    "",
                ]
            ).encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(field[15:]) for field in head.split(b"\r\n") if field.startswith(b"Content-Length:")
        )
        body = await (
            reader.readexactly(length) if socket else reader.read()
        )  # after a refused handshake the connection stays open
        writer.close()
        await writer.wait_closed()
        return head.decode().rstrip().split("\r\n"), body

    (status, *fields), body = browse(
        [("/", Socket if way == "socket" else Index)],
        walk,
        sessionkit=STORE,
        compress_response=True,
    )
    assert status == "HTTP/1.1 500 Internal Server Error"
    assert (
        body
        == b"<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>"
    )
    assert f"Content-Length: {len(body)}" in fields
    assert {field.partition(":")[0] for field in fields}.isdisjoint(
        {"Transfer-Encoding", "Content-Encoding", "Set-Cookie"}
    )


def test_cookies_of_the_application_go_out_beside_ours():
    class Index(Handler):
        def get(self):
            self.set_cookie("theirs", "1")
            self.add_header("Set-Cookie", "raw=1")
            self.set_header("Vary", "Accept")
            create_session(self, ANN)

    async def walk(client):
        answer = await client.get("/")
        return sorted(names(answer)), answer.headers.get_list("Vary")

    assert browse([("/", Index)], walk) == (["__Host-session", "raw", "theirs"], ["Accept, Cookie"])


def test_a_handler_that_does_not_look_at_it_costs_no_header():
    class Index(Handler):
        def get(self):
            self.write("hello")

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/")
        return names(answer), "Vary" in answer.headers

    assert browse([("/", Index)], walk) == ([], False)


def test_a_handler_without_the_mixin_has_no_current_session_even_on_a_connection_that_served_one():
    class Bare(RequestHandler):
        def get(self):
            with pytest.raises(NoActiveRequestError, match="no request is being served"):
                get_session()
            self.write("checked")

    async def walk(client):
        await client.get("/login")
        return (await client.get("/bare")).body

    assert browse([("/bare", Bare)], walk) == b"checked"


def test_without_the_mixin_request_and_handler_are_complete_in_themselves():
    class Bare(RequestHandler):
        def get(self):
            STORE.create_session(self.request, self, ANN)
            STORE.update_session(self, self, {**ANN, "n": 1})

    async def walk(client):
        answer = await client.get("/bare")
        return names(answer), json.loads((await client.get("/me")).body)

    assert browse([("/bare", Bare)], walk) == (["__Host-session"], {**ANN, "n": 1})


# ---- the raw header


def test_the_cookie_header_is_read_as_it_came():
    async def walk(client):
        await client.get("/login")
        value = client.cookies["__Host-session"]
        return json.loads(
            (await client.get("/me", Cookie=f'theirs="a; __Host-session={value}; b"')).body
        )

    assert browse([], walk) == ANN


# ---- guards


class Account(Handler):
    @require_session_api
    async def get(self):
        self.write("account")

    @require_session_page(logout_url="/signout", default="/home")
    def post(self):
        self.write("posted")

    @require_session_page(login_url="/enter?from=page")
    def put(self):
        self.write("put")


@pytest.mark.parametrize(
    ("method", "status", "location"),
    [
        ("GET", 401, None),
        ("POST", 303, "/signin?returnTo=/home"),
        ("PUT", 303, "/enter?from=page&returnTo=/"),
    ],
)
def test_guards_refuse_and_know_the_login_url_of_the_application(method, status, location):
    async def walk(client):
        answer = await client.get("/account", method)
        return answer.code, answer.headers.get("Location")

    assert browse([("/account", Account)], walk, sessionkit=STORE, login_url="/signin") == (
        status,
        location,
    )


@pytest.mark.parametrize(
    ("method", "text"), [("GET", b"account"), ("POST", b"posted"), ("PUT", b"put")]
)
def test_guards_let_a_signed_in_user_pass(method, text):
    async def walk(client):
        await client.get("/login")
        return (await client.get("/account", method)).body

    assert browse([("/account", Account)], walk) == text


def test_a_guarded_socket_is_refused_before_it_is_accepted():
    class Socket(SessionMixin, WebSocketHandler):
        @require_session_api
        async def get(self, *args, **kwargs):
            await super().get(*args, **kwargs)

    async def walk(client):
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        return (await client.get("/ws", **headers)).code

    assert browse([("/ws", Socket)], walk) == 401


def test_a_session_is_read_and_saved_as_a_model_by_names_of_the_package():
    @dataclass
    class Basket:
        theme: str = "light"

    class Themes(Handler):
        def get(self):
            basket = session_of(Basket, self)
            basket.theme = "dark"
            self.write({"saved": save_session(self, basket), "theme": self.session["theme"]})

    async def walk(client):
        await client.get("/login")
        return json.loads((await client.get("/themes")).body)

    assert browse([("/themes", Themes)], walk, sessionkit=STORE) == {"saved": True, "theme": "dark"}
