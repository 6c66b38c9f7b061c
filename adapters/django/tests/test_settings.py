"""Django's settings, SESSIONKIT on top, and manage.py check."""

from __future__ import annotations

import pytest
from django.contrib.admin.checks import check_dependencies
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from sessionkit import CookieSettings, Lifetime, SessionStore
from sessionkit_django import SessionMiddleware
from sessionkit_django.config import gateway
from sessionkit_django.testing import Client

SECRET = "settings tests: 0123456789abcdefghijklmnopqrstuvwxyz"


def settings():
    return gateway().settings


def test_the_defaults_are_djangos():
    found = settings()
    assert (found.name, found.cookie.same_site, found.cookie.http_only, found.cookie.transient) == (
        "__Host-session",
        "Lax",
        True,
        False,
    )
    assert (found.lifetime.idle, found.lifetime.absolute) == (1_209_600, 34_560_000)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"SESSION_COOKIE_SECURE": False}, "sessionid"),
        ({"SESSION_COOKIE_PATH": "/app/"}, "sessionid"),
        ({"SESSION_COOKIE_DOMAIN": "example.org"}, "sessionid"),
        ({"SESSION_COOKIE_NAME": "mine"}, "mine"),
        ({"SESSION_COOKIE_NAME": "sessionid"}, "sessionid"),
    ],
)
def test_the_cookies_name_is_as_strict_as_it_can_be(given, name):
    with override_settings(**given):
        assert settings().name == name


def test_each_setting_of_the_cookie_arrives():
    given = {
        "PATH": "/app/",
        "DOMAIN": "example.org",
        "HTTPONLY": False,
        "SAMESITE": "Strict",
        "AGE": 600,
    }
    with override_settings(
        **{f"SESSION_COOKIE_{name}": value for name, value in given.items()},
        SESSION_EXPIRE_AT_BROWSER_CLOSE=True,
    ):
        cookie = settings().cookie
        assert (
            cookie.path,
            cookie.domain,
            cookie.http_only,
            cookie.same_site,
            cookie.transient,
        ) == ("/app/", "example.org", False, "Strict", True)
        assert settings().lifetime.idle == 600


@pytest.mark.parametrize("none", [None, False])
def test_no_same_site_is_lax(none):
    with override_settings(SESSION_COOKIE_SAMESITE=none):
        assert settings().cookie.same_site == "Lax"


@pytest.mark.parametrize("given", ["strict", "Strict", "STRICT"])
def test_same_site_may_be_written_in_any_case(given):
    with override_settings(SESSION_COOKIE_SAMESITE=given):
        assert settings().cookie.same_site == "Strict"


def test_an_old_secret_still_opens():
    client = Client()
    client.get("/put?a=1")
    old = "django tests: 0123456789abcdefghijklmnopqrstuvwxyz"
    with override_settings(SECRET_KEY=SECRET, SECRET_KEY_FALLBACKS=[old]):
        assert client.get("/everything").json() == {"a": "1"}
    with override_settings(SECRET_KEY=SECRET):
        assert client.get("/everything").json() == {}


@pytest.mark.parametrize(
    ("every_request", "renewed"), [(False, set()), (True, {"__Host-seen.session"})]
)
def test_reading_is_activity_where_every_request_saves(every_request, renewed):
    def visit(now: float, header: str = ""):
        def view(request):
            request.session.setdefault("a", 1)
            return HttpResponse()

        given = {"clock": lambda: now, "secret": SECRET}
        with override_settings(SESSIONKIT=given, SESSION_SAVE_EVERY_REQUEST=every_request):
            return SessionMiddleware(view)(
                RequestFactory().get("/", headers={"cookie": header})
            ).cookies

    (first,) = visit(1_800_000_000).values()
    assert set(visit(1_800_000_100, f"{first.key}={first.value}")) == renewed


def test_sessionkit_wins():
    with override_settings(
        SESSIONKIT={
            "secret": SECRET,
            "lifetime": Lifetime(idle=60),
            "cookie": CookieSettings(name="mine"),
        }
    ):
        assert (settings().name, settings().lifetime.idle) == ("mine", 60)


def test_sessionkit_keeps_the_settings_of_django_that_it_does_not_name():
    given = {
        "secret": SECRET,
        "lifetime": Lifetime(absolute=43_200),
        "cookie": CookieSettings(path="/shop"),
    }
    with override_settings(
        SESSIONKIT=given, SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_AGE=900
    ):
        assert (settings().cookie.same_site, settings().cookie.path) == ("Strict", "/shop")
        assert settings().lifetime == Lifetime(idle=900, absolute=43_200)


