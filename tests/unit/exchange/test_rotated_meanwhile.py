"""A session that another request rotates, and a reply of the backend that is lost meanwhile."""

import pytest

from sessionkit import BackendError

from ..kept import KeptScene
from ..scene import ALICE

ENDS = {
    "delete": lambda exchange: exchange.delete(),
    "login": lambda exchange: exchange.create({**ALICE, "again": True}),
}


@pytest.fixture
def scene():
    scene = KeptScene()
    scene.browser.login({**ALICE, "n": 0})
    scene.clock.wait(60)
    return scene


def alive(scene):
    return [dict(info.contents) for info in scene.store.sessions_of(ALICE)]


def rotate(scene):
    visit = scene.browser.visit()
    visit.exchange.rotate()
    visit.arrive()


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("end", ENDS)
def test_an_end_whose_reply_was_lost_ends_the_session_under_its_new_id(scene, end, status):
    visit = scene.browser.visit()
    ENDS[end](visit.exchange)
    rotate(scene)
    with pytest.raises(BackendError):
        visit.step(lost=True)
    visit.arrive(status)
    assert alive(scene) == ([{**ALICE, "again": True}] if (end, status) == ("login", 200) else [])


def test_the_search_ends_no_session_of_another_browser(scene):
    other = {**ALICE, "elsewhere": True}
    visit = scene.browser.visit()
    visit.exchange.delete()
    scene.another_browser().login(other)
    with pytest.raises(BackendError):
        visit.step(lost=True)
    assert ["Delete", "List"] == visit.settle()
    assert alive(scene) == [other]


def test_a_logout_with_a_reply_searches_nothing(scene):
    visit = scene.browser.visit()
    visit.exchange.delete()
    with pytest.raises(BackendError):
        visit.step(lost=False)
    assert ["Delete"] == visit.settle()


@pytest.mark.parametrize("lost", [False, True])
def test_a_rotation_that_came_too_late_removes_its_record_though_nobody_is_answered(scene, lost):
    visit = scene.browser.visit()
    visit.exchange.rotate()
    assert "Insert" == type(visit.step()).__name__
    ending = scene.browser.visit()
    ending.exchange.delete()
    ending.arrive()
    assert "Replace" == type(visit.step()).__name__
    with pytest.raises(BackendError):
        visit.step(lost=lost)
    assert visit.exchange.must_settle
    visit.settle(500)
    assert alive(scene) == []
    assert not visit.exchange.must_settle


@pytest.mark.parametrize("status", [500, 503])
def test_an_answer_of_500_takes_back_a_rotation_beside_another_write(scene, status):
    visit, other = scene.browser.visit(), scene.browser.visit()
    visit.exchange.update(lambda session: {**session, "n": session["n"] + 1})
    visit.exchange.rotate()
    visit.step()
    with pytest.raises(BackendError):
        visit.step(lost=False)
    other.exchange.contents["theirs"] = 1
    other.arrive()
    assert ["Replace", "Delete"] == visit.settle(status)
    assert [] == visit.answer(status)
    assert alive(scene) == [{**ALICE, "n": 0, "theirs": 1}]
    assert {**ALICE, "n": 0, "theirs": 1} == scene.browser.visit().exchange.get()
