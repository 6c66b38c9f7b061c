"""A store from the settings of an application."""

from __future__ import annotations

import logging
from datetime import timedelta
from wsgiref.headers import Headers

import pytest

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SerializationError,
    SessionStore,
    get_session,
)
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.dotted import store_from_dotted
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._frameworks.flask_session import KEYS, FlaskFamilySession
from sessionkit._frameworks.flask_settings import read_values, store_from_config
from sessionkit._requests.views import WSGIRequest
from sessionkit.wsgi import SessionMiddleware

KEY, OLD = (
    "new key: 0123456789abcdefghijklmnopqrstuvwxyz",
    "old key: 0123456789abcdefghijklmnopqrstuvwxyz",
)
DEFAULTS = {
    "SECRET_KEY": KEY,
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_SAMESITE": None,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "SESSION_REFRESH_EACH_REQUEST": True,
    "APPLICATION_ROOT": "/",
}
DAY = 86_400


def made(settings=None, **config):
    store = store_from_config({**DEFAULTS, **config}, settings or {}, for_development=True)
    assert store is not None
    return store.settings


def test_the_defaults_of_the_framework():
    assert made().cookie == CookieSettings(
        name="session", secure=False, transient=True, priority="High"
    )
    assert made().lifetime == Lifetime(idle=31 * DAY, absolute=400 * DAY)


def test_a_secure_cookie_has_the_host_name():
    assert made(SESSION_COOKIE_SECURE=True).name == "__Host-session"


def test_every_setting_of_the_cookie():
    config = {
        "SESSION_COOKIE_NAME": "mine",
        "SESSION_COOKIE_DOMAIN": "example.org",
        "SESSION_COOKIE_PATH": "/app",
        "SESSION_COOKIE_HTTPONLY": False,
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_PARTITIONED": True,
    }
    wanted = CookieSettings(
        name="mine",
        domain="example.org",
        path="/app",
        http_only=False,
        secure=True,
        same_site="Strict",
        partitioned=True,
        transient=True,
        priority="High",
    )
    assert made(**config).cookie == wanted


def test_the_root_of_the_application_is_the_path():
    assert made(APPLICATION_ROOT="/app").cookie.path == "/app"


@pytest.mark.parametrize("lifetime", [3600, timedelta(hours=1)])
def test_the_lifetime_is_how_long_a_session_may_be_idle_or_lives(lifetime):
    assert made(PERMANENT_SESSION_LIFETIME=lifetime).lifetime == Lifetime(
        idle=3600, absolute=400 * DAY
    )
    assert made(
        PERMANENT_SESSION_LIFETIME=lifetime, SESSION_REFRESH_EACH_REQUEST=False
    ).lifetime == Lifetime(rolling=False, absolute=3600)


def test_a_longer_lifetime_than_browsers_keep_a_cookie_is_the_absolute_one():
    assert made(PERMANENT_SESSION_LIFETIME=500 * DAY).lifetime == Lifetime(
        idle=500 * DAY, absolute=500 * DAY
    )


def test_the_secret_key_seals_and_the_fallbacks_open():
    (first, second) = made(SECRET_KEY_FALLBACKS=[OLD]).codec.ids
    assert made().codec.ids == (first,)
    assert made(SECRET_KEY=OLD).codec.ids == (second,)


def test_what_is_given_wins():
    settings = made({"secret": OLD, "lifetime": Lifetime(), "cookie": CookieSettings(name="given")})
    assert settings.name == "given"
    assert settings.lifetime == Lifetime()
    assert settings.codec.ids == made(SECRET_KEY=OLD).codec.ids


def test_a_cookie_that_is_given_keeps_what_it_does_not_name():
    config = {"SESSION_COOKIE_SAMESITE": "Strict", "SESSION_COOKIE_HTTPONLY": False}
    settings = made({"cookie": CookieSettings(name="given")}, **config)
    assert settings.cookie == CookieSettings(
        name="given", same_site="Strict", http_only=False, priority="High"
    )
    assert made({"cookie": CookieSettings(same_site="Lax")}, **config).cookie.same_site == "Lax"


