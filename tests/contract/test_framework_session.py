"""The framework's own session object."""

from __future__ import annotations

import pytest

from contract.keeping import NAME, OUT, SEEN

pytestmark = pytest.mark.needs("framework")

ANN = {"user": {"sub": "ann"}, "n": 1}


def test_looking_at_it_is_no_session(browser):
    answer = browser.ask("/do", ["framework", "all"])
    assert answer.results == [{}]
    assert answer.cookies == []
    assert answer.one("vary") == "Cookie"


def test_an_anonymous_cart_is_kept_and_is_no_sign_in(browser):
    answer = browser.ask("/do", ["framework", "set", "cart", ["tea"]])
    assert answer.set == {NAME}
    assert browser.ask("/do", ["framework", "all"], ["get"]).results == [{"cart": ["tea"]}, None]


def test_update_does_not_reach_an_anonymous_session(browser):
    browser.do(["framework", "set", "cart", ["tea"]])
    assert browser.do(["update", {"cart": [], **ANN}]) is False
    assert browser.do(["framework", "all"]) == {"cart": ["tea"]}


def test_it_shows_the_session_of_the_verbs(browser):
    browser.do(["create", ANN])
    assert browser.do(["framework", "all"]) == ANN


def test_the_verbs_and_it_see_each_others_changes_in_one_request(browser):
    browser.do(["create", ANN])
    answer = browser.ask(
        "/do", ["framework", "set", "a", 1], ["get"], ["merge", {"b": 2}], ["framework", "all"]
    )
    assert answer.results == [None, {**ANN, "a": 1}, True, {**ANN, "a": 1, "b": 2}]
    assert browser.do(["get"]) == {**ANN, "a": 1, "b": 2}


def test_a_nested_change_is_saved(browser):
    browser.do(["framework", "set", "cart", {"items": []}])
    browser.do(["framework", "nested", ["cart", "items"], ["tea"]])
    assert browser.do(["framework", "all"]) == {"cart": {"items": ["tea"]}}


def test_it_is_a_mapping(browser):
    browser.do(["framework", "set", "a", 1])
    answer = browser.ask(
        "/do",
        ["framework", "has", "a"],
        ["framework", "has", "b"],
        ["framework", "get", "b", 7],
        ["framework", "len"],
        ["framework", "setdefault", "b", 2],
        ["framework", "pop", "a"],
        ["framework", "update", {"c": 3}],
        ["framework", "all"],
    )
    assert answer.results == [True, False, 7, 1, 2, 1, None, {"b": 2, "c": 3}]
    assert browser.do(["framework", "all"]) == {"b": 2, "c": 3}


@pytest.mark.parametrize("operation", [["clear"], ["pop", "cart"], ["del", "cart"]])
def test_an_emptied_anonymous_session_is_gone(browser, operation):
    browser.do(["framework", "set", "cart", ["tea"]])
    browser.do(["framework", *operation])
    assert NAME not in browser.jar.names
    assert browser.do(["framework", "all"]) == {}


def test_it_grows_into_chunks_and_shrinks_back(browser):
    browser.do(["framework", "set", "big", {"$x": 4200}])
    assert browser.jar.names == {f"{NAME}.0", f"{NAME}.1"}
    browser.do(["framework", "set", "big", "x"])
    assert browser.jar.names == {NAME}


def test_a_login_through_it_is_a_new_session(browser):
    browser.do(["framework", "set", "cart", ["tea"]])
    before = browser.jar.header
    answer = browser.ask("/do", ["framework", "set", "user", {"sub": "ann"}], ["stamp"])
    assert answer.set == {NAME, OUT}
    assert browser.do(["get"]) == {"cart": ["tea"], "user": {"sub": "ann"}}
    assert browser.do(["framework", "all"], cookie=f"{before}; {browser.jar.fence}") == {}


def test_a_change_of_users_through_it_is_a_new_session_and_ends_the_first(browser, keeping):
    browser.do(["create", ANN])
    (first, *_) = browser.do(["stamp"])
    late = browser.ask("/do", ["merge", {"n": 2}], keep=False)
    browser.do(["framework", "set", "user", {"sub": "bob"}])
    (second, *_) = browser.do(["stamp"])
    assert first != second
    for line in late.cookies:
        browser.jar.take(line)
    kept = None if keeping.late_response_wins else {"user": {"sub": "bob"}, "n": 2}
    assert browser.do(["get"]) == kept


def test_a_logout_through_it_ends_the_session(browser, keeping):
    browser.do(["create", ANN])
    late = browser.ask("/do", ["merge", {"n": 2}], keep=False)
    answer = browser.ask("/do", ["framework", "clear"], ["get"])
    assert answer.results == [None, None]
    assert answer.cleared == {NAME, SEEN}
    assert answer.set == keeping.fence
    for line in late.cookies:
        browser.jar.take(line)
    assert browser.do(["framework", "all"]) == {}


