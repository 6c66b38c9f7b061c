"""Logins through the framework's own session object by keys that nobody named, and sign-ins that nobody finishes."""

from __future__ import annotations

import pytest

from contract.keeping import IN_COOKIES, NAME, OUT

pytestmark = pytest.mark.needs("framework")

KEYS = ["_user_id", "user_id", "uid", "account_id", "username"]


def late_answer(browser):
    """The answer to a request that writes and left now, which the browser has not received yet."""
    return browser.ask("/do", ["framework", "set", "page", 1], keep=False)


def arrive(browser, late):
    for line in late.cookies:
        browser.jar.take(line)


@pytest.mark.parametrize("key", KEYS)
def test_a_login_by_a_usual_key_is_a_new_session(browser, key):
    browser.do(["framework", "update", {"cart": ["tea"], "csrf_token": "planted", "_state_op": 1}])
    late = late_answer(browser)
    assert browser.ask("/do", ["framework", "set", key, 7]).set == {NAME, OUT}
    assert browser.do(["framework", "all"])["cart"] == ["tea"]
    assert browser.do(["framework", "has", "_state_op"]) is False
    arrive(browser, late)
    assert browser.do(["framework", "all"]) == {}


# Not `username`, which the documentation's adapter of CherryPy names; the unit tests have it.
@pytest.mark.parametrize("key", ["user_id", "uid", "account_id"])
def test_nobody_is_signed_in_by_it(browser, key):
    browser.do(["framework", "set", key, 7])
    assert browser.do(["get"]) is None


LOGINS = {
    "set": [["framework", "set", "user_id", 2]],
    "update": [["framework", "update", {"user_id": 2}]],
    "join": [["framework", "join", {"user_id": 2}]],
    "setdefault": [["framework", "pop", "user_id"], ["framework", "setdefault", "user_id", 2]],
    "cleared before": [["framework", "clear"], ["framework", "set", "user_id", 2]],
    "two logins": [["framework", "set", "user_id", 3], ["framework", "set", "user_id", 2]],
    "logged out before": [["delete"], ["framework", "set", "user_id", 2]],
}


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_every_way_to_log_in_ends_the_session_of_the_earlier_user(browser, login):
    browser.do(["framework", "clear"], ["framework", "set", "user_id", 1])
    late = late_answer(browser)
    assert OUT in browser.ask("/do", *login).set
    assert browser.do(["framework", "get", "user_id"]) == 2
    arrive(browser, late)
    assert browser.do(["framework", "all"]) == {}


LOGOUTS = {
    "del": [["framework", "del", "user_id"]],
    "pop": [["framework", "pop", "user_id"]],
    "popitem": [["framework", "popitem"]],
    "clear": [["framework", "clear"]],
    "cleared and written": [["framework", "clear"], ["framework", "set", "notice", "bye"]],
    "logged in before": [["framework", "set", "user_id", 2], ["framework", "clear"]],
}


@pytest.mark.parametrize("logout", LOGOUTS.values(), ids=LOGOUTS)
def test_every_way_to_log_out_stays_one(browser, logout):
    browser.do(["framework", "update", {"cart": ["tea"], "user_id": 1}])
    late = late_answer(browser)
    assert OUT in browser.ask("/do", *logout).set
    assert browser.do(["framework", "has", "user_id"]) is False
    arrive(browser, late)
    assert browser.do(["framework", "all"]) == {}


def test_what_is_left_without_the_key_is_kept(browser):
    browser.do(["framework", "update", {"cart": ["tea"], "user_id": 1}])
    browser.do(["framework", "pop", "user_id"])
    assert browser.do(["framework", "all"]) == {"cart": ["tea"]}


@pytest.mark.parametrize(
    "change",
    [
        ["framework", "nested", ["user", "name"], "B"],
        ["framework", "set", "user", {"id": 7, "name": "B"}],
    ],
)
def test_a_change_of_the_users_profile_is_no_login(browser, keeping, change):
    browser.do(["create", {"user": {"id": 7, "name": "A"}}])
    before = browser.do(["stamp"])
    assert browser.ask("/do", change).set == keeping.changed
    assert browser.do(["stamp"])[:2] == before[:2]


@pytest.mark.parametrize(
    "afterwards", [[], [["framework", "set", "page", 1]]], ids=["alone", "write"]
)
def test_a_nested_change_of_who_it_is_is_refused(browser, afterwards):
    before = {"user": {"id": 7}, "account_id": {"n": 7}}
    browser.do(["create", before])
    for change in (["user", "id"], ["user", "sub"], ["account_id", "n"]):
        assert browser.ask("/do", ["framework", "nested", change, 1], *afterwards).status == 500
        assert browser.do(["get"]) == before


@pytest.mark.parametrize("user", [None, {"sub": "ann"}])
def test_sign_ins_that_nobody_finishes_make_room(browser, keeping, user):
    length = (keeping if user else IN_COOKIES).too_large // 14
    browser.do(["events"])
    if user:
        browser.do(["create", {"user": user}])
    for number in range(16):
        key = f"_state_op_{number}"
        answer = browser.ask(
            "/do", ["framework", "set", key, {"$x": length}], ["framework", "has", key]
        )
        assert (answer.status, answer.results) == (200, [None, True])
    found = browser.do(["framework", "all"])
    assert found.get("user") == user
    assert "_state_op_15" in found
    assert "_state_op_0" not in found
    assert set(browser.do(["events"])) == {"MADE_ROOM"}


def test_what_else_is_too_large_is_an_error(browser):
    browser.do(["framework", "set", "_state_op_0", "x"])
    assert browser.ask("/do", ["framework", "set", "cart", {"$x": 8000}]).status == 500
    assert browser.do(["framework", "all"]) == {"_state_op_0": "x"}
