"""request.session in Pyramid: ISession, logins and CSRF tokens, and where other session factories lose writes."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from pyramid.authentication import SessionAuthenticationHelper
from pyramid.csrf import SessionCSRFStoragePolicy, get_csrf_token
from pyramid.interfaces import ISession
from pyramid.response import Response
from pyramid.router import default_execution_policy
from pyramid_retry import RetryableException
from zope.interface.verify import verifyObject

from sessionkit import (
    SessionTooLargeError,
    create_session,
    delete_session,
    get_session,
    rotate_session,
)

from .visitor import ANN, names


def fail(*_):
    raise ZeroDivisionError


# ---- ISession


def test_it_is_an_isession(site):
    site.add("/", lambda request: verifyObject(ISession, request.session))
    assert site.get("/").json is True


def test_flashed_messages_wait_for_the_next_request(site):
    site.add(
        "/flash",
        lambda request: [
            request.session.flash(one, queue)
            for one, queue in (("a", ""), ("b", ""), ("c", "errors"))
        ],
    )
    site.add("/again", lambda request: request.session.flash("a", allow_duplicate=False))
    site.add(
        "/messages",
        lambda request: [
            request.session.peek_flash(),
            request.session.pop_flash(),
            request.session.pop_flash("errors"),
            request.session.pop_flash(),
        ],
    )
    site.get("/flash")
    site.get("/again")
    assert site.get("/messages").json == [["a", "b"], ["a", "b"], ["c"], []]
    assert site.get("/all").json == {}


def test_new_and_created_tell_of_the_session_that_came(site):
    site.add("/new", lambda request: [request.session.new, request.session.created > 1_000_000_000])
    site.add(
        "/begin",
        lambda request: [request.session.new, request.session.update(a=1), request.session.new],
    )
    site.add("/verb", lambda request: [create_session(ANN) and request.session.new])
    site.add("/rotated", lambda request: [rotate_session(), request.session.new])
    assert site.get("/new").json == [True, True]
    assert site.get("/begin").json == [True, None, True]
    assert site.get("/new").json == [False, True]
    assert site.get("/verb").json == [True]
    assert site.get("/new").json == [False, True]
    assert site.get("/rotated").json == [True, True]


def test_invalidate_ends_it_and_what_is_written_afterwards_is_another(site):
    site.add("/id", lambda request: request.session.id)
    site.add(
        "/invalidate",
        lambda request: [
            request.session.invalidate(),
            request.session.update(b=1),
            dict(request.session),
        ][2],
    )
    site.add("/begin", lambda request: request.session.update(a=1))
    site.get("/begin")
    before = site.get("/id").json
    answer = site.get("/invalidate")
    assert answer.json == {"b": 1}
    assert "__Host-out.session" in names(answer)
    assert site.get("/all").json == {"b": 1}
    assert site.get("/id").json != before


def test_changed_may_be_called(site):
    site.add("/begin", lambda request: request.session.update(cart=[]))
    site.add(
        "/more", lambda request: [request.session["cart"].append("tea"), request.session.changed()]
    )
    site.get("/begin")
    site.get("/more")
    assert site.get("/all").json == {"cart": ["tea"]}


# ---- logins and CSRF tokens through Pyramid's own helpers


def test_remember_is_a_login_that_drops_the_csrf_token_and_forget_a_logout(site):
    helper = SessionAuthenticationHelper()
    site.add("/token", get_csrf_token)
    site.add("/id", lambda request: request.session.id)
    site.add(
        "/remember",
        lambda request: [request.session.update(cart=["tea"]), helper.remember(request, "ann")],
    )
    site.add("/forget", helper.forget)
    site.add(
        "/whose", lambda request: [helper.authenticated_userid(request), get_session() is not None]
    )
    token, before = site.get("/token").json, site.get("/id").json
    assert "__Host-out.session" in names(site.get("/remember"))
    assert site.get("/whose").json == ["ann", True]
    assert site.get("/all").json == {"cart": ["tea"], "auth.userid": "ann"}
    assert site.get("/id").json != before
    assert site.get("/token").json != token
    assert "__Host-out.session" in names(site.get("/forget"))
    assert site.get("/whose").json == [None, False]
    assert site.get("/all").json == {"cart": ["tea"]}


def test_a_sign_in_that_another_tab_began_does_not_cross_a_login(site):
    site.add(
        "/begin", lambda request: request.session.update(_state_google_abc="planted", cart=["tea"])
    )
    site.add("/remember", lambda request: SessionAuthenticationHelper().remember(request, "ann"))
    site.get("/begin")
    site.get("/remember")
    assert site.get("/all").json == {"cart": ["tea"], "auth.userid": "ann"}


@pytest.mark.parametrize("policy", [None, SessionCSRFStoragePolicy()])
def test_forged_posts_are_refused(site, policy):
    if policy is not None:
        site.config.set_csrf_storage_policy(policy)
    site.config.set_default_csrf_options(require_csrf=True, check_origin=False)
    site.add("/form", get_csrf_token)
    token = site.get("/form").json
    assert site.get("/all").json == {"_csrft_": token}
    assert site.client.post("/form", data={"csrf_token": token}).status_code == 200
    assert site.client.post("/form", data={"csrf_token": "forged"}).status_code == 400


# ---- where other session factories lose writes


def test_an_exception_view_answers_what_is_too_large_and_nothing_is_saved(site):
    site.add("/big", lambda request: request.session.update(big="x" * 9000))
    site.config.add_exception_view(
        lambda error, request: Response("too large", status=507), context=SessionTooLargeError
    )
    site.get("/login")
    answer = site.get("/big")
    assert (answer.status_code, answer.text) == (507, "too large")
    assert site.get("/all").json == ANN


def test_an_exception_view_writes_too(site):
    site.add("/fails", fail)
    site.config.add_exception_view(
        lambda error, request: request.session.update(failed=1) or Response(status=409),
        context=ZeroDivisionError,
    )
    assert site.get("/fails").status_code == 409
    assert site.get("/all").json == {"failed": 1}


def test_an_exception_that_nobody_catches_keeps_a_logout_and_nothing_else(site):
    site.add("/write", lambda request: [request.session.update(a=1), fail()])
    site.add("/logout", lambda request: [delete_session(), fail()])
    site.get("/login")
    with pytest.raises(ZeroDivisionError):
        site.get("/write")
    assert site.get("/all").json == ANN
    assert site.get("/logout").status_code == 500
    assert site.get("/all").json == {}


def test_a_response_callback_and_a_tween_write_too(site, monkeypatch):
    def factory(handler, registry):
        def tween(request):
            response = handler(request)
            request.session["tween"] = 1
            return response

        return tween

    monkeypatch.setitem(
        sys.modules, "a_tween", SimpleNamespace(factory=factory)
    )  # Pyramid takes tweens by name
    site.config.add_tween("a_tween.factory")
    site.add(
        "/",
        lambda request: request.add_response_callback(
            lambda request, response: request.session.update(callback=1)
        ),
    )
    site.get("/")
    assert site.get("/all").json == {"callback": 1, "tween": 1}


def test_a_retry_serves_the_session_at_every_attempt(site):
    attempts = []

    def view(request):
        attempts.append(request.session["user"]["sub"])
        request.session["attempts"] = len(attempts)
        if len(attempts) < 3:
            raise RetryableException

    site.config.include("pyramid_retry")
    site.add("/retried", view)
    site.get("/login")
    assert site.get("/retried").status_code == 200
    assert attempts == ["ann"] * 3
    assert site.get("/all").json == {**ANN, "attempts": 3}


def test_a_404_of_the_router_carries_what_a_subscriber_wrote(site):
    site.config.add_subscriber(
        lambda event: event.request.session.update(seen=event.request.path),
        "pyramid.events.NewRequest",
    )
    assert site.get("/nowhere").status_code == 404
    assert site.get("/all").json == {"seen": "/all"}
    assert "__Host-session" in names(site.get("/nowhere"))


def test_an_execution_policy_of_somebody_elses_stays(site):
    seen = []

    def policy(environ, router):
        seen.append(environ["PATH_INFO"])
        return default_execution_policy(environ, router)

    site.config.set_execution_policy(policy)
    assert site.get("/login").json == ANN
    assert site.get("/all").json == ANN
    assert seen == ["/login", "/all"]


def test_a_view_that_does_not_use_it_does_not_look_at_it(site):
    site.add("/plain", lambda request: "plain")
    site.get("/login")
    answer = site.get("/plain")
    assert ("Vary" in answer.headers, names(answer)) == (False, [])


def test_its_repr_shows_no_value(site):
    site.add("/repr", lambda request: repr(request.session))
    site.get("/login")
    assert site.get("/repr").json == "<PyramidSession keys=['user']>"
