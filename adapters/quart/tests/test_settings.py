"""quart.session: websockets, guards and settings."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from quart import Quart, session, websocket
from quart.testing.connections import WebsocketResponseError
from quart.views import MethodView

from sessionkit import (
    ConfigurationError,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    anyone,
    bind,
    create_session,
    get_session,
)
from sessionkit_quart import SessionKit, require_session_api, require_session_page

from .visitor import ANN, OLD, SECRET, Browser, names

# ---- websockets


async def test_the_first_message_of_a_socket_accepts_it_and_carries_the_session(app, browser):
    @app.websocket("/ws")
    async def ws():
        session["feeds"] = 1
        await websocket.send("hello")
        try:
            session["feeds"] = 2
        except ResponseStartedError as error:
            await websocket.send(type(error).__name__)

    async with browser.client.websocket("/ws", scheme="wss") as socket:
        assert [await socket.receive(), await socket.receive()] == ["hello", "ResponseStartedError"]


async def test_a_socket_that_is_refused_carries_the_session_of_the_refusal(app, browser):
    @app.websocket("/ws")
    async def ws():
        session["refused"] = 1
        return "no", 403

    with pytest.raises(WebsocketResponseError) as refused:
        async with browser.client.websocket("/ws", scheme="wss") as socket:
            await socket.receive()
    assert names(refused.value.response) == ["__Host-session"]


async def test_a_task_that_a_socket_starts_needs_the_socket_or_bind(app, browser):
    @app.websocket("/ws")
    async def ws():
        this = websocket._get_current_object()
        await websocket.accept()

        async def implicit():
            try:
                return get_session()["user"]["sub"]
            except NoActiveRequestError as error:
                return type(error).__name__

        async def explicit():
            return get_session(this)["user"]["sub"]

        for work in (implicit, explicit, bind(implicit)):
            await this.send(await asyncio.create_task(work()))

    await browser.ask("/login")
    cookies = "; ".join(f"{one.name}={one.value}" for one in browser.client.cookie_jar)
    async with browser.client.websocket("/ws", scheme="wss", headers={"Cookie": cookies}) as socket:
        assert [await socket.receive() for _ in range(3)] == ["NoActiveRequestError", "ann", "ann"]


async def test_a_guarded_socket_is_refused_before_it_is_accepted(app, browser):
    @app.websocket("/ws")
    @require_session_api
    async def ws():
        await websocket.send("in")

    with pytest.raises(WebsocketResponseError) as refused:
        async with browser.client.websocket("/ws", scheme="wss") as socket:
            await socket.receive()
    assert refused.value.response.status_code == 401
    await browser.ask("/login")
    cookies = "; ".join(f"{one.name}={one.value}" for one in browser.client.cookie_jar)
    async with browser.client.websocket("/ws", scheme="wss", headers={"Cookie": cookies}) as socket:
        assert await socket.receive() == "in"


# ---- guards


async def test_guards_work_on_plain_and_class_based_views(app, browser):
    class Item(MethodView):
        decorators = [require_session_api]

        async def get(self, one):
            return f"item {one}"

    app.add_url_rule("/item/<one>", view_func=Item.as_view("item"))
    app.add_url_rule("/plain", "/plain", require_session_api(lambda: "plain"))
    assert [(await browser.ask(path)).status_code for path in ("/item/1", "/plain")] == [401, 401]
    await browser.ask("/login")
    assert [await browser.text(path) for path in ("/item/1", "/plain")] == ["item 1", "plain"]


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/page?a=1", 302, "/signin?from=page&returnTo=/page%3Fa%3D1"),
        ("POST", "/page", 303, "/signin?from=page&returnTo=/home"),
        ("GET", "/signout", 302, "/signin?from=page&returnTo=/home"),
    ],
)
async def test_a_page_sends_visitors_to_the_login(app, browser, method, path, status, location):
    guard = require_session_page(
        login_url="/signin?from=page", logout_url="/signout", default="/home"
    )
    for one in ("/page", "/signout"):
        app.add_url_rule(one, one, guard(lambda: "in"), methods=["GET", "POST"])
    answer = await browser.ask(path, method=method)
    assert (answer.status_code, answer.headers["Location"]) == (status, location)


# ---- settings


def made(settings=None, **config) -> Quart:
    app = Quart(__name__)
    app.testing = True
    app.config.from_mapping({"SECRET_KEY": SECRET, **config})
    SessionKit(app, **(settings or {}))
    app.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    app.add_url_rule(
        "/count", "/count", lambda: session.update(n=session.get("n", 0) + 1) or dict(session)
    )
    return app


async def attributes(app: Quart) -> str:
    name, _, rest = (await Browser(app).ask("/login")).headers["Set-Cookie"].partition(";")
    return name.partition("=")[0] + ";" + rest


async def test_the_defaults_are_quarts_but_for_same_site():
    assert await attributes(made()) == "session; Path=/; HttpOnly; SameSite=Lax; Priority=High"


async def test_the_settings_of_the_cookie_are_read():
    app = made(
        SESSION_COOKIE_NAME="mine",
        SESSION_COOKIE_PATH="/app",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=False,
    )
    assert await attributes(app) == "mine; Path=/app; Secure; SameSite=Strict; Priority=High"


async def test_a_key_of_the_fallbacks_opens():
    cookie = (
        (await Browser(made(SECRET_KEY=OLD)).ask("/login")).headers["Set-Cookie"].partition(";")[0]
    )
    assert (
        await Browser(made(SECRET_KEY_FALLBACKS=[OLD])).json("/me", headers={"Cookie": cookie})
        == ANN
    )


async def test_a_setting_given_to_sessionkit_wins():
    browser = Browser(made({"guard": anyone, "secret": OLD}))
    await browser.ask("/count")
    assert await browser.json("/me") == {"n": 1}


async def test_a_short_secret_key_is_refused_with_the_reason():
    with pytest.raises(ConfigurationError, match="at least 32"):
        await Browser(made(SECRET_KEY="dev")).ask("/me")


async def test_without_a_secret_key_the_session_reads_empty_and_writing_fails():
    app = made(SECRET_KEY=None)
    app.add_url_rule("/read", "/read", lambda: dict(session))
    assert await Browser(app).json("/read") == {}
    assert (await Browser(app).ask("/count")).status_code == 500


async def test_one_sessionkit_serves_several_applications():
    kit = SessionKit(store=SessionStore(SECRET))
    first, second = Quart("first"), Quart("second")
    for one in (first, second):
        kit.init_app(one)
        one.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
        one.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    cookie = (await Browser(first).ask("/login")).headers["Set-Cookie"].partition(";")[0]
    assert await Browser(second).json("/me", headers={"Cookie": cookie}) == ANN


def test_what_serves_an_application_is_a_coroutine_function_as_asgiref_wants():
    app = Quart(__name__)
    SessionKit(app, store=SessionStore(SECRET))
    assert inspect.iscoroutinefunction(app.asgi_app)
