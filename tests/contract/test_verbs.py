"""The verbs, through every form in which they can be called."""

from __future__ import annotations

import pytest

ANN = {"user": {"sub": "ann", "iss": "https://issuer.example"}, "n": 1}
FORMS = ["none", "request", "both", pytest.param("raw", marks=pytest.mark.needs("raw"))]
NAME = "__Host-session"


def test_a_visitor_without_a_cookie_has_no_session_and_gets_none(browser):
    answer = browser.ask("/do", ["get"])
    assert ([None], []) == (answer.results, answer.cookies)


def test_a_request_that_does_not_look_at_the_session_says_nothing_of_cookies(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/do")
    assert ([], None) == (answer.cookies, answer.one("vary"))


@pytest.mark.parametrize("form", FORMS)
def test_a_login_is_read_by_the_next_request(browser, form):
    answer = browser.ask("/do", ["create", ANN], form=form, method="POST")
    assert ([ANN], {NAME}) == (answer.results, answer.set)
    assert ANN == browser.do(["get"], form=form)


@pytest.mark.parametrize("form", FORMS)
def test_an_update_is_seen_in_the_same_request_and_in_the_next(browser, form):
    browser.do(["create", ANN])
    assert [True, {**ANN, "n": 2}] == browser.ask("/do", ["merge", {"n": 2}], ["get"], form=form).results
    assert {**ANN, "n": 2} == browser.do(["get"])


@pytest.mark.parametrize("form", FORMS)
def test_a_nested_change_in_place_is_saved(browser, form):
    browser.do(["create", ANN])
    browser.do(["nested", ["user", "name"], "Ann"], form=form)
    assert "Ann" == browser.do(["get"])["user"]["name"]
