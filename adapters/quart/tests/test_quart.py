"""quart.session: Quart's own extras, websockets, and the places where other session extensions lose writes."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from quart import (
    Quart,
    copy_current_request_context,
    flash,
    get_flashed_messages,
    render_template_string,
    request,
    session,
    websocket,
)
from quart.testing.connections import WebsocketResponseError
from quart.views import MethodView

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    anyone,
    bind,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit_quart import SessionKit, require_session_api, require_session_page

SECRET, OLD = (
    "quart tests: 0123456789abcdefghijklmnopqrstuvwxyz",
    "old key: 0123456789abcdefghijklmnopqrstuvwxyz",
)
ANN = {"user": {"sub": "ann"}}


class Browser:
    """Quart's client, over https: our cookies are Secure."""

    def __init__(self, app: Quart) -> None:
        self.client = app.test_client()

    async def ask(self, path, method="GET", **named):
        return await self.client.open(path, method=method, scheme="https", **named)

    async def text(self, path, **named):
        return await (await self.ask(path, **named)).get_data(as_text=True)

    async def json(self, path, **named):
        return await (await self.ask(path, **named)).json

    @property
    def names(self):
        return {one.name for one in self.client.cookie_jar}


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    SessionKit(app, store=SessionStore(SECRET))
    app.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    app.add_url_rule("/all", "/all", lambda: dict(session))
    return app


@pytest.fixture
def browser(app: Quart) -> Browser:
    return Browser(app)


def names(answer) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")]


# ---- Quart's extras


async def test_session_transaction_writes_what_a_request_reads_and_reads_what_it_wrote(
    app, browser
):
    async with browser.client.session_transaction(scheme="https") as opened:
        opened["user"] = {"sub": "ann"}
        opened["cart"] = {"items": ["tea"]}
    assert await browser.json("/me") == {**ANN, "cart": {"items": ["tea"]}}
    async with browser.client.session_transaction(scheme="https") as opened:
        assert opened["user"] == {"sub": "ann"}
        opened["cart"]["items"].append("cups")
    assert await browser.json("/me") == {**ANN, "cart": {"items": ["tea", "cups"]}}


async def test_session_transaction_that_empties_the_session_is_a_logout(browser):
    await browser.ask("/login")
    async with browser.client.session_transaction(scheme="https") as opened:
        opened.clear()
    assert await browser.json("/me") == {}
    assert browser.names == {"__Host-out.session"}


async def test_flashed_messages_come_once_and_as_tuples(app, browser):
    @app.get("/flash")
    async def flash_twice():
        await flash("saved")
        await flash("careful", "warning")
        return ""

    @app.get("/messages")
    async def messages():
        found = get_flashed_messages(with_categories=True)
        return {
            "found": [list(one) for one in found],
            "kinds": [type(one).__name__ for one in found],
        }

    await browser.ask("/flash")
    assert await browser.json("/messages") == {
        "found": [["message", "saved"], ["warning", "careful"]],
        "kinds": ["tuple", "tuple"],
    }
    assert await browser.json("/messages") == {"found": [], "kinds": []}


@pytest.mark.parametrize(
    ("transient", "permanent", "max_age"),
    [(False, None, True), (False, False, False), (True, None, False), (True, True, True)],
)
async def test_permanent_decides_whether_the_browser_forgets_it(transient, permanent, max_age):
    app = Quart(__name__)
    SessionKit(app, store=SessionStore(SECRET, cookie=CookieSettings(transient=transient)))

    @app.get("/")
    async def index():
        session["a"] = 1
        if permanent is not None:
            session.permanent = permanent
        return {"permanent": session.permanent}

    answer = await Browser(app).ask("/")
    assert await answer.json == {"permanent": bool(permanent)}
    assert ("Max-Age=" in answer.headers["Set-Cookie"]) is max_age


