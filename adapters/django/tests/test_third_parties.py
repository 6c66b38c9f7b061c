"""Authlib's OAuth client for Django, which keeps its state in request.session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.django_client import OAuth
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import path
from oauth_provider import registered, state_of


@pytest.fixture
def authlib(ann) -> Iterator[None]:
    oauth = OAuth()

    def start(request):
        return oauth.site.authorize_redirect(request, "https://example.org/callback")

    def callback(request):
        token = oauth.site.authorize_access_token(request)
        login(
            request,
            User.objects.get(username=token["access_token"]),
            "django.contrib.auth.backends.ModelBackend",
        )
        return HttpResponse("in")

    def link(request):
        return HttpResponse(oauth.site.authorize_access_token(request)["access_token"])

    def everything(request):
        return JsonResponse(dict(request.session))

    urls = tuple(path(view.__name__, view) for view in (start, callback, link, everything))
    with registered(oauth, "site"), override_settings(ROOT_URLCONF=urls):
        yield


def begin(client: Client) -> str:
    return state_of(client.get("/start")["Location"])


@pytest.mark.usefixtures("authlib")
def test_authlib_signs_in(ann):
    client = Client()
    assert client.get(f"/callback?state={begin(client)}&code=ann").content == b"in"
    found = client.get("/everything").json()
    assert found["_auth_user_id"] == str(ann.pk)
    assert [key for key in found if key.startswith("_state_")] == []


@pytest.mark.usefixtures("authlib")
def test_of_two_sign_ins_in_two_tabs_either_may_end_first():
    client = Client()
    first, second = begin(client), begin(client)
    assert first != second
    assert client.get(f"/link?state={second}&code=b").content == b"b"
    assert client.get(f"/link?state={first}&code=a").content == b"a"


@pytest.mark.usefixtures("authlib")
def test_a_login_ends_the_sign_ins_that_other_tabs_began():
    client = Client()
    first, second = begin(client), begin(client)
    client.get(f"/callback?state={second}&code=ann")
    with pytest.raises(MismatchingStateError):
        client.get(f"/callback?state={first}&code=ann")


@pytest.mark.usefixtures("authlib")
def test_authlib_refuses_a_state_that_this_visitor_did_not_begin():
    attacker, victim = Client(), Client()
    state = begin(attacker)
    with pytest.raises(MismatchingStateError):
        victim.get(f"/callback?state={state}&code=ann")
