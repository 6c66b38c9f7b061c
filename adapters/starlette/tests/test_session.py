"""request.session: Starlette's own habits, and the places where other session middlewares lose writes or leak."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser, requires
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware as StarlettesOwn
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from sessionkit import SessionStore, create_session, delete_session, get_session, update_session
from sessionkit._exchange.request import HOLDER
from sessionkit.testing import session_cookies
from sessionkit_starlette import SessionMiddleware, require_session_api, require_session_page

SECRET = "starlette tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"


def store(**settings: Any) -> SessionStore:
    return SessionStore(SECRET, **settings)


def client_of(routes, *inside: Middleware, **arguments: Any) -> TestClient:
    arguments = arguments or {"store": store()}
    app = Starlette(
        routes=[Route("/login", login), Route("/all", everything), *routes],
        middleware=[Middleware(SessionMiddleware, **arguments), *inside],
    )
    return TestClient(app, base_url="https://app.example.org", raise_server_exceptions=False)


async def login(request: Request) -> JSONResponse:
    return JSONResponse(
        create_session(request, {"user": {"sub": request.query_params.get("sub", "ann")}})
    )


async def everything(request: Request) -> JSONResponse:
    return JSONResponse(request.session)


def names(answer) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")]


def test_the_session_of_a_request_is_json_though_nothing_was_asked_of_it_before():
    client = client_of([])
    client.get("/login")
    assert client.get("/all").json() == ANN


def test_a_request_that_does_not_use_it_decrypts_nothing_and_gets_no_header():
    looked: list[bool] = []

    async def public(request: Request) -> PlainTextResponse:
        looked.append(request.scope[HOLDER].looked_at)
        return PlainTextResponse("")

    client = client_of([Route("/public", public)])
    client.get("/login")
    answer = client.get("/public")
    assert looked == [False]
    assert "vary" not in answer.headers


def test_a_plain_endpoint_in_its_thread_writes_the_same_object():
    def plain(request: Request) -> JSONResponse:
        request.session.setdefault("cart", []).append("tea")
        return JSONResponse(request.session is request.scope["session"])

    client = client_of([Route("/plain", plain)])
    assert client.get("/plain").json() is True
    client.get("/plain")
    assert client.get("/all").json() == {"cart": ["tea", "tea"]}


def test_a_replaced_session_is_saved():
    async def replace(request: Request) -> JSONResponse:
        request.scope["session"] = {**request.session, "cart": ["tea"]}
        return JSONResponse(request.session)

    client = client_of([Route("/replace", replace)])
    client.get("/login")
    assert client.get("/replace").json() == {**ANN, "cart": ["tea"]}
    assert client.get("/all").json() == {**ANN, "cart": ["tea"]}


def test_a_session_replaced_by_one_that_names_another_user_is_a_login():
    async def replace(request: Request) -> JSONResponse:
        request.scope["session"] = {"user_id": request.query_params["id"], "csrf_token": "x"}
        return JSONResponse(request.session)

    client = client_of([Route("/replace", replace)])
    client.get("/replace?id=1")
    late = client.cookies[NAME]
    assert OUT in names(client.get("/replace?id=2"))
    assert client.get("/all").json() == {"user_id": "2"}
    client.cookies.set(NAME, late, domain="app.example.org")
    assert client.get("/all").json() == {}


def test_a_session_replaced_by_an_empty_one_is_a_logout():
    async def logout(request: Request) -> PlainTextResponse:
        request.scope["session"] = {}
        return PlainTextResponse("")

    client = client_of([Route("/logout", logout)])
    client.get("/login")
    late = client.cookies[NAME]
    assert OUT in names(client.get("/logout"))
    client.cookies.set(NAME, late, domain="app.example.org")
    assert client.get("/all").json() == {}


class Between(BaseHTTPMiddleware):
    """Writes before the endpoint and after it, in a task of its own."""

    async def dispatch(self, request: Request, call_next):
        request.session["before"] = 1
        response = await call_next(request)
        request.session["after"] = (
            "set by the endpoint" if "endpoint" in request.session else "not seen"
        )
        return response


def test_a_base_http_middleware_between_shares_it():
    async def endpoint(request: Request) -> JSONResponse:
        assert get_session() is None
        request.session["endpoint"] = 1
        return JSONResponse({})

    client = client_of([Route("/endpoint", endpoint)], Middleware(Between))
    client.get("/endpoint")
    answer = client.get("/all", headers={"X": "1"})
    assert answer.json() == {"before": 1, "endpoint": 1, "after": "set by the endpoint"}


class Backend(AuthenticationBackend):
    async def authenticate(self, conn):
        user = conn.session.get("user")
        return (
            None if user is None else (AuthCredentials(["authenticated"]), SimpleUser(user["sub"]))
        )


def test_starlettes_authentication_middleware_reads_it():
    @requires("authenticated")
    async def private(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.user.display_name)

    client = client_of(
        [Route("/private", private)], Middleware(AuthenticationMiddleware, backend=Backend())
    )
    assert client.get("/private").status_code == 403
    client.get("/login")
    assert client.get("/private").text == "ann"


def test_a_mounted_application_with_the_same_middleware_sets_one_cookie():
    async def put(request: Request) -> JSONResponse:
        request.session["cart"] = ["tea"]
        return JSONResponse(request.session)

    kept = store()
    inner = Starlette(
        routes=[Route("/put", put)], middleware=[Middleware(SessionMiddleware, store=kept)]
    )
    client = client_of([Mount("/shop", inner)], store=kept)
    assert names(client.get("/shop/put")) == [NAME]
    assert client.get("/all").json() == {"cart": ["tea"]}


def test_a_mounted_application_with_starlettes_own_sessions_keeps_them_apart():
    async def admin(request: Request) -> JSONResponse:
        request.session["token"] = "admin"
        return JSONResponse({"admin": request.session})

    inner = Starlette(
        routes=[Route("/", admin)], middleware=[Middleware(StarlettesOwn, secret_key="another")]
    )  # as sqladmin does
    client = client_of([Mount("/admin", inner)])
    client.get("/login")
    assert names(client.get("/admin/")) == ["session"]
    assert client.get("/all").json() == ANN


def test_a_logout_survives_an_exception_that_nobody_handles():
    async def fails(request: Request) -> None:
        delete_session(request)
        raise RuntimeError

    client = client_of([Route("/fails", fails)])
    client.get("/login")
    late = client.cookies[NAME]
    answer = client.get("/fails")
    assert (answer.status_code, OUT in names(answer)) == (500, True)
    client.cookies.set(NAME, late, domain="app.example.org")
    assert client.get("/all").json() == {}


def test_an_exception_that_nobody_handles_saves_nothing():
    async def fails(request: Request) -> None:
        request.session["n"] = 1
        raise RuntimeError

    client = client_of([Route("/fails", fails)])
    assert names(client.get("/fails")) == []


def test_a_websocket_reads_it_and_a_refused_one_is_not_accepted():
    @require_session_api
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.session)
        await websocket.close()

    client = client_of([WebSocketRoute("/ws", echo)])
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("wss://app.example.org/ws"),
    ):
        pass
    assert refused.value.code == 1008
    client.get("/login")
    with client.websocket_connect("wss://app.example.org/ws") as socket:
        assert socket.receive_json() == ANN


class Items(HTTPEndpoint):
    @require_session_api
    async def get(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("items")

    @require_session_page(login_url="/signin?from=items", logout_url="/signout", default="/home")
    def post(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("posted")


def test_the_guards_stand_before_methods_too():
    client = client_of([Route("/items", Items)])
    assert client.get("/items").status_code == 401
    answer = client.post("/items", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/signin?from=items&returnTo=/home",
    )
    client.get("/login")
    assert (client.get("/items").text, client.post("/items").text) == ("items", "posted")


def test_a_guard_before_what_is_no_endpoint_says_so():
    with pytest.raises(TypeError, match="the guards are for endpoints"):
        require_session_api(lambda: None)()


def test_the_endpoint_keeps_its_name():
    @require_session_page
    async def something(request: Request) -> None:
        """What it does."""

    assert (something.__name__, something.__doc__) == ("something", "What it does.")


def test_it_takes_the_place_of_starlettes_own_middleware():
    client = client_of([], secret_key=SECRET, session_cookie="mine", max_age=3600, https_only=True)
    assert names(client.get("/login")) == ["mine"]
    assert client.get("/all").json() == ANN


def test_the_explicit_forms_take_request_and_response():
    async def update(request: Request) -> JSONResponse:
        response = JSONResponse({})
        assert update_session(request, response, {**(get_session(request) or {}), "n": 1}) is True
        assert "set-cookie" not in response.headers  # it is the middleware's to write
        return response

    client = client_of([Route("/update", update)])
    client.get("/login")
    assert names(client.get("/update")) == [NAME]
    assert client.get("/all").json() == {**ANN, "n": 1}


def test_without_the_middleware_request_and_response_are_enough():
    kept = store()

    async def begin(request: Request) -> JSONResponse:
        response = JSONResponse({})
        kept.create_session(request, response, ANN)
        return response

    async def me(request: Request) -> JSONResponse:
        return JSONResponse(kept.get_session(request))

    client = TestClient(
        Starlette(routes=[Route("/begin", begin), Route("/me", me)]),
        base_url="https://app.example.org",
    )
    assert names(client.get("/begin")) == [NAME]
    assert client.get("/me").json() == ANN


def test_a_test_client_that_was_given_the_cookies_of_a_session_sees_each_write():
    async def count(request: Request) -> JSONResponse:
        request.session["n"] = request.session.get("n", 0) + 1
        return JSONResponse(request.session["n"])

    one = store(clock=lambda: 1_800_000_000)
    client = client_of([Route("/count", count)], store=one)
    # The client keeps them beside those of the responses, and sends both.
    client.cookies.update(session_cookies(one, ANN))
    assert [client.get("/count").json() for _ in range(3)] == [1, 2, 3]
