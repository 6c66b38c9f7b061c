import copy
import logging
import pickle

import pytest

from sessionkit import (  # fmt: skip
    Absence,
    ConfigurationError,
    CookieSettings,
    KeyRing,
    Lifetime,
    Native,
    NoActiveRequestError,
    SessionStore,
    fast_json,
    get_session,
    update_session,
)
from sessionkit._exchange.request import HeaderRequest

from ..scene import ALICE, SECRET, Scene, cookie


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "__Host-session"),
        ({"secure": False}, "session"),
        ({"path": "/app"}, "session"),
        ({"domain": "example.org"}, "session"),
        ({"name": "app"}, "app"),
        ({"name": "__Host-app"}, "__Host-app"),
    ],
)
def test_the_cookie_is_a_host_cookie_where_a_browser_takes_one(settings, name):
    assert name == SessionStore(SECRET, cookie=CookieSettings(**settings)).settings.name


def test_the_cookies_beside_it_are_named_after_it():
    settings = SessionStore(SECRET).settings
    assert ("__Host-seen.session", "__Host-out.session") == (settings.seen, settings.fence)


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ([], "there is no secret"),
        ("short", "secret 1 has 5 bytes"),
        (None, "not NoneType"),
        ([None], "must be str or bytes"),
        ([SECRET, 7], "must be str or bytes"),
        ([SECRET, SECRET], "same key id"),
        ("django-insecure-0123456789abcdefghijklmnop", "django-admin startproject"),
        ([SECRET, b"django-insecure-0123456789abcdefghijklmnop"], "django-admin startproject"),
    ],
)
def test_a_store_needs_secrets_that_are_secret(secret, message):
    with pytest.raises(ConfigurationError, match=message):
        SessionStore(secret)


def test_the_secret_of_a_new_django_project_is_good_enough_for_development():
    assert (
        SessionStore(
            "django-insecure-0123456789abcdefghijklmnop", cookie=CookieSettings(secure=False)
        ).settings.name
        == "session"
    )


@pytest.mark.parametrize("audience", ["a\0b", "mandänt"])
def test_an_audience_is_ascii_without_nul(audience):
    with pytest.raises(ConfigurationError, match="ASCII without NUL"):
        SessionStore(SECRET, audience=audience)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cookie": CookieSettings(domain="example.org")}, "sibling hosts can plant one"),
        ({"cookie": CookieSettings(path="/app")}, "sibling hosts can plant one"),
        ({"cookie": CookieSettings(same_site="None")}, "check Origin"),
        ({"lifetime": Lifetime(absolute=None)}, "kept alive for ever"),
    ],
)
def test_a_setting_with_a_price_is_warned_of_once_at_construction(settings, message, caplog):
    SessionStore(SECRET, **settings)
    assert [(logging.WARNING, True)] == [
        (record.levelno, message in record.getMessage()) for record in caplog.records
    ]


def test_the_defaults_are_not_warned_of(caplog):
    SessionStore(SECRET)
    assert [] == caplog.records


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_store_is_the_store(how):
    store = SessionStore(SECRET)
    assert how(store) is store
    assert copy.deepcopy({"store": store})["store"] is store


@pytest.mark.parametrize(
    "made",
    [SessionStore(SECRET), SessionStore(SECRET).settings, SessionStore(SECRET).settings.codec],
    ids=["store", "settings", "codec"],
)
def test_what_holds_keys_does_not_pickle(made):
    with pytest.raises(TypeError):
        pickle.dumps(made)


def test_the_repr_of_a_store_is_its_cookie():
    assert "<SessionStore '__Host-session'>" == repr(SessionStore(SECRET))


def test_a_store_for_another_audience_shares_the_keys_and_not_the_tokens():
    scene = Scene(audience="a")
    token = cookie(scene.browser.login(), "__Host-session")
    other = scene.store.for_audience("b")
    assert scene.store.settings.codec.ids == other.settings.codec.ids
    assert other.begin(HeaderRequest(f"__Host-session={token}")).absence is Absence.BAD_TAG
    assert ALICE == other.for_audience("a").begin(HeaderRequest(f"__Host-session={token}")).get()


