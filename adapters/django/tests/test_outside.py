"""A SessionStore that no request carries: it never pretends that something was kept or ended."""

from __future__ import annotations

import asyncio
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import login
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from sessionkit import NoActiveRequestError, bind
from sessionkit_django import SessionMiddleware, engine
from sessionkit_django.testing import Client

SAVING = ("save", "create", "cycle_key", "flush", "delete")


def in_a_view(view, header: str = ""):
    """What the view returns, called behind the middleware."""
    found = []

    def wrapped(request):
        found.append(view(request))
        return HttpResponse()

    SessionMiddleware(wrapped)(RequestFactory().get("/", headers={"cookie": header}))
    return found[0]


def refused(call, *args) -> str:
    with pytest.raises(NoActiveRequestError) as raised:
        call(*args)
    return str(raised.value)


@pytest.mark.parametrize("method", SAVING)
@pytest.mark.parametrize("key", [None, "", "x" * 22])
def test_what_would_save_or_end_it_says_what_to_do(method, key):
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    session["token"] = "made up"
    told = refused(getattr(session, method))
    assert "request.session" in told
    assert "sessionkit_django.testing" in told
    assert "made up" not in told
    assert session["token"] == "made up"


@pytest.mark.parametrize("method", SAVING)
def test_the_async_twins_say_so_too(method):
    async def scenario():
        session = engine.SessionStore()
        await session.aset("a", 1)
        await getattr(session, f"a{method}")()

    assert "request.session" in refused(asyncio.run, scenario())


@pytest.mark.parametrize("method", SAVING)
def test_one_made_in_a_view_is_not_the_requests_and_is_not_kept_either(method):
    def view(request):
        request.session["mine"] = 1
        session = engine.SessionStore()
        session["login"] = "half done"
        refused(getattr(session, method))
        return dict(request.session)

    assert in_a_view(view) == {"mine": 1}


def test_in_a_bound_thread_of_a_view_it_is_not_the_requests_either():
    def view(request):
        request.session["mine"] = 1
        return bind(lambda: refused(engine.SessionStore().save))()

    assert "request.session" in in_a_view(view)


def test_the_session_of_the_request_is_saved_by_its_key():
    def view(request):
        request.session["a"] = 1
        again = engine.SessionStore(request.session.session_key)
        again["b"] = 2
        again.save()
        return dict(request.session), again.exists(request.session.session_key)

    assert in_a_view(view) == ({"a": 1, "b": 2}, True)


def test_the_class_of_a_requests_session_makes_it_again_from_its_key():
    def view(request):
        session = request.session
        session["a"] = 1
        kind = session.__class__
        return [dict(one) for one in (kind(session.session_key), kind(None), kind())]

    assert in_a_view(view) == [{"a": 1}, {}, {}]


def test_the_session_of_the_request_ends_by_its_own_key_and_by_no_other():
    def view(request):
        request.session["a"] = 1
        told = refused(request.session.delete, "x" * 22)
        kept = dict(request.session)
        request.session.delete(request.session.session_key)
        return told, kept, dict(request.session)

    told, kept, ended = in_a_view(view)
    assert "another browser" in told
    assert (kept, ended) == ({"a": 1}, {})


def test_the_session_of_the_request_is_known_and_ended_by_its_key_wherever_that_is_asked():
    def view(request):
        request.session["a"] = 1
        key = request.session.session_key
        known = engine.SessionStore().exists(key), engine.SessionStore().exists("x" * 22)
        refused(engine.SessionStore().delete, "x" * 22)
        engine.SessionStore().delete(key)
        return known, dict(request.session), request.session.session_key

    assert in_a_view(view) == ((True, False), {}, None)


def test_a_login_of_a_request_without_our_session_cannot_be_saved(ann):
    request = HttpRequest()
    request.session = engine.SessionStore()
    refused(login, request, ann)


def test_a_cookies_value_is_no_key_and_the_warning_says_so():
    client = Client()
    client.get("/put?a=1")
    token = client.cookies["__Host-session"].value
    with pytest.warns(UserWarning, match=r"sessionkit_django\.testing\.Client") as told:
        assert dict(engine.SessionStore(token)) == {}
    assert token not in str(told[0].message)


def test_clearing_what_has_expired_has_nothing_to_do(capsys):
    engine.SessionStore.clear_expired()
    asyncio.run(engine.SessionStore.aclear_expired())
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "django.contrib.sessions"]):
        call_command("clearsessions")
    assert capsys.readouterr().err == ""
