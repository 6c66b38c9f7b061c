"""Sessions on the server, one request after another."""

from dataclasses import replace

import pytest

from sessionkit import Absence, Lifetime
from sessionkit._exchange.request import HeaderRequest

from ..kept import FENCE, NAME, KeptScene
from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, START, Scene, names

DAY = 86_400


@pytest.fixture
def scene():
    return KeptScene()


@pytest.fixture
def alice(scene):
    scene.browser.login()
    return scene.browser


def test_a_login_keeps_a_record_and_sets_a_pointer_in_which_there_are_no_contents(scene):
    visit = scene.browser.visit()
    visit.exchange.create({**ALICE, "n": 1})
    assert visit.settle() == ["Insert"]
    lines = visit.answer()
    assert [NAME] == names(lines)
    assert len(lines[0]) < 450
    (info,) = scene.store.sessions_of(ALICE)
    assert {**ALICE, "n": 1} == info.contents
    assert (START, START, START + DAY) == (info.created_at, info.updated_at, info.expires_at)
    assert info.is_current is False


def test_the_next_request_reads_the_record(scene):
    scene.browser.login({**ALICE, "n": 1})
    visit = scene.browser.visit()
    assert {**ALICE, "n": 1} == visit.exchange.get()
    assert [] == visit.settle()
    assert [] == visit.answer()


def test_an_update_replaces_the_record_and_sets_no_cookie(alice):
    visit = alice.visit()
    assert visit.exchange.update({**ALICE, "n": 2}) is True
    assert ["Replace"] == visit.settle()
    assert [] == visit.answer()
    assert {**ALICE, "n": 2} == alice.session()


def test_a_change_in_place_replaces_the_record(alice):
    visit = alice.visit()
    visit.exchange.get()["cart"] = [1]
    assert [] == visit.arrive()
    assert [1] == alice.session()["cart"]


def test_a_renewal_moves_the_record_and_sets_no_cookie(scene, alice):
    scene.clock.wait(3600)
    visit = alice.visit()
    visit.exchange.get()
    assert ["Touch"] == visit.settle()
    assert [] == visit.answer()
    assert START + 3600 + DAY == scene.store.sessions_of(ALICE)[0].expires_at


def test_touch_session_moves_the_record_at_once(scene, alice):
    scene.clock.wait(1)
    visit = alice.visit()
    assert visit.exchange.touch() is True
    assert ["Touch"] == visit.settle()
    assert START + 1 == scene.store.sessions_of(ALICE)[0].updated_at


def test_a_request_that_is_no_activity_renews_nothing(scene, alice):
    scene.clock.wait(3600)
    visit = alice.visit(method="OPTIONS")
    visit.exchange.get()
    assert [] == visit.settle()


def test_a_logout_deletes_the_record_and_clears_the_pointer_without_a_fence(scene, alice):
    visit = alice.visit()
    assert visit.exchange.delete() is True
    assert ["Delete"] == visit.settle()
    assert f"-{NAME}" in names(visit.arrive())
    assert FENCE not in alice.jar.names()
    assert (0, Absence.NO_COOKIE) == (scene.alive(), alice.absence())


def test_a_copied_pointer_is_dead_after_the_logout(scene, alice):
    copied = alice.jar.header()
    alice.logout()
    exchange = scene.open(copied)
    assert exchange.get() is None
    assert Absence.UNKNOWN_RECORD is exchange.absence


def test_a_login_over_a_session_deletes_the_earlier_record_first(scene, alice):
    visit = alice.visit()
    visit.exchange.create(BOB)
    assert ["Delete", "Insert"] == visit.settle()
    visit.arrive()
    assert (BOB, 0, 1) == (alice.session(), scene.alive(ALICE), scene.alive(BOB))


def test_a_rotation_inserts_the_new_record_before_the_old_one_becomes_a_forward_record(
    scene, alice
):
    old = alice.jar.header()
    visit = alice.visit()
    assert visit.exchange.rotate() is True
    assert ["Insert", "Replace"] == visit.settle()
    assert [NAME] == names(visit.arrive())
    assert ALICE == alice.session()
    assert 1 == scene.alive()
    assert Absence.UNKNOWN_RECORD is scene.open(old).absence


def test_a_rotation_with_an_update_inserts_the_new_contents(alice):
    visit = alice.visit()
    visit.exchange.rotate()
    visit.exchange.update({**ALICE, "admin": True})
    assert ["Insert", "Replace"] == visit.settle()
    visit.arrive()
    assert alice.session()["admin"] is True


def test_an_update_after_a_rotation_that_was_saved_replaces_the_new_record(alice):
    visit = alice.visit()
    visit.exchange.rotate()
    visit.settle()
    visit.exchange.update({**ALICE, "n": 3})
    assert ["Replace"] == visit.settle()
    visit.arrive()
    assert 3 == alice.session()["n"]


def test_a_logout_with_the_cookie_of_before_a_rotation_ends_the_rotated_session_too(scene, alice):
    late = alice.visit()
    late.exchange.get()
    visit = alice.visit()
    visit.exchange.rotate()
    visit.arrive()
    late.exchange.delete()
    assert ["Delete", "Delete"] == late.settle()
    assert 0 == scene.alive()


