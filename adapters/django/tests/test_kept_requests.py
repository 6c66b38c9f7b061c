"""Sessions on the server behind the synchronous middleware: loaded lazily, saved with the response."""

from __future__ import annotations

import sqlite3

import pytest
from django.contrib.auth import login, logout
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from kept import POINTER, Clock, WatchedBackend, keeping, pointers_set

from sessionkit import BackendError, Event, EventKind, SessionStore
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit_django import SessionMiddleware, config, project_store
from sessionkit_django.testing import Client


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(clock):
    return WatchedBackend(MemoryBackend(clock=clock))


@pytest.fixture
def events():
    return []


@pytest.fixture
def store(backend, clock, events):
    with keeping(backend, clock=clock, on_event=events.append) as store:
        yield store


@pytest.fixture
def client(store, backend, ann):
    """A browser in which ann has logged in."""
    client = Client()
    client.get("/log-in")
    backend.calls.clear()
    return client


def in_a_view(view, header=""):
    """What the view returns, called behind the middleware, and the response."""
    found = []

    def wrapped(request):
        found.append(view(request))
        return HttpResponse()

    response = SessionMiddleware(wrapped)(RequestFactory().get("/", headers={"cookie": header}))
    return found[0], response


def test_a_login_sets_the_pointer_and_an_update_sets_no_cookie(client, backend):
    assert len(client.cookies[POINTER].value) < 400
    response = client.get("/put?a=1")
    assert pointers_set(response) == []
    assert client.get("/everything").json()["a"] == "1"
    assert backend.calls == ["load", "replace", "load"]


def test_a_page_that_does_not_look_at_its_session_costs_no_trip(client, backend):
    client.get("/post")
    assert backend.calls == []


def test_an_anonymous_session_stays_in_a_cookie(store, backend):
    client = Client()
    client.get("/put?cart=tea")
    assert client.get("/everything").json() == {"cart": "tea"}
    assert backend.calls == []


def test_a_login_takes_the_anonymous_sessions_contents_along_and_a_logout_ends_the_record(
    store, backend, ann
):
    client = Client()
    client.get("/put?cart=tea")
    client.get("/log-in")
    assert client.get("/everything").json()["cart"] == "tea"
    stolen = client.cookies[POINTER].value
    client.get("/log-out")
    client.cookies[POINTER] = stolen
    assert client.get("/private").status_code == 302
    assert backend.backend._records == {}


def test_a_session_of_any_size_up_to_the_limit_of_a_record_fits(client):
    assert client.get("/big?size=60000").status_code == 200
    assert len(client.get("/everything").json()["big"]) == 60_000


def test_parallel_updates_are_merged(client):
    def view(request):
        request.session["mine"] = 1
        client.get("/put?theirs=2")

    in_a_view(view, f"{POINTER}={client.cookies[POINTER].value}")
    found = client.get("/everything").json()
    assert (found["mine"], found["theirs"]) == (1, "2")


def test_the_session_key_does_not_change_with_the_save_and_a_login_changes_it(client):
    before = client.get("/key").content
    client.get("/put?a=1")
    assert client.get("/key").content == before
    assert client.get("/cycle").content != before
    assert len(before) == 40


def test_a_cycled_key_ends_the_earlier_pointer(client):
    stolen = client.cookies[POINTER].value
    client.get("/cycle")
    assert client.get("/private").status_code == 200
    client.cookies[POINTER] = stolen
    assert client.get("/private").status_code == 302


def test_a_new_password_keeps_this_session_and_the_others_die(client):
    other = Client()
    other.get("/log-in")
    client.get("/change-password")
    assert client.get("/private").status_code == 200
    assert other.get("/private").status_code == 302


def test_a_log_out_of_ones_other_devices(client, ann):
    other = Client()
    other.get("/log-in")

    def view(request):
        return project_store().revoke_user(request.session, keep_current=True)

    ended, _ = in_a_view(view, f"{POINTER}={client.cookies[POINTER].value}")
    assert ended == 1
    assert client.get("/private").status_code == 200
    assert other.get("/private").status_code == 302


def test_a_user_is_revoked_by_the_key_of_the_row_as_text(client, store, ann):
    assert store.revoke_user({"_auth_user_id": str(ann.pk)}) == 1
    assert client.get("/private").status_code == 302


def test_the_sessions_of_a_user_are_listed(client, ann):
    client.get("/put?device=phone")
    (listed,) = project_store().sessions_of({"_auth_user_id": str(ann.pk)})
    assert listed.contents["device"] == "phone"
    assert listed.is_current is False


def test_an_explicit_save_is_there_at_once_and_stays_though_the_response_fails(store, backend, ann):
    def view(request):
        login(request, ann, "django.contrib.auth.backends.ModelBackend")
        request.session.save()
        return request.session.session_key

    def failing(request):
        keys.append(view(request))
        return HttpResponse(status=500)

    keys = []
    response = SessionMiddleware(failing)(RequestFactory().get("/"))
    assert len(pointers_set(response)) == 1
    assert store.sessions_of({"_auth_user_id": str(ann.pk)}) != []


def test_a_login_after_an_explicit_save_does_not_stay_when_the_response_fails(store, client, ann):
    def failing(request):
        request.session["a"] = 1
        request.session.save()
        logout(request)
        login(request, ann, "django.contrib.auth.backends.ModelBackend")
        return HttpResponse(status=500)

    request = RequestFactory().get(
        "/", headers={"cookie": f"{POINTER}={client.cookies[POINTER].value}"}
    )
    SessionMiddleware(failing)(request)
    assert store.sessions_of({"_auth_user_id": str(ann.pk)}) == []