def test_what_is_left_after_a_logout_through_it_is_a_new_anonymous_session(browser, keeping):
    browser.do(["create", ANN])
    browser.do(["framework", "pop", "user"])
    assert browser.ask("/do", ["get"], ["framework", "all"]).results == [None, {"n": 1}]
    assert browser.jar.names == {NAME} | keeping.fence


@pytest.mark.parametrize("verb", [["rotate"], ["touch"], ["delete"]])
def test_rotate_touch_and_delete_act_on_an_anonymous_session(browser, verb):
    browser.do(["framework", "set", "cart", ["tea"]])
    assert browser.do(verb) is True


@pytest.mark.needs("dropped")
def test_what_must_not_cross_a_login_is_dropped(browser, served):
    key = served.dropped
    browser.do(["framework", "update", {"cart": ["tea"], key: "planted"}])
    browser.do(["framework", "set", "user", {"sub": "ann"}])
    assert browser.do(["framework", "all"]) == {"cart": ["tea"], "user": {"sub": "ann"}}


@pytest.mark.needs("dropped")
def test_what_must_not_cross_a_logout_is_dropped(browser, served):
    browser.do(["create", {**ANN, served.dropped: "planted"}])
    browser.do(["framework", "pop", "user"])
    assert browser.do(["framework", "all"]) == {"n": 1}


def test_an_assignment_in_a_stream_comes_too_late_and_says_so(browser):
    browser.do(["framework", "set", "a", 1])
    answer = browser.ask(
        "/stream", late=[["framework", "all"], ["attempt", ["framework", "set", "a", 2]]]
    )
    assert answer.body == b'one\ntwo\n[{"a":1},{"raised":"ResponseStartedError"}]'
    assert browser.do(["framework", "all"]) == {"a": 1}


def test_a_500_rolls_its_changes_back(browser):
    browser.do(["framework", "set", "a", 1])
    assert browser.ask("/unhandled", ["framework", "set", "a", 2]).status == 500
    assert browser.do(["framework", "all"]) == {"a": 1}


def test_a_500_keeps_a_logout_through_it(browser, keeping):
    browser.do(["create", ANN])
    assert browser.ask("/unhandled", ["framework", "clear"]).status == 500
    assert browser.jar.names == keeping.fence


def test_what_is_no_json_fails_the_response_and_saves_nothing(browser):
    browser.do(["framework", "set", "a", 1])
    assert browser.ask("/do", ["framework", "set", "a", "\ud800"]).status == 500
    assert browser.do(["framework", "all"]) == {"a": 1}


def test_what_is_too_large_fails_the_response_and_saves_nothing(browser):
    browser.do(["framework", "set", "a", 1])
    assert browser.ask("/do", ["framework", "set", "a", {"$x": 8000}]).status == 500
    assert browser.do(["framework", "all"]) == {"a": 1}


def test_looking_at_it_renews(browser, clock):
    browser.do(["framework", "set", "cart", ["tea"]])
    clock.set(clock() + 100)
    assert browser.ask("/do", ["framework", "all"]).set == {SEEN}


def test_assigning_what_is_there_already_is_no_change(browser):
    browser.do(["framework", "set", "cart", ["tea"]])
    assert browser.ask("/do", ["framework", "set", "cart", ["tea"]]).cookies == []


def test_two_logins_through_it_in_one_request_leave_the_last(browser):
    browser.ask(
        "/do",
        ["framework", "set", "user", {"sub": "ann"}],
        ["framework", "set", "user", {"sub": "bob"}],
    )
    assert browser.do(["get"]) == {"user": {"sub": "bob"}}


def test_a_nested_change_of_the_user_through_it_is_refused(browser):
    browser.do(["create", ANN])
    assert browser.ask("/do", ["framework", "nested", ["user", "sub"], "bob"]).status == 500
    assert browser.do(["get"]) == ANN


def test_a_thread_of_ones_own_reads_and_writes_it(browser):
    browser.do(["framework", "set", "n", 1], path="/thread")
    browser.do(["framework", "set", "m", 2], path="/thread")
    assert browser.do(["framework", "all"], path="/thread") == {"n": 1, "m": 2}


def test_a_session_that_begins_beside_two_planted_ones_fences_both(browser):
    planted = []
    for user in ("ann", "bob"):
        browser.do(["create", {"user": {"sub": user}}])
        planted.append(browser.jar.header)
        browser.jar.cookies.clear()
    browser.ask("/do", ["framework", "set", "cart", []], cookie="; ".join(planted))
    fence = browser.jar.fence
    found = [browser.do(["get"], cookie=f"{one}; {fence}", keep=False) for one in planted]
    assert found == [None, None]
