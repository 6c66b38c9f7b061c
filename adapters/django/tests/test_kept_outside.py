"""With a backend, a SessionStore apart from any request loads, saves and ends the session of its key."""

from __future__ import annotations

import asyncio

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, login
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.core.exceptions import SynchronousOnlyOperation
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from kept import POINTER, Clock, WatchedBackend, keeping

from sessionkit import BackendError, ConfigurationError
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_django import SessionMiddleware
from sessionkit_django.engine import SessionStore
from sessionkit_django.testing import Client


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(clock):
    return WatchedBackend(MemoryBackend(clock=clock))


@pytest.fixture(autouse=True)
def store(backend, clock):
    with keeping(backend, clock=clock) as store:
        yield store


@pytest.fixture
def client(ann):
    client = Client()
    client.get("/log-in")
    return client


def made(**contents) -> str:
    session = SessionStore()
    session.update(contents)
    session.save()
    return session.session_key


def in_a_view(view, header: str = ""):
    found = []

    def wrapped(request):
        found.append(view(request))
        return HttpResponse()

    SessionMiddleware(wrapped)(RequestFactory().get("/", headers={"cookie": header}))
    return found[0]


def test_what_it_saves_is_found_by_its_key():
    assert dict(SessionStore(made(a=1))) == {"a": 1}


def test_it_has_no_key_before_it_is_saved():
    session = SessionStore()
    session["a"] = 1
    assert session.session_key is None
    session.save()
    assert len(session.session_key) == 40


def test_it_does_no_io_before_it_is_used(backend):
    key = made(a=1)
    backend.calls.clear()
    session = SessionStore(key)
    assert session.session_key == key
    assert backend.calls == []
    assert session["a"] == 1
    assert backend.calls == ["load"]


def test_an_empty_session_is_created_and_found(backend):
    session = SessionStore()
    session.create()
    assert session.exists(session.session_key) is True


def test_a_session_whose_last_item_is_removed_is_saved_under_its_key():
    session = SessionStore(made(a=1))
    del session["a"]
    assert (session.modified, session.is_empty()) == (True, False)
    session.save()
    assert "a" not in SessionStore(session.session_key)
    assert session.exists(session.session_key) is True


def test_an_unknown_key_finds_nothing_and_is_not_taken_over():
    session = SessionStore("x" * 40)
    assert dict(session) == {}
    session["a"] = 1
    session.save()
    assert session.session_key != "x" * 40


def test_a_job_changes_the_session_that_a_browser_has(client):
    key = client.get("/key").content.decode()
    job = SessionStore(key)
    job["note"] = "done"
    job.save()
    assert client.get("/everything").json()["note"] == "done"
    assert client.get("/key").content.decode() == key


def test_a_job_ends_the_session_that_a_browser_has(client):
    SessionStore(client.get("/key").content.decode()).delete()
    assert client.get("/private").status_code == 302


@pytest.mark.parametrize("end", ["delete", "flush"])
def test_a_session_that_was_ended_is_not_revived(end):
    session = SessionStore(made(a=1))
    session["b"] = 2
    getattr(SessionStore(session.session_key), end)()
    key = session.session_key
    with pytest.raises(UpdateError, match="ended meanwhile"):
        session.save()
    assert SessionStore().exists(key) is False
    assert (session.session_key, dict(session)) == (None, {})


def test_a_revocation_ends_it_too(ann, store):
    session = SessionStore(made(_auth_user_id=str(ann.pk)))
    session["b"] = 2
    store.revoke_user({"_auth_user_id": str(ann.pk)})
    with pytest.raises(UpdateError, match="ended meanwhile"):
        session.save()


def test_a_session_that_is_there_is_not_created_again():
    session = SessionStore(made(a=1))
    session["b"] = 2
    with pytest.raises(CreateError, match="exists already"):
        session.save(must_create=True)


def test_another_request_ends_the_session_of_a_key(client):
    key = client.get("/key").content.decode()

    def view(request):
        request.session.delete(key)
        return request.session.exists(key), SessionStore().exists(key)

    assert in_a_view(view) == (False, False)
    assert client.get("/private").status_code == 302


def test_a_deletion_by_no_key_or_an_unknown_one_does_nothing(client):
    SessionStore().delete()
    SessionStore().delete("x" * 40)
    SessionStore().delete("x" * 22)
    assert client.get("/private").status_code == 200


def test_in_a_view_the_key_of_the_requests_session_is_the_requests_session(client):
    def view(request):
        again = SessionStore(request.session.session_key)
        again["b"] = 2
        again.save()
        return request.session["b"]

    assert in_a_view(view, f"{POINTER}={client.cookies[POINTER].value}") == 2
    assert client.get("/everything").json()["b"] == 2


