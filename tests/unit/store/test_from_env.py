"""What `from_env` makes of the variables and of a call, and how it says which of them is wrong."""

import copy
import pickle
from dataclasses import replace

import pytest

from sessionkit import ConfigurationError, CookieSettings, Lifetime, Native, SessionStore
from sessionkit._frameworks.dotted_settings import store_from_dotted
from sessionkit.formats import Auth0FastAPI

from ..scene import OTHER_SECRET, SECRET


class Bounded(Native):
    """A format that cannot enforce every lifetime."""

    def codec(self, keys, *, lifetime, **bound):
        if lifetime.absolute is None:
            raise ConfigurationError("this format knows no session without an end: set absolute")
        return super().codec(keys, lifetime=lifetime, **bound)


def from_env(variables, **given):
    environ = {f"SESSIONKIT_{name}": value for name, value in variables.items()}
    return SessionStore.from_env({"SESSIONKIT_SECRET": SECRET, **environ}, **given).settings


def test_a_lifetime_says_only_what_it_was_given():
    settings = from_env(
        {"IDLE": "900", "ABSOLUTE": "1800", "RENEW_AFTER": "30"}, lifetime=Lifetime(absolute=43_200)
    )
    assert settings.lifetime == Lifetime(idle=900, absolute=43_200, renew_after=30)


def test_cookie_settings_say_only_what_they_were_given():
    settings = from_env(
        {"COOKIE_SAME_SITE": "Strict", "COOKIE_PATH": "/app", "COOKIE_PRIORITY": "low"},
        cookie=CookieSettings(path="/"),
    )
    assert (settings.cookie.same_site, settings.cookie.path) == ("Strict", "/")
    assert (settings.cookie.priority, settings.name) == ("Low", "__Host-session")


@pytest.mark.parametrize(
    ("variables", "given", "expected"),
    [
        ({"COOKIE_SECURE": "no"}, {"secure": True}, {"secure": True}),
        ({"COOKIE_PRIORITY": "Low"}, {"priority": "High"}, {"priority": "High"}),
        ({"COOKIE_PRIORITY": "Low"}, {"priority": None}, {"priority": None}),
        ({"COOKIE_NAME": "app"}, {"name": None}, {"name": "__Host-session"}),
        ({"COOKIE_DOMAIN": "example.org"}, {"domain": None}, {"domain": None}),
        ({"COOKIE_MAX_BYTES": "600"}, {"max_bytes": 7168}, {"max_bytes": 7168}),
    ],
)
def test_a_default_that_is_given_is_said(variables, given, expected):
    cookie = from_env(variables, cookie=CookieSettings(**given)).cookie
    assert {name: getattr(cookie, name) for name in expected} == expected


def test_a_default_lifetime_that_is_given_is_said():
    given = Lifetime(idle="auto", rolling=True, renew_after=None)
    settings = from_env({"IDLE": "900", "ROLLING": "no", "ABSOLUTE": "600"}, lifetime=given)
    assert settings.lifetime == Lifetime(absolute=600)


@pytest.mark.parametrize("none", [{}, {"lifetime": None, "cookie": None}])
def test_none_and_nothing_say_nothing(none):
    settings = from_env({"IDLE": "900", "COOKIE_PATH": "/app"}, **none)
    assert (settings.lifetime, settings.cookie.path) == (Lifetime(idle=900), "/app")


def test_what_no_variable_says_is_what_is_given():
    given = Lifetime(absolute=60), CookieSettings(path="/app")
    settings = from_env({}, lifetime=given[0], cookie=given[1])
    assert settings.lifetime is given[0]
    assert settings.cookie.path == "/app"


def test_what_was_given_takes_no_part_in_comparing_showing_and_copying():
    explicit, implicit = Lifetime(absolute=604_800), Lifetime()
    assert explicit == implicit
    assert hash(explicit) == hash(implicit)
    assert CookieSettings(path="/") == CookieSettings()
    assert "given" not in repr(explicit) + repr(CookieSettings(path="/"))
    for one in (explicit, CookieSettings(path="/")):
        for copied in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert (copied, copied.given) == (one, one.given)
    assert replace(CookieSettings(path="/app"), name="app").path == "/app"