async def test_modified_is_true_exactly_when_something_differs(app, browser):
    @app.get("/modified")
    async def modified():
        found = [session.modified]
        session["user"]["name"] = "Ann"
        found.append(session.modified)
        del session["user"]["name"]
        session.modified = True  # what an extension without change detection needs
        return [*found, session.modified]

    await browser.ask("/login")
    answer = await browser.ask("/modified")
    assert await answer.json == [False, True, False]
    assert names(answer) == []


async def test_the_session_is_in_templates(app, browser):
    @app.get("/page")
    async def page():
        return await render_template_string("{{ session.user.sub }}")

    await browser.ask("/login")
    assert await browser.text("/page") == "ann"


async def test_its_repr_shows_no_value(app, browser):
    app.add_url_rule("/repr", "/repr", lambda: repr(session))
    await browser.ask("/login")
    assert await browser.text("/repr") == "<QuartSession keys=['user']>"


async def test_a_view_that_does_not_use_it_does_not_look_at_it(app, browser):
    app.add_url_rule("/plain", "/plain", lambda: "plain")
    await browser.ask("/login")
    answer = await browser.ask("/plain")
    assert ("Cookie" in answer.vary, names(answer)) == (False, [])


# ---- tasks and threads


async def test_a_plain_view_in_its_thread_writes(app, browser):
    app.add_url_rule(
        "/write",
        "/write",
        lambda: {"done": update_session({**ANN, "by": "a thread"}), "now": session.update(n=1)},
    )
    await browser.ask("/login")
    await browser.ask("/write")
    assert await browser.json("/me") == {**ANN, "by": "a thread", "n": 1}


async def test_a_task_of_the_request_has_all_forms(app, browser):
    @app.get("/task")
    async def task():
        @copy_current_request_context
        async def work():
            update_session(request, {**(get_session() or {}), "by": "a task"})
            session["user"]["name"] = "Ann"

        await asyncio.create_task(work())
        return ""

    await browser.ask("/login")
    await browser.ask("/task")
    assert await browser.json("/me") == {"user": {"sub": "ann", "name": "Ann"}, "by": "a task"}


async def test_a_background_task_outlives_the_request(app, browser):
    found = asyncio.Queue()
    answered = asyncio.Event()

    @app.get("/start")
    async def start():
        async def work():
            await answered.wait()
            try:
                await found.put(get_session())
            except NoActiveRequestError as error:
                await found.put(type(error))

        app.add_background_task(work)
        return ""

    await browser.ask("/start")
    answered.set()
    assert await asyncio.wait_for(found.get(), 10) is NoActiveRequestError


# ---- errors


async def test_what_is_too_large_is_the_applications_error_and_has_its_page(app, browser):
    app.add_url_rule("/big", "/big", lambda: session.update(big="x" * 9000) or "")
    app.register_error_handler(500, lambda error: (type(error.original_exception).__name__, 500))
    await browser.ask("/login")
    answer = await browser.ask("/big")
    assert (answer.status_code, await answer.get_data(as_text=True)) == (
        500,
        "SessionTooLargeError",
    )
    assert await browser.json("/all") == ANN


async def test_a_500_keeps_a_logout_and_nothing_else(app, browser):
    def fail(before):
        before()
        raise ZeroDivisionError

    app.add_url_rule("/write", "/write", lambda: fail(lambda: session.update(n=1)))
    app.add_url_rule("/logout", "/logout", lambda: fail(delete_session))
    await browser.ask("/login")
    assert (await browser.ask("/write")).status_code == 500
    assert await browser.json("/all") == ANN
    assert (await browser.ask("/logout")).status_code == 500
    assert await browser.json("/all") == {}


async def test_after_request_functions_write_too(app, browser):
    @app.after_request
    async def count(response):
        session["n"] = session.get("n", 0) + 1
        return response

    await browser.ask("/login")
    await browser.ask("/me")
    assert await browser.json("/me") == {**ANN, "n": 2}


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
