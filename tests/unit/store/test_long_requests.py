"""A request that lasts looks again whether its session is valid."""

import asyncio

import pytest

from sessionkit import SessionStore, create_session

from ..kept import KeptScene
from ..scene import ALICE, SECRET, Clock

DAY = 86_400


@pytest.fixture
def scene():
    return KeptScene()


def open_exchange(scene, browser=None):
    return scene.store.exchange((browser or scene.browser).jar.header())


def sign_in(scene, number):
    browser = scene.another_browser()
    browser.login({**ALICE, "n": number})
    scene.clock.wait(1)
    return browser


def test_a_session_that_was_revoked_is_valid_no_longer_for_a_long_request(scene):
    browser = sign_in(scene, 1)
    with open_exchange(scene, browser) as exchange:
        assert scene.store.still_valid() is True
        scene.store.revoke_user(ALICE)
        assert scene.store.still_valid() is False
        assert exchange.get() is None
    assert [] == [value for name, value in exchange.response_headers if name == "Set-Cookie"]


def test_a_long_request_looks_again_before_it_judges_by_times_that_it_knows(scene):
    browser = sign_in(scene, 1)
    with open_exchange(scene, browser) as exchange:
        exchange.get()
        exchange.commit()
        scene.clock.wait(DAY - 60)
        browser.update(n=2)
        scene.clock.wait(120)
        assert scene.store.still_valid() is True


@pytest.mark.parametrize("change", ["rotated", "expired", "gone"])
def test_a_long_request_learns_of_every_end(scene, change):
    browser = sign_in(scene, 1)
    with open_exchange(scene, browser) as exchange:
        exchange.get()
        exchange.commit()
        if change == "rotated":
            visit = browser.visit()
            visit.exchange.rotate()
            visit.arrive()
        elif change == "gone":
            browser.logout()
        else:
            scene.clock.wait(DAY)
        assert scene.store.still_valid() is False
        assert exchange.get() is None


def test_a_request_without_a_session_is_not_valid_and_one_that_begins_it_is(scene):
    with open_exchange(scene):
        assert scene.store.still_valid() is False
        create_session(ALICE)
        assert scene.store.still_valid() is True


def test_without_a_backend_only_the_expiry_is_judged():
    clock = Clock()
    store = SessionStore(SECRET, clock=clock)
    with store.exchange() as exchange:
        create_session(ALICE)
        assert store.still_valid() is True
        assert asyncio.run(astill_valid(store, exchange)) is True
        clock.wait(DAY)
        assert store.still_valid() is False


async def astill_valid(store, exchange):
    return await store.astill_valid()
