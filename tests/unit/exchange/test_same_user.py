"""Whatever is done to a session, in one request or in several, it stays that of the user whom it was begun for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from sessionkit import EventKind, IdentityChangedError, Ignored, SessionStore, has_user
from sessionkit.formats import AuthJSV5, ExpressOpenID, NextAuthV4
from sessionkit.testing import session_cookies

from ..scene import SECRET, Scene


def stays(scene, before, *requests):
    """Play requests of one browser, each a function of the exchange; return the user's session afterwards."""
    browser = scene.browser
    browser.login(before)
    for request in requests:
        visit = browser.visit()
        try:
            request(visit.exchange)
            visit.arrive()
        except IdentityChangedError:
            visit.arrive(500)
    return browser.session()


def update(contents):
    return lambda exchange: exchange.update(deepcopy(contents))


def in_place(**claims):
    return lambda exchange: exchange.get()["user"].update(claims)


SEVEN = {"user": {"id": 7}}

CHAINS = {
    "a sub, then another id": (
        update({"user": {"id": 7, "sub": "admin"}}),
        update({"user": {"id": 1, "sub": "admin"}}),
    ),
    "the same in place": (in_place(sub="admin"), in_place(id=1)),
    "an update, then in place": (update({"user": {"id": 7, "sub": "admin"}}), in_place(id=1)),
    "in place, then an update": (
        in_place(sub="admin"),
        update({"user": {"id": 1, "sub": "admin"}}),
    ),
    "an email beside it, then alone": (
        update({"user": {"id": 7, "email": "root@example.com"}}),
        update({"user": {"email": "root@example.com"}}),
    ),
    "a text in its place": (update({"user": "7"}), update({"user": {"username": "7"}})),
    "the number alone": (update({"user": 7}), update({"user": {"id": 1}})),
    "True for 1": (update({"user": {"id": True}}), update({"user": {"id": 1}})),
    "the claim emptied": (
        update({"user": {"id": "", "username": "root"}}),
        update({"user": {"username": "root"}}),
    ),
}


@pytest.mark.parametrize("requests", CHAINS.values(), ids=CHAINS)
def test_no_sequence_of_requests_makes_a_user_another(requests):
    user = stays(Scene(), SEVEN, *requests)["user"]
    assert (user["id"], type(user["id"]), "sub" in user) == (7, int, False)


TWO_STEPS = {
    "two updates": (
        update({"user": {"id": 7, "sub": "admin"}}),
        update({"user": {"id": 1, "sub": "admin"}}),
    ),
    "in place, then an update with what is there": (
        in_place(sub="admin"),
        lambda exchange: exchange.update({**exchange.get(), "n": 1}),
    ),
    "an update, then in place": (update({**SEVEN, "n": 1}), in_place(sub="admin")),
    "in place, then touch": (in_place(sub="admin"), lambda exchange: exchange.touch()),
    "in place, then rotate": (in_place(sub="admin"), lambda exchange: exchange.rotate()),
    "rotate, then an update": (
        lambda exchange: exchange.rotate(),
        update({"user": {"id": 7, "sub": "admin"}}),
    ),
    "in place to nobody, then an update": (
        lambda exchange: exchange.get().clear(),
        update({"user": {"id": 1}}),
    ),
}


@pytest.mark.parametrize("steps", TWO_STEPS.values(), ids=TWO_STEPS)
def test_no_sequence_of_calls_in_one_request_makes_a_user_another(steps):
    def request(exchange):
        for step in steps:
            step(exchange)

    assert stays(Scene(), SEVEN, request)["user"] == {"id": 7}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"user": {"email": "a@example.com"}}, {"user": {"email": "a@example.com", "sub": "a"}}),
        ({"user": {"sub": "a", "id": 7}}, {"user": {"id": 7}}),
        ({"user": {"name": "A"}}, {"user": {"name": "A", "username": "a"}}),
        ({"user": "a"}, {"user": {"username": "a"}}),
        ({"user": {"iss": "i", "sub": "a"}}, {"user": {"sub": "a"}}),
    ],
)
def test_who_gains_or_loses_a_claim_that_names_him_is_somebody_else(before, after):
    scene = Scene()
    assert stays(scene, before, update(after)) == before
    assert scene.events[-1].reason is Ignored.OTHER_USER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"user": {"id": 7}}, {"user": {"id": 7, "name": "A", "username": "a"}}),
        ({"user": {"sub": "a", "iss": "i"}}, {"user": {"iss": "i", "sub": "a", "email": "new"}}),
        ({"user": {"name": "A", "b": [1]}}, {"user": {"b": [1], "name": "A"}, "n": 1}),
    ],
)
def test_other_claims_may_come_and_go(before, after):
    assert stays(Scene(), before, update(after)) == after