def test_a_lifetime_that_is_given_keeps_the_idle_limit_that_was_set():
    def lifetime(given, **config):
        return made(
            {"lifetime": given}, PERMANENT_SESSION_LIFETIME=timedelta(hours=2), **config
        ).lifetime

    assert lifetime(Lifetime(absolute=DAY)) == Lifetime(idle=7200, absolute=DAY)
    assert lifetime(Lifetime(absolute=3600)) == Lifetime(idle=3600, absolute=3600)
    assert lifetime(Lifetime(absolute=None)) == Lifetime(idle=7200, absolute=None)
    assert lifetime(Lifetime(idle=60)) == Lifetime(idle=60)
    assert lifetime(Lifetime(rolling=False, absolute=DAY)) == Lifetime(rolling=False, absolute=DAY)
    assert lifetime(Lifetime(), SESSION_REFRESH_EACH_REQUEST=False) == Lifetime()


def test_a_secret_that_is_given_is_enough():
    store = store_from_config(
        {**DEFAULTS, "SECRET_KEY": None}, {"secret": OLD}, for_development=True
    )
    assert store is not None
    assert store.settings.codec.ids == made(SECRET_KEY=OLD).codec.ids


def test_there_is_no_store_without_a_secret():
    assert store_from_config({**DEFAULTS, "SECRET_KEY": None}, {}, for_development=False) is None


def test_a_short_secret_is_refused():
    with pytest.raises(ConfigurationError):
        made(SECRET_KEY="dev")


@pytest.mark.parametrize(
    ("secure", "for_development", "warned"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
def test_plain_http_in_production_is_warned_of(caplog, secure, for_development, warned):
    with caplog.at_level(logging.WARNING, "sessionkit"):
        store_from_config(
            {**DEFAULTS, "SESSION_COOKIE_SECURE": secure}, {}, for_development=for_development
        )
    assert [one.message.partition(" ")[0] for one in caplog.records] == [
        "SESSION_COOKIE_SECURE"
    ] * warned


class Configured:
    def __init__(self, config):
        self.config = config


def test_a_change_of_any_setting_is_seen():
    changes = {
        **dict.fromkeys(DEFAULTS, "other"),
        "SECRET_KEY_FALLBACKS": [OLD],
        "SESSION_COOKIE_PARTITIONED": True,
    }
    assert [
        name
        for name, value in changes.items()
        if read_values(Configured({**DEFAULTS, name: value})) == read_values(Configured(DEFAULTS))
    ] == []


# ---- dotted settings


def test_dotted_settings_are_the_variables_by_another_name(monkeypatch):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    secret = KEY.replace(" ", "")
    config = {
        "sessionkit.secret": secret,
        "sessionkit.idle": 600,
        "sessionkit.cookie_secure": False,
        "pyramid.reload": True,
    }
    settings = store_from_dotted(config, {}).settings
    assert (settings.name, settings.lifetime.idle, settings.codec.ids) == (
        "session",
        600,
        SessionStore(secret).settings.codec.ids,
    )


def test_what_dotted_settings_do_not_say_the_environment_may(monkeypatch):
    monkeypatch.setenv("SESSIONKIT_SECRET", KEY.replace(" ", ""))
    monkeypatch.setenv("SESSIONKIT_IDLE", "60")
    settings = store_from_dotted({"sessionkit.idle": "600"}, {"audience": "shop"}).settings
    assert (settings.lifetime.idle, settings.audience) == (600, "shop")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "SESSIONKIT_SECRET is not set"),
        ({"sessionkit.idel": "1"}, "did you mean SESSIONKIT_IDLE"),
    ],
)
def test_dotted_settings_that_cannot_work_are_refused(monkeypatch, config, said):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match=said):
        store_from_dotted(config, {})


# ---- the session object and the gateway of Flask and Quart


def test_the_session_object_tells_whether_it_was_accessed_and_modified():
    with SessionStore(KEY).exchange() as exchange:
        session = FlaskFamilySession(exchange)
        assert (session.accessed, session.modified) == (False, False)
        session.accessed = session.modified = True  # what the frameworks and their extensions do
        assert (session.accessed, session.modified) == (False, False)
        session["cart"] = []
        assert (session.accessed, session.modified) == (True, True)


def test_flashed_messages_are_tuples():
    with SessionStore(KEY).exchange() as exchange:
        session = FlaskFamilySession(exchange)
        session["_flashes"] = session["cart"] = [["message", "saved"]]
        assert (session["_flashes"], session["cart"]) == (
            [("message", "saved")],
            [["message", "saved"]],
        )


