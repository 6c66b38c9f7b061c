"""Parallel changes of one session, merged."""

import re

import pytest

from sessionkit import (
    JSON,
    Absence,
    BackendError,
    ConflictError,
    EventKind,
    Ignored,
    SerializationError,
    SessionStore,
)
from sessionkit._exchange.merging import Change, Update, merge_change, replay
from sessionkit._exchange.operations import Insert, Replace
from sessionkit._exchange.replaying import MOST_TRIES

from ..kept import KeptScene
from ..scene import ALICE, SECRET


def merge(before, after, theirs, exclusive=()):
    return merge_change(before, after, theirs, exclusive, JSON)


@pytest.mark.parametrize(
    ("before", "mine", "theirs", "merged"),
    [
        ({}, {"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 1, "b": 2}, {"a": 2, "b": 2}),
        ({"a": 1}, {"a": 1}, {"a": 3}, {"a": 3}),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}),
        ({"a": 1}, {}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": 1}, {}, {"a": 3}, {}),
        ({"a": 1}, {"a": 2}, {}, {}),
        ({"a": 1}, {}, {}, {}),
        ({"a": 1}, {"a": True}, {"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}, {"a": 1}, {"a": 1.0}),
    ],
    ids=[
        "both add", "mine unchanged elsewhere", "theirs only", "both change: mine", "mine deletes",
        "mine deletes what they change", "they delete what I change", "both delete", "True for 1", "1.0 for 1",
    ],
)  # fmt: skip
def test_changes_are_merged_by_top_level_key(before, mine, theirs, merged):
    result = merge(before, mine, theirs)
    assert (merged, list(map(type, merged.values()))) == (result, list(map(type, result.values())))


def test_who_the_user_is_is_never_merged():
    with pytest.raises(ConflictError, match="'user'"):
        merge({"user": 1}, {"user": 2}, {"user": 3}, {"user"})
    assert {"user": 2} == merge({"user": 1}, {"user": 2}, {"user": 2}, {"user"})
    assert {"user": 2} == merge({"user": 1}, {"user": 2}, {"user": 1}, {"user"})


def test_steps_are_replayed_in_order_and_a_refused_one_does_nothing():
    steps = [
        Change(b'{"n":1}', b'{"n":1,"a":1}'),
        Update(lambda session: {**session, "n": session["n"] + 1}),
        Update(lambda session: None),
        Update(lambda session: {"refused": True}),
        Update(lambda session: session["list"].append(9) or {**session, "refused": True}),
    ]
    theirs = {"n": 5, "list": []}
    result = replay(steps, theirs, JSON, (), lambda contents: "refused" not in contents)
    assert {"n": 6, "a": 1, "list": []} == result
    assert {"n": 5, "list": []} == theirs


def test_a_step_shows_no_contents():
    assert "secret" not in repr(Change(b'{"secret":1}', b"{}"))


@pytest.fixture
def scene():
    return KeptScene()


@pytest.fixture
def alice(scene):
    scene.browser.login({**ALICE, "n": 0})
    return scene.browser


def count(session):
    return {**session, "n": session["n"] + 1}


def test_two_parallel_updates_of_different_keys_are_both_kept(alice):
    one, other = alice.visit(), alice.visit()
    one.exchange.get()["a"] = 1
    other.exchange.get()["b"] = 2
    one.arrive()
    assert ["Replace", "Replace"] == other.settle()
    assert {**ALICE, "n": 0, "a": 1, "b": 2} == other.exchange.get()
    other.arrive()
    assert {**ALICE, "n": 0, "a": 1, "b": 2} == alice.session()


def test_a_conflict_asks_for_a_pause(alice):
    one, other = alice.visit(), alice.visit()
    one.exchange.update(count)
    other.exchange.update(count)
    one.arrive()
    other.step()
    assert 0 < other.exchange.pause <= 0.064
    other.step()
    assert 0 == other.exchange.pause


def test_after_an_attempt_that_followed_a_pause_the_next_one_follows_at_once(alice):
    visit, pauses = alice.visit(), []
    visit.exchange.update(count)
    for number in range(4):
        alice.update(x=number)
        visit.step()
        pauses.append(visit.exchange.pause > 0)
    assert [True, False, True, False] == pauses


def test_two_parallel_increments_are_both_counted(alice):
    one, other = alice.visit(), alice.visit()
    for visit in (one, other):
        assert visit.exchange.update(count) is True
    one.arrive()
    other.arrive()
    assert 2 == alice.session()["n"]


def test_changes_in_place_before_and_after_a_function_are_kept_with_it(alice):
    one, other = alice.visit(), alice.visit()
    one.exchange.update(count)
    other.exchange.get()["before"] = 1
    other.exchange.update(count)
    other.exchange.update(count)
    other.exchange.get()["after"] = 2
    one.arrive()
    other.arrive()
    assert {**ALICE, "n": 3, "before": 1, "after": 2} == alice.session()


def test_parallel_changes_of_the_user_are_a_conflict_and_nothing_is_saved(alice):
    one, other = alice.visit(), alice.visit()
    one.exchange.get()["user"]["name"] = "A"
    other.exchange.get()["user"]["name"] = "B"
    one.arrive()
    with pytest.raises(ConflictError, match="Call create_session for another user"):
        other.settle()
    assert "A" == alice.session()["user"]["name"]


def test_parallel_changes_of_a_login_key_are_a_conflict_though_the_identity_is_ones_own():
    scene = KeptScene(login_keys=["account"], identity=lambda session: session["user"]["sub"])
    scene.browser.login({**ALICE, "account": 1})
    one, other = scene.browser.visit(), scene.browser.visit()
    one.exchange.get()["account"] = 2
    other.exchange.get()["account"] = 3
    one.arrive()
    with pytest.raises(ConflictError, match="'account'"):
        other.settle()
    assert 2 == scene.browser.session()["account"]


def test_a_right_that_was_withdrawn_stays_withdrawn(alice):
    alice.update(user={**ALICE["user"], "roles": ["admin"]})
    one, other = alice.visit(), alice.visit()
    one.exchange.get()["user"]["roles"] = []
    other.exchange.get()["theme"] = "dark"
    one.arrive()
    other.arrive()
    assert ([], "dark") == (alice.session()["user"]["roles"], alice.session()["theme"])


def test_a_merge_that_gives_the_session_to_another_user_is_a_conflict():
    scene = KeptScene(
        guard=lambda session: "a" in session,
        identity=lambda session: "both" if {"b", "c"} <= session.keys() else session["a"],
    )
    scene.browser.login({"a": "ada"})
    one, other = scene.browser.visit(), scene.browser.visit()
    one.exchange.get()["b"] = 1
    other.exchange.get()["c"] = 1
    one.arrive()
    with pytest.raises(ConflictError, match="merged, give the session to another user"):
        other.settle()
    assert {"a": "ada", "b": 1} == scene.browser.session()


def test_contents_that_a_function_gives_to_another_user_are_a_conflict_too(alice, scene):
    one, other = alice.visit(), alice.visit()
    one.exchange.update(count)
    seen = []

    def elsewhere(session):
        seen.append(session["n"])
        return {**session, "user": {"sub": "bob"}} if session["n"] else count(session)

    assert other.exchange.update(elsewhere) is True
    one.arrive()
    other.arrive()
    assert ([0, 1], 1) == (seen, alice.session()["n"])


@pytest.mark.parametrize(
    ("user", "reason", "claim"),
    [
        ({**ALICE["user"], "sub": "bob"}, Ignored.OTHER_USER, "sub"),
        ({"sub": "alice"}, Ignored.OTHER_USER, "iss"),
        ({}, Ignored.NO_USER, None),
    ],
)
def test_an_update_that_is_dropped_when_it_is_replayed_is_reported(
    alice, scene, user, reason, claim
):
    one, other = alice.visit(), alice.visit()
    one.exchange.update(count)
    assert other.exchange.update(lambda now: {**now, "user": user} if now["n"] else count(now))
    one.arrive()
    other.arrive()
    told = [(event.kind, event.reason, event.claim) for event in scene.events]
    assert [(EventKind.UPDATE_IGNORED, reason, claim)] == told


def test_what_is_not_json_when_an_update_is_replayed_is_an_error_that_says_where(alice):
    one, other = alice.visit(), alice.visit()
    one.exchange.update(count)
    assert other.exchange.update(lambda now: {**count(now), "at": {1} if now["n"] else 1})
    one.arrive()
    with pytest.raises(SerializationError, match=re.escape('session["at"]: set is not JSON')):
        other.settle()
    assert {**ALICE, "n": 1} == alice.session()


def test_writers_that_never_come_to_an_end_are_given_up(alice):
    visit = alice.visit()
    visit.exchange.update(count)
    with pytest.raises(ConflictError, match="64 times"):
        for _ in range(MOST_TRIES + 1):
            alice.update(x=len(visit.done))
            visit.step()
    assert MOST_TRIES + 1 == len(visit.done)


def test_an_update_beside_a_rotation_is_in_the_rotated_session(alice, scene):
    one, other = alice.visit(), alice.visit()
    one.exchange.rotate()
    other.exchange.update(count)
    assert isinstance(one.step(), Insert)
    other.arrive()
    assert ["Replace", "Replace", "Replace"] == one.settle()
    one.arrive()
    assert (1, 1) == (alice.session()["n"], scene.alive({**ALICE}))


def test_an_update_of_the_old_id_after_the_rotation_is_dropped(alice, scene):
    one, other = alice.visit(), alice.visit()
    one.exchange.rotate()
    other.exchange.update(count)
    one.arrive()
    assert [] == other.arrive()
    assert [EventKind.LATE_WRITE] == [event.kind for event in scene.events]
    assert 0 == alice.session()["n"]


def test_of_two_parallel_rotations_one_session_is_left(alice, scene):
    one, other = alice.visit(), alice.visit()
    one.exchange.rotate()
    other.exchange.rotate()
    one.step()
    other.step()
    one.arrive()
    assert ["Replace", "Delete"] == other.settle()
    assert [] == other.answer()
    assert 1 == scene.alive()


def test_a_write_whose_reply_was_lost_is_found_and_not_applied_again(alice):
    visit = alice.visit()
    visit.exchange.update(count)
    with pytest.raises(BackendError):
        visit.step(lost=True)
    assert ["Replace"] == visit.settle()
    assert 1 == alice.session()["n"]


def test_a_write_whose_reply_was_lost_before_it_was_applied_is_made_once(alice):
    visit = alice.visit()
    visit.exchange.update(count)
    with pytest.raises(BackendError):
        visit.step(lost=False)
    assert ["Replace"] == visit.settle()
    assert 1 == alice.session()["n"]


def test_an_increment_of_which_nothing_is_known_is_not_made_twice(alice):
    visit = alice.visit()
    visit.exchange.update(count)
    with pytest.raises(BackendError):
        visit.step(lost=True)
    other = alice.visit()
    other.exchange.update(count)
    other.arrive()
    with pytest.raises(
        ConflictError, match="not known whether the change of this request was saved"
    ):
        visit.step()
    assert 2 == alice.session()["n"]


def test_a_plain_update_of_which_nothing_is_known_is_made_again(alice):
    visit = alice.visit()
    visit.exchange.get()["a"] = 1
    with pytest.raises(BackendError):
        visit.step(lost=True)
    alice.update(b=2)
    visit.settle()
    assert (1, 2) == (alice.session()["a"], alice.session()["b"])


def test_a_function_after_a_lost_write_is_kept_beside_another_request(alice):
    visit = alice.visit()
    visit.exchange.update(count)
    with pytest.raises(BackendError):
        visit.step(lost=True)
    visit.exchange.update(count)
    assert isinstance(visit.step(), Replace)
    other = alice.visit()
    other.exchange.update(count)
    other.arrive()
    visit.settle()
    assert 3 == alice.session()["n"]


def test_a_change_in_place_after_a_lost_write_is_kept(alice):
    visit = alice.visit()
    visit.exchange.get()["a"] = 1
    with pytest.raises(BackendError):
        visit.step(lost=True)
    visit.exchange.get()["b"] = 2
    assert ["Replace", "Replace"] == visit.settle()
    assert (1, 2) == (alice.session()["a"], alice.session()["b"])


def test_a_record_that_another_application_wrote_is_an_error(alice, scene):
    visit = alice.visit()
    visit.exchange.update(count)
    (record,) = scene.backend.of(visit.exchange.server.current.owner)
    scene.backend.replace(record._replace(version=b"x" * 12, sealed=b"y" * 40), record.version)
    with pytest.raises(BackendError, match="does not open"):
        visit.step()
    assert Absence.UNKNOWN_KEY is alice.absence()


def test_a_store_without_a_backend_calls_the_function_once():
    calls = []
    store = SessionStore(SECRET)
    with store.exchange() as exchange:
        exchange.create({**ALICE, "n": 0})
        exchange.commit()
    pair = exchange.response_headers[0][1].partition(";")[0]
    with store.exchange(pair) as exchange:
        assert exchange.update(lambda session: calls.append(1) or count(session)) is True
        assert 1 == exchange.get()["n"]
        assert exchange.update(lambda session: None) is False
    assert [1] == calls


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda session: session.update(n=7), "changed its copy of the session and returned None"),
        (lambda session: session["user"].clear(), "changed its copy of the session and returned None"),
        (lambda session: 5, "must return the new contents, or None to change nothing, not int"),
        (lambda session: [("n", 7)], "or None to change nothing, not list"),
    ],
    ids=["in place", "nested", "a number", "pairs"],
)  # fmt: skip
def test_a_function_that_returns_no_contents_is_an_error(alice, function, told):
    visit = alice.visit()
    with pytest.raises(TypeError, match=told):
        visit.exchange.update(function)
    assert {**ALICE, "n": 0} == visit.exchange.get()
    with pytest.raises(TypeError, match=told):
        replay([Update(function)], {"n": 1, "user": {"sub": "a"}}, JSON, (), lambda contents: True)


def test_an_anonymous_session_of_a_late_request_does_not_replace_the_rotated_one(alice, scene):
    header = alice.jar.header()
    visit = alice.visit()
    visit.exchange.rotate()
    visit.arrive()
    exchange = scene.open(header)
    exchange.contents["csrf"] = "x"
    assert [] == [name for name, _ in exchange.commit().add if name == "Set-Cookie"]
    assert [EventKind.REFUSED, EventKind.LATE_WRITE] == [event.kind for event in scene.events]
