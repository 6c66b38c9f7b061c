"""A logout through a framework's own session object ends what came, though nothing could be read of it."""

from __future__ import annotations

import pytest

from sessionkit import SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.contents import LazyContents
from sessionkit._frameworks.session_place import replace_contents

from ..frameworks.framework import Framework, clear, put
from ..scene import SECRET, names

NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"
JUNK = "; ".join(f"junk{number}={'j' * 4000}" for number in range(17))


def pop_of_nothing(session):
    with pytest.raises(KeyError):
        session.exchange.contents.pop("user_id")


LOGOUTS = {
    "clear": clear,
    "replace": lambda session: replace_contents(session.exchange, {}),
    "pop user": lambda session: session.pop("user", None),
    "pop user_id": lambda session: session.pop("user_id", default=None),
    "pop without a default": pop_of_nothing,
    "put None": put("user", None),
    "clear and put": lambda session: (session.clear(), put("cart", [1])(session)),
}
NO_LOGOUTS = {
    "pop": lambda session: session.pop("flash", None),
    "put": put("csrf", "x"),
    "update": lambda session: session.update({}),
    "or": lambda session: session.__ior__({}),
    "read": lambda session: session.get("user"),
}
each = pytest.mark.parametrize("logout", LOGOUTS.values(), ids=LOGOUTS)
others = pytest.mark.parametrize("step", NO_LOGOUTS.values(), ids=NO_LOGOUTS)


@pytest.fixture
def site():
    return Framework()


def login(site, *, size=0, user="ada"):
    site.do(put("user", {"sub": user}), put("user_id", 7), put("big", "x" * size))
    site.clock.wait(10)


def do(site, header, step, **request):
    """One request with this header; what its answer sets."""
    exchange = Exchange(site.settings, HeaderRequest(header, **request))
    step(LazyContents(exchange))
    lines = site.answer(exchange)
    site.jar.receive(lines)
    return lines


@each
@pytest.mark.parametrize("size", [0, 4500], ids=["whole", "chunks"])
def test_beside_a_header_that_is_too_large(site, logout, size):
    login(site, size=size)
    late = site.late(put("page", 1))
    do(site, f"{site.jar.header()}; {JUNK}", logout)
    assert not site.signed_in
    site.jar.receive(late)
    assert not site.signed_in


@each
def test_beside_the_session_of_another_user(site, logout):
    login(site)
    first = site.jar.header()
    site.jar.cookies.clear()
    login(site, user="eve")
    second = site.jar.header()
    site.jar.cookies.clear()
    do(site, f"{first}; {second}", logout)
    left = site.jar.header()
    for late in (first, second):
        exchange = Exchange(site.settings, HeaderRequest(f"{late}; {left}"))
        assert exchange.get() is None


@each
def test_of_a_session_that_only_another_worker_can_open(site, logout):
    elsewhere = Framework(secret=["n" * 20 + SECRET, SECRET])
    login(elsewhere)
    late = elsewhere.late(put("page", 1))
    site.jar = elsewhere.jar
    do(site, site.jar.header(), logout)
    assert not elsewhere.signed_in
    site.jar.receive(late)
    assert not elsewhere.signed_in


@others
def test_what_is_no_logout_ends_nothing(site, step):
    login(site, size=4500)
    do(site, f"{site.jar.header()}; {JUNK}", step)
    assert site.signed_in


@each
def test_a_session_that_is_over_is_left_to_its_max_age(site, logout):
    # Whoever empties the object of everybody who is not signed in must not end, by a late answer, the login that follows.
    login(site)
    site.clock.wait(86_400)
    late = site.late(logout)
    assert [one for one in names(late) if one != NAME] == []
    site.do(put("user", {"sub": "ada"}))
    assert site.signed_in


@each
def test_a_visitor_without_cookies_has_nothing_to_log_out(site, logout):
    lines = do(site, "", logout, method="POST", headers={"Sec-Fetch-Site": "cross-site"})
    assert [one for one in names(lines) if one != NAME] == []


@each
def test_no_other_sites_post_signs_a_user_out_whom_it_does_not_show(site, logout):
    # An application may empty the object of whoever is not signed in.
    login(site)
    request = {"method": "POST", "headers": {"Sec-Fetch-Site": "cross-site"}}
    assert [one for one in names(do(site, "", logout, **request)) if one != NAME] == []


def test_what_is_popped_too_late_is_not_there(site):
    session, exchange = site.visit()
    exchange.commit()
    assert session.pop("user", None) is None


def test_without_a_framework_the_contents_are_no_means_to_log_out():
    store = SessionStore(SECRET)
    exchange = store.begin(HeaderRequest(f"{NAME}=x; {JUNK}"))
    exchange.contents.clear()
    exchange.contents.pop("user", None)
    assert exchange.commit().add == (("Vary", "Cookie"),)
