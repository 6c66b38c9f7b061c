"""The session of Sanic in websockets, over ASGI, in workers, and its guards."""

from __future__ import annotations

import asyncio
import json
import pickle
from typing import Any

import pytest
from sanic import Sanic, response
from sanic.views import HTTPMethodView
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from sessionkit import CookieSettings, NoActiveRequestError, ResponseStartedError, SessionStore
from sessionkit_sanic import (
    SessionKit,
    delete_session,
    get_session,
    require_session_api,
    require_session_page,
    update_session,
)

from .asgi_visits import ask_asgi
from .visitor import ANN, SECRET, STORE, Client, application, browse

# Sanic imports it.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")


# ---- websockets


def sockets(app: Sanic) -> Sanic:
    @app.websocket("/ws")
    async def ws(request, socket):
        async def worker():
            with pytest.raises(NoActiveRequestError, match="this task is not the one"):
                get_session()
            return get_session(request)

        with pytest.raises(ResponseStartedError):
            request.ctx.session["late"] = True
        with pytest.raises(ResponseStartedError):
            delete_session()
        await socket.send(json.dumps([get_session(), await asyncio.ensure_future(worker())]))

    return app


def opened(client: Client, path: str = "/ws") -> tuple[Any, list[str]]:
    """What a websocket says first, and the cookies that its handshake sets."""
    with connect(
        f"ws://127.0.0.1:{client.port}{path}",
        additional_headers={"Cookie": client.cookie},
        proxy=None,
    ) as socket:
        lines = socket.response.headers.get_all("Set-Cookie")
        client.cookies.update(line.partition(";")[0].partition("=")[::2] for line in lines)
        return json.loads(socket.recv(timeout=10)), sorted(line.partition("=")[0] for line in lines)


def test_the_handler_of_a_websocket_reads_the_session_and_cannot_write_it():
    def walk(client):
        client.get("/login")
        return opened(client)

    assert browse(sockets(application()), walk) == ([ANN, ANN], [])


def test_what_a_middleware_writes_goes_out_with_the_handshake_of_a_websocket():
    app = sockets(application())

    @app.on_request
    async def visit(request):
        if request.path == "/ws":
            update_session(request, {**ANN, "visited": True})

    def walk(client):
        client.get("/login")
        return opened(client), json.loads(client.get("/me").text)

    seen = {**ANN, "visited": True}
    assert browse(app, walk) == (([seen, seen], ["__Host-session"]), seen)


def test_a_dict_that_a_middleware_puts_in_the_place_of_the_session_goes_out_with_the_handshake():
    app = sockets(application())

    @app.on_request
    async def visit(request):
        if request.path == "/ws":
            request.ctx.session = {**ANN, "visited": True}

    def walk(client):
        client.get("/login")
        return opened(client), json.loads(client.get("/me").text)

    seen = {**ANN, "visited": True}
    assert browse(app, walk) == (([seen, seen], ["__Host-session"]), seen)


def test_two_stores_are_saved_with_the_handshake_of_a_websocket():
    admin = SessionStore(SECRET, cookie=CookieSettings(name="__Host-admin"))
    app = sockets(application())
    SessionKit(app, store=admin)

    @app.on_request
    async def sign_in(request):
        STORE.create_session(request, ANN)
        admin.create_session(request, {"user": {"sub": "root"}})

    @app.websocket("/who")
    async def who(request, socket):
        await socket.send(
            json.dumps([STORE.get_session()["user"]["sub"], admin.get_session()["user"]["sub"]])
        )

    assert browse(app, lambda client: opened(client, "/who")) == (
        ["ann", "root"],
        ["__Host-admin", "__Host-session"],
    )


def test_a_websocket_whose_session_cannot_be_saved_is_not_accepted():
    app = sockets(application())

    @app.on_request
    async def fill(request):
        request.ctx.session["big"] = "x" * 8000

    def walk(client):
        with pytest.raises(InvalidStatus) as refused:
            opened(client)
        return refused.value.response.status_code, refused.value.response.headers.get_all(
            "Set-Cookie"
        )

    assert browse(app, walk) == (500, [])


