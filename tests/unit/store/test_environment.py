import pytest

from sessionkit import ConfigurationError, CookieSettings, Lifetime, SessionStore
from sessionkit._environment import VARIABLES, apply_variables

from ..scene import OTHER_SECRET, SECRET


def variables(**values):
    return {f"SESSIONKIT_{name}": value for name, value in values.items()}


def settings_of(environ, **given):
    return apply_variables(dict, environ, given)


def test_the_variables_are_one_a_setting():
    assert {name.removeprefix("SESSIONKIT_") for name in VARIABLES} == {
        "SECRET", "AUDIENCE", "BACKEND", "MAX_RECORD", "MAX_SESSIONS", "IDLE", "ABSOLUTE", "ROLLING", "RENEW_AFTER", "COOKIE_NAME", "COOKIE_PATH", "COOKIE_DOMAIN", "COOKIE_SECURE",
        "COOKIE_HTTP_ONLY", "COOKIE_SAME_SITE", "COOKIE_PARTITIONED", "COOKIE_TRANSIENT", "COOKIE_PRIORITY", "COOKIE_MAX_BYTES",
    }  # fmt: skip


def test_every_variable_becomes_its_setting():
    found = settings_of(
        variables(
            SECRET=f" {SECRET}\n\t{OTHER_SECRET} ", AUDIENCE="tenant-a", IDLE="3600", ABSOLUTE="7200", ROLLING="yes", RENEW_AFTER="0",
            COOKIE_NAME="app", COOKIE_PATH="/app", COOKIE_DOMAIN="example.org", COOKIE_SECURE="on", COOKIE_HTTP_ONLY="1", COOKIE_SAME_SITE="none",
            COOKIE_PARTITIONED="true", COOKIE_TRANSIENT="Y", COOKIE_PRIORITY="low", COOKIE_MAX_BYTES="4096",
        )
    )  # fmt: skip
    cookie = CookieSettings(
        name="app",
        path="/app",
        domain="example.org",
        same_site="None",
        partitioned=True,
        transient=True,
        priority="Low",
        max_bytes=4096,
    )
    lifetime = Lifetime(idle=3600, absolute=7200, renew_after=0)
    assert {
        "secret": [SECRET, OTHER_SECRET],
        "audience": "tenant-a",
        "lifetime": lifetime,
        "cookie": cookie,
    } == found


def test_none_stands_for_no_limit_no_domain_and_no_priority():
    found = settings_of(variables(ABSOLUTE="None", COOKIE_DOMAIN="none", COOKIE_PRIORITY="NONE"))
    assert {"lifetime": Lifetime(absolute=None), "cookie": CookieSettings(priority=None)} == found


@pytest.mark.parametrize("word", ["n", "no", "false", "0", "off", "NO", "False", " off "])
def test_the_false_words_are_these_in_any_case(word):
    assert {"lifetime": Lifetime(rolling=False)} == settings_of(variables(ROLLING=word))


