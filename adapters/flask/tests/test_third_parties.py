"""Extensions that write into flask.session: Flask-Login, Flask-WTF, Authlib."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.flask_client import OAuth
from flask import Flask, request, session
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from flask_wtf.csrf import CSRFProtect, generate_csrf
from oauth_provider import registered, state_of
from werkzeug.test import Client

from sessionkit import SessionStore, get_session
from sessionkit_flask import SessionKit, require_session_api

NAME, OUT = "__Host-session", "__Host-out.session"


def make() -> Flask:
    app = Flask(__name__)
    app.testing = True
    app.secret_key = "what Flask-WTF and Flask-Login sign their own things with"
    SessionKit(app, store=SessionStore("flask tests: 0123456789abcdefghijklmnopqrstuvwxyz"))
    app.add_url_rule("/all", "/all", lambda: dict(session))
    app.add_url_rule("/id", "/id", lambda: session.id or "")
    app.add_url_rule("/put", "/put", lambda: session.update(request.args.to_dict()) or "")
    return app


def names(answer) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")]


# ---- Flask-Login


class User(UserMixin):
    def __init__(self, id: str) -> None:
        self.id = id


@pytest.fixture
def flask_login() -> Flask:
    app = make()
    manager = LoginManager(app)
    manager.user_loader(User)
    app.add_url_rule(
        "/login",
        "/login",
        lambda: str(
            login_user(User(request.args.get("id", "7")), remember="remember" in request.args)
        ),
    )
    app.add_url_rule("/logout", "/logout", lambda: str(logout_user()))
    app.add_url_rule("/private", "/private", login_required(lambda: current_user.id))
    app.add_url_rule("/api", "/api", require_session_api(lambda: dict(get_session() or {})))
    return app


def test_flask_login_logs_in_and_out(flask_login):
    client = flask_login.test_client()
    assert client.get("/private").status_code == 401
    client.get("/login")
    assert client.get("/private").text == "7"
    client.get("/logout")
    assert client.get("/private").status_code == 401


def test_flask_logins_user_passes_the_guard(flask_login):
    client = flask_login.test_client()
    client.get("/put?cart=tea")
    assert client.get("/api").status_code == 401
    client.get("/login")
    assert client.get("/api").json["_user_id"] == "7"


def test_a_login_by_flask_login_is_a_new_session_that_keeps_the_cart_and_drops_the_csrf_token(
    flask_login,
):
    client = flask_login.test_client()
    client.get("/put?cart=tea&csrf_token=planted")
    before = client.get("/id").text
    answer = client.get("/login")
    assert names(answer) == [NAME, OUT]
    assert client.get("/id").text not in ("", before)
    found = client.get("/all").json
    assert found["cart"] == "tea"
    assert "csrf_token" not in found


def test_a_planted_session_is_dead_after_the_login(flask_login):
    victim, attacker = flask_login.test_client(), flask_login.test_client(use_cookies=False)
    victim.get("/put?cart=tea")
    planted = victim.get_cookie(NAME).value
    victim.get("/login")
    assert attacker.get("/private", headers={"Cookie": f"{NAME}={planted}"}).status_code == 401
    fence = victim.get_cookie(OUT).value
    assert attacker.get("/all", headers={"Cookie": f"{NAME}={planted}; {OUT}={fence}"}).json == {}


def test_another_users_login_ends_the_first_ones_session(flask_login):
    client = flask_login.test_client()
    client.get("/login?id=7")
    first = client.get_cookie(NAME).value
    client.get("/login?id=8")
    assert client.get("/private").text == "8"
    client.set_cookie(NAME, first)  # a late response of the first session
    assert client.get("/private").status_code == 401


def test_a_late_response_after_flask_logins_logout_brings_nobody_back(flask_login):
    client = flask_login.test_client()
    client.get("/login")
    late = client.get_cookie(NAME).value
    client.get("/logout")
    client.set_cookie(NAME, late)
    assert client.get("/private").status_code == 401


@pytest.mark.filterwarnings(
    "ignore:datetime.datetime.utcnow:DeprecationWarning"
)  # Flask-Login 0.6.3
def test_flask_logins_remember_cookie_begins_a_new_session(flask_login):
    client = flask_login.test_client()
    client.get("/login?remember=1")
    client.delete_cookie(NAME)
    answer = client.get("/private")
    assert answer.text == "7"
    assert NAME in names(answer)


def test_a_login_is_one_under_another_gateway_of_the_store_too(flask_login):
    store = SessionStore("flask tests: 0123456789abcdefghijklmnopqrstuvwxyz")
    client = Client(store.wsgi(flask_login))
    client.get("/put?cart=tea&csrf_token=planted")
    before = client.get("/id").text
    client.get("/login")
    assert client.get("/private").text == "7"
    assert client.get("/id").text not in ("", before)
    assert "csrf_token" not in client.get("/all").json


# ---- the login of Flask's own tutorial


@pytest.fixture
def tutorial() -> Flask:
    app = make()

    @app.get("/login/<user>")
    def login(user: str):
        session.clear()
        session["user_id"] = user
        return ""

    @app.get("/logout")
    def logout():
        session.clear()
        return ""

    return app


def test_a_late_answer_after_the_tutorials_login_brings_nobody_back(tutorial):
    client = tutorial.test_client()
    client.get("/login/ada")
    before = client.get("/id").text
    client.get("/put?page=1")
    late = client.get_cookie(NAME).value
    assert names(client.get("/login/bob")) == [NAME, OUT]
    assert client.get("/all").json == {"user_id": "bob"}
    assert client.get("/id").text != before
    client.set_cookie(NAME, late)
    assert client.get("/all").json == {}


def test_a_late_answer_after_the_tutorials_logout_brings_nobody_back(tutorial):
    client = tutorial.test_client()
    client.get("/login/ada")
    late = client.get_cookie(NAME).value
    client.get("/logout")
    client.set_cookie(NAME, late)
    assert client.get("/all").json == {}


def test_the_tutorials_login_signs_nobody_in_unless_its_key_is_named(tutorial):
    tutorial.add_url_rule("/who", "/who", lambda: dict(get_session() or {}))
    client = tutorial.test_client()
    client.get("/login/ada")
    assert client.get("/who").json == {}
    named = Flask(__name__)
    named.config.update(SECRET_KEY=secrets.token_urlsafe(32), SESSION_COOKIE_SECURE=True)
    SessionKit(named, login_keys=["user_id"])
    named.add_url_rule("/login", "/login", lambda: session.update(user_id="ada") or "")
    named.add_url_rule("/who", "/who", lambda: dict(get_session() or {}))
    client = named.test_client()
    client.get("/login", base_url="https://localhost")
    assert client.get("/who", base_url="https://localhost").json == {"user_id": "ada"}


# ---- Flask-WTF


@pytest.fixture
def flask_wtf() -> Flask:
    app = make()
    CSRFProtect(app)
    app.add_url_rule("/form", "/form", generate_csrf)
    app.add_url_rule("/post", "/post", lambda: "posted", methods=["POST"])
    app.add_url_rule("/login", "/login", lambda: session.update(user={"sub": "ann"}) or "")
    return app


def test_flask_wtf_accepts_the_token_of_the_session_and_no_other(flask_wtf):
    client, other = flask_wtf.test_client(), flask_wtf.test_client()
    token = client.get("/form").text
    assert client.post("/post", data={"csrf_token": token}).text == "posted"
    other.get("/form")
    assert other.post("/post", data={"csrf_token": token}).status_code == 400
    assert client.post("/post").status_code == 400


def test_a_csrf_token_of_before_the_login_is_dead_after_it(flask_wtf):
    client = flask_wtf.test_client()
    planted = client.get("/form").text
    client.get("/login")
    assert client.post("/post", data={"csrf_token": planted}).status_code == 400
    assert client.post("/post", data={"csrf_token": client.get("/form").text}).text == "posted"


# ---- Authlib


@pytest.fixture
def authlib() -> Iterator[Flask]:
    app = make()
    oauth = OAuth(app)

    @app.get("/start")
    def start():
        return oauth.site.authorize_redirect("https://example.org/callback")

    @app.get("/callback")
    def callback():
        token = oauth.site.authorize_access_token()
        session["user"] = {"sub": token["access_token"]}
        return "in"

    @app.get("/link")
    def link():
        return oauth.site.authorize_access_token()["access_token"]

    with registered(oauth, "site"):
        yield app


def begin(client) -> str:
    return state_of(client.get("/start").headers["Location"])


def test_authlib_signs_in(authlib):
    client = authlib.test_client()
    state = begin(client)
    before = client.get("/id").text
    assert client.get(f"/callback?state={state}&code=ann").text == "in"
    assert client.get("/all").json == {"user": {"sub": "ann"}}
    assert client.get("/id").text != before


def test_of_two_sign_ins_in_two_tabs_either_may_end_first(authlib):
    client = authlib.test_client()
    first, second = begin(client), begin(client)
    assert first != second
    assert client.get(f"/link?state={first}&code=a").text == "a"
    assert client.get(f"/link?state={second}&code=b").text == "b"
    first, second = begin(client), begin(client)
    assert client.get(f"/callback?state={second}&code=ann").text == "in"
    assert client.get("/all").json == {"user": {"sub": "ann"}}


def test_a_login_ends_the_sign_ins_that_other_tabs_began(authlib):
    client = authlib.test_client()
    first, second = begin(client), begin(client)
    client.get(f"/callback?state={first}&code=ann")
    with pytest.raises(MismatchingStateError):
        client.get(f"/callback?state={second}&code=eve")
    assert client.get("/all").json == {"user": {"sub": "ann"}}


def test_authlib_refuses_a_state_that_this_visitor_did_not_begin(authlib):
    attacker, victim = authlib.test_client(), authlib.test_client()
    state = begin(attacker)
    with pytest.raises(MismatchingStateError):
        victim.get(f"/callback?state={state}&code=eve")


def test_sign_ins_that_nobody_finishes_make_room_for_the_next(authlib):
    client = authlib.test_client()
    for _ in range(20):
        state = begin(client)
    assert client.get(f"/callback?state={state}&code=ann").text == "in"
    assert client.get("/all").json == {"user": {"sub": "ann"}}
