"""Consumers of Channels with sessions on the server."""

from __future__ import annotations

import asyncio

import pytest
from awaited_memory import AwaitedMemory
from channels.auth import AuthMiddlewareStack, login, logout
from channels.sessions import SessionMiddlewareStack
from kept import POINTER, keeping

from sessionkit import NoActiveRequestError, ResponseStartedError
from sessionkit.backends import SQLiteBackend
from sessionkit_django import asgi, project_store
from sessionkit_django.engine import SessionStore


@pytest.fixture(params=["awaited", "in a thread"])
def backend(request, tmp_path):
    backend = (
        AwaitedMemory() if request.param == "awaited" else SQLiteBackend(tmp_path / "sessions.db")
    )
    with keeping(backend):
        yield
    if request.param != "awaited":
        backend.close()


@pytest.fixture
def blocking(tmp_path):
    backend = SQLiteBackend(tmp_path / "sessions.db")
    with keeping(backend):
        yield
    backend.close()


async def visit(app, cookie=""):
    """One websocket, straight to the application: the messages that were sent."""
    came, sent = [{"type": "websocket.connect"}], []
    fields = [(b"host", b"shop.local"), *([(b"cookie", cookie.encode())] if cookie else [])]
    scope = {
        "type": "websocket", "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"", "scheme": "wss",
        "server": ("shop.local", 443), "client": ("192.0.2.1", 1), "headers": fields,
    }  # fmt: skip

    async def receive():
        return came.pop(0) if came else {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


def consumer(before, after=None):
    """A consumer that acts before and after it accepts."""

    async def application(scope, receive, send):
        await receive()
        await before(scope)
        await send({"type": "websocket.accept"})
        if after is not None:
            await after(scope)

    return asgi(AuthMiddlewareStack(application))


def pointer_of(messages):
    (value,) = (value for name, value in messages[0]["headers"] if name.lower() == b"set-cookie")
    return value.decode().partition(";")[0]


async def nothing(scope):
    return None


async def sign_in(ann):
    async def act(scope):
        await login(scope, ann, "django.contrib.auth.backends.ModelBackend")

    return pointer_of(await visit(consumer(act)))


@pytest.mark.usefixtures("backend")
def test_a_consumer_logs_a_user_in_and_out(ann):
    async def scenario():
        found = []

        async def look(scope):
            found.append(str(scope["user"]))

        async def leave(scope):
            await logout(scope)

        cookie = await sign_in(ann)
        await visit(consumer(look), cookie)
        await visit(consumer(leave), cookie)
        await visit(consumer(look), cookie)
        return found

    assert asyncio.run(scenario()) == ["ann", "AnonymousUser"]


@pytest.mark.usefixtures("backend")
def test_what_a_consumer_writes_before_it_accepts_is_kept(ann):
    async def scenario():
        async def write(scope):
            scope["session"]["seat"] = 7

        cookie = await sign_in(ann)
        sent = await visit(consumer(write), cookie)
        (listed,) = await project_store().asessions_of({"_auth_user_id": str(ann.pk)})
        return dict(sent[0]["headers"]).get(b"set-cookie"), listed.contents["seat"]

    assert asyncio.run(scenario()) == (None, 7)


@pytest.mark.usefixtures("backend")
def test_an_awaited_save_is_there_at_once(ann):
    async def scenario():
        async def write(scope):
            scope["session"]["seat"] = 7
            await scope["session"].asave()
            found.append(await project_store().asessions_of(scope["session"]))

        found = []
        await visit(consumer(write), await sign_in(ann))
        return [one.contents["seat"] for one in found[0]]

    assert asyncio.run(scenario()) == [7]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("how", ["assign", "asave", "aflush", "acycle_key"])
def test_what_comes_after_the_accept_is_an_error(ann, how):
    async def scenario():
        async def write(scope):
            if how == "assign":
                scope["session"]["seat"] = 7
            else:
                await getattr(scope["session"], how)()

        await visit(consumer(nothing, write), await sign_in(ann))

    with pytest.raises(ResponseStartedError):
        asyncio.run(scenario())


@pytest.mark.usefixtures("backend")
def test_an_open_connection_learns_of_a_logout(ann):
    async def scenario():
        found = []

        async def ask(scope):
            found.append(await project_store().astill_valid(scope))
            await project_store().arevoke_user({"_auth_user_id": str(ann.pk)})
            found.append(await project_store().astill_valid(scope))
            found.append(dict(scope["session"]))

        await visit(consumer(nothing, ask), await sign_in(ann))
        return found

    assert asyncio.run(scenario()) == [True, False, {}]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", [POINTER, "sessionid"])
@pytest.mark.parametrize("wrap", [asgi, lambda app: app], ids=["with a gateway", "without one"])
def test_the_key_of_a_session_opens_nothing_in_a_consumer(ann, name, wrap):
    async def scenario():
        found = []

        async def application(scope, receive, send):
            found.append(str(scope["user"]))

        session = SessionStore()
        await session.aupdate(
            {
                "_auth_user_id": str(ann.pk),
                "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                "_auth_user_hash": ann.get_session_auth_hash(),
            }
        )
        await session.asave()
        assert await SessionStore(session.session_key).aget("_auth_user_id") == str(ann.pk)
        await visit(wrap(AuthMiddlewareStack(application)), f"{name}={session.session_key}")
        return found

    assert asyncio.run(scenario()) == ["AnonymousUser"]


@pytest.mark.usefixtures("blocking")
def test_without_a_gateway_the_consumer_is_told():
    async def application(scope, receive, send):
        scope["session"]["a"] = 1
        await scope["session"].asave()

    with pytest.raises(NoActiveRequestError, match=r"sessionkit_django\.asgi"):
        asyncio.run(visit(SessionMiddlewareStack(application)))


@pytest.mark.usefixtures("backend")
def test_a_consumer_opens_another_session_by_its_key(ann):
    async def scenario():
        found = []

        async def look(scope):
            session = SessionStore(key)
            found.append(await session.aget("a"))
            await session.aset("a", 2)
            await session.asave()

        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        key = session.session_key
        await visit(consumer(look), await sign_in(ann))
        return [*found, await SessionStore(key).aget("a")]

    assert asyncio.run(scenario()) == [1, 2]


@pytest.mark.usefixtures("backend")
def test_a_new_session_in_a_consumer_is_not_the_visitors(ann):
    async def scenario():
        found = []

        async def begin(scope):
            session = SessionStore()
            await session.aset("for", "a job")
            await session.asave()
            found.extend([session.session_key != key, scope["session"].get("for")])
            found.append(await SessionStore(session.session_key).aget("for"))

        async def remember(scope):
            nonlocal key
            key = scope["session"].session_key

        key = None
        pointer = await sign_in(ann)
        await visit(consumer(remember), pointer)
        await visit(consumer(begin), pointer)
        return [*found, await SessionStore(key).aget("for")]

    assert asyncio.run(scenario()) == [True, None, "a job", None]
