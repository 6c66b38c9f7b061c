"""Channels: who signed in through Django is `scope["user"]` in consumers, and what cannot be kept is an error."""

from __future__ import annotations

import asyncio
import re

import pytest
from channels.auth import AuthMiddlewareStack, login, logout
from channels.generic.http import AsyncHttpConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.urls import re_path

from sessionkit import CookieSettings, ResponseStartedError, SessionStore, get_session
from sessionkit.asgi import SessionMiddleware as Gateway
from sessionkit_django import asgi, engine
from sessionkit_django.config import gateway
from sessionkit_django.testing import Client

NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"
SECRET = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"


STORE = SessionStore(SECRET)
NAMED = SessionStore(SECRET, cookie=CookieSettings(name="sid"))


def of_store(app):
    """The gateway of the project's store, which knows nothing of Django."""
    return settings.SESSIONKIT["store"].asgi(app)


def of_settings(app):
    return Gateway(app, gateway())


GATEWAYS = [asgi, of_store, of_settings]


@pytest.fixture(autouse=True)
def _project():
    with override_settings(SESSIONKIT={"store": STORE}):
        yield


@pytest.fixture
def _named():
    """The session's cookie has the name that Channels and Django look for."""
    with override_settings(SESSIONKIT={"store": NAMED}, SESSION_COOKIE_NAME="sid"):
        yield


async def ask(app, *, path="/", cookie="", kind="websocket", fields=()):
    """One connection, straight to the application: the messages that were sent."""
    came = {
        "http": [{"type": "http.request", "body": b"", "more_body": False}],
        "websocket": [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "go"}],
    }[kind]
    scope = {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
        "root_path": "", "query_string": b"", "scheme": "https" if kind == "http" else "wss", "server": ("shop.local", 443),
        "client": ("192.0.2.1", 1), "headers": [(b"host", b"shop.local"), *fields, *([(b"cookie", cookie.encode())] if cookie else [])],
    }  # fmt: skip
    sent = []

    async def receive():
        if came:
            return came.pop(0)
        if kind == "http":
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


def run(app, **named):
    return asyncio.run(ask(app, **named))


def set_cookies(messages) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for message in messages:
        for name, line in message.get("headers") or ():
            if name.lower() == b"set-cookie":
                cookie, _, value = line.decode().partition("=")
                found.setdefault(cookie, []).append(value.partition(";")[0])
    return found


def header_of(client: Client, **more: str) -> str:
    found = {name: one.value for name, one in client.cookies.items() if one.value} | more
    return "; ".join(f"{name}={value}" for name, value in found.items())


@pytest.fixture
def browser(ann):
    client = Client()
    client.force_login(ann)
    return client


def consumer(act):
    """A websocket's application: what `act` gives for the scope, once before and once after the accept."""

    async def application(scope, receive, send):
        await receive()
        await act(scope)
        await send({"type": "websocket.accept"})

    return application


def seen_by(stack, wrap, **named) -> list[str]:
    found = []

    async def act(scope):
        found.append(str(scope["user"]) if "user" in scope else str(dict(scope["session"])))

    run(wrap(stack(consumer(act))), **named)
    return found


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_a_websocket_consumer_knows_who_signed_in(browser, wrap):
    assert seen_by(AuthMiddlewareStack, wrap, cookie=header_of(browser)) == ["ann"]


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_a_session_of_several_cookies_is_known_too(browser, wrap):
    browser.get("/big?size=4200")
    assert f"{NAME}.1" in browser.cookies
    assert seen_by(AuthMiddlewareStack, wrap, cookie=header_of(browser)) == ["ann"]


@pytest.mark.parametrize("wrap", GATEWAYS)
@pytest.mark.parametrize("left", ["", "0123456789abcdefghijklmnopqrstuv", "a.b.c.d.e"])
def test_a_cookie_left_by_djangos_own_engine_is_in_nobodys_way(browser, wrap, left):
    cookie = header_of(browser, sessionid=left)
    assert seen_by(AuthMiddlewareStack, wrap, cookie=cookie) == ["ann"]


@pytest.mark.parametrize("wrap", GATEWAYS)
@pytest.mark.parametrize("cookie", ["", f"{NAME}=forged", "sessionid=forged", f"{NAME}=a.b.c.d.e"])
def test_who_has_no_session_is_nobody(ann, wrap, cookie):
    assert seen_by(AuthMiddlewareStack, wrap, cookie=cookie) == ["AnonymousUser"]


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_the_key_of_a_session_opens_nothing(browser, wrap):
    key = browser.session.session_key
    cookie = f"{NAME}={key}; sessionid={key}"
    assert seen_by(AuthMiddlewareStack, wrap, cookie=cookie) == ["AnonymousUser"]


@pytest.mark.parametrize("wrap", GATEWAYS)
@pytest.mark.usefixtures("_named")
def test_a_session_under_the_name_of_the_setting_is_known(browser, wrap):
    assert seen_by(AuthMiddlewareStack, wrap, cookie=header_of(browser)) == ["ann"]


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_who_signed_out_is_nobody(browser, wrap):
    before = header_of(browser)
    browser.get("/log-out")
    cookie = f"{before}; {OUT}={browser.cookies[OUT].value}"
    assert seen_by(AuthMiddlewareStack, wrap, cookie=cookie) == ["AnonymousUser"]


def test_an_excluded_path_has_nobody(browser):
    def excluding(app):
        return asgi(app, exclude="/public/*")

    for path, who in (("/public/ws", "AnonymousUser"), ("/ws", "ann")):
        cookie = header_of(browser)
        assert seen_by(AuthMiddlewareStack, excluding, path=path, cookie=cookie) == [who]


