"""`get_session` and `update_session` through every form of their call."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import Absence, EventKind, IdentityChangedError, Ignored, Session

from ..scene import ALICE, BOB, names
from .forms import Call, Caller, begin_anonymous

# ---- get


def test_get_gives_the_session(caller: Caller) -> None:
    caller.scene.browser.login()
    session = caller(lambda call: call("get"))
    assert (type(session), session) == (Session, ALICE)
    assert caller.lines == []


def test_get_gives_none_without_a_session(caller: Caller) -> None:
    assert caller(lambda call: call("get")) is None


def test_get_gives_none_for_an_anonymous_session(caller: Caller) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call("get")) is None
    assert caller.scene.browser.absence() is Absence.ANONYMOUS


def test_get_renews_when_it_is_due(caller: Caller) -> None:
    caller.scene.browser.login()
    caller.scene.clock.wait(3600)
    caller(lambda call: call("get"))
    assert names(caller.lines) == ["__Host-seen.session"]


# ---- update


def test_update_replaces_the_session(caller: Caller) -> None:
    caller.scene.browser.login({**ALICE, "old": 1})
    assert caller(lambda call: call("update", {**ALICE, "new": 2})) is True
    assert caller.scene.browser.session() == {**ALICE, "new": 2}


def test_a_later_get_sees_the_update(caller: Caller) -> None:
    caller.scene.browser.login()

    def act(call: Call) -> Any:
        call("update", {**ALICE, "n": 1})
        return dict(call("get"))

    assert caller(act) == {**ALICE, "n": 1}


def test_update_keeps_the_id_and_the_time_of_sign_in(caller: Caller) -> None:
    caller.scene.browser.login()
    before = caller.scene.browser.visit().exchange.get().stamp
    caller.scene.clock.wait(5)
    caller(lambda call: call("update", {**ALICE, "n": 1}))
    after = caller.scene.browser.visit().exchange.get().stamp
    assert (after.id, after.created_at, after.updated_at) == (
        before.id,
        before.created_at,
        before.updated_at + 5,
    )


@pytest.mark.parametrize(
    ("signed_in", "given", "reason"),
    [
        (True, None, Ignored.NO_SESSION),
        (True, {"theme": "dark"}, Ignored.NO_USER),
        (True, {"user": None}, Ignored.NO_USER),
        (False, ALICE, Ignored.NOT_AUTHENTICATED),
        (True, BOB, Ignored.OTHER_USER),
        (True, {"user": {"sub": "alice", "iss": "https://other.example"}}, Ignored.OTHER_USER),
    ],
)
def test_update_does_nothing_and_says_why(
    caller: Caller, signed_in: bool, given: Any, reason: Ignored
) -> None:
    if signed_in:
        caller.scene.browser.login()
    before = caller.scene.browser.session()
    assert caller(lambda call: call("update", given)) is False
    assert caller.lines == []
    assert caller.scene.browser.session() == before
    assert [(event.kind, event.reason) for event in caller.scene.events] == [
        (EventKind.UPDATE_IGNORED, reason)
    ]


def test_update_does_nothing_for_an_anonymous_session(caller: Caller) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call("update", ALICE)) is False
    assert [
        event.reason for event in caller.scene.events if event.kind is EventKind.UPDATE_IGNORED
    ] == [Ignored.NOT_AUTHENTICATED]
    assert caller.scene.browser.session() == {}


def test_a_user_changed_in_place_is_refused_when_the_response_is_made(caller: Caller) -> None:
    caller.scene.browser.login()

    def act(call: Call) -> None:
        call("get")["user"]["sub"] = "admin"
        call("touch")

    with pytest.raises(IdentityChangedError, match="create_session to log in"):
        caller(act)
    assert caller.scene.browser.session() == ALICE
