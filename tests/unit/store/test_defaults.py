"""What is left out has a default, and what is given is taken at its word, be it the very default."""

from __future__ import annotations

import pytest

from sessionkit import (
    ConfigurationError,
    CookieSettings,
    Lifetime,
    SessionStore,
    anyone,
    has_user,
    subject,
)
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._requests.gateway import Gateway
from sessionkit.formats import Auth0V3, ExpressOpenID, Native, NextAuthV4

from ..scene import SECRET

KEYS = FrameworkKeys(login=("_user_id",))


def judges(framework=None, audience=None, **named):
    """The guard and identity of a store, of one for another audience, or of a gateway for a framework."""
    store = SessionStore(SECRET, **named)
    if audience is not None:
        store = store.for_audience(audience)
    settings = Gateway(None, store, framework=framework).settings
    return settings.guard, settings.identity


@pytest.mark.parametrize("format", [Native(), NextAuthV4(), ExpressOpenID(), Auth0V3()])
@pytest.mark.parametrize("framework", [None, KEYS])
@pytest.mark.parametrize("audience", [None, "tenant"])
def test_a_guard_and_an_identity_that_are_given_hold_everywhere(format, framework, audience):
    if audience and not isinstance(format, Native):
        audience = None
    given = {"guard": has_user, "identity": subject}
    assert judges(framework, audience, format=format, **given) == (has_user, subject)


@pytest.mark.parametrize("format", [NextAuthV4(), ExpressOpenID()])
def test_what_is_left_out_is_the_formats_each_by_itself(format):
    guard, identity = format.traits.guard, format.traits.identity
    assert judges(format=format) == (guard, identity)
    assert judges(format=format, guard=has_user) == (has_user, identity)
    assert judges(format=format, identity=subject) == (guard, subject)
    assert judges(format=format, guard=None, identity=None) == (guard, identity)


def test_a_session_without_a_user_is_refused_where_the_guard_that_asks_for_one_was_given():
    store = SessionStore(SECRET, format=NextAuthV4(), guard=has_user)
    with store.exchange(), pytest.raises(ValueError, match="guard"):
        store.create_session({"email": "ada@example.com"})


def test_a_framework_signs_nobody_in_by_its_login_keys_where_a_guard_was_given():
    guard, _ = judges(KEYS, guard=has_user)
    assert guard({"_user_id": "7"}) is False
    guard, _ = judges(KEYS)
    assert guard({"_user_id": "7"}) is True


def test_a_framework_adds_its_login_keys_to_those_of_the_store():
    settings = Gateway(None, SessionStore(SECRET, login_keys=["account"]), framework=KEYS).settings
    assert settings.guard({"account": 7}) is True
    assert settings.guard({"_user_id": "7"}) is True
    assert settings.login_keys == ("account", "_user_id")


def test_login_keys_know_the_guard_of_the_format():
    guard, identity = judges(KEYS, format=NextAuthV4())
    assert guard({"email": "ada@example.com"}) is True
    assert identity({"email": "ada@example.com", "_user_id": "7"}) == {
        "user": ("email", "ada@example.com"),
        "_user_id": "7",
    }


def test_a_named_key_signs_in_without_any_framework():
    store = SessionStore(SECRET, login_keys=["user_id"])
    with store.exchange():
        assert store.create_session({"user_id": 7}) == {"user_id": 7}
        assert store.get_session() == {"user_id": 7}


@pytest.mark.parametrize("keys", ["user_id", [""], [7]])
def test_login_keys_are_a_sequence_of_keys(keys):
    with pytest.raises(ConfigurationError, match="login_keys must be a sequence of keys"):
        SessionStore(SECRET, login_keys=keys)


# ---- cookies and lifetimes


def attributes(cookie, format):
    store = SessionStore(
        SECRET, format=format, cookie=cookie, guard=anyone, clock=lambda: 1_800_000_000
    )
    with store.exchange() as exchange:
        store.create_session({"user": {"sub": "ada"}})
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    return [one.partition(";")[2] for one in lines]


PRIORITIES = ["auto", None, "Low", "Medium", "High"]


@pytest.mark.parametrize("format", [Native(), Auth0V3()])
@pytest.mark.parametrize("one", PRIORITIES)
@pytest.mark.parametrize("other", PRIORITIES)
def test_equal_settings_set_equal_cookies(format, one, other):
    first, second = CookieSettings(priority=one), CookieSettings(priority=other)
    assert first != second or attributes(first, format) == attributes(second, format)


@pytest.mark.parametrize(
    ("format", "priority", "expected"),
    [
        (Native(), "auto", "High"),
        (Native(), None, None),
        (Auth0V3(), "auto", None),
        (Auth0V3(), "High", "High"),
    ],
)
def test_a_priority_that_is_given_is_set_in_every_format(format, priority, expected):
    found = attributes(CookieSettings(priority=priority), format)[0]
    assert (f"; Priority={expected}" if expected else None) == (
        "; Priority=" + found.partition("; Priority=")[2] if "Priority" in found else None
    )


def test_the_default_priority_is_that_which_says_so():
    assert CookieSettings() == CookieSettings(priority="auto")
    assert CookieSettings() != CookieSettings(priority="High")
    assert CookieSettings().line("a", "b", None).endswith("; Priority=High")


def test_the_default_idle_time_is_that_which_says_so():
    assert Lifetime() == Lifetime(idle="auto")
    assert Lifetime(idle="auto", absolute=3600).idle == 3600
    assert Lifetime(idle="auto", rolling=False).idle is None
