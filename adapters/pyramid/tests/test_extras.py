"""request.session in Pyramid: subrequests, the verbs, guards and settings."""

from __future__ import annotations

import pytest
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPInternalServerError
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config, view_defaults
from werkzeug.test import Client

from sessionkit import (
    ConfigurationError,
    Event,
    EventKind,
    SessionStore,
    create_session,
    delete_session,
    get_exchange,
    get_session,
)
from sessionkit_pyramid import require_session_api, require_session_page

from .visitor import ANN, SECRET, Site, names

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


# ---- an application that puts something else in the place of the session


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("put", "kept"),
    [({**ANN, "n": 1}, {**ANN, "n": 1}), ({}, {}), (None, ANN)],
    ids=["contents", "empty", "nothing"],
)
def test_a_dict_in_the_place_of_the_session_replaces_its_contents(put, kept, fails):
    site = Site()

    def replace(request):
        request.session = put
        if fails:
            raise RuntimeError

    site.add("/put", replace)
    site.config.add_exception_view(lambda request: HTTPInternalServerError(), context=RuntimeError)
    site.get("/login")
    site.get("/put")
    assert site.get("/all").json == (ANN if fails and kept else kept)


def test_a_subrequest_that_puts_a_dict_there_gives_it_to_its_own_response():
    site = Site()

    def replace(request):
        request.session["first"] = 1
        request.session = {"n": 1}

    def outer(request):
        inner = request.invoke_subrequest(Request.blank("/put", base_url="https://localhost"))
        return [line.partition("=")[0] for line in inner.headers.getall("Set-Cookie")]

    site.add("/put", replace)
    site.add("/outer", outer)
    assert site.get("/outer").json == ["__Host-session"]


def test_a_change_of_a_dict_after_a_verb_and_one_that_is_put_there_too_late_are_reported():
    heard: list[Event] = []
    site = Site(store=SessionStore(SECRET, on_event=heard.append))

    def detached(request):
        request.session = given = dict(ANN)
        delete_session()
        given["late"] = 1

    def stream(request):
        def parts():
            yield b"a"
            request.session = {"late": 1}

        return Response(app_iter=parts())

    site.add("/detached", detached)
    site.add("/stream", stream, renderer=None)
    site.get("/detached")
    site.get("/stream", buffered=True)
    assert [event.kind for event in heard] == [EventKind.DETACHED_CHANGE, EventKind.LATE_CHANGE]


def test_a_request_with_the_environ_of_another_one_has_a_place_of_its_own(site):
    found = []

    def inner(request):
        request.session = {"inner": 1}
        return found.append(dict(get_exchange().contents))

    def outer(request):
        request.invoke_subrequest(Request({**request.environ, "PATH_INFO": "/inner"}))
        request.session = {"outer": 1}
        found.append(dict(get_exchange().contents))

    site.add("/inner", inner)
    site.add("/outer", outer)
    site.get("/outer")
    assert found == [{"inner": 1}, {"outer": 1}]
    assert site.get("/all").json == {"outer": 1}


@pytest.mark.parametrize("put", [{}, {"user": {"sub": "bob"}}])
def test_a_verb_after_a_dict_in_the_place_of_the_session_counts(put):
    site = Site()
    seen: list[dict] = []

    def again(request):
        request.session = dict(put)
        seen.append(dict(get_session() or {}))
        create_session({"user": {"sub": "cyd"}})

    def out(request):
        request.session = dict(put)
        delete_session()

    site.add("/again", again)
    site.add("/out", out)
    site.get("/login")
    site.get("/again")
    assert seen == [put]
    assert site.get("/all").json == {"user": {"sub": "cyd"}}
    site.get("/out")
    assert site.get("/all").json == {}
