"""Packages that find sessions by their keys, or move between users: allauth's usersessions, django-hijack."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import override_settings
from django.urls import include, path
from kept import keeping
from site_under_test import urlpatterns

from sessionkit.backends import SQLiteBackend
from sessionkit_django.testing import Client


@pytest.fixture(autouse=True)
def store(tmp_path):
    backend = SQLiteBackend(tmp_path / "sessions.db")
    with keeping(backend) as store:
        yield store
    backend.close()


@pytest.fixture
def usersessions(ann):
    """The model of allauth that lists the sessions of a user."""
    middleware = [
        *settings.MIDDLEWARE,
        "allauth.account.middleware.AccountMiddleware",
        "allauth.usersessions.middleware.UserSessionsMiddleware",
    ]
    installed = [
        *settings.INSTALLED_APPS,
        "allauth",
        "allauth.account",
        "allauth.usersessions",
    ]
    # allauth looks at the middleware when it is installed.
    with (
        override_settings(MIDDLEWARE=middleware, USERSESSIONS_TRACK_ACTIVITY=True),
        override_settings(INSTALLED_APPS=installed),
    ):
        call_command("migrate", verbosity=0)
        model = apps.get_model("usersessions", "UserSession")
        yield model
        model.objects.all().delete()


@pytest.fixture
def hijack(ann):
    """A site whose superuser may become another user."""
    User.objects.create_user("bob")
    installed = [*settings.INSTALLED_APPS, "hijack"]
    urls = (*urlpatterns, path("hijack/", include("hijack.urls")))
    with override_settings(
        INSTALLED_APPS=installed,
        ROOT_URLCONF=urls,
        HIJACK_PERMISSION_CHECK="hijack.permissions.superusers_only",
    ):
        yield


def test_allauth_lists_the_sessions_of_a_user_and_ends_one_by_its_key(usersessions, ann):
    phone, laptop = Client(), Client()
    for client in (phone, laptop):
        client.get("/log-in")
    keys = [client.get("/key").content.decode() for client in (phone, laptop)]
    first, second = usersessions.objects.purge_and_list(ann)
    assert [first.session_key, second.session_key] == keys
    assert [len(key) for key in keys] == [40, 40]
    first.end()
    assert phone.get("/private").status_code == 302
    assert laptop.get("/private").content == b"ann"
    assert usersessions.objects.purge_and_list(ann) == [second]


@pytest.mark.parametrize("end", ["logout", "revocation"])
def test_allauth_notices_what_ended_elsewhere(usersessions, ann, store, end):
    client = Client()
    client.get("/log-in")
    client.get("/private")
    assert len(usersessions.objects.purge_and_list(ann)) == 1
    if end == "logout":
        client.get("/log-out")
    else:
        store.revoke_user({"_auth_user_id": str(ann.pk)})
    assert usersessions.objects.purge_and_list(ann) == []


@pytest.mark.usefixtures("hijack")
def test_hijack_becomes_another_user_and_comes_back_in_a_new_session_each_time(store, ann):
    client = Client()
    client.get("/log-in")
    keys = [client.get("/key").content]
    bob = User.objects.get(username="bob")
    client.post("/hijack/acquire/", {"user_pk": bob.pk})
    assert client.get("/private").content == b"bob"
    keys.append(client.get("/key").content)
    assert store.sessions_of({"_auth_user_id": str(ann.pk)}) == []
    client.post("/hijack/release/")
    assert client.get("/private").content == b"ann"
    keys.append(client.get("/key").content)
    assert len(set(keys)) == 3
    assert store.sessions_of({"_auth_user_id": str(bob.pk)}) == []
