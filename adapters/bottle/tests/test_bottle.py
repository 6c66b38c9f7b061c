"""request.session in Bottle: hooks, plugins, mounts, errors; the contract suite has the rest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from urllib.parse import parse_qs

import bottle
import pytest
from bottle import Bottle, HTTPResponse, abort, redirect, request, response, template
from werkzeug.test import Client
from wtforms import Form, StringField
from wtforms.csrf.session import SessionCSRF

from sessionkit import (
    ConfigurationError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    safe_return_to,
    update_session,
)
from sessionkit_bottle import SessionKit, require_session_page

SECRET = "bottle-tests:0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET)


@pytest.fixture
def app(store: SessionStore) -> Bottle:
    app = Bottle()
    SessionKit(app, store=store)
    app.route("/login", callback=lambda: dict(create_session(ANN)))
    app.route("/me", callback=lambda: dict(get_session() or {}))
    app.route("/all", callback=lambda: dict(request.session))
    return app


@pytest.fixture
def client(app) -> Client:
    return Client(
        lambda environ, start: app(
            environ, lambda status, headers, exc_info=None: start(status, headers)
        )
    )  # as a server does


# ---- where cookies of Bottle's own hooks are lost


def fail():
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("end", "status"),
    [(lambda: redirect("/", 302), 302), (lambda: abort(403), 403), (lambda: abort(404), 404)],
)
def test_what_is_raised_carries_the_session(app, client, end, status):
    app.route("/end", callback=lambda: request.session.update(a=1) or end())
    assert client.get("/end").status_code == status
    assert client.get("/all").json == {"a": 1}


def test_a_hook_after_the_request_writes_too_and_in_every_kind_of_response(app, client):
    app.add_hook("after_request", lambda: request.session.update(n=request.session.get("n", 0) + 1))
    app.route("/end", callback=lambda: redirect("/"))
    client.get("/end")
    assert client.get("/nowhere").status_code == 404
    assert client.get("/all").json == {"n": 2}


def test_a_hook_before_the_request_has_the_session(app, client):
    seen = []
    app.add_hook("before_request", lambda: seen.append(dict(request.session)))
    client.get("/login")
    client.get("/me")
    assert seen == [{}, ANN]


def test_a_500_of_bottles_keeps_a_logout_and_nothing_else(app, client):
    app.route("/write", callback=lambda: request.session.update(a=1) or fail())
    app.route("/logout", callback=lambda: delete_session() and fail())
    client.get("/login")
    assert client.get("/write").status_code == 500
    assert client.get("/all").json == ANN
    assert client.get("/logout").status_code == 500
    assert client.get("/all").json == {}


def test_an_exception_that_bottle_does_not_catch_keeps_a_logout(app, client):
    app.catchall = False
    app.route("/logout", callback=lambda: delete_session() and fail())
    client.get("/login")
    assert client.get("/logout").status_code == 500
    assert client.get("/all").json == {}


def test_what_is_too_large_is_a_500_and_saves_nothing(app, client):
    app.route("/big", callback=lambda: request.session.update(big="x" * 9000) or "")
    client.get("/login")
    assert client.get("/big").status_code == 500
    assert client.get("/all").json == ANN


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "answer", [lambda: "", lambda: redirect("/"), lambda: abort(404), lambda: (yield "a")]
)
def test_what_cannot_be_saved_is_named_in_the_log_once(app, client, monkeypatch, answer, debug):
    monkeypatch.setattr(bottle, "DEBUG", debug)
    app.add_hook("after_request", lambda: request.session.update(big="x" * 9000))
    app.route("/big", callback=answer)
    log = StringIO()
    assert client.get("/big", errors_stream=log).status_code == 500
    assert log.getvalue().count("sessionkit.errors.SessionTooLargeError: the session makes") == 1
    assert "xxx" not in log.getvalue()


def test_an_error_of_the_application_is_in_the_log_once(app, client):
    app.route("/fail", callback=lambda: 1 / 0)
    log = StringIO()
    assert client.get("/fail", errors_stream=log).status_code == 500
    assert log.getvalue().count("ZeroDivisionError") == 1


# ---- Bottle's habits


def test_a_generator_writes_until_its_first_yield(app, client):
    @app.route("/stream")
    def stream():
        request.session["n"] = 1
        yield "one"
        try:
            request.session["n"] = 2
        except RuntimeError as error:
            yield type(error).__name__

    assert client.get("/stream").text == "oneResponseStartedError"
    assert client.get("/all").json == {"n": 1}


def test_it_is_a_plugin_too(store):
    app = Bottle()
    app.install(SessionKit(store=store))
    app.route("/", callback=lambda: request.session.update(a=1) or dict(request.session))
    app.route("/all", callback=lambda: dict(request.session))
    client = Client(app)
    client.get("/")
    assert client.get("/all").json == {"a": 1}
    assert [plugin.name for plugin in app.plugins][-1] == "sessionkit"


def test_to_serve_an_application_twice_is_refused(app, store):
    with pytest.raises(AttributeError):
        SessionKit(app, store=store)


def test_a_mounted_application_shares_the_session(app, client):
    child = Bottle()
    child.route("/me", callback=lambda: dict(request.session))
    app.mount("/child/", child)
    client.get("/login")
    assert client.get("/child/me").json == ANN


def test_a_mounted_wsgi_application_shares_the_session(app, client, store):
    def plain(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(get_session(environ)["user"]["sub"]).encode()]

    app.mount("/plain/", store.wsgi(plain))
    client.get("/login")
    assert client.get("/plain/").text == "ann"


def test_one_sessionkit_serves_several_applications(store):
    kit = SessionKit(store=store)
    first, second = Bottle(), Bottle()
    for one in (first, second):
        kit.init_app(one)
        one.route("/all", callback=lambda: dict(request.session))
    first.route("/login", callback=lambda: dict(create_session(ANN)))
    client = Client(first)
    client.get("/login")
    client.application = second
    assert client.get("/all").json == ANN


def test_a_template_shows_it(app, client):
    app.route(
        "/page", callback=lambda: template("{{session['user']['sub']}}", session=request.session)
    )
    client.get("/login")
    assert client.get("/page").text == "ann"


def test_its_repr_shows_no_value(app, client):
    app.route("/repr", callback=lambda: repr(request.session))
    client.get("/login")
    assert client.get("/repr").text == "<LazyContents keys=['user']>"


def test_a_route_that_does_not_use_it_does_not_look_at_it(app, client):
    app.route("/plain", callback=lambda: "plain")
    client.get("/login")
    answer = client.get("/plain")
    assert ("Vary" in answer.headers, "Set-Cookie" in answer.headers) == (False, False)


# ---- the form with a response, where no gateway serves


def test_without_sessionkit_the_verbs_write_into_bottles_response(store):
    app = Bottle()

    @app.route("/login")
    def login():
        response.set_cookie("other", "1")
        response.add_header("X-Both", "a")
        response.add_header("X-Both", "b")
        store.create_session(request, response, {**ANN, "big": "x" * 5000})
        store.update_session(request, response, ANN)
        return ""

    answer = Client(app).get("/login")
    assert sorted(line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")) == [
        "__Host-session",
        "other",
    ]
    assert answer.headers.getlist("X-Both") == ["a", "b"]


def test_without_sessionkit_a_response_of_ones_own_is_written_to(store):
    app = Bottle()

    @app.route("/login")
    def login():
        own = HTTPResponse("", 302, Location="/")
        store.create_session(request, own, ANN)
        return own

    assert "__Host-session=" in Client(app).get("/login").headers["Set-Cookie"]


# ---- guards


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/page?a=1", 302, "/signin?from=page&returnTo=/page%3Fa%3D1"),
        ("POST", "/page", 303, "/signin?from=page&returnTo=/home"),
        ("GET", "/signout", 302, "/signin?from=page&returnTo=/home"),
    ],
)
def test_a_page_sends_visitors_to_the_login(app, client, method, path, status, location):
    guard = require_session_page(
        login_url="/signin?from=page", logout_url="/signout", default="/home"
    )
    for one in ("/page", "/signout"):
        app.route(one, method=["GET", "POST"], callback=guard(lambda: "in"))
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.headers["Location"]) == (status, location)


@pytest.mark.parametrize("path", ["%E2%82%AC", "%C3%BC/%F0%9F%98%80", "a%3Fb", "%C3%83%C2%BC"])
def test_the_way_back_to_a_page_keeps_its_letters(app, client, path):
    @app.route("/page/<rest:path>")
    @require_session_page
    def page(rest):
        return rest

    location = client.get(f"/page/{path}?q=%C3%BC").headers["Location"]
    (back,) = parse_qs(location.partition("?")[2])["returnTo"]
    assert safe_return_to(back) == f"/page/{path}?q=%C3%BC"


def test_a_request_with_another_path_than_came_is_returned_to_that_one(app, client):
    @app.route("/page/<rest:path>")
    def page(rest):
        request.environ["PATH_INFO"] = "/elsewhere"
        return require_session_page(lambda: "")()

    assert client.get("/page/x").headers["Location"].endswith("?returnTo=/elsewhere")


def test_the_request_of_bottle_is_none_where_no_request_is_handled():
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(get_session, request)
    for read in (work.result, lambda: get_session(bottle.LocalRequest())):
        with pytest.raises(TypeError, match=r"get_session\(LocalRequest\) is not a valid call"):
            read()


def test_a_guard_keeps_the_views_name_and_arguments(app, client):
    @app.route("/item/<number:int>")
    @require_session_page
    def item(number):
        return f"item {number}"

    assert item.__name__ == "item"
    client.get("/login")
    assert client.get("/item/7").text == "item 7"


# ---- third parties


def test_wtforms_keeps_its_token_in_the_session_and_a_login_drops_it(app, client):
    class Comment(Form):
        class Meta:
            csrf = True
            csrf_class = SessionCSRF
            csrf_secret = b"forms"

        text = StringField()

    def form():
        return Comment(request.forms, meta={"csrf_context": request.session})

    app.get("/form", callback=lambda: form().csrf_token.current_token)
    app.post("/form", callback=lambda: {"valid": form().validate()})
    token = client.get("/form").text
    assert client.post("/form", data={"text": "a", "csrf_token": token}).json == {"valid": True}
    assert client.post("/form", data={"text": "a", "csrf_token": "forged"}).json == {"valid": False}
    app.get("/signin", callback=lambda: request.session.update(user={"sub": "ann"}) or "")
    client.get("/signin")
    assert client.get("/all").json == ANN
    assert client.post("/form", data={"text": "a", "csrf_token": token}).json == {"valid": False}


# ---- settings


def test_the_store_is_made_from_the_configuration(monkeypatch):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    app = Bottle()
    app.config.load_dict({"sessionkit": {"secret": SECRET, "cookie_name": "mine", "idle": "60"}})
    SessionKit(app, audience="shop")
    app.route("/", callback=lambda: request.session.update(a=1) or "")
    assert Client(app).get("/").headers["Set-Cookie"].startswith("mine=")


def test_a_configuration_without_a_secret_is_refused(monkeypatch):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="SECRET"):
        SessionKit(bottle.Bottle())


def test_update_never_logs_in(app, client):
    app.route("/update", callback=lambda: {"done": update_session(request, response, ANN)})
    assert client.get("/update").json == {"done": False}