def test_other_variables_are_not_ours():
    assert settings_of({"PATH": "/bin", "SESSION_SECRET": "x", "XSESSIONKIT_SECRET": "x"}) == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"COOKIE_SECUR": "1"},
            "SESSIONKIT_COOKIE_SECUR is not a setting: did you mean SESSIONKIT_COOKIE_SECURE",
        ),
        (
            {"ZZZZZZZZZZZZZZZZZZZZZZZZ": "1"},
            r"SESSIONKIT_ZZZZZZZZZZZZZZZZZZZZZZZZ is not a setting: correct the name, or remove the variable\Z",
        ),
        (
            {"ROLLING": "maybe"},
            "SESSIONKIT_ROLLING: it must be one of 0 1 false n no off on true y yes",
        ),
        ({"COOKIE_SECURE": ""}, "SESSIONKIT_COOKIE_SECURE: it must be one of"),
        ({"IDLE": "1h"}, "SESSIONKIT_IDLE: it must be a whole number of seconds, or none"),
        ({"ABSOLUTE": "-1"}, "SESSIONKIT_ABSOLUTE: it must be a whole number of seconds"),
        ({"ABSOLUTE": "٣"}, "SESSIONKIT_ABSOLUTE: it must be a whole number of seconds"),
        ({"RENEW_AFTER": "1.5"}, "SESSIONKIT_RENEW_AFTER: it must be a whole number of seconds"),
        ({"IDLE": "9" * 5000}, "SESSIONKIT_IDLE: "),
        (
            {"IDLE": "0", "ABSOLUTE": "3600", "COOKIE_PATH": "/app"},
            r"\ASESSIONKIT_IDLE: idle must be between",
        ),
        (
            {"IDLE": "7200", "ABSOLUTE": "3600", "COOKIE_PATH": "/app"},
            r"\ASESSIONKIT_IDLE and SESSIONKIT_ABSOLUTE: idle .*longer than absolute",
        ),
        (
            {"IDLE": "none", "ABSOLUTE": "none"},
            r"\ASESSIONKIT_IDLE: rolling=True needs an idle time",
        ),
        (
            {"ROLLING": "no", "ABSOLUTE": "none"},
            r"\ASESSIONKIT_ROLLING and SESSIONKIT_ABSOLUTE: .* would never end",
        ),
        (
            {"RENEW_AFTER": "60", "IDLE": "60"},
            r"\ASESSIONKIT_RENEW_AFTER and SESSIONKIT_IDLE: renew_after",
        ),
        (
            {"COOKIE_SAME_SITE": "none", "COOKIE_SECURE": "no"},
            r"\ASESSIONKIT_COOKIE_SAME_SITE and SESSIONKIT_COOKIE_SECURE: a browser refuses",
        ),
        (
            {"COOKIE_NAME": "__Host-a", "COOKIE_PATH": "/app", "IDLE": "60"},
            r"\ASESSIONKIT_COOKIE_NAME and SESSIONKIT_COOKIE_PATH: a browser refuses a __Host-",
        ),
        ({"COOKIE_MAX_BYTES": "8k"}, "SESSIONKIT_COOKIE_MAX_BYTES: it must be a whole number"),
        (
            {"COOKIE_SAME_SITE": "sometimes"},
            "SESSIONKIT_COOKIE_SAME_SITE: it must be one of Lax Strict None",
        ),
        (
            {"COOKIE_PRIORITY": "urgent"},
            "SESSIONKIT_COOKIE_PRIORITY: it must be one of auto Low Medium High",
        ),
        (
            {"COOKIE_MAX_BYTES": "9" * 5000},
            "SESSIONKIT_COOKIE_MAX_BYTES: it must be a whole number",
        ),
        ({"COOKIE_MAX_BYTES": "1"}, "SESSIONKIT_COOKIE_MAX_BYTES: max_bytes must be between"),
        ({"COOKIE_NAME": "a b"}, r"\ASESSIONKIT_COOKIE_NAME: the cookie name is not a token"),
        ({"COOKIE_NAME": ""}, r"\ASESSIONKIT_COOKIE_NAME: the cookie name is not a token"),
        ({"COOKIE_PATH": "app"}, r"\ASESSIONKIT_COOKIE_PATH: the cookie's path"),
    ],
)
def test_an_unknown_or_malformed_variable_is_named(values, message):
    with pytest.raises(ConfigurationError, match=message):
        settings_of(variables(**values))


def test_a_store_comes_from_the_variables_given():
    store = SessionStore.from_env(variables(SECRET=SECRET, COOKIE_NAME="app"))
    assert (store.settings.name, store.settings.codec.ids) == (
        "app",
        SessionStore(SECRET).settings.codec.ids,
    )


def test_a_store_comes_from_the_variables_of_the_process(monkeypatch):
    monkeypatch.setenv("SESSIONKIT_SECRET", SECRET)
    monkeypatch.setenv("SESSIONKIT_IDLE", "60")
    assert SessionStore.from_env().settings.lifetime == Lifetime(idle=60)


def test_what_the_call_says_goes_before_what_the_variables_say():
    store = SessionStore.from_env(
        variables(SECRET="too short", AUDIENCE="a"), secret=SECRET, audience="b"
    )
    assert store.settings.audience == "b"


@pytest.mark.parametrize("environ", [{}, variables(IDLE="60")])
def test_a_missing_secret_is_an_error_and_never_a_random_one(environ):
    with pytest.raises(ConfigurationError, match="SESSIONKIT_SECRET is not set"):
        SessionStore.from_env(environ)