class Shifting(dict):
    """Claims that say one thing when they are asked and hold another."""

    def get(self, key, default=None):
        return 7 if key == "id" else default


def test_what_is_judged_is_what_is_kept():
    assert stays(Scene(), SEVEN, update({"user": Shifting(id=1)})) == SEVEN


def id_token(**claims):
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{middle}.sig"


@pytest.mark.parametrize(
    ("format", "before", "after"),
    [
        (NextAuthV4(), {"email": "a"}, {"email": "a", "sub": "admin"}),
        (NextAuthV4(), {"email": "a", "sub": "s"}, {"email": "a"}),
        (AuthJSV5(), {"user": {"id": 7}}, {"user": {"id": 7}, "email": "root"}),
        (
            ExpressOpenID(),
            {"id_token": id_token(sub="a", iss="i")},
            {"id_token": id_token(sub="a", iss="j")},
        ),
        (
            ExpressOpenID(),
            {"user": {"name": "a"}},
            {"user": {"name": "a"}, "id_token": id_token(sub="root")},
        ),
        (ExpressOpenID(), {"id_token": id_token(sub="a")}, {"id_token": "opaque"}),
    ],
)
def test_so_it_is_in_the_formats_that_keep_their_users_elsewhere(format, before, after):
    scene = Scene(format=format)
    kept = stays(scene, before, update(after))
    assert {key: kept[key] for key in before} == before
    assert kept.keys() - before.keys() <= {"sessionkit"}
    assert scene.events[-1].reason is Ignored.OTHER_USER


def test_so_it_is_with_login_keys():
    scene = Scene(login_keys=["account"])
    assert stays(
        scene, {"account": 7}, update({"account": 1}), update({**SEVEN, "account": 7})
    ) == {"account": 7}
    assert [event.claim for event in scene.events] == ["account", "id"]


def test_a_guard_of_ones_own_does_not_take_the_login_keys_out_of_the_identity():
    scene = Scene(login_keys=["account"], guard=lambda session: "account" in session)
    assert stays(scene, {"account": 7}, update({"account": 1})) == {"account": 7}


# ---- what is told of it


def test_an_update_for_another_user_is_a_warning_that_names_the_claim_and_no_value(caplog):
    scene = Scene()
    caplog.set_level("DEBUG", "sessionkit")
    before = {"user": {"iss": "https://canary.example", "sub": "canary-one"}}
    stays(scene, before, update({"user": {"sub": "canary-one"}, "token": "canary-two"}))
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "its 'iss' differs" in record.getMessage()
    assert "{**session, ...}" in record.getMessage()
    assert "canary" not in caplog.text
    [event] = scene.events
    assert (event.kind, event.reason, event.claim) == (
        EventKind.UPDATE_IGNORED,
        Ignored.OTHER_USER,
        "iss",
    )
    assert "canary" not in repr(event)


@pytest.mark.parametrize(
    ("login", "given", "level"),
    [(True, None, "DEBUG"), (True, {"n": 1}, "INFO"), (False, SEVEN, "INFO")],
)
def test_an_update_that_has_nobody_to_be_of_is_told_at_info(login, given, level, caplog):
    scene = Scene()
    if login:
        scene.browser.login(SEVEN)
    caplog.set_level("DEBUG", "sessionkit")
    assert scene.browser.visit().exchange.update(given) is False
    assert [level] == [record.levelname for record in caplog.records]


def test_who_the_user_is_is_asked_by_no_request_that_leaves_the_session_alone():
    asked = []

    def identity(session):
        asked.append(session)
        return session["user"]["id"]

    scene = Scene(identity=identity, guard=has_user)
    scene.browser.login(SEVEN)
    visit = scene.browser.visit()
    assert visit.exchange.get() == SEVEN
    visit.arrive()
    assert asked == []


def test_an_update_asks_a_guard_of_the_applications_own_once_about_the_new_contents() -> None:
    asked: list[object] = []

    def guard(session: Mapping[str, Any]) -> bool:
        asked.append(session.get("n"))
        return "user" in session

    store = SessionStore(SECRET, guard=guard)
    cookies = session_cookies(store, {"user": {"sub": "a"}, "n": 1})
    with store.exchange(cookies) as exchange:
        asked.clear()
        assert exchange.update({"user": {"sub": "a"}, "n": 2})
        assert asked.count(2) == 1
