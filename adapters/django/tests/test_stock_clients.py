"""Django's own test clients, as they are: no other client, and no call before the tests."""

from __future__ import annotations

import asyncio
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpResponse, HttpResponseNotFound
from django.test import AsyncClient, Client, RequestFactory, override_settings
from kept import keeping

from sessionkit import NoActiveRequestError, get_session
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_django import SessionMiddleware, engine

COOKIES = {
    "__Host-session": {},
    "sessionid": {"SESSION_COOKIE_SECURE": False},
    "sid": {"SESSION_COOKIE_NAME": "sid"},
    "sid over http": {"SESSION_COOKIE_NAME": "sid", "SESSION_COOKIE_SECURE": False},
    "an engine of one's own": {"SESSION_ENGINE": "engine_of_ones_own"},
}


@pytest.fixture(params=COOKIES)
def _cookie(request):
    with override_settings(**COOKIES[request.param]):
        yield


@pytest.fixture(params=["in cookies", "on the server"])
def _kept(request, _cookie, tmp_path):
    if request.param == "in cookies":
        yield
        return
    backend = SQLiteBackend(tmp_path / "sessions.db")
    secret = {"secret": settings.SECRET_KEY, "backend": backend}
    with override_settings(SESSIONKIT=secret):
        yield
    backend.close()


pytestmark = pytest.mark.usefixtures("_kept")


def test_force_login_is_a_login(ann):
    client = Client()
    client.force_login(ann)
    assert client.get("/private").content == b"ann"
    assert client.session["_auth_user_id"] == str(ann.pk)


def test_login_with_a_password_is_one_too(ann):
    client = Client()
    assert client.login(username="ann", password="secret-of-ann")
    assert client.get("/private").content == b"ann"
    assert not client.login(username="ann", password="wrong")


def test_logout_signs_out(ann):
    client = Client()
    client.force_login(ann)
    client.get("/put?a=1")
    client.logout()
    assert client.get("/private").status_code == 302
    assert dict(client.session) == {}


def test_what_is_written_is_in_the_next_request():
    client = Client()
    session = client.session
    session["k"] = [1]
    session.save()
    assert client.get("/everything").json()["k"] == [1]
    session = client.session
    session["k"].append(2)
    session.save()
    assert client.get("/everything").json()["k"] == [1, 2]


def test_what_is_written_after_a_login_is_beside_it(ann):
    client = Client()
    client.force_login(ann)
    for number in range(3):
        session = client.session
        session[f"k{number}"] = number
        session.save()
    found = client.get("/everything").json()
    assert (found["k0"], found["k1"], found["k2"]) == (0, 1, 2)
    assert client.get("/private").content == b"ann"


def test_what_a_view_writes_is_in_the_session():
    client = Client()
    client.get("/put?a=1")
    assert client.session["a"] == "1"
    client.get("/put?a=2")
    assert client.session["a"] == "2"


def test_what_is_written_before_a_login_is_kept_by_it(ann):
    client = Client()
    session = client.session
    session["cart"] = ["tea"]
    session.save()
    client.force_login(ann)
    assert client.session["cart"] == ["tea"]
    assert client.get("/everything").json()["cart"] == ["tea"]


def test_a_login_by_a_view_is_seen_and_one_after_another(ann):
    client = Client()
    client.get("/log-in")
    assert client.session["_auth_user_id"] == str(ann.pk)
    client.get("/log-out")
    assert "_auth_user_id" not in client.session
    client.get("/log-in")
    assert client.get("/private").content == b"ann"


def test_the_session_key_is_that_of_the_views(ann):
    client = Client()
    before = client.session.session_key
    assert before
    assert client.get("/key").content.decode() == before
    client.force_login(ann)
    after = client.session.session_key
    assert after != before
    assert client.get("/key").content.decode() == after


def test_a_session_of_a_new_client_is_empty():
    client = Client()
    session = client.session
    assert (dict(session), len(session), list(session.keys())) == ({}, 0, [])
    assert client.get("/private").status_code == 302


def test_a_large_session_is_written_and_read(ann):
    client = Client()
    client.force_login(ann)
    session = client.session
    session["big"] = "x" * 4500
    session.save()
    assert len(client.get("/everything").json()["big"]) == 4500
    client.get("/put?a=1")
    session = client.session
    assert (len(session["big"]), session["a"]) == (4500, "1")
    del session["big"]
    session.save()
    assert "big" not in client.get("/everything").json()
    assert client.get("/private").content == b"ann"


def test_the_class_of_the_session_finds_it_by_its_key():
    client = Client()
    session = client.session
    session["a"] = 1
    session.save()
    again = session.__class__(session.session_key)
    assert again["a"] == 1
    again["b"] = 2
    again.save()
    assert (client.session["a"], client.session["b"]) == (1, 2)


def test_two_clients_are_two_visitors(ann):
    first, second = Client(), Client()
    first.force_login(ann)
    assert second.get("/private").status_code == 302
    second.session["a"] = 1
    assert first.get("/private").content == b"ann"


def test_the_async_client_does_the_same(ann):
    async def scenario():
        client = AsyncClient()
        await client.aforce_login(ann)
        private = await client.get("/private-async")
        session = await client.asession()
        await session.aset("k", 1)
        await session.asave()
        found = (await client.get("/everything")).json()
        await client.alogout()
        nobody = await client.get("/private-async")
        assert await client.alogin(username="ann", password="secret-of-ann")
        again = await client.get("/private-async")
        return private.content, found["k"], nobody.content, again.content

    assert asyncio.run(scenario()) == (b"ann", 1, b"nobody", b"ann")


def test_a_request_of_the_factory_has_a_session_behind_the_middleware(ann):
    request = RequestFactory().get("/")
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    login(request, ann)
    request.session["k"] = 1
    request.session.save()
    assert (request.session["k"], request.session["_auth_user_id"]) == (1, str(ann.pk))


def test_the_factory_takes_the_cookies_of_a_client(ann):
    client = Client()
    client.force_login(ann)
    factory = RequestFactory()
    factory.cookies = client.cookies
    found = []
    SessionMiddleware(lambda request: found.append(dict(request.session)) or HttpResponse())(
        factory.get("/")
    )
    assert found[0]["_auth_user_id"] == str(ann.pk)


def test_a_request_of_the_factory_ends_with_the_test(ann):
    def arrange():
        request = RequestFactory().get("/")
        SessionMiddleware(lambda request: HttpResponse()).process_request(request)
        login(request, ann)
        return get_session()["_auth_user_id"]

    assert arrange() == str(ann.pk)
    with pytest.raises(NoActiveRequestError):
        get_session()


# ---- what the network sends


def test_a_session_key_from_the_network_opens_nothing(ann):
    client = Client()
    client.force_login(ann)
    key = client.session.session_key
    for name in ("__Host-session", "sessionid", "sid", settings.SESSION_COOKIE_NAME):
        other = Client()
        other.cookies[name] = key
        assert other.get("/private").status_code == 302
        assert "_auth_user_id" not in other.session


def test_code_in_a_view_is_no_client(ann):
    client = Client()
    client.force_login(ann)

    def view(request):
        session = import_module(settings.SESSION_ENGINE).SessionStore("x" * 22)
        return HttpResponse() if dict(session) == {} else HttpResponseNotFound()

    assert SessionMiddleware(view)(RequestFactory().get("/")).status_code == 200


def test_the_engine_has_no_client_elsewhere():
    with keeping(MemoryBackend()):
        assert type(engine.SessionStore()) is engine.SessionStore