def test_websockets_of_other_sites_are_refused():
    async def never(scope, receive, send):
        raise AssertionError

    wrapped = asgi(never, origins=["https://shop.local"])
    sent = run(wrapped, fields=[(b"origin", b"https://evil.example")])
    assert [one["type"] for one in sent] == ["websocket.close"]


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_what_a_consumer_saves_before_it_accepts_is_kept(browser, wrap):
    async def act(scope):
        scope["session"]["seat"] = 7
        await scope["session"].asave()

    sent = run(wrap(SessionMiddlewareStack(consumer(act))), cookie=header_of(browser))
    cookies = set_cookies(sent)
    assert set(cookies) == {NAME}
    browser.cookies[NAME] = cookies[NAME][0]
    assert browser.session["seat"] == 7


@pytest.mark.parametrize("wrap", GATEWAYS)
@pytest.mark.parametrize("how", ["save", "assign", "flush", "cycle_key", "create"])
def test_what_comes_after_the_accept_is_an_error(browser, wrap, how):
    raised = []

    async def application(scope, receive, send):
        await receive()
        session = scope["session"]
        assert session["_auth_user_id"]
        await send({"type": "websocket.accept"})
        try:
            session.update({"late": True}) if how == "assign" else getattr(session, how)()
        except ResponseStartedError as error:
            raised.append(error)

    run(wrap(SessionMiddlewareStack(application)), cookie=header_of(browser))
    assert len(raised) == 1


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_login_and_logout_of_channels_work(ann, wrap):
    async def sign_in(scope):
        await login(scope, ann)
        assert scope["user"] == ann

    async def sign_out(scope):
        await logout(scope)

    cookies = set_cookies(run(wrap(AuthMiddlewareStack(consumer(sign_in)))))
    assert set(cookies) == {NAME}
    cookie = f"{NAME}={cookies[NAME][0]}"
    assert seen_by(AuthMiddlewareStack, wrap, cookie=cookie) == ["ann"]
    cookies = set_cookies(run(wrap(AuthMiddlewareStack(consumer(sign_out))), cookie=cookie))
    assert cookies[NAME] == [""]
    cookie += f"; {OUT}={cookies[OUT][0]}"
    assert seen_by(AuthMiddlewareStack, wrap, cookie=cookie) == ["AnonymousUser"]


class Page(AsyncHttpConsumer):
    async def handle(self, body):
        session = self.scope["session"]
        if self.scope["path"] == "/write":
            session["seen"] = True
        await self.send_response(200, str(self.scope["user"]).encode())


def page(messages) -> bytes:
    return b"".join(one.get("body", b"") for one in messages)


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_an_http_consumer_knows_who_signed_in_and_its_write_is_kept(browser, wrap):
    app = wrap(AuthMiddlewareStack(Page.as_asgi()))
    sent = run(app, kind="http", path="/write", cookie=header_of(browser))
    assert page(sent) == b"ann"
    cookies = set_cookies(sent)
    assert set(cookies) == {NAME}
    (browser.cookies[NAME],) = cookies[NAME]
    assert browser.session["seen"] is True


@pytest.mark.parametrize("wrap", GATEWAYS)
@pytest.mark.usefixtures("_named")
def test_channels_does_not_put_the_key_into_the_cookie(browser, wrap):
    app = wrap(AuthMiddlewareStack(Page.as_asgi()))
    sent = run(app, kind="http", path="/write", cookie=header_of(browser))
    (token,) = set_cookies(sent)["sid"]
    assert token.count(".") == 4
    assert set_cookies(run(app, kind="http", cookie=header_of(browser))) == {}


@pytest.mark.parametrize("wrap", GATEWAYS)
@pytest.mark.usefixtures("_named")
@override_settings(SESSION_SAVE_EVERY_REQUEST=True)
def test_nor_does_it_when_every_request_saves(browser, wrap):
    app = wrap(AuthMiddlewareStack(Page.as_asgi()))
    named = {"kind": "http", "cookie": header_of(browser)}
    if wrap is asgi:
        assert set_cookies(run(app, **named)) == {}
    else:
        with pytest.raises(ImproperlyConfigured, match=r"sessionkit_django\.asgi"):
            run(app, **named)


@pytest.mark.parametrize("wrap", GATEWAYS)
def test_djangos_own_application_stands_beside_the_consumers(browser, wrap):
    found = []

    async def act(scope):
        found.append((str(scope["user"]), get_session() is not None))

    routes = URLRouter([re_path("^ws$", consumer(act))])
    app = wrap(
        ProtocolTypeRouter(
            {"http": get_asgi_application(), "websocket": AuthMiddlewareStack(routes)}
        )
    )
    sent = run(app, kind="http", path="/private", cookie=header_of(browser))
    assert page(sent) == b"ann"
    run(app, path="/ws", cookie=header_of(browser))
    assert found == [("ann", True)]


def test_without_a_gateway_the_consumer_is_told(browser):
    told = []

    async def act(scope):
        scope["session"]["a"] = 1
        try:
            await scope["session"].asave()
        except LookupError as error:
            told.append(str(error))

    run(SessionMiddlewareStack(consumer(act)), cookie=header_of(browser))
    assert re.search(r"sessionkit_django\.asgi", told[0])


def test_in_a_consumer_another_key_finds_nothing(browser):
    found = []

    async def act(scope):
        found.append(dict(engine.SessionStore("x" * 22)))
        found.append(engine.SessionStore(scope["session"].session_key)["_auth_user_id"])

    run(asgi(AuthMiddlewareStack(consumer(act))), cookie=header_of(browser))
    assert found == [{}, browser.session["_auth_user_id"]]
