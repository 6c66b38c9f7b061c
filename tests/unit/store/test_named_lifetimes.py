"""Named lifetimes as an argument of a store: who takes them, and what is told of the others."""

import asyncio
import logging

import pytest

from sessionkit import ConfigurationError, CookieSettings, Lifetime, SessionStore
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, AuthJSV5, ExpressOpenID, NextAuthV4
from sessionkit.testing import asession_cookies, read_cookies, session_cookies

from ..scene import ALICE, SECRET, START, Clock

DAY = 86_400
NAMED = {"remembered": Lifetime(idle=30 * DAY, absolute=90 * DAY)}


@pytest.mark.parametrize(
    "format", [Auth0V3(), Auth0V4(), Auth0FastAPI(), ExpressOpenID(), NextAuthV4(), AuthJSV5()]
)
def test_a_format_that_cannot_carry_a_name_is_refused_at_construction(format):
    with pytest.raises(ConfigurationError, match="cannot carry the name of a lifetime: lifetimes="):
        SessionStore(SECRET, format=format, lifetimes=NAMED)
    exchange = SessionStore(SECRET, format=format).begin(HeaderRequest())
    with pytest.raises(ConfigurationError, match="this store has none that is 'kiosk': tokens of"):
        exchange.create(ALICE, lifetime="kiosk")


def test_an_empty_mapping_is_good_for_every_format():
    assert {} == SessionStore(SECRET, format=Auth0V4(), lifetimes={}).settings.lifetimes


@pytest.mark.parametrize("lifetimes", [None, [], "remembered", {"a b": Lifetime()}, {"kiosk": 300}])
def test_what_is_no_mapping_of_names_and_lifetimes_is_refused(lifetimes):
    with pytest.raises(ConfigurationError, match="lifetime"):
        SessionStore(SECRET, lifetimes=lifetimes)


def test_what_is_changed_in_the_mapping_later_is_not_heard():
    lifetimes = dict(NAMED)
    store = SessionStore(SECRET, lifetimes=lifetimes)
    lifetimes.clear()
    assert ["remembered"] == list(store.settings.lifetimes)


def test_from_env_takes_named_lifetimes_as_an_argument_beside_the_variables():
    store = SessionStore.from_env(
        {
            "SESSIONKIT_SECRET": SECRET,
            "SESSIONKIT_IDLE": "600",
            "SESSIONKIT_COOKIE_TRANSIENT": "yes",
        },
        lifetimes=NAMED,
    )
    assert 600 == store.settings.lifetime.idle
    named = store.settings.lifetimes["remembered"]
    assert (30 * DAY, True) == (named.idle, named.transient)


def test_a_named_lifetime_without_an_end_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING, "sessionkit"):
        SessionStore(SECRET, lifetimes={"remembered": Lifetime(absolute=None)})
    assert caplog.messages == [
        "absolute=None: a stolen cookie can be kept alive for ever. Set a limit, or revoke sessions that are kept in a backend"
    ]


def test_another_audience_has_the_same_lifetimes():
    store = SessionStore(SECRET, lifetimes=NAMED, clock=Clock()).for_audience("b")
    assert (
        "remembered"
        == read_cookies(
            store, [], session_cookies(store, ALICE, lifetime="remembered")
        ).stamp.lifetime
    )  # type: ignore[union-attr]


# ---- cookies for tests


@pytest.mark.parametrize("backend", [None, MemoryBackend(clock=lambda: START)])
def test_a_test_can_make_the_cookies_of_a_named_lifetime(backend):
    store = SessionStore(SECRET, lifetimes=NAMED, clock=Clock(), backend=backend)
    session = read_cookies(store, [], session_cookies(store, ALICE, lifetime="remembered"))
    assert session is not None
    assert ("remembered", START + 30 * DAY) == (session.stamp.lifetime, session.stamp.expires_at)


async def make_cookies(store):
    return await asession_cookies(store, ALICE, lifetime="remembered", created_at=START - 80 * DAY)


def test_a_test_can_make_the_cookies_of_a_named_lifetime_where_a_backend_is_awaited():
    store = SessionStore(SECRET, lifetimes=NAMED, clock=Clock())
    session = read_cookies(store, [], asyncio.run(make_cookies(store)))
    assert session is not None
    assert START + 10 * DAY == session.stamp.expires_at


def test_a_test_that_names_an_unknown_lifetime_is_told():
    with pytest.raises(ConfigurationError, match="it knows 'remembered'"):
        session_cookies(SessionStore(SECRET, lifetimes=NAMED), ALICE, lifetime="kiosk")


def test_transient_given_to_a_store_still_belongs_to_the_cookie():
    with pytest.raises(TypeError, match=r"cookie=CookieSettings\(transient=...\)"):
        SessionStore(SECRET, transient=True)
    assert SessionStore(SECRET, cookie=CookieSettings(transient=True)).settings.cookie.transient
