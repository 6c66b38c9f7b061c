"""Touch, create, rotate and delete through every form of their call."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

import sessionkit
from sessionkit import Ignored, NoActiveRequestError, Session

from ..scene import ALICE, BOB, START, Scene, names
from ..served import environ_of, scope_of
from .forms import Call, Caller, begin_anonymous

# ---- touch, create, rotate, delete


def test_touch_moves_the_idle_expiry_at_once(caller: Caller) -> None:
    caller.scene.browser.login()
    caller.scene.clock.wait(1)
    assert caller(lambda call: call("touch")) is True
    assert names(caller.lines) == ["__Host-seen.session"]


def test_touch_gives_false_without_a_session(caller: Caller) -> None:
    assert caller(lambda call: call("touch")) is False


def test_create_begins_a_session(caller: Caller) -> None:
    session = caller(lambda call: call("create", ALICE))
    assert (type(session), session) == (Session, ALICE)
    assert names(caller.lines) == ["__Host-session"]
    assert caller.scene.browser.session() == ALICE


def test_create_over_a_session_fences_it(caller: Caller) -> None:
    caller.scene.browser.login()
    caller(lambda call: call("create", BOB))
    assert names(caller.lines) == ["__Host-session", "__Host-out.session"]
    assert caller.scene.browser.session() == BOB


@pytest.mark.parametrize("given", [{}, {"cart": [1]}])
def test_create_refuses_what_does_not_pass_the_guard(caller: Caller, given: Any) -> None:
    with pytest.raises(ValueError, match="does not pass the guard"):
        caller(lambda call: call("create", given))


@pytest.mark.parametrize("given", [(), (None,)])
def test_create_without_a_session_lists_the_valid_calls(caller: Caller, given: Any) -> None:
    with pytest.raises(
        TypeError,
        match=r"\(the session is missing\): valid are create_session\(session\), create_session\(environ, session\)",
    ):
        caller(lambda call: call("create", *given))


def test_create_takes_the_name_of_a_lifetime_in_every_form(caller: Caller) -> None:
    assert caller(lambda call: call("create", ALICE, lifetime="remembered")) == ALICE
    assert "; Max-Age=7776000;" in caller.lines[0]
    stamp = caller.scene.browser.visit().exchange.contents.stamp
    assert stamp is not None
    assert (stamp.lifetime, stamp.expires_at) == ("remembered", START + 2_592_000)


@pytest.mark.parametrize(
    ("given", "left"), [((), {}), ((None,), {}), ((ALICE,), {"session": ALICE})]
)
def test_create_with_a_lifetime_and_no_valid_arguments_lists_the_valid_calls(
    caller: Caller, given: Any, left: Any
) -> None:
    with pytest.raises(TypeError, match=r"valid are create_session\(session\)"):
        caller(lambda call: call("create", *given, lifetime="remembered", **left))


def test_create_with_an_unknown_lifetime_lists_the_known_ones(caller: Caller) -> None:
    with pytest.raises(ValueError, match="it knows 'remembered', 'kiosk'"):
        caller(lambda call: call("create", ALICE, lifetime="forgotten"))


def test_rotate_gives_a_new_id_and_fences_the_old_one(caller: Caller) -> None:
    caller.scene.browser.login()
    before = caller.scene.browser.visit().exchange.get().stamp.id
    assert caller(lambda call: call("rotate")) is True
    assert names(caller.lines) == ["__Host-session", "__Host-out.session"]
    after = caller.scene.browser.visit().exchange.get()
    assert (dict(after), after.stamp.id != before) == (ALICE, True)


def test_rotate_gives_false_without_a_session(caller: Caller) -> None:
    assert caller(lambda call: call("rotate")) is False


def test_delete_ends_the_session(caller: Caller) -> None:
    caller.scene.browser.login()
    assert caller(lambda call: call("delete")) is True
    assert names(caller.lines) == ["-__Host-session", "-__Host-seen.session", "__Host-out.session"]
    assert caller.scene.browser.session() == {}


def test_delete_clears_even_where_there_was_no_session(caller: Caller) -> None:
    assert caller(lambda call: call("delete")) is False
    assert names(caller.lines) == ["-__Host-session", "-__Host-seen.session"]


@pytest.mark.parametrize("verb", ["touch", "rotate", "delete"])
def test_the_verbs_that_look_at_no_guard_act_on_an_anonymous_session(
    caller: Caller, verb: str
) -> None:
    begin_anonymous(caller.scene)
    assert caller(lambda call: call(verb)) is True


def test_create_then_update_then_delete_is_delete(caller: Caller) -> None:
    def act(call: Call) -> None:
        call("create", ALICE)
        call("update", {**ALICE, "n": 1})
        call("delete")

    caller(act)
    assert names(caller.lines) == ["-__Host-session", "-__Host-seen.session"]


# ---- nobody to write the response


@pytest.mark.parametrize("verb", ["update", "touch", "create", "rotate", "delete"])
@pytest.mark.parametrize(
    "request_of",
    [environ_of, scope_of, lambda cookies: SimpleNamespace(environ=environ_of(cookies))],
)
def test_a_write_that_nobody_would_send_is_an_error(verbs: str, verb: str, request_of: Any) -> None:
    scene = Scene()
    scene.browser.login()
    sessionkit.configure(scene.store)
    function = getattr(scene.store if verbs == "method" else sessionkit, f"{verb}_session")
    with pytest.raises(
        NoActiveRequestError, match=f"{verb}_session: no gateway serves this request"
    ):
        function(
            request_of(scene.browser.jar.header()),
            *([ALICE] if verb in ("update", "create") else []),
        )


@pytest.mark.parametrize("verb", ["get", "update", "touch", "create", "rotate", "delete"])
def test_no_request_at_all_is_an_error(verbs: str, verb: str) -> None:
    function = getattr(Scene().store if verbs == "method" else sessionkit, f"{verb}_session")
    with pytest.raises(NoActiveRequestError, match="no request is being served here"):
        function(*([ALICE] if verb in ("update", "create") else []))


def test_update_without_an_argument_is_a_no_op(verbs: str) -> None:
    scene = Scene()
    scene.browser.login()
    with scene.store.exchange(scene.browser.jar.header()):
        function = scene.store.update_session if verbs == "method" else sessionkit.update_session
        assert function() is False
    assert [event.reason for event in scene.events] == [Ignored.NO_SESSION]


def test_reading_without_a_gateway_is_allowed(verbs: str) -> None:
    scene = Scene()
    scene.browser.login()
    sessionkit.configure(scene.store)
    function = scene.store.get_session if verbs == "method" else sessionkit.get_session
    environ = environ_of(scene.browser.jar.header())
    assert function(environ) == ALICE
    assert function(environ) is function(environ)


@pytest.mark.parametrize("verb", ["get", "update", "touch", "create", "rotate", "delete"])
def test_the_functions_are_as_well_documented_as_the_methods(verb: str) -> None:
    function, method = (
        getattr(sessionkit, f"{verb}_session"),
        getattr(Scene().store, f"{verb}_session"),
    )
    assert (inspect.getdoc(function) or "").partition(".")[0] == (
        inspect.getdoc(method) or ""
    ).partition(".")[0]
    assert "Returns:" in (inspect.getdoc(function) or "")
    assert function.__name__ == f"{verb}_session"