def test_dotted_settings_are_merged_alike():
    store = store_from_dotted(
        {"sessionkit.secret": SECRET, "sessionkit.idle": 900}, {"lifetime": Lifetime(absolute=3600)}
    )
    assert store.settings.lifetime == Lifetime(idle=900, absolute=3600)


@pytest.mark.parametrize(
    ("variables", "given", "message"),
    [
        (
            {"IDLE": "90000", "COOKIE_PATH": "/app"},
            {"lifetime": Lifetime(absolute=43_200, rolling=True)},
            r"\ASESSIONKIT_IDLE and Lifetime\(absolute=...\): idle .*is longer than absolute",
        ),
        (
            {"ABSOLUTE": "none", "RENEW_AFTER": "9"},
            {"lifetime": Lifetime(rolling=False)},
            r"\ASESSIONKIT_ABSOLUTE and Lifetime\(rolling=...\): .*would never end",
        ),
        (
            {"COOKIE_SECURE": "no"},
            {"cookie": CookieSettings(same_site="None", http_only=True)},
            r"\ASESSIONKIT_COOKIE_SECURE and CookieSettings\(same_site=...\): a browser refuses",
        ),
        (
            {"COOKIE_DOMAIN": "example.org"},
            {"cookie": CookieSettings(name="__Host-app", secure=True)},
            r"\ASESSIONKIT_COOKIE_DOMAIN and CookieSettings\(name=...\): a browser refuses",
        ),
        (
            {"RENEW_AFTER": "1000000"},
            {"lifetime": Lifetime(idle=900_000, absolute=900_000)},
            r"\ASESSIONKIT_RENEW_AFTER and Lifetime\(idle=...\): renew_after",
        ),
        (
            {"ABSOLUTE": "none", "IDLE": "60", "COOKIE_PATH": "/app"},
            {"format": Bounded(), "cookie": CookieSettings(http_only=True)},
            r"\ASESSIONKIT_ABSOLUTE: this format",
        ),
    ],
)
def test_a_variable_that_contradicts_an_argument_is_named_with_it(variables, given, message):
    with pytest.raises(ConfigurationError, match=message):
        from_env(variables, **given)


def test_what_is_wrong_with_an_argument_alone_is_said_of_it_alone():
    with pytest.raises(ConfigurationError, match=r"\Alifetime must be Lifetime, not int"):
        from_env({"IDLE": "60"}, lifetime=60)
    with pytest.raises(ConfigurationError, match=r"\Asecret 1 has 5 bytes"):
        from_env({"SECRET": SECRET}, secret="short")


@pytest.mark.parametrize(
    "secret",
    [
        "",
        " \n",
        "short-canary",
        f"{SECRET} short-canary",
        "change-me-change-me-change-me-change-me",
        f"{SECRET} {SECRET}",
        "canary" * 6,
        "django-insecure-canary-0123456789-abcdefghij",
    ],
)
@pytest.mark.parametrize("given", [{}, {"lifetime": Lifetime(absolute=3600)}])
def test_a_secret_that_cannot_work_is_refused_by_its_variable_and_not_shown(secret, given):
    with pytest.raises(ConfigurationError, match=r"\ASESSIONKIT_SECRET: ") as caught:
        from_env({"SECRET": secret, "IDLE": "60"}, **given)
    assert not any(one in str(caught.value) for one in ("canary", "change-me", SECRET))


def test_an_audience_that_cannot_work_is_refused_by_its_variable_and_not_shown():
    with pytest.raises(ConfigurationError, match=r"\ASESSIONKIT_AUDIENCE: ") as caught:
        from_env({"AUDIENCE": "caf\xe9", "SECRET": f"{SECRET} {OTHER_SECRET}"})
    assert "caf" not in str(caught.value)


def test_a_secret_in_the_wrong_variable_is_not_shown():
    for variable in ("COOKIE_NAME", "COOKIE_PATH", "COOKIE_DOMAIN", "COOKIE_PRIORITY", "IDLE"):
        with pytest.raises(ConfigurationError, match=f"SESSIONKIT_{variable}: ") as caught:
            from_env({variable: "canary;canary"})
        assert "canary" not in str(caught.value)


def test_a_cookie_name_that_the_format_cannot_have_is_refused_by_its_variable():
    with pytest.raises(ConfigurationError, match=r"\ASESSIONKIT_COOKIE_NAME: "):
        from_env({"COOKIE_NAME": "app.0"}, format=Auth0FastAPI())
