"""The session as a dependency: typed, overridable, in the OpenAPI page, on websockets."""

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect
from typing_extensions import TypedDict

from sessionkit import CookieSettings, SessionStore, create_session, get_session
from sessionkit._exchange.request import HOLDER
from sessionkit_fastapi import (
    CurrentSession,
    NotSignedIn,
    OptionalSession,
    SessionCookie,
    SessionMiddleware,
    SessionPage,
    optional_session,
    require_session_api,
    require_session_page,
    session_of,
)

SECRET = "fastapi tests: 0123456789abcdefghijklmnopqrstuvwxyz"
NAME = "__Host-session"
REFUSED = {
    "error": "not_authenticated",
    "error_description": "The user does not have an active session",
}


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, store=SessionStore(SECRET))

    @app.post("/login")
    async def login(contents: dict[str, Any]) -> dict[str, Any]:
        return create_session(contents)

    @app.get("/all")
    async def everything(request: Request) -> dict[str, Any]:
        return request.session

    return app


def client_of(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="https://app.example.org", follow_redirects=False)


def signed_in(app: FastAPI, **more: Any) -> TestClient:
    client = client_of(app)
    client.post("/login", json={"user": {"sub": "ann"}, **more})
    return client


def test_the_current_session_is_live(app):
    @app.post("/cart")
    async def cart(session: CurrentSession) -> None:
        session.setdefault("cart", {"items": []})["items"].append("tea")

    client = signed_in(app)
    client.post("/cart")
    client.post("/cart")
    assert client.get("/all").json() == {"user": {"sub": "ann"}, "cart": {"items": ["tea", "tea"]}}


def test_without_one_the_answer_is_the_refusal(app):
    @app.get("/me")
    async def me(session: CurrentSession) -> dict[str, Any]:
        return session

    answer = client_of(app).get("/me")
    assert (answer.status_code, answer.json(), answer.headers["cache-control"]) == (
        401,
        REFUSED,
        "no-store",
    )