def test_a_store_says_everything():
    store = SessionStore(SECRET, cookie=CookieSettings(name="mine"))
    with override_settings(SESSIONKIT={"store": store}):
        assert settings().name == "mine"


BAD = [
    ({"SESSIONKIT": {"secret": None}}, "secret"),
    ({"SESSIONKIT": {"secret": "short"}}, "at least 32"),
    ({"SESSIONKIT": {"secrets": SECRET}}, "secrets"),
    ({"SESSIONKIT": {"store": "path.to.store"}}, "must be a SessionStore"),
    ({"SESSIONKIT": {"store": SessionStore(SECRET), "audience": "a"}}, "stand alone"),
    ({"SESSIONKIT": "secret"}, "must be a dict"),
    ({"SECRET_KEY": "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz"}, "startproject"),
    ({"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": False}, "SameSite=None"),
    ({"SESSION_COOKIE_AGE": 0}, "between 1 second"),
    ({"SESSION_COOKIE_AGE": 0}, "SESSION_COOKIE_AGE: idle"),
    ({"SESSION_COOKIE_AGE": "3600"}, "SESSION_COOKIE_AGE: idle must be a number of seconds"),
    ({"SESSION_COOKIE_NAME": "a b"}, "SESSION_COOKIE_NAME: the cookie name"),
    ({"SESSION_COOKIE_PATH": "x"}, "SESSION_COOKIE_PATH: the cookie's path"),
    ({"SESSION_COOKIE_SAMESITE": "weird"}, "SESSION_COOKIE_SAMESITE: same_site must be"),
    ({"SESSION_COOKIE_SAMESITE": 3}, "SESSION_COOKIE_SAMESITE: same_site must be"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY: secret 1 has 5 bytes"),
    ({"SECRET_KEY_FALLBACKS": ["old"]}, "SECRET_KEY_FALLBACKS: secret 2 has 3 bytes"),
    ({"SESSIONKIT": {"backend": "mysql://x"}}, "sessionkit: SESSIONKIT_BACKEND: "),
]


@pytest.mark.parametrize(("given", "words"), BAD)
def test_a_setting_that_cannot_work_stops_the_server_and_the_check(given, words):
    with override_settings(**given):
        with pytest.raises(ImproperlyConfigured, match=words):
            SessionMiddleware(lambda request: HttpResponse())
        (error,) = (one for one in run_checks() if one.id == "sessionkit.E001")
        assert words in error.msg


def ids(**named) -> list[str]:
    return [one.id for one in run_checks(**named)]


def test_the_check_is_clean():
    assert [one for one in ids() if one.startswith(("sessionkit", "admin.E4"))] == []


def test_the_admin_takes_the_middleware_for_djangos():
    assert "admin.E410" not in [one.id for one in check_dependencies()]
    with override_settings(MIDDLEWARE=[]):
        assert "admin.E410" in [one.id for one in check_dependencies()]


def test_the_deployment_check_asks_for_a_secure_cookie():
    assert "sessionkit.W001" not in ids(include_deployment_checks=True)
    with override_settings(SESSION_COOKIE_SECURE=False):
        assert "sessionkit.W001" in ids(include_deployment_checks=True)
        assert "sessionkit.W001" not in ids()


def test_djangos_own_middleware_is_an_error_of_the_check():
    with override_settings(
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "no.such.Middleware"]
    ):
        assert "sessionkit.E003" in ids()


def test_another_engine_is_an_error_of_the_check_and_stops_the_server():
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        assert "sessionkit.E002" in ids()
        with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
            SessionMiddleware(lambda request: HttpResponse())


def test_an_engine_of_ones_own_is_served():
    with override_settings(SESSION_ENGINE="engine_of_ones_own"):
        request = RequestFactory().get("/")
        SessionMiddleware(lambda request: HttpResponse())(request)
        assert type(request.session).__module__ == "engine_of_ones_own"
        assert "sessionkit.E002" not in ids()


@pytest.mark.parametrize(("forwarded", "warned"), [("https", 0), ("http", 1)])
def test_behind_a_proxy_the_scheme_is_the_one_that_django_knows(forwarded, warned):
    told = []
    store = SessionStore(SECRET, on_event=lambda event: told.append(event.kind.name))

    def view(request):
        request.session["a"] = 1
        return HttpResponse()

    with override_settings(
        SESSIONKIT={"store": store}, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")
    ):
        SessionMiddleware(view)(
            RequestFactory().get(
                "/", headers={"x-forwarded-proto": forwarded, "host": "example.org"}
            )
        )
    assert told == ["INSECURE"] * warned
