"""`update_session` with a function in every call form."""

from __future__ import annotations

from typing import Any

import pytest

import sessionkit
from sessionkit import EventKind, Ignored, SessionStore

from ..kept import KeptScene
from ..scene import ALICE, SECRET, Scene
from ..served import environ_of
from .conftest import GATEWAYS
from .forms import Caller, begin_anonymous


def count(session: dict[str, Any]) -> dict[str, Any]:
    return {**session, "n": session.get("n", 0) + 1}


def test_the_function_gets_the_contents_and_returns_the_new_ones(caller: Caller) -> None:
    caller.scene.browser.login()
    assert caller(lambda call: (call("update", count), call("update", count))[1]) is True
    assert {**ALICE, "n": 2} == caller.scene.browser.session()


def test_the_function_may_return_none_for_no_change(caller: Caller) -> None:
    caller.scene.browser.login()
    assert caller(lambda call: call("update", lambda session: None)) is False
    assert ALICE == caller.scene.browser.session()


def test_the_function_gets_a_copy(caller: Caller) -> None:
    caller.scene.browser.login()

    def change(session: dict[str, Any]) -> dict[str, Any]:
        session["user"]["sub"] = "bob"
        session.clear()
        return ALICE

    assert caller(lambda call: call("update", change)) is True
    assert ALICE == caller.scene.browser.session()


def test_a_function_that_changes_its_copy_and_returns_none_is_an_error(caller: Caller) -> None:
    caller.scene.browser.login()

    def update(call: Any) -> Any:
        with pytest.raises(TypeError, match="changed its copy of the session and returned None"):
            call("update", lambda session: session.clear())
        return call("update", count)

    assert caller(update) is True
    assert {**ALICE, "n": 1} == caller.scene.browser.session()


def test_the_function_is_not_called_for_nobody(caller: Caller) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call("update", lambda session: 1 / 0)) is False
    ignored = [event for event in caller.scene.events if event.kind is EventKind.UPDATE_IGNORED]
    assert [Ignored.NOT_AUTHENTICATED] == [event.reason for event in ignored]


def test_a_function_that_would_change_the_user_does_nothing(caller: Caller) -> None:
    caller.scene.browser.login()
    other = {"user": {"sub": "bob"}}
    assert caller(lambda call: call("update", lambda session: other)) is False
    assert ALICE == caller.scene.browser.session()


def test_an_error_of_the_function_reaches_the_application(caller: Caller) -> None:
    caller.scene.browser.login()

    def fail(call: Any) -> Any:
        with pytest.raises(ZeroDivisionError):
            call("update", lambda session: 1 / 0)
        call("get")

    caller(fail)
    assert ALICE == caller.scene.browser.session()


@pytest.mark.parametrize("form", GATEWAYS)
def test_increments_of_two_requests_are_both_kept_with_a_backend(form: str, verbs: str) -> None:
    scene = KeptScene()
    scene.browser.login()
    sessionkit.configure(scene.store)
    caller = Caller(scene, GATEWAYS[form], sessionkit if verbs == "function" else scene.store)
    slow = scene.browser.visit()
    slow.exchange.update(count)
    assert caller(lambda call: call("update", count)) is True
    slow.arrive()
    assert {**ALICE, "n": 2} == scene.browser.session()


@pytest.mark.parametrize(
    "arguments",
    [
        (dict,),
        (Scene,),
        (count, count),
        (count, ALICE),
        (environ_of(), count, ALICE),
        (environ_of(), "x", count),
        (7, count),
        (environ_of(), [], count, count),
    ],
)
def test_other_forms_are_refused_with_a_list_of_the_right_ones(arguments: Any) -> None:
    with pytest.raises(TypeError, match="is not a valid call.*valid are update_session"):
        SessionStore(SECRET).update_session(*arguments)


@pytest.mark.parametrize("verb", ["create_session", "get_session", "touch_session"])
def test_other_verbs_take_no_function(verb: str) -> None:
    with pytest.raises(TypeError, match=f"{verb}.*is not a valid call"):
        getattr(SessionStore(SECRET), verb)(count)