def test_a_store_with_fast_json_reads_what_one_with_json_wrote():
    scene = Scene()
    token = cookie(scene.browser.login(), "__Host-session")
    fast = Scene(serializer=fast_json())
    assert ALICE == fast.store.begin(HeaderRequest(f"__Host-session={token}")).get()


def test_a_script_opens_a_session_and_finds_the_headers_at_the_end():
    scene = Scene()
    scene.browser.login()
    with scene.store.exchange(scene.browser.jar.header()) as exchange:
        assert update_session({**get_session(), "seen": True}) is True
        assert exchange.response_headers == []
    scene.browser.jar.receive(
        value for name, value in exchange.response_headers if name == "Set-Cookie"
    )
    assert scene.browser.session()["seen"] is True


def test_a_script_that_raises_saves_nothing():
    scene = Scene()
    scene.browser.login()
    with (
        pytest.raises(KeyError, match="broken"),
        scene.store.exchange(scene.browser.jar.header()) as exchange,
    ):
        update_session({**get_session(), "seen": True})
        raise KeyError("broken")
    assert "Set-Cookie" not in dict(exchange.response_headers)


def test_after_a_script_there_is_no_request():
    with SessionStore(SECRET).exchange(""):
        pass
    with pytest.raises(NoActiveRequestError):
        get_session()


def test_a_store_takes_a_format_and_a_ring_comes_of_it():
    assert KeyRing(SECRET).ids == SessionStore(SECRET, format=Native()).settings.codec.ids


@pytest.mark.parametrize(
    ("key", "value"),
    [("lifetime", 3600), ("cookie", {"secure": False}), ("audience", 7), ("audience", b"a")],
)
def test_a_setting_of_another_type_is_named(key, value):
    with pytest.raises(ConfigurationError, match=f"^{key} must be .*, not {type(value).__name__}$"):
        SessionStore("a setting of another type: 0123456789abcdef", **{key: value})


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("max_age", "lifetime=Lifetime(absolute=...)"),
        ("idle", "lifetime=Lifetime(idle=...)"),
        ("rolling", "lifetime=Lifetime(rolling=...)"),
        ("secure", "cookie=CookieSettings(secure=...)"),
        ("same_site", "cookie=CookieSettings(same_site=...)"),
        ("samesite", "cookie=CookieSettings(same_site=...)"),
        ("httponly", "cookie=CookieSettings(http_only=...)"),
        ("cookie_name", "cookie=CookieSettings(name=...)"),
        ("secret_key", "secret=..."),
        ("lifetme", "lifetime=..."),
    ],
)
def test_an_argument_that_belongs_elsewhere_is_told_where(name, place):
    for make in (
        lambda **given: SessionStore(SECRET, **given),
        lambda **given: SessionStore.from_env({"SESSIONKIT_SECRET": SECRET}, **given),
    ):
        with pytest.raises(TypeError) as raised:
            make(**{name: 60})
        assert str(raised.value).startswith(f"SessionStore has no argument {name}: give {place}")


def test_an_argument_that_nothing_is_like_is_refused():
    with pytest.raises(TypeError, match=r"\ASessionStore has no argument zzzzzz\Z"):
        SessionStore(SECRET, zzzzzz=1)


@pytest.mark.parametrize("verb", ["create_session", "update_session"])
def test_a_session_given_by_name_is_told_that_the_arguments_have_none(verb):
    store = SessionStore(SECRET)
    with store.exchange():
        call = getattr(store, verb)
        with pytest.raises(
            TypeError, match=rf"{verb}\(session=...\) .* have no names\): valid are"
        ):
            call(session=ALICE)
        with pytest.raises(TypeError, match=rf"{verb}\(dict, session=...\) .* have no names\)"):
            call({}, session=ALICE)