def test_what_a_failed_response_wrote_is_dropped(client):
    def failing(request):
        request.session["a"] = 1
        return HttpResponse(status=500)

    header = f"{POINTER}={client.cookies[POINTER].value}"
    SessionMiddleware(failing)(RequestFactory().get("/", headers={"cookie": header}))
    assert "a" not in client.get("/everything").json()


def test_a_logout_stays_though_the_view_fails(client):
    client.raise_request_exception = False
    stolen = client.cookies[POINTER].value
    assert client.get("/log-out-and-fail").status_code == 500
    client.cookies[POINTER] = stolen
    assert client.get("/private").status_code == 302


def test_an_outage_is_an_error_of_the_page_that_asks_and_clears_no_cookie(client, backend):
    client.raise_request_exception = False
    backend.failing.add("load")
    failed = client.get("/private")
    assert (failed.status_code, dict(failed.cookies)) == (500, {})
    assert client.get("/post").status_code == 200
    backend.failing.clear()
    assert client.get("/private").status_code == 200


@pytest.mark.parametrize(("operation", "page"), [("replace", "/put?a=1"), ("delete", "/log-out")])
def test_a_save_that_fails_is_a_500_and_clears_no_cookie(client, backend, operation, page):
    client.raise_request_exception = False
    backend.failing.add(operation)
    failed = client.get(page)
    assert (failed.status_code, dict(failed.cookies)) == (500, {})
    backend.failing.clear()
    assert client.get("/private").status_code == 200


def lose_reply(backend, operation, error):
    """Let the backend perform an operation once, and then fail."""
    perform = getattr(backend, operation)

    def lose(*args):
        delattr(backend, operation)
        perform(*args)
        raise error

    setattr(backend, operation, lose)


@pytest.mark.parametrize("error", [BackendError("down"), TimeoutError()], ids=repr)
@pytest.mark.parametrize("operation", ["insert", "replace"])
def test_a_cycled_key_of_which_a_reply_is_lost_signs_nobody_out_and_leaves_one_session(
    client, backend, store, ann, operation, error
):
    client.raise_request_exception = False
    lose_reply(backend, operation, error)
    client.get("/cycle")
    assert client.get("/private").status_code == 200
    assert len(store.sessions_of({"_auth_user_id": str(ann.pk)})) == 1


def test_a_login_of_which_the_reply_is_lost_leaves_no_session_behind(store, backend, ann):
    client = Client(raise_request_exception=False)
    lose_reply(backend, "insert", BackendError("down"))
    assert client.get("/log-in").status_code == 500
    assert store.sessions_of({"_auth_user_id": str(ann.pk)}) == []


def test_a_login_that_fails_is_a_500_and_nobody_is_signed_in(store, backend, ann):
    client = Client(raise_request_exception=False)
    backend.failing.add("insert")
    failed = client.get("/log-in")
    assert (failed.status_code, dict(failed.cookies)) == (500, {})


def test_a_renewal_that_fails_is_an_event_and_no_error(client, backend, clock, events):
    with override_settings(MIDDLEWARE=["sessionkit_django.SessionMiddleware"]):
        clock.now += 120
        backend.failing.add("touch")
        events.clear()
        assert client.get("/everything").status_code == 200
    assert Event(kind=EventKind.RENEWAL_FAILED) in events


def test_a_write_to_a_session_that_was_ended_meanwhile_is_dropped(client, ann, store, events):
    def view(request):
        request.session["a"] = 1
        store.revoke_user({"_auth_user_id": str(ann.pk)})
        request.session.save()
        return dict(request.session), request.session.session_key

    header = f"{POINTER}={client.cookies[POINTER].value}"
    found, response = in_a_view(view, header)
    assert found == ({}, None)
    assert pointers_set(response) == []
    assert Event(kind=EventKind.LATE_WRITE) in events


@pytest.mark.parametrize(("value", "max_age"), [(600, 600), (7200, 3600)])
def test_the_pointers_max_age_follows_set_expiry(client, clock, value, max_age):
    response = client.get(f"/expiry?value={value}")
    assert response.cookies[POINTER]["max-age"] == (600 if value == 600 else 7200)
    clock.now += max_age
    assert client.get("/private").status_code == 302


def test_a_session_until_the_browser_closes_has_a_pointer_without_max_age(client):
    response = client.get("/expiry?value=0")
    assert response.cookies[POINTER]["max-age"] == ""
    assert client.get("/private").status_code == 200


@pytest.mark.parametrize("kind", ["url", "object"])
def test_a_backend_of_the_settings_keeps_sessions_beside_djangos_own_settings(tmp_path, ann, kind):
    path = tmp_path / "sessions.db"
    backend = f"sqlite:///{path}" if kind == "url" else SQLiteBackend(path)
    with override_settings(SESSIONKIT={"backend": backend}):
        client = Client()
        client.get("/log-in")
        assert client.get("/private").content == b"ann"
        project_store().settings.backend.close()
    with sqlite3.connect(path) as database:
        assert "sessionkit" in str(database.execute("SELECT name FROM sqlite_master").fetchall())


def test_a_url_that_names_no_backend_is_a_setting_that_cannot_work():
    with (
        override_settings(SESSIONKIT={"backend": "nowhere://x"}),
        pytest.raises(ImproperlyConfigured, match="BACKEND"),
    ):
        config.gateway()


def test_a_pointer_of_another_store_is_no_session(client):
    with keeping(MemoryBackend()):
        assert client.get("/private").status_code == 302


def test_the_project_store_knows_djangos_users_in_contents_of_any_size(store):
    plain = {"_auth_user_id": "7"}
    assert project_store().sessions_of({**plain, "cart": [1]}) == []
    assert isinstance(project_store(), SessionStore)