def test_a_guarded_websocket_is_closed_unless_somebody_is_signed_in():
    app = application()

    @app.websocket("/ws")
    @require_session_api
    async def ws(request, socket):
        await socket.send(json.dumps(get_session()))

    def walk(client):
        with pytest.raises(ConnectionClosedError) as closed:
            opened(client)
        client.get("/login")
        return closed.value.rcvd.code, opened(client)[0]

    assert browse(app, walk) == (1008, ANN)


def test_a_guard_closes_nothing_but_a_websocket():
    closed = []

    class Database:
        def close(self, code):
            closed.append(code)

    app = application()

    @app.get("/")
    async def index(request):
        return await guarded(request, Database())

    @require_session_api
    async def guarded(request, database):
        return response.text("ok")

    assert browse(app, lambda client: client.get("/").status) == 401
    assert closed == []


# ---- ASGI, workers, the raw header


def test_under_asgi_it_works_too():
    _, answer = ask_asgi(
        application(),
        {"type": "http", "scheme": "https", "path": "/login"},
        {"type": "http", "scheme": "https", "path": "/me"},
    )
    assert json.loads(b"".join(message.get("body", b"") for message in answer)) == ANN


def test_under_asgi_a_websocket_reads_the_session_and_even_a_middleware_cannot_write_it():
    app, raised = sockets(application()), []

    @app.on_request
    async def visit(request):
        if request.path == "/ws":
            with pytest.raises(ResponseStartedError) as error:
                request.ctx.session["visited"] = True
            raised.append(error.type)

    _, answer = ask_asgi(
        app,
        {"type": "http", "scheme": "https", "path": "/login"},
        {"type": "websocket", "scheme": "wss", "path": "/ws"},
    )
    assert [message["type"] for message in answer] == ["websocket.accept", "websocket.send"]
    assert json.loads(answer[1]["text"]) == [ANN, ANN]
    assert raised == [ResponseStartedError]


def test_under_asgi_the_verbs_find_the_session_of_a_websocket_in_a_middleware_too():
    app, seen = sockets(application()), []

    @app.on_request
    async def look(request):
        if request.path == "/ws":
            seen.append(get_session())

    _, answer = ask_asgi(
        app,
        {"type": "http", "scheme": "https", "path": "/login"},
        {"type": "websocket", "scheme": "wss", "path": "/ws"},
    )
    assert seen == [ANN]
    assert json.loads(answer[1]["text"]) == [ANN, ANN]


def test_under_asgi_a_request_that_is_no_websocket_may_write_on_the_path_of_one():
    app = sockets(application())

    @app.on_request
    async def visit(request):
        request.ctx.session["visited"] = True

    (answer,) = ask_asgi(app, {"type": "http", "scheme": "https", "path": "/ws"})
    start = answer[0]
    assert start["status"] == 400, answer
    assert any(value.startswith(b"__Host-session=") for _, value in start["headers"])


def test_a_store_cannot_be_handed_to_a_worker():
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(SessionKit(store=STORE))


def test_the_cookie_header_is_read_as_it_came():
    def walk(client):
        client.get("/login")
        value = client.cookies.pop("__Host-session")
        return json.loads(client.get("/me", Cookie=f'theirs="a; __Host-session={value}; b"').text)

    assert browse(application(), walk) == ANN


# ---- guards


class Account(HTTPMethodView):
    @require_session_api
    async def get(self, request):
        return response.text("account")

    @require_session_page(login_url="/signin?from=page", logout_url="/signout", default="/home")
    def post(self, request):
        return response.text("posted")


@pytest.mark.parametrize(
    ("method", "status", "location"),
    [("GET", 401, None), ("POST", 303, "/signin?from=page&returnTo=/home")],
)
def test_guards_refuse_on_views(method, status, location):
    app = application()
    app.add_route(Account.as_view(), "/account")

    def walk(client):
        answer = client.get("/account", method)
        return answer.status, answer.headers.get("Location")

    assert browse(app, walk) == (status, location)


@pytest.mark.parametrize(("method", "text"), [("GET", "account"), ("POST", "posted")])
def test_guards_let_a_signed_in_user_pass_on_views(method, text):
    app = application()
    app.add_route(Account.as_view(), "/account")
    assert (
        browse(app, lambda client: [client.get("/login"), client.get("/account", method).text][1])
        == text
    )
