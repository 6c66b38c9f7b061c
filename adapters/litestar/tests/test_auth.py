"""SessionAuth, guards and sockets, and the forms without the middleware."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Controller, Litestar, Request, Response, WebSocket, get, post, websocket
from litestar.connection import ASGIConnection
from litestar.exceptions import WebSocketDisconnect
from litestar.security.session_auth import SessionAuth
from litestar.testing import TestClient

from sessionkit import ConfigurationError, delete_session, get_session
from sessionkit_litestar import (
    LitestarSession,
    NotSignedIn,
    SessionKitConfig,
    require_session_api,
    require_session_page,
)

from .visitor import ANN, NAME, STORE, client_of

# ---- SessionAuth, guards, sockets


def session_auth() -> TestClient:
    async def user_of(session: dict[str, Any], connection: ASGIConnection) -> str | None:
        return session.get("user", {}).get("sub")

    @post("/signin")
    async def signin(request: Request) -> None:
        request.set_session({"user": {"sub": "ann"}})

    @get("/me")
    async def me(request: Request) -> str:
        return request.user

    @post("/signout")
    async def signout(request: Request) -> None:
        request.clear_session()

    auth = SessionAuth(
        retrieve_user_handler=user_of,
        session_backend_config=SessionKitConfig(store=STORE),
        exclude=["/signin", "/schema"],
    )
    return TestClient(
        Litestar([signin, me, signout], on_app_init=[auth.on_app_init]),
        base_url="https://app.example.org",
    )


def test_session_auth_signs_in_and_out():
    client = session_auth()
    assert client.get("/me").status_code == 401
    client.post("/signin")
    late = client.cookies[NAME]
    assert client.get("/me").text == "ann"
    client.post("/signout")
    assert client.get("/me").status_code == 401
    client.cookies.set(NAME, late, domain="app.example.org")
    assert client.get("/me").status_code == 401


def test_session_auth_names_the_cookie_in_the_openapi_page():
    schemes = session_auth().get("/schema/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["sessionCookie"]["name"] == NAME


class Items(Controller):
    path = "/items"
    guards = [
        require_session_page(login_url="/signin?from=items", logout_url="/signout", default="/home")
    ]

    @get()
    async def show(self) -> str:
        return "items"

    @post(status_code=200)
    async def add(self) -> str:
        return "added"


@get("/page", guards=[require_session_page])
async def page() -> str:
    return "page"


@get("/api", guards=[require_session_api])
async def api() -> str:
    return "api"


def test_the_guards_stand_before_controllers_and_handlers():
    client = client_of(Items, page, api)
    assert client.get("/api").status_code == 401
    assert (
        client.get("/page", follow_redirects=False).headers["location"]
        == "/auth/login?returnTo=/page"
    )
    assert (
        client.get("/items?a=1", follow_redirects=False).headers["location"]
        == "/signin?from=items&returnTo=/items%3Fa%3D1"
    )
    answer = client.post("/items", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/signin?from=items&returnTo=/home",
    )
    client.post("/login")
    assert [
        client.get("/api").text,
        client.get("/page").text,
        client.get("/items").text,
        client.post("/items").text,
    ] == ["api", "page", "items", "added"]


def test_a_handler_of_the_application_replaces_the_refusal():
    client = client_of(
        api,
        exception_handlers={
            NotSignedIn: lambda request, error: Response(
                {"mine": error.refusal.status}, status_code=418
            )
        },
    )
    answer = client.get("/api")
    assert (answer.status_code, answer.json()) == (418, {"mine": 401})


@websocket("/ws", guards=[require_session_api])
async def ws(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json(dict(socket.session))
    await socket.close()


def test_a_websocket_reads_it_and_a_guarded_one_is_refused():
    client = client_of(ws)
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/ws") as socket:
        socket.receive_json()
    assert refused.value.code == 1008
    client.cookies.clear()
    client.post("/login")
    token = client.cookies[
        NAME
    ]  # the test client asks for sockets over ws://, where a Secure cookie does not go
    with client.websocket_connect("/ws", headers={"Cookie": f"{NAME}={token}"}) as socket:
        assert socket.receive_json() == ANN


# ---- the forms without the middleware


def test_without_the_middleware_the_request_is_enough_to_read_and_a_response_cannot_be_written():
    @get("/me")
    async def me(request: Request) -> list:
        with pytest.raises(ConfigurationError, match="install the middleware"):
            STORE.create_session(request, Response(None), ANN)
        return [STORE.get_session(request)]

    client = TestClient(Litestar([me]), base_url="https://app.example.org")
    assert client.get("/me").status_code == 200


def test_a_logout_by_the_verb_and_a_look_through_the_session_agree():
    @post("/logout")
    async def logout(request: Request) -> list:
        return [
            delete_session(request),
            len(request.session),
            get_session() is None,
            isinstance(request.session, LitestarSession),
        ]

    client = client_of(logout)
    client.post("/login")
    assert client.post("/logout").json() == [True, 0, True, True]
