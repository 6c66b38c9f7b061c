"""A store from the arguments of Starlette's own session middleware."""

from __future__ import annotations

import logging
from datetime import timedelta
from inspect import signature
from typing import get_type_hints

import pytest

from sessionkit import ConfigurationError, CookieSettings, Lifetime, SessionStore, anyone
from sessionkit._frameworks.starlette_arguments import Arguments, store_from_arguments

KEY, OLD = (
    "new key: 0123456789abcdefghijklmnopqrstuvwxyz",
    "old key: 0123456789abcdefghijklmnopqrstuvwxyz",
)
DAY = 86_400


class Secret:
    """As starlette.datastructures.Secret."""

    def __str__(self) -> str:
        return KEY

    def __repr__(self) -> str:
        return "Secret('**********')"


def settings(secret: object = KEY, **arguments):
    return store_from_arguments(secret, **arguments).settings


def test_the_defaults_are_starlettes():
    assert settings().cookie == CookieSettings(name="session", secure=False, priority="High")
    assert settings().lifetime == Lifetime(idle=14 * DAY, absolute=400 * DAY)


def test_a_secure_cookie_has_the_host_name():
    assert settings(https_only=True).name == "__Host-session"


def test_a_name_that_is_given_is_taken_at_its_word():
    assert settings(https_only=True, session_cookie="session").name == "session"


def test_the_attributes_of_the_cookie():
    cookie = settings(
        session_cookie="admin",
        path="/admin",
        domain="example.org",
        same_site="strict",
        https_only=True,
        partitioned=True,
    ).cookie
    assert cookie == CookieSettings(
        name="admin",
        path="/admin",
        domain="example.org",
        same_site="Strict",
        partitioned=True,
        priority="High",
    )


def test_without_a_max_age_the_browser_forgets_it():
    assert settings(max_age=None).cookie.transient
    assert settings(max_age=None).lifetime == Lifetime()


def test_a_max_age_beyond_what_browsers_keep_is_kept_anyway():
    assert settings(max_age=500 * DAY).lifetime == Lifetime(idle=500 * DAY, absolute=500 * DAY)


@pytest.mark.parametrize(
    "secret", [KEY, KEY.encode(), Secret(), [KEY, OLD], (Secret(), OLD.encode())]
)
def test_the_first_secret_seals(secret):
    store = store_from_arguments(secret, https_only=True)
    assert store.settings.codec.ids[0] == SessionStore(KEY).settings.codec.ids[0]


def test_all_secrets_open():
    assert len(settings([KEY, OLD]).codec.ids) == 2


def test_settings_of_the_store_win():
    assert settings(guard=anyone, lifetime=Lifetime(idle=60)).guard is anyone
    assert settings(lifetime=Lifetime(idle=60)).lifetime.idle == 60


def test_a_given_cookie_and_lifetime_keep_what_they_do_not_name():
    made = settings(
        same_site="strict",
        https_only=True,
        max_age=900,
        cookie=CookieSettings(path="/shop"),
        lifetime=Lifetime(absolute=DAY),
    )
    assert made.cookie == CookieSettings(
        name="session", path="/shop", same_site="Strict", priority="High"
    )
    assert made.lifetime == Lifetime(idle=900, absolute=DAY)
    assert settings(lifetime=Lifetime(absolute=DAY)).lifetime == Lifetime(absolute=DAY)
    assert settings(cookie=CookieSettings(path="/shop")).cookie.secure
    assert settings(max_age=None, cookie=CookieSettings(path="/shop")).cookie.transient
    assert not settings(max_age=None, cookie=CookieSettings(transient=False)).cookie.transient


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"secret": "short"}, "secret_key: secret 1 has 5 bytes"),
        ({"secret": [KEY, "old"]}, "secret_key: secret 2 has 3 bytes"),
        ({"session_cookie": "a b"}, "session_cookie: the cookie name"),
        ({"max_age": "3600"}, "max_age: idle must be a number of seconds"),
        ({"max_age": 0}, "max_age: idle must be between"),
        ({"path": "x"}, "path: the cookie's path"),
        ({"same_site": "none"}, "same_site: a browser refuses SameSite=None without Secure"),
        ({"same_site": None}, "same_site: same_site must be"),
        ({"https_only": "yes"}, "https_only: the cookie's secure must be bool"),
        ({"domain": "http://x"}, "domain: the cookie's domain"),
        ({"partitioned": True}, "partitioned: a browser refuses Partitioned"),
        ({"lifetime": 3}, "lifetime must be Lifetime"),
    ],
)
def test_an_argument_that_cannot_work_is_named(arguments, named):
    with pytest.raises(ConfigurationError) as refused:
        settings(**arguments)
    assert str(refused.value).startswith(named)
    assert KEY not in str(refused.value)


def test_a_max_age_may_be_a_timedelta():
    made = settings(max_age=timedelta(hours=1), lifetime=Lifetime(absolute=DAY)).lifetime
    assert made == Lifetime(idle=3600, absolute=DAY)


def test_a_cookie_that_is_not_secure_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING, "sessionkit"):
        settings(https_only=True)
        assert caplog.messages == []
        settings()
    message = (
        "https_only is not set: the session goes over plain http too, and its cookie is not a __Host- cookie. Set it to True"
        " in production"
    )
    assert [message] == caplog.messages


def test_type_checkers_know_every_argument():
    taken = {*signature(store_from_arguments).parameters, *signature(SessionStore).parameters}
    assert taken - {"settings"} == set(get_type_hints(Arguments))