def test_an_anonymous_session_stays_in_a_content_cookie(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    assert [] == visit.settle()
    assert [NAME] == names(visit.arrive())
    assert [1] == scene.browser.visit().exchange.contents["cart"]
    assert () == scene.browser.visit().exchange.wanted


def test_a_login_ends_the_anonymous_session_in_the_cookie(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    assert [NAME, FENCE] == names(scene.browser.login())
    assert ALICE == scene.browser.session()


def test_a_rotation_of_an_anonymous_session_stays_in_the_cookie(scene):
    visit = scene.browser.visit()
    visit.exchange.contents["cart"] = [1]
    visit.arrive()
    visit = scene.browser.visit()
    assert visit.exchange.rotate() is True
    assert [] == visit.settle()
    visit.arrive()
    assert [1] == scene.browser.visit().exchange.contents["cart"]


def test_a_signed_in_session_in_a_cookie_of_before_there_was_a_backend_is_refused(scene):
    earlier = Scene()
    earlier.browser.login()
    exchange = scene.open(earlier.browser.jar.header())
    assert exchange.get() is None
    assert Absence.UNKNOWN_RECORD is exchange.absence


@pytest.mark.parametrize("again", [False, True])
def test_a_record_that_promises_more_does_not_move_the_end_that_the_provider_set(
    scene, alice, again
):
    exchange = alice.visit().exchange
    stamp = exchange.get().stamp
    exchange.state.restamp(replace(stamp, ends_at=START + 100))
    (wanted,) = scene.backend._records
    record = scene.backend._records[wanted]._replace(expires_at=START + 7 * DAY)
    assert exchange.refresh(record) is True
    assert exchange.get().stamp.expires_at == START + 100
    exchange.state.restamp(replace(exchange.get().stamp, expires_at=START + DAY))
    scene.clock.wait(100)
    assert not (exchange.refresh(record) if again else exchange.get())


def test_an_expired_record_gives_no_session_and_says_why(scene, alice):
    scene.clock.wait(DAY)
    exchange = scene.open(alice.jar.header())
    assert (None, Absence.IDLE) == (exchange.get(), exchange.absence)


def test_a_pointer_past_its_end_costs_no_operation(scene, alice):
    header = alice.jar.header()
    scene.clock.wait(7 * DAY)
    exchange = scene.store.begin(HeaderRequest(header))
    assert () == exchange.wanted
    assert exchange.absence in (Absence.EXPIRED, Absence.ABSOLUTE)


def test_a_pointer_ends_with_the_absolute_lifetime_and_after_400_days_at_most(scene):
    (line,) = scene.browser.login()
    assert f"; Max-Age={7 * DAY};" in line
    for_ever = KeptScene(lifetime=Lifetime(absolute=None))
    (line,) = for_ever.browser.login()
    assert f"; Max-Age={400 * DAY};" in line


def test_an_update_under_a_second_secret_sets_the_pointer_anew_and_a_read_does_not(scene):
    old = KeptScene(secret=OTHER_SECRET)
    old.browser.login()
    new = KeptScene(old.backend, secret=[SECRET, OTHER_SECRET])
    new.browser.jar = old.browser.jar
    visit = new.browser.visit()
    assert ALICE == visit.exchange.get()
    assert [] == visit.arrive()
    assert [NAME] == names(new.browser.update(n=1))
    assert [] == new.browser.update(n=2)
    only_new = KeptScene(old.backend, secret=[SECRET])
    assert {**ALICE, "n": 2} == only_new.open(new.browser.jar.header()).get()


def test_sessions_that_began_under_an_older_secret_are_listed_and_revoked(scene):
    old = KeptScene(secret=OTHER_SECRET)
    old.browser.login()
    new = KeptScene(old.backend, secret=[SECRET, OTHER_SECRET])
    new.browser.login()
    assert (2, 2, 0) == (new.alive(), new.store.revoke_user(ALICE), new.alive())


def test_the_records_of_two_pointers_of_one_user_are_that_user_and_the_newest_counts(scene):
    scene.browser.login({**ALICE, "n": 1})
    scene.clock.wait(5)
    other = scene.another_browser()
    other.login({**ALICE, "n": 2})
    exchange = scene.open(f"{scene.browser.jar.header()}; {other.jar.header()}")
    assert 2 == exchange.get()["n"]
    exchange.delete()
    exchange.commit()
    assert 0 == scene.alive()


def test_two_pointers_of_one_user_under_two_secrets_are_that_user(scene):
    old = KeptScene(secret=OTHER_SECRET)
    old.browser.login()
    new = KeptScene(old.backend, secret=[SECRET, OTHER_SECRET])
    new.browser.login()
    assert ALICE == new.open(f"{old.browser.jar.header()}; {new.browser.jar.header()}").get()


def test_the_pointers_of_two_users_are_ambiguous_and_a_login_ends_both_sessions(scene, alice):
    bob = scene.another_browser()
    bob.login(BOB)
    exchange = scene.open(f"{alice.jar.header()}; {bob.jar.header()}")
    assert (None, Absence.AMBIGUOUS) == (exchange.get(), exchange.absence)
    exchange.create({"user": {"sub": "carol"}})
    exchange.commit()
    assert (0, 0) == (scene.alive(ALICE), scene.alive(BOB))


def test_an_anonymous_session_that_begins_while_two_pointers_are_ambiguous_ends_both(scene, alice):
    bob = scene.another_browser()
    bob.login(BOB)
    exchange = scene.open(f"{alice.jar.header()}; {bob.jar.header()}")
    exchange.contents["cart"] = [1]
    exchange.commit()
    assert (0, 0) == (scene.alive(ALICE), scene.alive(BOB))


def test_one_pointer_that_comes_twice_is_loaded_once_and_is_one_session(alice):
    visit = alice.visit()
    twice = alice.store.begin(HeaderRequest(f"{alice.jar.header()}; {alice.jar.header()}"))
    assert visit.exchange.wanted == ()
    assert 1 == len(twice.wanted)
