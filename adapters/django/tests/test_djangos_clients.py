"""Django's own test clients with `install()`, and `session.__class__(key)` with ours."""

from __future__ import annotations

import asyncio

import pytest
from django.test import AsyncClient as DjangosAsyncClient
from django.test import Client as DjangosClient

from sessionkit import NoActiveRequestError
from sessionkit_django import engine, testing
from sessionkit_django.testing import AsyncClient, Client, ClientSession

NAMES = ("session", "asession", "_set_login_cookies")


@pytest.fixture
def _installed():
    """As `sessionkit_django.testing.install()` leaves Django's clients; taken back afterwards."""
    before = [
        (kind, name, vars(kind).get(name))
        for kind in (DjangosClient, DjangosAsyncClient)
        for name in NAMES
    ]
    testing.install()
    yield
    for kind, name, was in before:
        if was is None:
            delattr(kind, name)
        else:
            setattr(kind, name, was)


@pytest.mark.usefixtures("_installed")
def test_once_installed_djangos_client_logs_in_and_out(ann):
    client = DjangosClient()
    client.force_login(ann)
    assert client.get("/private").content == b"ann"
    client.logout()
    assert client.get("/private").status_code == 302
    assert client.login(username="ann", password="secret-of-ann")
    assert client.session["_auth_user_id"] == str(ann.pk)
    session = client.session
    session["big"] = "x" * 4200
    session.save()
    assert client.get("/private").content == b"ann"
    assert len(client.get("/everything").json()["big"]) == 4200


@pytest.mark.usefixtures("_installed")
def test_once_installed_djangos_async_client_logs_in_and_out(ann):
    async def scenario():
        client = DjangosAsyncClient()
        await client.aforce_login(ann)
        assert (await client.get("/private-async")).content == b"ann"
        await client.alogout()
        assert (await client.get("/private-async")).content == b"nobody"

    asyncio.run(scenario())


@pytest.mark.usefixtures("_installed")
def test_a_login_by_a_view_is_the_clients_session(ann):
    client = DjangosClient()
    key = client.get("/log-in").content.decode()
    assert client.session.session_key == key


# ---- session.__class__(session_key), as libraries do it


def saved(client) -> ClientSession:
    session = client.session
    session["a"] = 1
    session.save()
    return session


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_class_of_a_clients_session_makes_it_again_from_its_key(kind):
    client = kind()
    session = saved(client) if kind is Client else asyncio.run(saved_async(client))
    again = session.__class__(session.session_key)
    assert (again["a"], again.session_key) == (1, session.session_key)
    again["b"] = 2
    again.save()
    assert dict(ClientSession(client=client)) == {"a": 1, "b": 2}


async def saved_async(client) -> ClientSession:
    session = await client.asession()
    await session.aset("a", 1)
    await session.asave()
    return session


@pytest.mark.parametrize("arguments", [(), (None,), ("x" * 22,)])
def test_without_a_key_that_is_a_clients_it_is_empty_and_not_kept(arguments):
    session = saved(Client()).__class__(*arguments)
    assert (dict(session), session.session_key, bool(session)) == ({}, None, False)
    session["b"] = 1
    with pytest.raises(NoActiveRequestError):
        session.save()


def test_the_key_of_a_session_that_the_client_has_no_more_finds_nothing():
    client = Client()
    session = saved(client)
    key = session.session_key
    session.flush()
    assert dict(ClientSession(key)) == {}
    assert dict(client.session) == {}


def test_a_clients_key_opens_nothing_for_the_engine():
    client = Client()
    key = saved(client).session_key
    assert dict(engine.SessionStore(key)) == {}
