"""A store with a backend takes over sessions from the cookies of other libraries."""

import pytest

from sessionkit import Absence, CookieSettings, Native, SessionStore
from sessionkit._exchange.request import HeaderRequest
from sessionkit.formats import Importer
from sessionkit.testing import session_cookies

from ..kept import FENCE, NAME, KeptScene
from ..scene import ALICE, OTHER_SECRET, START, names


def make_scene(clear):
    theirs = SessionStore(OTHER_SECRET, cookie=CookieSettings(name="first"), clock=lambda: START)
    scene = KeptScene(
        accept=[Importer(Native(), name="first", secret=OTHER_SECRET, until=None, clear=clear)]
    )
    pairs = session_cookies(theirs, {**ALICE, "n": 0})
    scene.browser.jar.receive(
        f"{name}={value}; Path=/; Secure; Max-Age=9999" for name, value in pairs.items()
    )
    return scene


@pytest.fixture(params=[True, False], ids=["cleared", "left"])
def scene(request):
    return make_scene(request.param)


def count(session):
    return {**session, "n": session["n"] + 1}


def test_an_imported_session_gets_a_record_and_a_pointer(scene):
    visit = scene.browser.visit()
    assert {**ALICE, "n": 0} == visit.exchange.get()
    assert ["Insert"] == visit.settle()
    assert NAME in names(visit.arrive())
    assert {**ALICE, "n": 0} == scene.browser.session()
    assert 1 == scene.alive()


@pytest.mark.parametrize(
    ("status", "headers"), [(304, []), (200, [("Cache-Control", "public, max-age=60")])]
)
def test_an_import_is_not_worth_the_entry_of_a_cache(scene, status, headers):
    visit = scene.browser.visit()
    visit.exchange.get()
    assert [] == visit.settle(status, headers)
    assert [] == visit.answer(status, headers)
    visit = scene.browser.visit()
    visit.exchange.touch()
    assert ["Insert"] == visit.settle(status, headers)


def test_parallel_first_requests_are_one_session(scene):
    one, other = scene.browser.visit(), scene.browser.visit()
    for visit in (one, other):
        visit.exchange.get()
    assert ["Insert"] == one.settle()
    assert ["Insert", "Load"] == other.settle()
    one.arrive()
    other.arrive()
    assert 1 == scene.alive()
    assert {**ALICE, "n": 0} == scene.browser.session()


def test_parallel_first_requests_that_write_are_merged(scene):
    one, other, third = (scene.browser.visit() for _ in range(3))
    one.exchange.update(count)
    other.exchange.update(count)
    third.exchange.contents["third"] = 3
    assert ["Insert"] == one.settle()
    assert ["Insert", "Load", "Replace"] == other.settle()
    assert ["Insert", "Load", "Replace"] == third.settle()
    for visit in (one, other, third):
        visit.arrive()
    assert {**ALICE, "n": 2, "third": 3} == scene.browser.session()


def test_nested_changes_in_place_of_parallel_first_requests_are_merged(scene):
    one, other = scene.browser.visit(), scene.browser.visit()
    one.exchange.contents["one"] = 1
    other.exchange.get()["user"]["name"] = "Alice"
    one.arrive()
    other.arrive()
    assert {"user": {**ALICE["user"], "name": "Alice"}, "n": 0, "one": 1} == scene.browser.session()


def test_a_logout_of_an_imported_session_is_not_undone_by_the_other_cookie(scene):
    first, late = scene.browser.visit(), scene.browser.visit()
    foreign = scene.browser.jar.header()
    first.exchange.get()
    late.exchange.get()
    first.arrive()
    assert FENCE in names(scene.browser.logout())
    assert scene.browser.session() == {}
    late.arrive()
    assert scene.browser.session() == {}
    fenced = scene.store.begin(HeaderRequest(f"{foreign}; {scene.browser.jar.header()}"))
    fenced.drive()
    assert (None, Absence.LOGGED_OUT) == (fenced.get(), fenced.absence)


def test_a_late_import_after_a_revocation_is_dropped(scene):
    one, late = scene.browser.visit(), scene.browser.visit()
    for visit in (one, late):
        visit.exchange.get()
    one.settle()
    scene.clock.wait(1)
    scene.store.revoke_user(ALICE)
    assert ["Insert", "Load"] == late.settle()
    assert [] == late.answer()
    assert (0, Absence.REVOKED) == (scene.alive(), late.exchange.absence)


def test_an_import_whose_reply_was_lost_is_found(scene):
    visit = scene.browser.visit()
    visit.exchange.get()
    with pytest.raises(RuntimeError):
        visit.step(lost=True)
    visit.exchange.update(count)
    assert ["Insert", "Load", "Replace"] == visit.settle()
    visit.arrive()
    assert (1, 1) == (scene.browser.session()["n"], scene.alive())


def test_a_rotation_of_an_imported_session_that_was_kept_meanwhile(scene):
    one, other = scene.browser.visit(), scene.browser.visit()
    one.exchange.get()
    other.exchange.rotate()
    one.settle()
    other.settle()
    other.arrive()
    assert {**ALICE, "n": 0} == scene.browser.session()
