"""What another library keeps in a session for itself survives our writes, and the fence knows the session still."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import Absence, Lifetime, SessionStore, has_user
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, ExpressOpenID

from ..foreign_format import Plain
from ..scene import SECRET, START, Scene
from .tokens import id_token, put, sealed_by_their_library

END = START + 5000
V4 = {
    "user": {"sub": "a"},
    "tokenSet": {"accessToken": "at"},
    "internal": {"sid": "op", "createdAt": START, "sessionExpiresAt": END, "mcd": {"domain": "d"}},
}
FASTAPI = {
    "user": {"sub": "a"},
    "internal": {"sid": "op", "created_at": START, "session_expires_at": END, "x": 1},
}
EXPRESS = {"id_token": id_token(sub="a", sid="op"), "sessionExpiresAt": END}
CASES = [
    pytest.param(Auth0V4(), V4, "internal", id="nextjs-auth0-v4"),
    pytest.param(Auth0FastAPI(), FASTAPI, "internal", id="auth0-fastapi"),
    pytest.param(ExpressOpenID(), EXPRESS, "sessionExpiresAt", id="express"),
]
LEFT_OUT = object()
each = pytest.mark.parametrize(("format", "session", "member"), CASES)
given = pytest.mark.parametrize(
    "value",
    [LEFT_OUT, {}, None, "x", [], {"sid": "other", "sessionExpiresAt": END + 9**9}, END - 1],
    ids=lambda one: "left out" if one is LEFT_OUT else str(one)[:20],
)


def changed(session: dict[str, Any], member: str, value: object) -> dict[str, Any]:
    found = {key: one for key, one in session.items() if key != member} | {"theme": "dark"}
    return found if value is LEFT_OUT else {**found, member: value}


def over(scene: Scene, at: int) -> bool:
    scene.clock.now = at
    return scene.browser.session() == {}


@each
@given
def test_an_update_leaves_it_as_it_was_whatever_it_is_given(format, session, member, value):
    scene = Scene(format=format)
    scene.browser.login(session)
    visit = scene.browser.visit()
    assert visit.exchange.update(changed(session, member, value)) is True
    assert visit.exchange.get()[member] == session[member]
    visit.arrive()
    assert scene.browser.session()[member] == session[member]
    assert scene.browser.session()["theme"] == "dark"
    assert not over(scene, END - 31)
    assert over(scene, END - 30)


@each
@given
def test_a_change_in_place_leaves_it_as_it_was(format, session, member, value):
    scene = Scene(format=format)
    scene.browser.login(session)
    visit = scene.browser.visit()
    live = visit.exchange.get()
    live["theme"] = "dark"
    if value is LEFT_OUT:
        del live[member]
    else:
        live[member] = value
    visit.arrive()
    assert live[member] == session[member]
    assert scene.browser.session() == {**scene.browser.session(), **session, "theme": "dark"}
    assert over(scene, END - 30)


@pytest.mark.parametrize(("format", "session", "member"), CASES[:2])
def test_a_change_deep_in_it_is_undone_too(format, session, member):
    scene = Scene(format=format)
    scene.browser.login(session)
    visit = scene.browser.visit()
    visit.exchange.get()[member]["sid"] = "other"
    assert visit.arrive() == []
    assert scene.browser.session()[member] == session[member]


@each
def test_an_update_after_the_login_of_one_request_keeps_what_the_login_was_given(
    format, session, member
):
    scene = Scene(format=format)
    visit = scene.browser.visit()
    visit.exchange.create(session)
    visit.exchange.update(changed(session, member, LEFT_OUT))
    visit.arrive()
    assert scene.browser.session()[member] == session[member]
    assert over(scene, END - 30)


@each
def test_a_login_takes_what_it_is_given(format, session, member):
    scene = Scene(format=format)
    scene.browser.login(session)
    scene.browser.login(changed(session, member, LEFT_OUT))
    assert not over(scene, END)


@each
def test_a_rotation_and_a_renewal_leave_it_as_it_was(format, session, member):
    scene = Scene(format=format, lifetime=Lifetime(idle=4000, absolute=40_000))
    scene.browser.login(session)
    for act in ("rotate", "touch"):
        scene.clock.wait(100)
        visit = scene.browser.visit()
        assert getattr(visit.exchange, act)() is True
        visit.arrive()
    assert undated(scene.browser.session()[member]) == undated(session[member])
    assert over(scene, END - 30)


def undated(value: Any) -> Any:
    """A rotation dates a session without an id anew, by a second."""
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if not key.startswith("created")}


@each
def test_the_end_ends_an_exchange_that_is_still_open(format, session, member):
    scene = Scene(format=format)
    scene.browser.login(session)
    visit = scene.browser.visit()
    assert visit.exchange.get() is not None
    scene.clock.now = END - 30
    assert visit.exchange.get() is None
    assert visit.exchange.absence is Absence.EXPIRED


@each
def test_a_session_that_begins_after_its_end_is_none(format, session, member):
    scene = Scene(format=format)
    scene.clock.now = END
    assert scene.browser.login(session) == []


def test_a_login_through_a_frameworks_own_session_does_not_take_over_what_was_of_the_user_before():
    scene = Scene(format=Auth0V4())
    scene.browser.login(V4)
    visit = scene.browser.visit()
    visit.exchange.serve_framework(visit.exchange.settings.with_framework(FrameworkKeys()))
    visit.exchange.contents["user"] = {"sub": "b"}
    visit.arrive()
    assert scene.browser.session()["internal"] == {"createdAt": START}


def test_a_login_through_a_frameworks_own_session_takes_what_it_is_given_with_it():
    scene = Scene(format=Auth0V4())
    scene.browser.login(V4)
    visit = scene.browser.visit()
    visit.exchange.serve_framework(visit.exchange.settings.with_framework(FrameworkKeys()))
    new = {"sid": "new", "createdAt": START}
    visit.exchange.contents.update({"user": {"sub": "b"}, "internal": new})
    visit.arrive()
    assert scene.browser.session()["internal"] == new


# ---- the mark


MOVES = [
    pytest.param(Auth0V3(), {"user": {"sub": "a", "sid": "op"}}, {"user": {"sub": "a"}}, id="v3"),
    pytest.param(
        ExpressOpenID(),
        {"id_token": id_token(sub="a", sid="op")},
        {"id_token": id_token(sub="a", sid="silent")},
        id="express",
    ),
    pytest.param(
        Auth0V4(),
        {"user": {"sub": "a"}, "internal": {"sid": "op", "createdAt": START}},
        {"user": {"sub": "a"}, "tokenSet": {}},
        id="v4",
    ),
    pytest.param(
        Auth0FastAPI(),
        {"user": {"sub": "a"}, "internal": {"sid": "op", "created_at": START}},
        {"user": {"sub": "a"}},
        id="auth0-fastapi",
    ),
]


@pytest.mark.parametrize(("format", "before", "after"), MOVES)
def test_a_late_answer_does_not_undo_a_logout_after_the_providers_sid_changed(
    format, before, after
):
    scene = Scene(format=format)
    scene.browser.login(before)
    scene.clock.wait(4000)
    late, update = scene.browser.visit(), scene.browser.visit()
    late.exchange.get()
    assert update.exchange.update(after) is True
    update.arrive()
    assert scene.browser.session() != {}
    scene.browser.logout()
    late.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT


@pytest.mark.parametrize(("format", "before", "after"), MOVES)
def test_nor_where_the_other_library_wrote_another_sid_over_it(format, before, after):
    scene = Scene(format=format)
    scene.browser.login(before)
    scene.clock.wait(4000)
    late = scene.browser.visit()
    late.exchange.get()
    put(scene, sealed_by_their_library(scene, after))
    scene.browser.logout()
    late.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT


BY_NAME = {"guard": has_user, "identity": lambda session: session["user"]["name"]}
GAINS = [
    pytest.param(format, id=format.traits.label)
    for format in (Auth0V3(), ExpressOpenID(), Auth0V4(), Auth0FastAPI(), Plain())
]


@pytest.mark.parametrize("format", GAINS)
def test_nor_where_the_identity_is_ones_own_and_the_subject_changed(format):
    scene = Scene(format=format, **BY_NAME)
    scene.browser.login({"user": {"name": "ada", "sub": "a"}})
    scene.clock.wait(4000)
    late = scene.browser.visit()
    late.exchange.get()
    scene.browser.update(user={"name": "ada", "sub": "b"})
    scene.browser.update(theme="dark")
    assert scene.browser.session()["theme"] == "dark"
    scene.browser.logout()
    late.arrive()
    assert scene.browser.absence() is Absence.LOGGED_OUT


def test_a_session_without_a_providers_sid_is_given_none():
    for format, created in ((Auth0V4(), "createdAt"), (Auth0FastAPI(), "created_at")):
        scene = Scene(format=format)
        scene.browser.login({"user": {"sub": "a"}})
        scene.browser.update(theme="dark")
        assert scene.browser.session()["internal"] == {created: START}


# ---- sessions of nextjs-auth0 v4 with less in them


def test_what_it_made_of_a_user_alone_is_a_session_and_ours_as_well():
    scene = Scene(format=Auth0V4())
    bare = {"user": {"sub": "a"}, "internal": {"createdAt": START}, "exp": START + 1000}
    put(scene, sealed_by_their_library(scene, bare))
    assert scene.browser.session() == {"user": {"sub": "a"}, "internal": {"createdAt": START}}
    scene.browser.update(theme="dark")
    assert scene.browser.session()["theme"] == "dark"


def test_a_token_without_exp_counts_from_its_creation():
    scene = Scene(format=Auth0V4(), lifetime=Lifetime(idle=100, absolute=1000))
    put(
        scene,
        sealed_by_their_library(scene, {"user": {"sub": "a"}, "internal": {"createdAt": START}}),
    )
    assert not over(scene, START + 114)
    assert over(scene, START + 115)


@pytest.mark.parametrize("exp", [None, "soon", True, -1])
def test_an_exp_that_is_no_time_is_malformed(exp):
    scene = Scene(format=Auth0V4())
    put(
        scene,
        sealed_by_their_library(
            scene, {"user": {"sub": "a"}, "internal": {"createdAt": START}, "exp": exp}
        ),
    )
    assert scene.browser.absence() is Absence.MALFORMED


@pytest.mark.parametrize("tokens", [[], "x", 0, False])
def test_a_token_set_that_is_no_object_is_malformed(tokens):
    scene = Scene(format=Auth0V4())
    payload = {"user": {"sub": "a"}, "tokenSet": tokens, "internal": {"createdAt": START}}
    put(scene, sealed_by_their_library(scene, payload))
    assert scene.browser.absence() is Absence.MALFORMED


def test_a_token_set_of_null_is_read_and_written_as_an_empty_one():
    # The library reads such a session, which its updateSession({...session, tokenSet: null}) writes.
    scene = Scene(format=Auth0V4())
    bare = {"user": {"sub": "a"}, "internal": {"createdAt": START}}
    put(scene, sealed_by_their_library(scene, {**bare, "tokenSet": None, "exp": START + 1000}))
    assert scene.browser.session() == {**bare, "tokenSet": None}
    visit = scene.browser.visit()
    assert visit.exchange.update({**visit.exchange.get(), "n": 1}) is True
    visit.arrive()
    assert scene.browser.session() == {**bare, "tokenSet": {}, "n": 1}


def test_a_name_of_ours_in_a_v3_session_is_the_applications():
    store = SessionStore(SECRET, format=Auth0V3())
    with store.exchange() as exchange:
        exchange.create({"user": {"sub": "a"}, "sessionkit": {"mark": "x", "ends": 5}})
    header = exchange.response_headers[0][1].partition(";")[0]
    with store.exchange(header) as exchange:
        assert exchange.get()["sessionkit"] == {"mark": "x", "ends": 5}
