"""Which sessions a login ends beyond `max_sessions`: never one that has just begun, and the same ones on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import BackendError
from sessionkit.backends import MemoryBackend, SQLiteBackend

from ..kept import KeptScene
from ..scene import ALICE, Clock


def log_in(scene: KeptScene, **contents: Any) -> Any:
    browser = scene.another_browser()
    browser.login({**ALICE, **contents})
    return browser


def test_a_login_never_ends_the_session_that_it_begins():
    scene = KeptScene(max_sessions=2)
    for number in range(8):  # all in one second
        assert log_in(scene, n=number).session() == {**ALICE, "n": number}
        assert scene.alive() == min(number + 1, 2)


def test_of_two_logins_at_the_same_time_neither_ends_the_other():
    scene = KeptScene(max_sessions=1)
    browsers = [scene.another_browser() for _ in range(2)]
    visits = [browser.visit() for browser in browsers]
    for visit in visits:
        visit.exchange.create(ALICE)
    for _ in range(3):
        for visit in visits:
            visit.step()
    for visit in visits:
        visit.arrive()
    assert [browser.session() for browser in browsers] == [ALICE, ALICE]
    assert log_in(scene).session() == ALICE
    assert scene.alive() == 1


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_of_sessions_that_began_in_one_second_the_same_end_in_whatever_order_they_are_listed(
    tmp_path, kind, order
):
    began = KeptScene()
    for number in range(6):
        log_in(began, n=number)
    records = sorted(began.store.settings.backend.of(_owner(began)), key=lambda one: one.key)
    clock = Clock()
    engine = (
        MemoryBackend(clock=clock)
        if kind == "memory"
        else SQLiteBackend(tmp_path / "sessions.db", clock=clock)
    )
    for record in records[::order]:
        engine.insert(record, 0)
    scene = KeptScene(engine, max_sessions=3)
    log_in(scene, n=6)
    left = {one.key for one in engine.of(_owner(scene))} & {one.key for one in records}
    assert left == {one.key for one in records[4:]}


def _owner(scene: KeptScene) -> str:
    return scene.store.sessions_of(ALICE)[0].handle.partition(".")[0]


def test_a_login_that_is_not_stored_ends_no_other_session():
    scene = KeptScene(max_sessions=1)
    first = log_in(scene, n=1)
    visit = scene.another_browser().visit()
    visit.exchange.create(ALICE)
    assert type(visit.step()).__name__ == "List"
    with pytest.raises(BackendError):
        visit.step(lost=False)
    visit.arrive(500)
    assert first.session() == {**ALICE, "n": 1}


def test_a_login_whose_response_fails_ends_no_other_session():
    scene = KeptScene(max_sessions=1)
    first = log_in(scene, n=1)
    visit = scene.another_browser().visit()
    visit.exchange.create(ALICE)
    visit.step()
    visit.step()
    visit.arrive(500)
    assert (first.session(), scene.alive()) == ({**ALICE, "n": 1}, 1)


def test_a_login_over_a_session_of_the_same_user_counts_as_one():
    scene = KeptScene(max_sessions=2)
    browser, other = log_in(scene, n=1), log_in(scene, n=2)
    browser.login({**ALICE, "n": 3})
    assert (browser.session()["n"], other.session()["n"]) == (3, 2)


def test_only_a_login_lists_the_sessions_of_the_user():
    scene = KeptScene(max_sessions=2)
    browser = log_in(scene)
    visit = browser.visit()
    visit.exchange.rotate()
    visit.exchange.contents["n"] = 1
    assert ["Insert", "Replace"] == visit.settle()
