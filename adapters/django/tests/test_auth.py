"""django.contrib: auth, messages, CSRF_USE_SESSIONS and the admin."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client as DjangosClient
from django.test import override_settings

from sessionkit import SerializationError
from sessionkit_django.testing import AsyncClient, Client

NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"


class Browser(DjangosClient):
    """Django's own client, which knows nothing of sessionkit and sends back the cookies that it was sent."""


def test_login_makes_a_new_session_that_keeps_the_cart(ann):
    browser = Browser()
    before = browser.get("/put?cart=tea").content
    answer = browser.get("/log-in")
    assert set(answer.cookies) == {NAME, OUT, "csrftoken"}  # Django's own, which a login changes
    assert answer.content != before
    assert browser.get("/private").content == b"ann"
    assert browser.get("/everything").json()["cart"] == "tea"


def test_the_key_at_the_end_of_a_login_is_that_of_the_next_request(ann):
    browser = Browser()
    assert browser.get("/log-in").content == browser.get("/key").content


def test_a_planted_session_is_dead_after_the_login(ann):
    victim, attacker = Browser(), Browser()
    victim.get("/put?cart=tea")
    planted = victim.cookies[NAME].value
    victim.get("/log-in")
    attacker.cookies[NAME] = planted
    assert attacker.get("/private").status_code == 302
    attacker.cookies[OUT] = victim.cookies[OUT].value
    assert attacker.get("/everything").json() == {}


@pytest.mark.parametrize("key", ["_csrftoken", "_state_google_abc"])
def test_keys_that_must_not_cross_a_login_do_not(ann, key):
    browser = Browser()
    browser.get(f"/put?{key}=planted")
    browser.get("/log-in")
    assert key not in browser.get("/everything").json()


def test_the_login_of_another_ends_the_first_ones_session_and_keeps_nothing_of_it(ann):
    User.objects.create_user("bob", password="secret-of-bob")
    browser = Browser()
    browser.get("/log-in")
    browser.get("/put?cart=tea")
    first = browser.cookies[NAME].value
    browser.get("/log-in?name=bob&password=secret-of-bob")
    assert browser.get("/private").content == b"bob"
    assert "cart" not in browser.get("/everything").json()
    browser.cookies[NAME] = first  # a late response of the first session
    assert browser.get("/private").status_code == 302


def test_logout_ends_the_session_for_good(ann):
    browser = Browser()
    browser.get("/log-in")
    late = browser.cookies[NAME].value
    browser.get("/log-out")
    assert browser.get("/private").status_code == 302
    browser.cookies[NAME] = late
    assert browser.get("/private").status_code == 302


def test_what_a_logout_says_to_the_visitor_is_kept(ann):
    browser = Browser()
    browser.get("/log-in")
    assert browser.get("/read-messages").json() == ["welcome"]
    browser.get("/log-out")
    assert browser.get("/read-messages").json() == ["bye"]
    assert browser.get("/read-messages").json() == []


def test_a_change_of_password_gives_the_session_a_new_id_and_ends_all_others(ann):
    browser, elsewhere = Browser(), Browser()
    browser.get("/log-in")
    elsewhere.get("/log-in")
    before, earlier = browser.get("/key").content, browser.cookies[NAME].value
    assert set(browser.get("/change-password").cookies) == {NAME, OUT}
    assert browser.get("/private").content == b"ann"
    assert browser.get("/key").content != before
    assert elsewhere.get("/private").status_code == 302
    browser.cookies[NAME] = earlier
    assert browser.get("/private").status_code == 302


def test_a_login_passes_the_guard(ann):
    browser = Browser()
    browser.get("/put?cart=tea")
    assert browser.get("/api").status_code == 401
    browser.get("/log-in")
    assert browser.get("/api").json()["_auth_user_id"] == str(ann.pk)


def test_a_logout_survives_a_view_that_fails_afterwards(ann):
    browser = Browser(raise_request_exception=False)
    browser.get("/log-in")
    answer = browser.get("/log-out-and-fail")
    assert answer.status_code == 500
    assert set(answer.cookies) == {NAME, SEEN, OUT}
    assert browser.get("/private").status_code == 302


