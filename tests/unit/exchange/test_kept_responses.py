"""Sessions on the server, late, failing and repeated responses."""

import pytest

from sessionkit import (
    Absence,
    BackendError,
    ConfigurationError,
    Event,
    EventKind,
    NoActiveRequestError,
)
from sessionkit._exchange.drivers import BlockingDriver
from sessionkit._exchange.operations import Delete, Insert, Replace, Touch
from sessionkit._exchange.request import HeaderRequest

from ..kept import NAME, KeptScene
from ..scene import ALICE, BOB, names

DAY = 86_400


@pytest.fixture
def scene():
    return KeptScene()


@pytest.fixture
def alice(scene):
    scene.browser.login()
    return scene.browser


def test_a_failed_load_is_raised_by_every_verb_and_the_cookie_stays(scene, alice):
    exchange = scene.store.begin(HeaderRequest(alice.jar.header()))
    assert 1 == len(exchange.wanted)
    exchange.supply(BackendError("the session backend is down"))
    for verb in (exchange.get, exchange.delete, lambda: exchange.create(BOB), exchange.rotate):
        with pytest.raises(BackendError, match=r"\Athe session backend is down\Z"):
            verb()
    assert [] == list(exchange.commit(500).add)


def test_a_record_that_nobody_has_loaded_is_asked_for_by_name(scene, alice):
    exchange = scene.store.begin(HeaderRequest(alice.jar.header()))
    with pytest.raises(ConfigurationError, match="was not loaded: this backend is awaited"):
        exchange.get()


def test_a_record_that_a_gateway_has_not_loaded_yet_is_waited_for_by_nobody(scene, alice):
    exchange = scene.store.begin(HeaderRequest(alice.jar.header()))
    exchange.gateway = object()
    for verb in (exchange.get, exchange.delete, lambda: exchange.contents):
        with pytest.raises(NoActiveRequestError, match="is not loaded yet: use the session in the"):
            verb()


def test_a_change_that_no_driver_has_saved_is_refused_at_the_commit(alice):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "n": 1})
    with pytest.raises(ConfigurationError, match="cannot be saved here: this backend is awaited"):
        visit.exchange.commit()


def test_a_renewal_that_fails_is_an_event_and_no_error(scene, alice):
    scene.clock.wait(3600)
    visit = alice.visit()
    visit.exchange.get()
    assert isinstance(visit.step(lost=False), Touch)
    assert visit.step() is None
    assert [Event(kind=EventKind.RENEWAL_FAILED)] == scene.events


def test_a_renewal_that_a_verb_asked_for_and_that_fails_is_an_error(scene, alice):
    scene.clock.wait(1)
    visit = alice.visit()
    visit.exchange.touch()
    with pytest.raises(BackendError):
        visit.step(lost=False)


def test_a_renewal_that_finds_no_record_drops_the_session(scene, alice):
    visit = alice.visit()
    visit.exchange.get()
    scene.clock.wait(3600)
    alice.logout()
    assert isinstance(visit.step(), Touch)
    assert visit.exchange.get() is None
    assert [] == visit.answer()


def test_a_touch_of_a_session_that_was_ended_meanwhile_is_a_late_write(scene, alice):
    visit = alice.visit()
    visit.exchange.touch()
    alice.logout()
    visit.settle()
    assert EventKind.LATE_WRITE in [event.kind for event in scene.events]


def test_a_late_update_is_dropped_with_an_event_and_sets_no_cookie(scene, alice):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "n": 1})
    alice.logout()
    assert isinstance(visit.step(), Replace)
    assert [] == visit.answer()
    assert [Event(kind=EventKind.LATE_WRITE)] == scene.events
    assert 0 == scene.alive()


def test_a_rotation_that_loses_to_a_logout_deletes_its_new_record(scene, alice):
    visit = alice.visit()
    visit.exchange.rotate()
    assert isinstance(visit.step(), Insert)
    alice.logout()
    assert ["Replace", "Delete"] == visit.settle()
    assert [] == visit.answer()
    assert 0 == scene.alive()


def test_a_login_in_flight_loses_to_a_revocation(scene):
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    scene.clock.wait(1)
    scene.store.revoke_user(ALICE)
    assert ["Insert"] == visit.settle()
    assert [] == visit.answer()
    assert Absence.REVOKED is visit.exchange.absence
    scene.clock.wait(1)
    assert [NAME] == names(scene.browser.login())


def test_a_commit_performs_everything_and_closes_the_exchange(scene):
    exchange = scene.store.begin(HeaderRequest(""))
    exchange.server.driver = BlockingDriver(scene.backend)
    exchange.create(ALICE)
    changes = exchange.commit()
    assert changes.add == tuple(exchange.response_headers) or list(changes.add) == (
        exchange.response_headers
    )
    assert (1, "COMMITTED") == (scene.alive(), exchange.phase.name)


def test_a_response_that_fails_saves_nothing_and_keeps_a_logout(scene, alice):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "n": 1})
    assert [] == visit.settle(500)
    visit = alice.visit()
    visit.exchange.delete()
    assert ["Delete"] == visit.settle(500)
    assert f"-{NAME}" in names(visit.arrive(500))


def test_the_record_of_a_login_is_deleted_if_the_response_fails_after_all(scene):
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    assert ["Insert"] == visit.settle(200)
    assert ["Delete"] == visit.settle(500)
    assert [] == visit.answer(500)
    assert 0 == scene.alive()


def test_a_rotation_that_is_complete_stays_though_the_response_fails(scene, alice):
    visit = alice.visit()
    visit.exchange.rotate()
    visit.settle(200)
    assert [] == visit.settle(500)
    assert [NAME] == names(visit.arrive(500))
    assert ALICE == alice.session()


def test_a_rotation_is_undone_if_the_response_fails_before_it_is_complete(scene, alice):
    visit = alice.visit()
    visit.exchange.rotate()
    assert isinstance(visit.step(), Insert)
    assert ["Delete"] == visit.settle(500)
    assert [] == visit.arrive(500)
    assert (ALICE, 1) == (alice.session(), scene.alive())
    assert ["Insert", "Replace"] == visit.settle(200)


def test_a_repeated_decision_seals_the_same_record_again(alice):
    visit = alice.visit()
    visit.exchange.update({**ALICE, "n": 1})
    first, _ = visit.exchange.decide()
    second, _ = visit.exchange.decide()
    assert first.record is second.record
    visit.exchange.rotate()


def test_operations_show_no_payload_and_name_what_they_end():
    assert Delete("k", "o").ends
    assert "sealed" not in repr(Insert(("k",), 0)) and not Insert(("k",), 0).ends
    assert Replace(("k",), b"v", forwards=True).ends
    assert not Replace(("k",), b"v").ends


def test_an_exchange_that_saves_often_remembers_its_last_save_only(scene, alice):
    exchange = scene.store.begin(HeaderRequest(alice.jar.header()))
    exchange.drive()
    for number in range(5):
        exchange.contents["n"] = number
        exchange.server.driver.run(exchange, 200, ())
    assert 1 == len(exchange.server._sent)
    assert {**ALICE, "n": 4} == alice.visit().exchange.get()
