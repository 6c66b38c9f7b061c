"""A backend that fails at one operation, before it performs it or after it: what the visitor and the backend are left with."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import BackendError

from ..kept import NAME, KeptScene
from ..scene import ALICE, BOB, names


def count(session: dict[str, Any]) -> dict[str, Any]:
    return {**session, "n": session["n"] + 1}


def rotate_and_update(exchange: Any) -> None:
    exchange.rotate()
    exchange.update(count)


SCENARIOS: dict[str, Any] = {
    "touch": lambda exchange: exchange.touch(),
    "update": lambda exchange: exchange.contents.update(n=1),
    "function": lambda exchange: exchange.update(count),
    "rotate": lambda exchange: exchange.rotate(),
    "rotate, update": rotate_and_update,
    "delete": lambda exchange: exchange.delete(),
    "login": lambda exchange: exchange.create({**ALICE, "n": 10}),
    "login as bob": lambda exchange: exchange.create(BOB),
}
LENGTHS = {
    "touch": 1, "update": 1, "function": 1, "rotate": 2, "rotate, update": 2, "delete": 1, "login": 3, "login as bob": 3,
}  # fmt: skip
CASES = [
    pytest.param(name, place, lost, id=f"{name}, {place}, {'after' if lost else 'before'}")
    for name in SCENARIOS
    for place in range(LENGTHS[name])
    for lost in (False, True)
]
UNENDED = ("touch", "update", "function", "rotate", "rotate, update")


@pytest.fixture
def scene():
    made = KeptScene(max_sessions=5)
    made.browser.login({**ALICE, "n": 0})
    made.clock.wait(1)
    return made


def fail_at(scene: KeptScene, name: str, place: int, lost: bool) -> Any:
    """A request of which one operation has failed."""
    visit = scene.browser.visit()
    SCENARIOS[name](visit.exchange)
    for _ in range(place):
        assert visit.step() is not None
    with pytest.raises(BackendError):
        visit.step(lost=lost)
    return visit


def all_alive(scene: KeptScene) -> list[dict[str, Any]]:
    return [info.contents for user in (ALICE, BOB) for info in scene.store.sessions_of(user)]


def check(scene: KeptScene) -> None:
    """What holds in every case: no session is left to which the browser has no cookie, and nothing is counted twice."""
    shown = scene.browser.session()
    assert all_alive(scene) in ([], [shown])
    assert shown.get("n", 0) in (0, 1, 10)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_cases_are_all_operations_of_a_scenario(scene, name):
    visit = scene.browser.visit()
    SCENARIOS[name](visit.exchange)
    assert LENGTHS[name] == len(visit.settle())


@pytest.mark.parametrize(("name", "place", "lost"), CASES)
def test_the_answer_after_a_second_attempt_is_the_whole_change(scene, name, place, lost):
    visit = fail_at(scene, name, place, lost)
    visit.arrive()
    check(scene)
    expected = {
        "touch": {**ALICE, "n": 0}, "update": {**ALICE, "n": 1}, "function": {**ALICE, "n": 1}, "rotate": {**ALICE, "n": 0},
        "rotate, update": {**ALICE, "n": 1}, "delete": {}, "login": {**ALICE, "n": 10}, "login as bob": BOB,
    }  # fmt: skip
    assert expected[name] == scene.browser.session()


@pytest.mark.parametrize(("name", "place", "lost"), CASES)
def test_an_answer_of_500_leaves_no_orphan_and_signs_nobody_out_who_did_not_ask(
    scene, name, place, lost
):
    visit = fail_at(scene, name, place, lost)
    lines = visit.arrive(500)
    check(scene)
    if name in UNENDED:
        assert ALICE["user"] == scene.browser.session()["user"]
        assert f"-{NAME}" not in names(lines)
    else:
        # The end is performed and told at the second attempt.
        assert ([], [f"-{NAME}"]) == (all_alive(scene), names(lines)[:1])


@pytest.mark.parametrize(("name", "place", "lost"), CASES)
def test_a_backend_that_goes_on_failing_gives_no_answer_that_could_clear_a_cookie(
    scene, name, place, lost
):
    visit = fail_at(scene, name, place, lost)
    with pytest.raises(BackendError):
        visit.step(200, lost=False)
    # The error page goes out, and says nothing about the session.
    while visit.step(500, lost=False) is not None:
        pass
    lines = visit.arrive(500)
    if name.startswith("rotate") and place == 1:
        # But the record with the new id is there, and the one with the old id may be gone.
        assert [NAME] == names(lines)
        assert ALICE["user"] == scene.browser.session()["user"]
    else:
        assert lines == []


@pytest.mark.parametrize(("name", "place", "lost"), CASES)
def test_a_request_that_is_abandoned_leaves_one_session_at_most_or_the_two_of_a_rotation(
    scene, name, place, lost
):
    fail_at(scene, name, place, lost)
    most = 2 if name.startswith("rotate") else 1
    assert len(all_alive(scene)) <= most
    assert all(contents["n"] <= 1 for contents in all_alive(scene) if name in UNENDED)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("other", ["delete", "update", "rotate", "login"])
@pytest.mark.parametrize("name", list(SCENARIOS))
@pytest.mark.parametrize("status", [200, 500])
def test_another_request_between_the_two_attempts_is_not_undone(scene, name, other, lost, status):
    visit = scene.browser.visit()
    other_visit = scene.browser.visit()
    SCENARIOS[name](visit.exchange)
    with pytest.raises(BackendError):
        visit.step(lost=lost)
    if other == "update":
        other_visit.exchange.contents["theirs"] = 1
    elif other == "login":
        other_visit.exchange.create({**ALICE, "n": 20})
    else:
        getattr(other_visit.exchange, other)()
    other_visit.settle()
    was_there = other_visit.exchange.get() is not None
    try:
        visit.settle(status)
    except BackendError:
        visit.settle(500)
    begun = [contents for contents in all_alive(scene) if contents.get("n") != 0]
    if other == "delete" and name in UNENDED:
        assert [] == all_alive(scene)
    if other == "login" and was_there:
        assert {**ALICE, "n": 20} in all_alive(scene)
    if other == "update" and was_there and name in UNENDED:
        assert [1] == [contents.get("theirs") for contents in all_alive(scene)]
    if name in UNENDED and other != "login":
        assert len(all_alive(scene)) <= 1
        assert all(contents["n"] <= 1 for contents in begun)