def test_a_logout_survives_a_login_that_cannot_be_kept(ann):
    browser = Browser(raise_request_exception=False)
    browser.get("/log-in")
    late = browser.cookies[NAME].value
    answer = browser.get("/log-in-and-spoil")
    assert answer.status_code == 500
    assert set(answer.cookies) == {NAME, SEEN, OUT}
    browser.cookies[NAME] = late
    assert browser.get("/private").status_code == 302


def test_a_session_that_cannot_be_kept_is_an_error_of_the_application(ann):
    with override_settings(
        MIDDLEWARE=[
            "sessionkit_django.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ]
    ):
        session = Client().session
        session["at"] = object()
        with pytest.raises(SerializationError):
            session.save()


def test_auth_works_in_async_views(ann):
    async def scenario():
        client = AsyncClient()
        assert (await client.get("/private-async")).content == b"nobody"
        assert set((await client.get("/log-in-async")).cookies) == {NAME, "csrftoken"}
        assert (await client.get("/private-async")).content == b"ann"
        late = client.cookies[NAME].value
        await client.get("/log-out-async")
        client.cookies[NAME] = late
        assert (await client.get("/private-async")).content == b"nobody"

    asyncio.run(scenario())


# ---- the test clients


def test_the_test_client_logs_in_and_out(ann):
    client = Client()
    assert client.login(username="ann", password="secret-of-ann")
    assert client.get("/private").content == b"ann"
    client.logout()
    assert client.get("/private").status_code == 302
    client.force_login(ann)
    assert client.get("/private").content == b"ann"
    assert client.session["_auth_user_id"] == str(ann.pk)


def test_a_session_of_several_cookies_logs_in(ann):
    client = Client()
    client.get("/big?size=4200")
    client.force_login(ann)
    assert client.get("/private").content == b"ann"
    assert len(client.session["big"]) == 4200


def test_the_async_test_client_logs_in(ann):
    async def scenario():
        client = AsyncClient()
        await client.aforce_login(ann)
        assert (await client.get("/private-async")).content == b"ann"

    asyncio.run(scenario())


# ---- CSRF


@override_settings(CSRF_USE_SESSIONS=True)
def test_the_csrf_token_of_the_session_is_accepted_and_no_other():
    browser, other = (Browser(enforce_csrf_checks=True) for _ in range(2))
    token = browser.get("/form").content.decode()
    other.get("/form")
    assert browser.post("/post", {"csrfmiddlewaretoken": token}).content == b"posted"
    assert other.post("/post", {"csrfmiddlewaretoken": token}).status_code == 403
    assert browser.post("/post").status_code == 403


@override_settings(CSRF_USE_SESSIONS=True)
def test_a_csrf_token_of_before_the_login_is_dead_after_it(ann):
    browser = Browser(enforce_csrf_checks=True)
    planted = browser.get("/form").content.decode()
    browser.get("/log-in")
    assert browser.post("/post", {"csrfmiddlewaretoken": planted}).status_code == 403
    token = browser.get("/form").content.decode()
    assert browser.post("/post", {"csrfmiddlewaretoken": token}).content == b"posted"


# ---- the admin


@override_settings(CSRF_USE_SESSIONS=True)
def test_the_admin_logs_in_edits_and_logs_out(ann):
    browser = Browser(enforce_csrf_checks=True)

    def token(url: str) -> str:
        return re.search(
            r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(url).content.decode()
        )[1]

    login = {
        "username": "ann",
        "password": "secret-of-ann",
        "next": "/admin/",
        "csrfmiddlewaretoken": token("/admin/login/"),
    }
    answer = browser.post("/admin/login/", login)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    answer = browser.post(
        "/admin/auth/group/add/",
        {"name": "editors", "csrfmiddlewaretoken": token("/admin/auth/group/add/")},
        follow=True,
    )
    assert b"was added successfully" in answer.content  # a message, over a redirect
    late = browser.cookies[NAME].value
    assert (
        browser.post("/admin/logout/", {"csrfmiddlewaretoken": token("/admin/")}).status_code == 200
    )
    browser.cookies[NAME] = late
    assert browser.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
