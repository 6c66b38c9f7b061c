"""`renew_after=0` with sessions on the server: one renewal in a request."""

import pytest

from sessionkit import Lifetime

from ..kept import KeptScene
from ..scene import ALICE, START


@pytest.fixture
def scene():
    scene = KeptScene(lifetime=Lifetime(idle=600, renew_after=0))
    scene.browser.login()
    return scene


def first_steps(visit):
    return [type(one).__name__ for one in (visit.step() for _ in range(4)) if one is not None]


@pytest.mark.parametrize(("wait", "expected"), [(0, []), (1, ["Touch"]), (599, ["Touch"])])
def test_a_request_that_reads_renews_once(scene, wait, expected):
    scene.clock.wait(wait)
    visit = scene.browser.visit()
    assert ALICE == visit.exchange.get()
    assert expected == first_steps(visit)
    (info,) = scene.store.sessions_of(ALICE)
    assert START + wait + 600 == info.expires_at


def test_a_backend_that_takes_longer_than_a_second_is_asked_once(scene):
    scene.clock.wait(1)
    visit = scene.browser.visit()
    visit.exchange.get()
    assert "Touch" == type(visit.step()).__name__
    scene.clock.wait(2)
    assert visit.step() is None


def test_an_update_and_a_touch_renew_nothing_more(scene):
    scene.clock.wait(1)
    visit = scene.browser.visit()
    visit.exchange.get()["n"] = 1
    assert ["Replace"] == first_steps(visit)
    scene.clock.wait(1)
    visit = scene.browser.visit()
    assert visit.exchange.touch() is True
    assert ["Touch"] == first_steps(visit)
