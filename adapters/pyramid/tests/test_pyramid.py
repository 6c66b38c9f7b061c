"""request.session in Pyramid: its extras, exception views, subrequests, policies; the contract suite has the rest."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from pyramid.authentication import SessionAuthenticationHelper
from pyramid.config import Configurator
from pyramid.csrf import SessionCSRFStoragePolicy, get_csrf_token
from pyramid.interfaces import ISession
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import default_execution_policy
from pyramid.view import view_config, view_defaults
from pyramid_retry import RetryableException
from werkzeug.test import Client
from zope.interface.verify import verifyObject

from sessionkit import (
    ConfigurationError,
    SessionStore,
    SessionTooLargeError,
    create_session,
    delete_session,
    get_session,
    rotate_session,
)
from sessionkit_pyramid import require_session_api, require_session_page

SECRET = "pyramid-tests:0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


class Site:
    """An application of functions, served when it is first asked."""

    def __init__(self) -> None:
        self.store = SessionStore(SECRET)
        self.config = Configurator()
        self.config.include("sessionkit_pyramid")
        self.config.set_sessionkit_store(self.store)
        self.add("/login", lambda request: dict(create_session(ANN)))
        self.add("/all", lambda request: dict(request.session))
        self.opened: Client | None = None

    def add(self, path, view, **named):
        self.config.add_route(path, path)
        self.config.add_view(view, route_name=path, **{"renderer": "json", **named})

    @property
    def client(self) -> Client:
        if self.opened is None:
            app = self.config.make_wsgi_app()
            self.opened = Client(
                lambda environ, start: app(
                    environ, lambda status, headers, exc_info=None: start(status, headers)
                )
            )  # as a server does
        return self.opened

    def get(self, path, **named):
        return self.client.get(path, **named)


@pytest.fixture
def site() -> Site:
    return Site()


def fail(*_):
    raise ZeroDivisionError


def names(answer) -> list[str]:
    return sorted(line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie"))


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


# ---- subrequests


def test_a_subrequest_has_a_session_of_its_own_which_its_response_carries(site):
    site.add("/inner", lambda request: request.session.update(inner=1) or dict(request.session))

    def outer(request):
        request.session["outer"] = 1
        response = request.invoke_subrequest(Request.blank("/inner"))
        return [response.json_body, names_of(response)]

    def names_of(response):
        return [line.partition("=")[0] for line in response.headers.getall("Set-Cookie")]

    site.add("/outer", outer)
    assert site.get("/outer").json == [{"inner": 1}, ["__Host-session"]]
    assert site.get("/all").json == {"outer": 1}


def test_a_subrequest_with_the_session_of_the_request_shares_it(site):
    site.add("/inner", lambda request: request.session.update(inner=1))

    def outer(request):
        inner = Request.blank("/inner")
        inner.session = request.session
        request.invoke_subrequest(inner)
        return dict(request.session)

    site.add("/outer", outer)
    assert site.get("/outer").json == {"inner": 1}
    assert site.get("/all").json == {"inner": 1}


# ---- the verbs, with Pyramid's objects


def test_a_verb_without_the_application_writes_into_the_response():
    store, request, response = (
        SessionStore(SECRET),
        Request.blank("/"),
        Response(headerlist=[("Set-Cookie", "theirs=1")]),
    )
    response.cache_control = "public, max-age=600"
    store.create_session(request, response, ANN)
    store.update_session(request, response, {**ANN, "n": 1})
    sent = response.headers.getall("Set-Cookie")
    assert [line.partition("=")[0] for line in sent] == ["theirs", "__Host-session"]
    assert response.headers.getall("Cache-Control") == ["private, no-store"]
    again = Request.blank("/", headers={"Cookie": sent[1].partition(";")[0]})
    assert store.get_session(again) == {**ANN, "n": 1}


# ---- guards


def test_guards_decorate_functions_methods_and_configured_views(site):
    @view_defaults(renderer="json")
    class Views:
        def __init__(self, request):
            self.request = request

        @view_config(route_name="method")
        @require_session_api
        def method(self):
            return "method"

    site.config.add_route("method", "/method")
    site.config.add_view(Views, attr="method", route_name="method", renderer="json")
    site.add("/function", require_session_api(lambda request: "function"))
    site.add("/both", require_session_api(lambda context, request: "both"))
    site.add("/configured", lambda request: "configured", decorator=require_session_api)
    paths = ["/method", "/function", "/both", "/configured"]
    assert [site.get(path).status_code for path in paths] == [401] * 4
    site.get("/login")
    assert [site.get(path).json for path in paths] == ["method", "function", "both", "configured"]


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/page?a=1", 302, "/signin?from=page&returnTo=/page%3Fa%3D1"),
        ("POST", "/page", 303, "/signin?from=page&returnTo=/home"),
        ("GET", "/signout", 302, "/signin?from=page&returnTo=/home"),
    ],
)
def test_a_page_sends_visitors_to_the_login(site, method, path, status, location):
    guard = require_session_page(
        login_url="/signin?from=page", logout_url="/signout", default="/home"
    )
    for one in ("/page", "/signout"):
        site.add(one, guard(lambda request: "in"))
    answer = site.client.open(path, method=method)
    assert (answer.status_code, answer.headers["Location"]) == (status, location)


# ---- settings


def made(**settings):
    with Configurator(settings=settings) as config:
        config.include("sessionkit_pyramid")
        config.add_view(lambda request: request.session.update(a=1) or Response(""))
    return config.make_wsgi_app()


def test_the_store_is_made_from_the_settings(monkeypatch):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    app = made(**{"sessionkit.secret": SECRET, "sessionkit.cookie_name": "mine"})
    assert names(Client(app).get("/")) == ["mine"]


def test_settings_without_a_secret_fail_when_the_application_is_made(monkeypatch):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="SECRET"):
        made()


def test_a_misspelt_setting_is_named():
    with pytest.raises(ConfigurationError, match="SESSIONKIT_IDLE"):
        made(**{"sessionkit.secret": SECRET, "sessionkit.idel": "60"})


@pytest.mark.parametrize("view", [
    lambda request, extra=None: str(request.path),
    lambda context, request, extra=None: str(request.path),
    lambda *args: str(args[1].path),
], ids=["request", "context and request", "any"])  # fmt: skip
def test_a_guarded_view_is_given_what_pyramid_would_give_it(view):
    site = Site()
    site.add("/account", require_session_api(view))
    site.client.get("/login", base_url="https://localhost")
    assert "/account" == site.client.get("/account", base_url="https://localhost").json