@pytest.mark.parametrize(
    ("contents", "transient"),
    [({}, None), ({"_permanent": True}, False), ({"_permanent": False}, True)],
)
def test_permanent_says_whether_the_browser_forgets_it(contents, transient):
    assert KEYS.transient(contents) is transient


class Application:
    """What Flask's and Quart's have in common, over WSGI."""

    def __init__(self, **config):
        self.config = {**DEFAULTS, **config}
        self.extensions, self.debug, self.testing = {}, False, True

    def served_as(self, environ, start_response):
        start_response("200 OK", [])
        return (
            [str(get_session(environ)).encode()]
            if "sessionkit.exchange" in environ
            else [b"no gateway"]
        )


class Kept(FlaskFamilyExtension):
    tags = None

    """A kit that keeps what it has made."""

    def _serve(self, app):
        self.front = self.make_gateway(app, app.served_as, SessionMiddleware)


def served(front):
    return b"".join(front({"REQUEST_METHOD": "GET"}, lambda status, headers: None))


def test_a_gateway_is_made_anew_when_the_settings_change_and_not_else():
    app = Application(SECRET_KEY=None)
    front = Kept(app).front
    assert front.current is None
    app.config["SECRET_KEY"] = KEY
    first = front.current
    assert first.settings.name == "session"
    assert front.current is first
    app.config["SESSION_COOKIE_NAME"] = "mine"
    assert front.current.settings.name == "mine"


def test_a_gateway_of_a_store_that_was_given_stays():
    app, store = Application(), SessionStore(OLD)
    kit = Kept(store=store)
    kit.init_app(app)
    first = kit.front.current
    app.config["SECRET_KEY"] = "other"
    assert kit.front.current is first
    assert first.settings.same_store(store.settings)


def test_a_gateway_knows_the_keys_of_the_framework_and_the_settings_of_the_kit():
    settings = Kept(Application(), audience="shop").front.current.settings
    assert (settings.framework, settings.audience) == (KEYS, "shop")


def test_an_application_without_a_secret_key_is_served_as_it_is():
    app = Application(SECRET_KEY=None)
    front = Kept(app).front
    assert served(front) == b"no gateway"
    app.config["SECRET_KEY"] = KEY
    assert served(front) == b"None"


@pytest.mark.parametrize(
    ("debug", "testing", "warned"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
def test_plain_http_is_fine_while_an_application_is_debugged_or_tested(
    caplog, debug, testing, warned
):
    app = Application()
    app.debug, app.testing = debug, testing
    with caplog.at_level(logging.WARNING, "sessionkit"):
        assert Kept(app).front.current is not None
    assert bool(caplog.records) is warned


def test_the_exchange_in_an_application_is_none_without_a_secret_key():
    app = Application(SECRET_KEY=None)
    kit = Kept(app)
    assert kit.open_exchange(app, WSGIRequest({})) is None
    app.config["SECRET_KEY"] = KEY
    assert (
        kit.open_exchange(app, WSGIRequest({})).settings
        is app.extensions["sessionkit"].current.settings
    )


class Answer:
    """A response of Werkzeug's, as far as it matters here."""

    def __init__(self, status_code=200):
        self.status_code, self.headers = status_code, Headers([("Content-Type", "text/plain")])


def test_to_save_writes_the_response_where_no_gateway_does():
    exchange = SessionStore(KEY).begin(HeaderRequest(), owned=False)
    session, answer = FlaskFamilySession(exchange), Answer()
    session["cart"] = ["tea"]
    session.save_into(answer)
    assert [line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie")] == [
        "__Host-session"
    ]


def test_to_save_leaves_the_response_to_the_gateway_and_raises_what_cannot_be_kept():
    with SessionStore(KEY).exchange() as exchange:
        session, answer = FlaskFamilySession(exchange), Answer()
        session["cart"] = ["tea"]
        session.save_into(answer)
        assert answer.headers.items() == [("Content-Type", "text/plain")]
        session["cart"] = {1}
        with pytest.raises(SerializationError):
            session.save_into(answer)
        session.save_into(Answer(500))  # is rolled back
        del session["cart"]
