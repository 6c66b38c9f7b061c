"""Channels with its own middleware and no gateway of ours: it knows the user, and keeps or refuses what consumers write."""

from __future__ import annotations

import asyncio
import gc
from importlib import import_module

import pytest
from channels.auth import AuthMiddleware, AuthMiddlewareStack, login, logout
from channels.db import database_sync_to_async
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.sessions import CookieMiddleware, InstanceSessionWrapper, SessionMiddleware
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from kept import keeping

from sessionkit import NoActiveRequestError
from sessionkit.backends import SQLiteBackend
from sessionkit_django import asgi, project_store


@pytest.fixture
def client(ann):
    client = Client()
    client.force_login(ann)
    return client


@pytest.fixture
def _on_server(tmp_path):
    backend = SQLiteBackend(tmp_path / "sessions.db")
    with keeping(backend):
        yield
    backend.close()


@pytest.fixture(params=["in cookies", "on the server"])
def _kept(request):
    if request.param == "on the server":
        request.getfixturevalue("_on_server")


def cookie_of(client) -> list[tuple[bytes, bytes]]:
    cookies = "; ".join(f"{one.key}={one.coded_value}" for one in client.cookies.values())
    return [(b"cookie", cookies.encode())]


def talk(consumer, client, wrap=AuthMiddlewareStack) -> str:
    """What a consumer sends after the connection."""

    async def conversation() -> str:
        socket = WebsocketCommunicator(wrap(consumer.as_asgi()), "/ws", headers=cookie_of(client))
        connected, _ = await socket.connect(timeout=10)
        assert connected
        said = await socket.receive_from(timeout=10)
        await socket.disconnect()
        return said

    return asyncio.run(conversation())


class Who(WebsocketConsumer):
    def connect(self):
        self.accept()
        self.send(str(self.scope["user"]))


