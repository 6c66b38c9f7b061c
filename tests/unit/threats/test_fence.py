"""Attacks by late and replayed responses: the fence, played."""

import pytest

from sessionkit import Absence, CookieSettings
from sessionkit._exchange.request import HeaderRequest

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, Browser, Scene, cookie, names
from .attacking import CAROL, FENCE, NAME, SEEN


def slow_update(browser):
    """A request that leaves now, with an update, and answers later."""
    visit = browser.visit()
    visit.exchange.update({**visit.exchange.get(), "slow": True})
    return visit


def test_two_logouts_then_the_late_response_of_the_first_bring_nobody_back(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.logout()
    browser.login(BOB)
    browser.logout()
    late.arrive()
    assert browser.session() == {}
    assert browser.absence() is Absence.LOGGED_OUT


def test_eight_logouts_later_the_first_is_still_remembered(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.logout()
    for _ in range(7):
        browser.login(BOB)
        browser.logout()
    late.arrive()
    assert browser.session() == {}


def test_a_login_over_a_session_then_the_late_response_of_the_earlier_do_not_bring_the_earlier_back(
    scene,
):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.login(BOB)
    late.arrive()
    assert browser.session() == {}


def test_a_late_renewal_of_the_earlier_session_leaves_the_login_alone(scene):
    browser = scene.browser
    browser.login(ALICE)
    scene.clock.wait(3600)
    late = browser.visit()
    assert late.exchange.get() == ALICE
    browser.login(BOB)
    assert [SEEN] == names(late.arrive())
    assert BOB == browser.session()


def test_a_late_renewal_undoes_no_update(scene):
    browser = scene.browser
    browser.login(ALICE)
    scene.clock.wait(3600)
    late = browser.visit()
    late.exchange.get()
    browser.update(theme="dark")
    late.arrive()
    assert browser.session()["theme"] == "dark"


def test_a_late_response_after_a_rotation_does_not_bring_the_earlier_id_back(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    visit = browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    late.arrive()
    assert browser.absence() is Absence.LOGGED_OUT


def test_a_late_login_after_a_logout_stands(scene):
    browser = scene.browser
    browser.login(ALICE)
    login = browser.visit()
    login.exchange.create(BOB)
    browser.logout()
    login.arrive()
    assert BOB == browser.session()


def test_a_token_stamped_after_the_logout_is_refused_for_as_long_as_it_could_live(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = browser.visit()
    late.exchange.get()["slow"] = True
    browser.logout()
    scene.clock.wait(20)
    late.arrive()
    for _ in range(8):
        assert browser.session() == {}
        scene.clock.wait(86_400 - 1)


def test_a_fence_outlives_a_rotation_of_secrets(scene):
    browser = scene.browser
    browser.login(ALICE)
    header = browser.jar.header()
    browser.logout()
    rotated = Scene(secret=[OTHER_SECRET, SECRET])
    exchange = rotated.store.begin(HeaderRequest(f"{browser.jar.header()}; {header}"))
    assert exchange.absence is Absence.LOGGED_OUT


def test_a_slow_polls_answer_after_a_login_has_no_clearing_line(scene):
    # An expired, fenced, foreign or broken cookie that a poll saw must not clear what a login has set meanwhile.
    browser = scene.browser
    browser.login(ALICE)
    scene.clock.wait(86_400)
    poll = browser.visit()
    assert poll.exchange.get() is None
    browser.login(BOB)
    assert poll.arrive() == []
    assert BOB == browser.session()


@pytest.mark.parametrize("value", ["garbage", "", "a.b.c.d.e"])
def test_no_read_clears_a_cookie_that_does_not_open(scene, value):
    for header in (f"{NAME}={value}", f"{NAME}.0={value}", f"{NAME}={value}; {NAME}={value}"):
        exchange = scene.store.begin(HeaderRequest(header))
        assert exchange.get() is None
        assert exchange.contents == {}
        assert "Set-Cookie" not in dict(exchange.commit().add)


def test_a_logout_with_two_valid_cookies_of_different_domains_leaves_no_way_back_in():
    # The operator moved the cookie from a domain to the host alone; browsers hold both, both valid.
    before = Scene(cookie=CookieSettings(name="app", domain="example.org"))
    after = Scene(cookie=CookieSettings(name="app"))
    browser = Browser(before.store, after.clock)
    before.browser = browser
    browser.login(ALICE)
    browser.store = after.store
    other = after.another_browser()
    other.login(CAROL)
    browser.jar.cookies.update(other.jar.cookies)
    assert browser.absence() is Absence.AMBIGUOUS
    browser.logout()
    assert "app" in browser.jar.names()
    assert browser.absence() is Absence.LOGGED_OUT


def test_a_logout_with_the_same_session_in_two_cookies_leaves_no_way_back_in():
    before = Scene(cookie=CookieSettings(name="app", domain="example.org"))
    after = Scene(cookie=CookieSettings(name="app"))
    browser = Browser(before.store, after.clock)
    browser.login(ALICE)
    browser.store = after.store
    after.clock.wait(1)
    browser.update(theme="dark")
    assert ["app", "app"] == browser.jar.names()
    assert browser.session()["theme"] == "dark"
    browser.logout()
    assert browser.absence() is Absence.LOGGED_OUT


def test_a_second_fence_cookie_of_a_longer_path_does_not_blind_the_first(scene):
    browser = scene.browser
    browser.login(ALICE)
    late = slow_update(browser)
    browser.logout()
    late.arrive()
    planted = ".".join(["A" * 22] * 8)
    exchange = scene.store.begin(
        HeaderRequest(f"{FENCE}={planted}; {FENCE}=; {browser.jar.header()}")
    )
    assert exchange.absence is Absence.LOGGED_OUT


def test_the_mark_of_a_session_whose_key_another_worker_has_is_set_too(scene):
    elsewhere = Scene(secret=OTHER_SECRET)
    elsewhere.browser.login(ALICE)
    header = elsewhere.browser.jar.header()
    exchange = scene.store.begin(HeaderRequest(header))
    assert exchange.delete() is False
    fence = cookie([value for name, value in exchange.commit().add if name == "Set-Cookie"], FENCE)
    assert (
        elsewhere.store.begin(HeaderRequest(f"{header}; {FENCE}={fence}")).absence
        is Absence.LOGGED_OUT
    )
