"""A session whose contents say when it ends: its cookies promise the browser no more than that."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sessionkit import Absence, CookieSettings, Lifetime, SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest, RequestInfo
from sessionkit._requests.gateway import Gateway

from ..scene import ALICE, SECRET, START, Browser, Clock

NAME, SEEN = "__Host-session", "__Host-seen.session"
MONTH = 30 * 86_400


def own_end(contents: Any, updated_at: int) -> float:
    """Seconds since the last activity, or a moment."""
    if "at" in contents:
        return float(contents["at"])
    return updated_at + contents["seconds"] if "seconds" in contents else float("inf")


class Framework:
    """A store as an adapter uses it."""

    def __init__(self, clock: Clock, **named: Any) -> None:
        store = SessionStore(SECRET, clock=clock, **named)
        self.settings = Gateway(None, store, framework=FrameworkKeys(ends=own_end)).settings

    def begin(self, request: RequestInfo) -> Exchange:
        return Exchange(self.settings, request)


def browser(**named: Any) -> Browser:
    clock = Clock()
    lifetime = Lifetime(idle=MONTH, absolute=12 * MONTH)
    return Browser(Framework(clock, **{"lifetime": lifetime, **named}), clock)  # type: ignore[arg-type]


def max_ages(lines: list[str]) -> dict[str, int]:
    found = {line.partition("=")[0]: re.search("Max-Age=([0-9]+)", line) for line in lines}
    return {name: int(age[1]) for name, age in found.items() if age is not None}


def read(browser: Browser) -> list[str]:
    visit = browser.visit()
    assert visit.exchange.get() is not None
    return visit.arrive()


def test_the_cookie_lives_no_longer_than_the_session_says():
    assert max_ages(browser().login({**ALICE, "seconds": 3600})) == {NAME: 3600}


def test_every_chunk_lives_no_longer_either():
    ages = max_ages(browser().login({**ALICE, "seconds": 3600, "big": "x" * 4500}))
    assert ages == {f"{NAME}.0": 3600, f"{NAME}.1": 3600}


def test_a_moment_is_the_end_however_often_the_session_is_used():
    one = browser()
    assert max_ages(one.login({**ALICE, "at": START + 1000})) == {NAME: 1000}
    one.clock.wait(400)
    assert max_ages(read(one)) == {SEEN: 600}
    one.clock.wait(599)
    assert one.session()["at"] == START + 1000
    one.clock.wait(1)
    assert one.session() == {}


@pytest.mark.parametrize(
    "use",
    [
        lambda exchange: bool(exchange.contents),
        lambda exchange: exchange.update(ALICE),
        lambda exchange: exchange.touch(),
    ],
    ids=["contents", "update", "touch"],
)
def test_an_end_that_is_past_is_found_by_whatever_uses_the_session_first(use):
    one = browser()
    one.login({**ALICE, "at": START + 1000})
    kept = HeaderRequest(one.jar.header())  # by a client that does not heed Max-Age
    one.clock.wait(999)
    assert use(one.store.begin(kept)) is True
    one.clock.wait(1)
    assert use(one.store.begin(kept)) is False


def test_a_part_of_a_second_is_not_added():
    assert max_ages(browser().login({**ALICE, "at": START + 10.9})) == {NAME: 10}


def test_an_end_that_slides_takes_the_cookie_along():
    one = browser()
    one.login({**ALICE, "seconds": 100})
    for _ in range(3):
        one.clock.wait(90)
        assert max_ages(read(one)) == {NAME: 100}
    assert one.session()["user"] == ALICE["user"]
    one.clock.wait(100)
    assert one.session() == {}


def test_a_touch_takes_it_along_too():
    one = browser()
    one.login({**ALICE, "seconds": 100})
    one.clock.wait(30)
    visit = one.visit()
    assert visit.exchange.touch()
    assert max_ages(visit.arrive()) == {NAME: 100}


def test_an_end_that_slides_is_not_sent_before_it_is_due():
    one = browser()
    one.login({**ALICE, "seconds": 100})
    one.clock.wait(30)
    assert read(one) == []


def test_a_later_and_longer_end_lifts_the_cap():
    one = browser()
    one.login({**ALICE, "seconds": 100})
    assert max_ages(one.update(seconds=7200)) == {NAME: 7200}


def test_without_an_end_of_its_own_the_cookie_lives_as_long_as_the_store_allows():
    one = browser()
    one.login({**ALICE, "seconds": 100})
    visit = one.visit()
    visit.exchange.update(ALICE)
    assert max_ages(visit.arrive()) == {NAME: 12 * MONTH}
    one.clock.wait(90)
    assert max_ages(read(one)) == {SEEN: MONTH}


def test_an_end_behind_the_stores_own_changes_nothing():
    one = browser(lifetime=Lifetime(idle=60, absolute=600))
    assert max_ages(one.login({**ALICE, "seconds": 10**6})) == {NAME: 600}


def test_a_session_that_is_transient_has_no_max_age():
    one = browser(cookie=CookieSettings(transient=True))
    assert max_ages(one.login({**ALICE, "seconds": 100})) == {}
    one.clock.wait(90)
    assert max_ages(read(one)) == {}


@pytest.mark.parametrize("contents", [{"at": START}, {"at": START - 5}, {"seconds": 0}])
def test_what_is_over_at_once_is_not_sent(contents):
    assert browser().login({**ALICE, **contents}) == []


# ---- an end that is changed in place


@pytest.mark.parametrize("looks", [False, True])
def test_an_end_that_a_request_sets_counts_from_that_request(looks: bool):
    one = browser()
    one.login(ALICE)
    one.clock.wait(600)
    visit = one.visit()
    visit.exchange.contents["seconds"] = 300
    if looks:
        assert visit.exchange.get() is not None
    assert max_ages(visit.arrive()) == {NAME: 300}
    one.clock.wait(299)
    assert one.session()["seconds"] == 300
    one.clock.wait(1)
    assert one.session() == {}


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("end", [{"at": START + 5}, {"seconds": -1}, {"seconds": 0}])
def test_a_request_that_sets_an_end_which_is_past_ends_the_session(
    end: dict[str, Any], looks: bool
):
    one = browser()
    one.login(ALICE)
    late = one.visit()
    late.exchange.contents["late"] = 1
    one.clock.wait(10)
    visit = one.visit()
    visit.exchange.contents.update(end)
    if looks:
        assert visit.exchange.get() is None
    visit.arrive()
    assert one.session() == {}
    late.arrive()
    assert one.session() == {}


def test_a_session_that_another_end_ends_is_not_ended_by_its_contents():
    one = browser(lifetime=Lifetime(idle=60, absolute=600))
    one.login({**ALICE, "seconds": 10**6})
    visit = one.visit()
    visit.exchange.contents["n"] = 1
    one.clock.wait(60)
    assert visit.arrive() == []


def test_an_end_that_cannot_be_read_is_refused_where_it_is_written():
    one = browser()
    one.login(ALICE)
    visit = one.visit()
    with pytest.raises(TypeError, match="can only concatenate|unsupported operand"):
        visit.exchange.update({**ALICE, "seconds": [1]})
    assert visit.exchange.get() == ALICE
    visit.exchange.contents["seconds"] = [1]
    with pytest.raises(TypeError, match="can only concatenate|unsupported operand"):
        visit.arrive()
    assert visit.arrive(500) == []
    assert one.session() == ALICE


def test_a_session_that_comes_with_an_end_which_cannot_be_read_is_over():
    one = browser()
    plain = Browser(SessionStore(SECRET, clock=one.clock), one.clock)
    plain.login({**ALICE, "seconds": [1]})
    one.jar = plain.jar
    visit = one.visit()
    assert visit.exchange.get() is None
    assert visit.exchange.absence is Absence.EXPIRED