def test_the_refusal_passes_through_a_cors_middleware_inside(app):
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://front.example.org"])
    app.add_middleware(SessionMiddleware, store=SessionStore(SECRET))
    app.get("/me", dependencies=[Depends(require_session_api)])(lambda: "in")
    answer = client_of(app).get("/me", headers={"Origin": "https://front.example.org"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (
        401,
        "https://front.example.org",
    )


def test_a_handler_of_the_application_replaces_the_refusal(app):
    @app.exception_handler(NotSignedIn)
    async def mine(request: Request, error: NotSignedIn) -> JSONResponse:
        return JSONResponse({"mine": error.refusal.status}, 418)

    app.get("/me", dependencies=[Depends(require_session_api)])(lambda: "in")
    answer = client_of(app).get("/me")
    assert (answer.status_code, answer.json()) == (418, {"mine": 401})


def test_an_optional_session_is_none_without_one(app):
    @app.get("/me")
    def me(session: OptionalSession) -> dict[str, Any] | None:
        return session

    assert client_of(app).get("/me").json() is None
    assert signed_in(app).get("/me").json() == {"user": {"sub": "ann"}}


def test_an_anonymous_session_is_no_sign_in(app):
    @app.get("/put")
    async def put(request: Request) -> None:
        request.session["cart"] = ["tea"]

    app.get("/me", dependencies=[Depends(require_session_api)])(lambda: "in")
    client = client_of(app)
    client.get("/put")
    assert client.get("/all").json() == {"cart": ["tea"]}
    assert client.get("/me").status_code == 401


def test_a_page_sends_everybody_else_to_the_login(app):
    router = APIRouter(
        prefix="/shop",
        dependencies=[
            Depends(SessionPage(login_url="/signin", logout_url="/signout", default="/home"))
        ],
    )
    router.get("/cart")(lambda: "cart")
    router.post("/cart")(lambda: "cart")
    app.include_router(router)
    app.get("/page", dependencies=[Depends(require_session_page)])(lambda: "page")
    client = client_of(app)
    assert client.get("/shop/cart?a=1").headers["location"] == "/signin?returnTo=/shop/cart%3Fa%3D1"
    assert client.post("/shop/cart").headers["location"] == "/signin?returnTo=/home"
    assert client.get("/page").headers["location"] == "/auth/login?returnTo=/page"
    assert signed_in(app).get("/shop/cart").json() == "cart"


def test_the_guard_is_no_factory_that_would_guard_nothing_if_it_were_called():
    with pytest.raises(TypeError):
        require_session_page(login_url="/signin")


# ---- typed


class User(BaseModel):
    sub: str


class Model(BaseModel):
    user: User
    n: int = 0


@dataclass
class Data:
    user: dict[str, Any]
    n: int = 0
    cart: list[str] = field(default_factory=list)


class Struct(msgspec.Struct):
    user: dict[str, Any]
    n: int = 0


class Typed(TypedDict):
    user: dict[str, Any]
    n: int


@pytest.mark.parametrize("model", [Model, Data, Struct])
def test_a_session_has_the_type_of_a_model(app, model):
    found: list[Any] = []

    @app.get("/typed")
    async def typed(session: Annotated[Any, Depends(session_of(model))]) -> None:
        found.append(session)

    assert client_of(app).get("/typed").status_code == 401
    signed_in(app, n=7).get("/typed")
    assert type(found[0]) is model
    assert found[0].n == 7


def test_a_typed_dict_is_the_live_session(app):
    @app.get("/typed")
    async def typed(session: Annotated[Typed, Depends(session_of(Typed))]) -> None:
        session["n"] += 1

    client = signed_in(app, n=7)
    client.get("/typed")
    assert client.get("/all").json() == {"user": {"sub": "ann"}, "n": 8}


@pytest.mark.parametrize("model", [Model, Data, Struct, Typed])
def test_a_session_that_does_not_fit_is_no_sign_in_and_nothing_of_it_is_logged(app, model, caplog):
    app.get("/typed", dependencies=[Depends(session_of(model))])(lambda: "in")
    client = signed_in(app, n="a secret")
    with caplog.at_level(logging.WARNING, "sessionkit"):
        assert client.get("/typed").status_code == 401
    assert caplog.messages == [
        f"a session does not fit {model.__qualname__}: its visitor counts as not signed in"
    ]
    assert "a secret" not in caplog.text


def test_an_optional_typed_session_is_none_where_it_does_not_fit(app):
    @app.get("/typed")
    async def typed(
        session: Annotated[Model | None, Depends(session_of(Model, optional_session))],
    ) -> bool:
        return session is None

    assert client_of(app).get("/typed").json() is True
    assert signed_in(app, n="x").get("/typed").json() is True
    assert signed_in(app, n=1).get("/typed").json() is False


# ---- tests, documentation, sockets, threads


def test_the_dependencies_can_be_overridden(app):
    @app.get("/me")
    async def me(session: CurrentSession) -> dict[str, Any]:
        return session

    @app.get("/typed")
    async def typed(session: Annotated[Model, Depends(session_of(Model))]) -> int:
        return session.n

    app.dependency_overrides[require_session_api] = lambda: {"user": {"sub": "bob"}}
    app.dependency_overrides[session_of(Model)] = lambda: Model(user=User(sub="bob"), n=9)
    assert client_of(app).get("/me").json() == {"user": {"sub": "bob"}}
    assert client_of(app).get("/typed").json() == 9


def test_they_show_in_the_openapi_page(app):
    app.get("/me", dependencies=[Depends(require_session_api)])(lambda: "in")
    app.get("/typed", dependencies=[Depends(session_of(Model))])(lambda: "in")
    page = app.openapi()
    scheme = page["components"]["securitySchemes"]["session"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", NAME)
    assert [page["paths"][path]["get"]["security"] for path in ("/me", "/typed")] == [
        [{"session": []}]
    ] * 2
    assert "parameters" not in page["paths"]["/typed"]["get"]


def test_a_websocket_takes_the_same_dependencies(app):
    @app.websocket("/ws")
    async def ws(
        websocket: WebSocket,
        session: CurrentSession,
        typed: Annotated[Model, Depends(session_of(Model))],
    ) -> None:
        await websocket.accept()
        await websocket.send_json([session, typed.n])
        await websocket.close()

    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client_of(app).websocket_connect("wss://app.example.org/ws"),
    ):
        pass
    assert refused.value.code == 1008
    with signed_in(app, n=3).websocket_connect("wss://app.example.org/ws") as socket:
        assert socket.receive_json() == [{"user": {"sub": "ann"}, "n": 3}, 3]


def test_several_stores_have_a_scheme_each():
    site = SessionStore(SECRET)
    admin = SessionStore(
        "admin tests: 0123456789abcdefghijklmnopqrstuvwxyz",
        cookie=CookieSettings(name="__Host-admin"),
    )
    app = FastAPI()
    app.add_middleware(SessionMiddleware, store=admin)
    app.add_middleware(SessionMiddleware, store=site)
    for name, store in (("site", site), ("admin", admin)):
        app.get(f"/{name}", dependencies=[Depends(SessionCookie(store, scheme_name=name))])(
            lambda: "in"
        )

    @app.get("/login")
    async def login(request: Request) -> None:
        admin.create_session(request, {"user": {"sub": "root"}})

    client = client_of(app)
    client.get("/login")
    assert (client.get("/site").status_code, client.get("/admin").status_code) == (401, 200)
    assert {one["name"] for one in app.openapi()["components"]["securitySchemes"].values()} == {
        NAME,
        "__Host-admin",
    }


def test_the_verbs_work_in_plain_dependencies_and_endpoints(app):
    def who() -> str | None:
        session = get_session()
        return None if session is None else session["user"]["sub"]

    @app.get("/who")
    def endpoint(name: Annotated[str | None, Depends(who)]) -> list[Any]:
        return [name, who()]

    assert signed_in(app).get("/who").json() == ["ann", "ann"]


VARIABLE: ContextVar[str] = ContextVar("variable", default="lost")


def test_the_dependencies_run_in_the_endpoints_context_and_not_in_a_thread(app):
    class Remembering(SessionCookie):
        async def __call__(self, request: HTTPConnection) -> Any:
            VARIABLE.set("kept")
            return await super().__call__(request)

    @app.get("/context", dependencies=[Depends(Remembering())])
    def endpoint() -> str:
        return VARIABLE.get()

    assert signed_in(app).get("/context").json() == "kept"


def test_an_endpoint_that_does_not_use_it_decrypts_nothing(app):
    @app.get("/public")
    async def public(request: Request) -> bool:
        return request.scope[HOLDER].looked_at

    answer = signed_in(app).get("/public")
    assert answer.json() is False
    assert "vary" not in answer.headers
