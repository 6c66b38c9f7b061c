"""Flask's own settings as defaults."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface

from sessionkit import (
    ConfigurationError,
    EventKind,
    SessionStore,
    anyone,
    create_session,
    get_session,
)
from sessionkit_flask import SessionKit

OLD, NEW = (
    "old key: 0123456789abcdefghijklmnopqrstuvwxyz",
    "new key: 0123456789abcdefghijklmnopqrstuvwxyz",
)


def make(**config) -> Flask:
    settings = config.pop("settings", {})
    app = Flask(__name__)
    app.testing = True
    app.config.from_mapping({"SECRET_KEY": NEW, **config})
    SessionKit(app, **settings)
    app.add_url_rule("/login", "/login", lambda: dict(create_session({"user": {"sub": "ann"}})))
    app.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    app.add_url_rule(
        "/count", "/count", lambda: session.update(n=session.get("n", 0) + 1) or dict(session)
    )
    return app


def line(app: Flask) -> str:
    """The line that sets the session's cookie; those beside it clear what a login may not have seen."""
    lines = (
        app.test_client()
        .get("/login", base_url="https://example.org/")
        .headers.getlist("Set-Cookie")
    )
    name = app.extensions["sessionkit"].current.settings.name
    (found,) = (line for line in lines if line.startswith(f"{name}=") and "Max-Age=0" not in line)
    return found


def attributes(app: Flask) -> str:
    name, _, rest = line(app).partition(";")
    return name.partition("=")[0] + ";" + rest


def test_the_defaults_are_flasks_but_for_same_site():
    assert attributes(make()) == "session; Path=/; HttpOnly; SameSite=Lax; Priority=High"


def test_secure_gives_the_host_name():
    assert (
        attributes(make(SESSION_COOKIE_SECURE=True))
        == "__Host-session; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High"
    )


def test_every_setting_of_the_cookie_is_read():
    app = make(
        SESSION_COOKIE_NAME="mine",
        SESSION_COOKIE_DOMAIN="example.org",
        SESSION_COOKIE_PATH="/app",
        SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PARTITIONED=True,
    )
    assert (
        attributes(app)
        == "mine; Path=/app; Domain=example.org; Secure; SameSite=Strict; Priority=High; Partitioned"
    )


def test_the_application_root_is_the_path():
    assert "; Path=/app;" in attributes(make(APPLICATION_ROOT="/app"))


def test_a_key_of_the_fallbacks_opens_and_the_secret_key_seals():
    before, after = make(SECRET_KEY=OLD), make(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD])
    cookie = line(before).partition(";")[0]
    assert after.test_client(use_cookies=False).get("/me", headers={"Cookie": cookie}).json == {
        "user": {"sub": "ann"}
    }
    cookie = line(after).partition(";")[0]
    assert make(SECRET_KEY=NEW).test_client(use_cookies=False).get(
        "/me", headers={"Cookie": cookie}
    ).json == {"user": {"sub": "ann"}}


def test_the_lifetime_is_how_long_a_session_may_be_idle():
    now = [1_800_000_000.0]
    app = make(PERMANENT_SESSION_LIFETIME=timedelta(hours=1), settings={"clock": lambda: now[0]})
    client = app.test_client()
    client.get("/login")
    for _ in range(30):
        now[0] += 3599
        assert client.get("/me").json != {}
    now[0] += 3600
    assert client.get("/me").json == {}


def test_without_refreshing_it_is_how_long_a_session_lives():
    now = [1_800_000_000.0]
    app = make(
        PERMANENT_SESSION_LIFETIME=3600,
        SESSION_REFRESH_EACH_REQUEST=False,
        settings={"clock": lambda: now[0]},
    )
    client = app.test_client()
    client.get("/login")
    now[0] += 3599
    answer = client.get("/me")
    assert answer.json != {}
    assert answer.headers.getlist("Set-Cookie") == []
    now[0] += 1
    assert client.get("/me").json == {}


def test_a_setting_given_to_sessionkit_wins():
    app = make(settings={"guard": anyone, "secret": OLD})
    client = app.test_client()
    client.get("/count")
    assert client.get("/me").json == {"n": 1}


def test_a_store_wins_over_everything():
    app = Flask(__name__)
    app.secret_key = "short"
    SessionKit(app, store=SessionStore(OLD))
    app.add_url_rule("/login", "/login", lambda: dict(create_session({"user": {"sub": "ann"}})))
    assert attributes(app).startswith("__Host-session; Max-Age=")


def test_the_settings_are_read_at_the_first_request():
    app = Flask(__name__)
    SessionKit(app)
    app.add_url_rule("/login", "/login", lambda: dict(create_session({"user": {"sub": "ann"}})))
    app.config.update(SECRET_KEY=NEW, SESSION_COOKIE_NAME="late")
    assert attributes(app).startswith("late;")


def test_a_short_secret_key_is_refused_with_the_reason():
    app = make(SECRET_KEY="dev")
    with pytest.raises(ConfigurationError, match="at least 32"):
        app.test_client().get("/me")


def test_without_a_secret_key_the_session_reads_empty_and_says_so_when_written():
    app = make(SECRET_KEY=None)
    app.add_url_rule("/read", "/read", lambda: dict(session))
    assert app.test_client().get("/read").json == {}
    with pytest.raises(RuntimeError, match="secret"):
        app.test_client().get("/count")


def install_flasks_own(app: Flask) -> None:
    app.session_interface = SecureCookieSessionInterface()


@pytest.mark.parametrize(
    ("install", "told"), [(install_flasks_own, [EventKind.TWO_SESSIONS]), (SessionKit, [])]
)
def test_sessions_of_another_library_that_come_after_ours_are_told_once(install, told):
    events = []
    app = make(settings={"on_event": lambda event: events.append(event.kind)})
    install(app)
    for _ in range(3):
        app.test_client().get("/count")
    assert events == told


def test_plain_http_in_production_is_warned_of(caplog):
    app = make()
    app.testing = False
    with caplog.at_level(logging.WARNING, "sessionkit"):
        app.test_client().get("/me")
    assert [one.message.partition(":")[0] for one in caplog.records] == [
        "SESSION_COOKIE_SECURE is not set"
    ]