class WhoAsync(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        await self.send(str(self.scope["user"]))


class Page(AsyncHttpConsumer):
    async def handle(self, body):
        if self.scope["path"] == "/write":
            self.scope["session"]["seen"] = True
        await self.send_response(200, str(self.scope["user"]).encode())


def made_of(act, after=None) -> type[AsyncWebsocketConsumer]:
    """A consumer that acts before it accepts, and says which error it met."""

    class Acting(AsyncWebsocketConsumer):
        async def connect(self):
            said = await self.attempt(act)
            await self.accept()
            await self.send(said if after is None else await self.attempt(after))

        async def attempt(self, do):
            try:
                await do(self.scope)
            except NoActiveRequestError as error:
                assert "sessionkit_django.asgi" in str(error)
                return "refused"
            return "done"

    return Acting


def ask(path, client):
    async def conversation():
        page = HttpCommunicator(
            AuthMiddlewareStack(Page.as_asgi()), "GET", path, headers=cookie_of(client)
        )
        return await page.get_response(timeout=10)

    return asyncio.run(conversation())


# ---- reading


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("consumer", [Who, WhoAsync])
@pytest.mark.parametrize("wrap", [AuthMiddlewareStack, lambda app: asgi(AuthMiddlewareStack(app))])
def test_a_websocket_consumer_knows_the_user(client, consumer, wrap):
    assert talk(consumer, client, wrap) == "ann"
    assert talk(consumer, Client(), wrap) == "AnonymousUser"


@pytest.mark.usefixtures("_kept")
def test_an_http_consumer_knows_the_user(client):
    answer = ask("/", client)
    assert (answer["body"], answer["headers"]) == (b"ann", [])


def test_a_session_of_several_cookies_is_known(client):
    client.get("/big?size=4200")
    assert talk(Who, client) == "ann"


@pytest.mark.usefixtures("_kept")
def test_who_signed_out_is_nobody(client):
    client.get("/log-out")
    assert talk(Who, client) == "AnonymousUser"


@pytest.mark.usefixtures("_kept")
def test_after_a_change_of_the_password_the_user_is_nobody(client, ann):
    ann.set_password("another secret")
    ann.save()
    assert talk(Who, client) == "AnonymousUser"
    assert ask("/", client)["body"] == b"AnonymousUser"


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("secure", [True, False])
def test_a_session_key_in_the_cookie_opens_nothing(client, secure):
    key = client.session.session_key
    with override_settings(SESSION_COOKIE_SECURE=secure):
        other = Client()
        for name in ("__Host-session", "sessionid"):
            other.cookies[name] = key
        assert talk(Who, other) == "AnonymousUser"


class OwnWrapper(InstanceSessionWrapper):
    """A project's own, which does what that of Channels does."""

    async def resolve_session(self):
        store = import_module(settings.SESSION_ENGINE).SessionStore
        self.scope["session"]._wrapped = store(self.scope["cookies"].get(self.cookie_name))


class OwnMiddleware(SessionMiddleware):
    async def __call__(self, scope, receive, send):
        wrapper = OwnWrapper(scope, send)
        await wrapper.resolve_session()
        return await self.inner(wrapper.scope, receive, wrapper.send)


async def ask_from_a_thread(self):
    """What Channels before 4.2 does."""
    session_key = self.scope["cookies"].get(self.cookie_name)
    store = database_sync_to_async(self.session_store)
    self.scope["session"]._wrapped = await store(session_key)


def key_in_the_cookie(client) -> Client:
    """A client with the session key in the place of the cookie."""
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.session.session_key
    return thief


@pytest.mark.usefixtures("_kept")
def test_a_projects_own_subclass_of_the_middleware_knows_the_user_and_opens_no_key(client):
    def wrap(app):
        return CookieMiddleware(OwnMiddleware(AuthMiddleware(app)))

    assert talk(Who, client, wrap) == "ann"
    assert talk(Who, key_in_the_cookie(client), wrap) == "AnonymousUser"


@pytest.mark.usefixtures("_kept")
def test_a_channels_that_asks_from_a_thread_is_refused_and_opens_no_key(client, monkeypatch):
    monkeypatch.setattr(InstanceSessionWrapper, "resolve_session", ask_from_a_thread)
    with pytest.raises(ImproperlyConfigured, match="needs Channels 4"):
        talk(Who, key_in_the_cookie(client))
    assert talk(Who, Client()) == "AnonymousUser"


# ---- writing


async def write(scope):
    scope["session"]["seat"] = 7
    await scope["session"].asave()


async def write_blocking(scope):
    scope["session"]["seat"] = 7
    await database_sync_to_async(scope["session"].save)()


async def nothing(scope):
    return None


@pytest.mark.parametrize("act", [write, write_blocking, logout])
def test_a_session_in_a_cookie_cannot_be_written_and_the_consumer_is_told(client, act):
    assert talk(made_of(act), client) == "refused"
    assert talk(made_of(nothing, act), client) == "refused"
    assert talk(Who, client) == "ann"


@pytest.mark.usefixtures("_on_server")
@pytest.mark.parametrize("act", [write, write_blocking])
def test_a_session_on_the_server_is_written_at_any_time(client, act):
    assert talk(made_of(act), client) == "done"
    assert client.session["seat"] == 7
    session = client.session
    session["seat"] = 1
    session.save()
    assert talk(made_of(nothing, act), client) == "done"
    assert client.session["seat"] == 7


@pytest.mark.usefixtures("_on_server")
def test_a_session_on_the_server_is_ended(client, ann):
    assert talk(made_of(logout), client) == "done"
    assert talk(Who, client) == "AnonymousUser"
    assert project_store().sessions_of({"_auth_user_id": str(ann.pk)}) == []


@pytest.mark.usefixtures("_kept")
def test_a_login_needs_a_cookie_and_is_refused(client):
    user = User.objects.create_user("bob")

    async def enter(scope):
        await login(scope, user, "django.contrib.auth.backends.ModelBackend")

    assert talk(made_of(enter), Client()) == "refused"


@pytest.mark.usefixtures("_on_server")
def test_what_an_http_consumer_writes_is_kept_on_the_server_and_no_cookie_is_set(client):
    assert ask("/write", client)["headers"] == []
    assert client.session["seen"] is True


def test_what_an_http_consumer_writes_into_a_cookie_is_refused(client):
    with pytest.raises(NoActiveRequestError, match=r"sessionkit_django\.asgi"):
        ask("/write", client)


@pytest.mark.usefixtures("_kept")
@override_settings(SESSION_SAVE_EVERY_REQUEST=True)
def test_reading_saves_nothing_even_if_every_request_saves(client):
    answer = ask("/", client)
    assert (answer["body"], answer["headers"]) == (b"ann", [])


@pytest.mark.usefixtures("_kept")
def test_a_write_that_nobody_saves_is_reported(client, caplog):
    async def forget(scope):
        scope["session"]["seat"] = 7

    # What earlier tests left is none of this one's.
    gc.collect()
    caplog.clear()
    assert talk(made_of(forget), client) == "done"
    gc.collect()
    assert [one.levelname for one in caplog.records if one.name == "sessionkit"] == ["WARNING"]