def test_in_a_view_a_session_of_its_own_is_not_the_requests(client):
    def view(request):
        own = SessionStore()
        own["half"] = "done"
        own.save()
        return own.session_key

    key = in_a_view(view, f"{POINTER}={client.cookies[POINTER].value}")
    assert dict(SessionStore(key)) == {"half": "done"}
    assert "half" not in client.get("/everything").json()


def test_a_cycled_key_finds_the_contents_and_the_earlier_one_nothing():
    session = SessionStore(made(a=1))
    before = session.session_key
    session.cycle_key()
    assert dict(SessionStore(session.session_key)) == {"a": 1}
    assert dict(SessionStore(before)) == {}


def test_a_login_without_a_middleware_is_kept(ann):
    request = HttpRequest()
    request.session = SessionStore()
    login(request, ann, "django.contrib.auth.backends.ModelBackend")
    request.session.save()
    found = SessionStore(request.session.session_key)
    assert {SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY} <= set(found)


def test_its_expiry_is_its_own(clock):
    session = SessionStore()
    session.set_expiry(300)
    session.save()
    assert session.get_expiry_age() == 300
    clock.now += 300
    assert dict(SessionStore(session.session_key)) == {}


def test_clearsessions_removes_what_has_expired_in_batches(backend, clock):
    for n in range(510):
        made(n=n)
    clock.now += 86_400
    backend.calls.clear()
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "django.contrib.sessions"]):
        call_command("clearsessions")
    assert backend.calls == ["purge", "purge"]
    assert backend.backend._records == {}


def test_an_outage_is_an_error(backend):
    session = SessionStore(made(a=1))
    backend.failing.add("load")
    with pytest.raises(BackendError):
        session["a"]


def test_a_client_that_sends_a_key_as_its_cookie_has_no_session():
    client = Client()
    client.cookies[POINTER] = made(a=1)
    assert client.get("/everything").json() == {}


@pytest.fixture
def waiting(tmp_path):
    """A backend that waits for a file."""
    backend = SQLiteBackend(tmp_path / "sessions.db")
    with keeping(backend):
        yield
    backend.close()


@pytest.mark.usefixtures("waiting")
def test_the_async_methods_do_all_of_it():
    async def scenario():
        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        key = session.session_key
        again = SessionStore(key)
        found = [await again.aget("a"), await again.aexists(key), await again.aload()]
        await again.acycle_key()
        found += [again.session_key != key, await again.aexists(key)]
        await again.aflush()
        other = SessionStore(again.session_key)
        await other.acreate()
        await SessionStore().adelete(other.session_key)
        await SessionStore.aclear_expired()
        return [*found, await again.aexists(other.session_key)]

    assert asyncio.run(scenario()) == [1, True, {"a": 1}, True, False, False]


@pytest.mark.usefixtures("waiting")
def test_an_async_save_of_a_session_that_was_ended_is_an_error_too():
    async def scenario():
        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        await SessionStore().adelete(session.session_key)
        await session.aset("a", 2)
        await session.asave()

    with pytest.raises(UpdateError, match="ended meanwhile"):
        asyncio.run(scenario())


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("method", ["save", "create", "delete", "exists"])
def test_in_an_event_loop_a_method_that_would_stop_it_says_so(method):
    key = made(a=1)

    async def scenario():
        session = SessionStore(key)
        if method == "exists":
            session.exists(key)
        else:
            getattr(session, method)()

    with pytest.raises(SynchronousOnlyOperation, match="asave"):
        asyncio.run(scenario())


@pytest.mark.usefixtures("waiting")
def test_in_an_event_loop_so_does_the_first_look():
    key = made(a=1)

    async def scenario():
        return SessionStore(key)["a"]

    with pytest.raises(SynchronousOnlyOperation, match="aget"):
        asyncio.run(scenario())


def test_an_awaited_backend_is_awaited_and_nothing_else_works():
    from awaited_memory import AwaitedMemory

    async def scenario():
        session = SessionStore()
        await session.aset("a", 1)
        await session.asave()
        return session.session_key, await SessionStore(session.session_key).aget("a")

    with keeping(AwaitedMemory()):
        key, found = asyncio.run(scenario())
        assert found == 1
        for call in (SessionStore(key).save, SessionStore(key).keys, SessionStore().clear_expired):
            with pytest.raises(
                ConfigurationError, match=r"AwaitedMemory is (awaited|an async backend)"
            ):
                list(call() or ())
