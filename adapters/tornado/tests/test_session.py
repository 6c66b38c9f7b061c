"""The session of Tornado's handlers where the contract suite does not reach: settings, tasks, its own habits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, FallbackHandler, Finish, RequestHandler, authenticated
from tornado.websocket import WebSocketHandler, websocket_connect
from tornado.wsgi import WSGIContainer

import sessionkit
from sessionkit import NoActiveRequestError, SessionStore
from sessionkit_tornado import (
    SessionMixin,
    create_session,
    delete_session,
    get_session,
    require_session_api,
    require_session_page,
    update_session,
)

SECRET = "tornado tests: 0123456789abcdefghijklmnopqrstuvwxyz"
OLD = "tornado tests before: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
STORE = SessionStore(SECRET)


class Handler(SessionMixin, RequestHandler):
    pass


class Login(Handler):
    def get(self):
        create_session(self, ANN)


class Me(Handler):
    def get(self):
        self.write(json.dumps(get_session(self)))


class Client:
    """A browser: it keeps cookies, and does not follow redirects."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def get(self, path: str, method: str = "GET", **headers: str) -> Any:
        request = HTTPRequest(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers={"Cookie": self.cookie, **headers},
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return answer


def names(answer: Any) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_list("Set-Cookie")]


def browse(routes: list[Any], walk: Callable[[Client], Awaitable[Any]], **settings: Any) -> Any:
    """Run a walk of a browser through an application that is really served."""

    async def serve() -> Any:
        listening, port = bind_unused_port()
        server = HTTPServer(
            Application(
                [("/login", Login), ("/me", Me), *routes], **(settings or {"sessionkit": STORE})
            )
        )
        server.add_socket(listening)
        try:
            return await walk(Client(port))
        finally:
            server.stop()
            await server.close_all_connections()

    return asyncio.run(serve())


# ---- where the store comes from


async def log_in(client: Client) -> Any:
    await client.get("/login")
    return json.loads((await client.get("/me")).body)


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


# ---- threads, tasks, sockets


def test_an_executor_does_not_carry_the_context_and_bind_does():
    class Index(Handler):
        async def get(self):
            loop = asyncio.get_running_loop()
            with pytest.raises(NoActiveRequestError):
                await loop.run_in_executor(None, get_session)
            self.write(
                await loop.run_in_executor(None, sessionkit.bind(lambda: dict(get_session())))
            )

    async def walk(client):
        await client.get("/login")
        return json.loads((await client.get("/")).body)

    assert browse([("/", Index)], walk) == ANN


def test_a_task_that_outlives_the_request_has_no_session():
    found, over = [], asyncio.Event()

    async def later():
        await over.wait()
        with pytest.raises(NoActiveRequestError, match="has finished"):
            get_session()
        return "checked"

    class Index(Handler):
        def get(self):
            found.append(asyncio.ensure_future(later()))

    async def walk(client):
        await client.get("/")
        over.set()
        return await found[0]

    assert browse([("/", Index)], walk) == "checked"


@pytest.mark.parametrize("coroutine", [True, False])
def test_a_socket_reads_its_session_in_plain_and_coroutine_methods(coroutine):
    class Plain(SessionMixin, WebSocketHandler):
        def on_message(self, message):
            self.write_message(json.dumps(get_session()))

    class Coroutine(SessionMixin, WebSocketHandler):
        async def on_message(self, message):
            await asyncio.sleep(0)
            await self.write_message(json.dumps(get_session()))

    async def walk(client):
        await client.get("/login")
        socket = await websocket_connect(
            HTTPRequest(f"ws://127.0.0.1:{client.port}/ws", headers={"Cookie": client.cookie})
        )
        await socket.write_message("?")
        answer = await socket.read_message()
        socket.close()
        return json.loads(answer)

    assert browse([("/ws", Coroutine if coroutine else Plain)], walk) == ANN


def test_a_task_begun_on_a_socket_works_for_others_too_and_has_no_session():
    class Socket(SessionMixin, WebSocketHandler):
        async def open(self):
            async def worker():
                with pytest.raises(NoActiveRequestError, match="this task is not the one"):
                    get_session()
                return get_session(self)

            await self.write_message(json.dumps(await asyncio.ensure_future(worker())))

    async def walk(client):
        await client.get("/login")
        socket = await websocket_connect(
            HTTPRequest(f"ws://127.0.0.1:{client.port}/ws", headers={"Cookie": client.cookie})
        )
        answer = await socket.read_message()
        socket.close()
        return json.loads(answer)

    assert browse([("/ws", Socket)], walk) == ANN


def test_a_wsgi_application_inside_shares_the_session_through_the_gateway_of_the_same_store():
    def page(environ, start_response):
        session = get_session()
        update_session({**session, "seen": True})
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [session["user"]["sub"].encode()]

    async def walk(client):
        await client.get("/login")
        answer = await client.get("/wsgi")
        return answer.body, json.loads((await client.get("/me")).body)

    fallback = {"fallback": WSGIContainer(STORE.wsgi(page))}
    assert browse([("/wsgi", FallbackHandler, fallback)], walk) == (b"ann", {**ANN, "seen": True})


def test_a_large_session_and_a_logout():
    class Grow(Handler):
        def get(self):
            self.session["big"] = "x" * 4200

    class Logout(Handler):
        def get(self):
            self.write(str(delete_session(self.request)))

    async def walk(client):
        await client.get("/login")
        grown = names(await client.get("/grow"))
        await client.get("/logout")
        return grown, list(client.cookies)

    assert browse([("/grow", Grow), ("/logout", Logout)], walk) == (
        ["__Host-session.0", "__Host-session.1", "__Host-session"],
        ["__Host-out.session"],
    )


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
