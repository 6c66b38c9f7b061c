"""A store from the settings of an application of Flask or Quart."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    Lifetime,
)
from sessionkit._frameworks.flask_settings import read_values, store_from_config

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
        name="given", same_site="Strict", http_only=False, transient=True, priority="High"
    )
    assert made({"cookie": CookieSettings(same_site="Lax")}, **config).cookie.same_site == "Lax"
    assert made({"cookie": CookieSettings(transient=False)}).cookie.transient is False
    settings = made({"cookie": CookieSettings(name="given")}, APPLICATION_ROOT="/app")
    assert settings.cookie.path == "/app"
    settings = made({"cookie": CookieSettings(path="/shop")}, APPLICATION_ROOT="/app")
    assert settings.cookie.path == "/shop"


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


def test_a_lifetime_that_is_given_keeps_the_absolute_limit_that_was_set():
    def lifetime(given):
        config = {"PERMANENT_SESSION_LIFETIME": 7200, "SESSION_REFRESH_EACH_REQUEST": False}
        return made({"lifetime": given}, **config).lifetime

    assert lifetime(Lifetime()) == Lifetime(rolling=False, absolute=7200)
    assert lifetime(Lifetime(absolute=DAY)) == Lifetime(rolling=False, absolute=DAY)
    assert lifetime(Lifetime(idle=60)) == Lifetime(idle=60, absolute=7200)
    assert lifetime(Lifetime(rolling=True)) == Lifetime(absolute=7200)
    with pytest.raises(ConfigurationError, match="longer than absolute"):
        lifetime(Lifetime(idle=DAY))
    with pytest.raises(ConfigurationError, match="lifetime must be Lifetime"):
        lifetime(7200)


def test_a_secret_that_is_given_is_enough():
    store = store_from_config(
        {**DEFAULTS, "SECRET_KEY": None}, {"secret": OLD}, for_development=True
    )
    assert store is not None
    assert store.settings.codec.ids == made(SECRET_KEY=OLD).codec.ids


def test_there_is_no_store_without_a_secret():
    assert store_from_config({**DEFAULTS, "SECRET_KEY": None}, {}, for_development=False) is None


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"SECRET_KEY": "dev"}, "SECRET_KEY: secret 1 has 3 bytes"),
        ({"SECRET_KEY_FALLBACKS": ["old"]}, "SECRET_KEY_FALLBACKS: secret 2 has 3 bytes"),
        ({"SESSION_COOKIE_NAME": "a b"}, "SESSION_COOKIE_NAME: the cookie name"),
        ({"SESSION_COOKIE_PATH": "x"}, "SESSION_COOKIE_PATH: the cookie's path"),
        ({"APPLICATION_ROOT": "x"}, "APPLICATION_ROOT: the cookie's path"),
        ({"SESSION_COOKIE_DOMAIN": "a b"}, "SESSION_COOKIE_DOMAIN: the cookie's domain"),
        ({"SESSION_COOKIE_SAMESITE": "lux"}, "SESSION_COOKIE_SAMESITE: same_site must be"),
        ({"SESSION_COOKIE_PARTITIONED": True}, "SESSION_COOKIE_PARTITIONED: a browser refuses"),
        ({"SESSION_COOKIE_SAMESITE": 3}, "SESSION_COOKIE_SAMESITE: same_site must be"),
        ({"PERMANENT_SESSION_LIFETIME": 0}, "PERMANENT_SESSION_LIFETIME: idle must be"),
        ({"PERMANENT_SESSION_LIFETIME": "60"}, "PERMANENT_SESSION_LIFETIME: idle must be"),
    ],
)
def test_a_setting_that_cannot_work_is_named(config, named):
    with pytest.raises(ConfigurationError) as refused:
        made(**config)
    assert str(refused.value).startswith(named)


@pytest.mark.parametrize("given", ["strict", "Strict", "STRICT"])
def test_same_site_may_be_written_in_any_case(given):
    assert made(SESSION_COOKIE_SAMESITE=given).cookie.same_site == "Strict"


def test_two_settings_that_cannot_work_together_are_both_named():
    with pytest.raises(ConfigurationError) as refused:
        made(
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_NAME="__Host-mine",
            SESSION_COOKIE_DOMAIN="example.org",
        )
    assert str(refused.value).startswith("SESSION_COOKIE_NAME and SESSION_COOKIE_DOMAIN and ")


def test_an_argument_that_cannot_work_names_no_setting():
    with pytest.raises(ConfigurationError, match=r"^secret 1 has 3 bytes"):
        made({"secret": "dev"})


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
