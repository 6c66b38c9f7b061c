"""The verbs, through every form in which they can be called."""

from __future__ import annotations

import pytest

from contract.keeping import NAME, SEEN
from contract.setting import START

ANN = {"user": {"sub": "ann", "iss": "https://issuer.example"}, "n": 1}
BOB = {"user": {"sub": "bob", "iss": "https://issuer.example"}}
HANDLERS = [
    pytest.param("/sync/do", marks=pytest.mark.needs("sync")),
    pytest.param("/async/do", marks=pytest.mark.needs("async")),
]

forms = pytest.mark.parametrize(
    "form", ["none", "request", "both", pytest.param("raw", marks=pytest.mark.needs("raw"))]
)


def test_a_visitor_without_a_cookie_has_no_session_and_gets_none(browser):
    answer = browser.ask("/do", ["get"])
    assert answer.results == [None]
    assert answer.cookies == []
    assert answer.one("vary") == "Cookie"


def test_a_request_that_does_not_look_at_the_session_says_nothing_of_cookies(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/do")
    assert answer.cookies == []
    assert answer.one("vary") is None
    assert answer.one("cache-control") is None


@forms
def test_a_login_is_read_by_the_next_request(browser, form):
    answer = browser.ask("/do", ["create", ANN], form=form, method="POST")
    assert answer.results == [ANN]
    assert answer.set == {NAME}
    assert browser.do(["get"], form=form) == ANN


@forms
def test_a_login_may_name_a_lifetime(browser, form):
    answer = browser.ask("/do", ["remember", ANN], form=form, method="POST")
    assert answer.results == [ANN]
    assert " Max-Age=7776000;" in answer.cookies[0]
    _, created, updated, expires = browser.do(["stamp"], form=form)
    assert (created, updated, expires) == (START, START, START + 2_592_000)


def test_the_line_is_the_one_of_the_settings(browser):
    (line,) = browser.ask("/do", ["create", ANN]).cookies
    assert (
        line.partition(";")[2]
        == " Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High"
    )


@forms
def test_an_update_is_seen_in_the_same_request_and_in_the_next(browser, form):
    browser.do(["create", ANN])
    assert browser.ask("/do", ["merge", {"n": 2}], ["get"], form=form).results == [
        True,
        {**ANN, "n": 2},
    ]
    assert browser.do(["get"]) == {**ANN, "n": 2}


@pytest.mark.needs("raw")
def test_an_update_in_one_form_is_seen_in_another(browser):
    browser.do(["create", ANN])
    for written, read in (("none", "raw"), ("raw", "request"), ("request", "none")):
        browser.do(["merge", {"by": written}], form=written)
        assert browser.do(["get"], form=read)["by"] == written


@forms
def test_a_nested_change_in_place_is_saved(browser, form):
    browser.do(["create", ANN])
    browser.do(["nested", ["user", "name"], "Ann"], form=form)
    assert browser.do(["get"])["user"]["name"] == "Ann"


@pytest.mark.parametrize("path", HANDLERS)
def test_both_kinds_of_handlers_read_and_write(browser, path):
    browser.do(["create", ANN], path=path)
    browser.do(["merge", {"n": 2}], path=path)
    assert browser.do(["get"], path=path) == {**ANN, "n": 2}


def test_a_thread_of_ones_own_reads_and_writes_through_bind(browser):
    browser.do(["create", ANN], path="/thread")
    browser.do(["merge", {"n": 2}], path="/thread")
    assert browser.do(["get"], path="/thread") == {**ANN, "n": 2}


@pytest.mark.parametrize("session", [[None], []])
def test_an_update_without_a_session_is_ignored(browser, session):
    browser.do(["create", ANN])
    answer = browser.ask("/do", ["update", *session])
    assert answer.results == [False]
    assert answer.cookies == []
    assert browser.do(["get"]) == ANN


def test_an_update_never_logs_in_out_or_over(browser):
    assert browser.do(["update", ANN]) is False
    assert browser.do(["get"]) is None
    browser.do(["create", ANN])
    assert browser.do(["update", BOB]) is False
    assert browser.do(["update", {"n": 1}]) is False
    assert browser.do(["get"]) == ANN


def test_an_unchanged_session_sets_no_cookie(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/do", ["update", ANN], ["merge", {}], ["get"])
    assert answer.results == [True, True, ANN]
    assert answer.cookies == []
    assert answer.one("vary") == "Cookie"
    assert answer.one("cache-control") == "private"


def test_a_session_grows_over_one_cookie_and_shrinks_back(browser, keeping):
    browser.do(["create", ANN])
    answer = browser.ask("/do", ["merge", {"big": {"$x": 4200}}])
    assert answer.set == keeping.of_4200 & keeping.changed | keeping.of_4200 - {NAME}
    assert answer.cleared == {NAME} - keeping.of_4200
    assert browser.jar.names == keeping.of_4200
    assert browser.do(["get"])["big"] == "x" * 4200
    answer = browser.ask("/do", ["update", ANN])
    assert answer.set == keeping.changed
    assert answer.cleared == keeping.of_4200 - {NAME}
    assert browser.do(["get"]) == ANN
    assert browser.jar.names == {NAME}


def test_a_session_over_the_budget_raises_at_the_call_and_stays_as_it_was(browser):
    browser.do(["create", ANN])
    assert browser.do(["attempt", ["merge", {"big": {"$x": "too large"}}]]) == {
        "raised": "SessionTooLargeError"
    }
    assert browser.do(["get"]) == ANN


def test_a_response_with_a_cookie_is_for_no_cache(browser):
    answer = browser.ask("/public", ["create", ANN])
    assert answer.one("cache-control") == "private, no-store"
    assert answer.all("cdn-cache-control") == []


# ---- times


def test_reading_renews_when_a_minute_has_passed_and_not_before(browser, clock, keeping):
    browser.do(["create", ANN])
    clock.set(START + 59)
    assert browser.ask("/do", ["get"]).cookies == []
    clock.set(START + 60)
    assert browser.ask("/do", ["get"]).set == keeping.renewed
    clock.set(START + 119)
    assert browser.ask("/do", ["get"]).cookies == []
    assert browser.do(["stamp"])[1:] == [START, START + 60, START + 60 + 86_400]


def test_twenty_requests_one_after_another_cost_at_most_one_cookie(browser, clock, keeping):
    browser.do(["create", ANN])
    clock.set(START + 100)
    asked = [browser.ask("/do", ["get"]) for _ in range(20)]
    assert sum(len(answer.cookies) for answer in asked) == len(keeping.renewed)


def test_a_renewed_session_outlives_its_first_idle_time(browser, clock):
    browser.do(["create", ANN])
    clock.set(START + 86_000)
    browser.do(["get"])
    clock.set(START + 86_000 + 86_399)
    assert browser.do(["get"]) == ANN


def test_a_session_ends_when_it_has_been_idle(browser, clock):
    browser.do(["create", ANN])
    clock.set(START + 86_400)
    assert browser.do(["get"]) is None


def test_a_renewal_is_not_worth_a_304_or_a_shared_cache_entry(browser, clock, keeping):
    browser.do(["create", ANN])
    clock.set(START + 100)
    assert browser.ask("/not-modified", ["get"]).cookies == []
    answer = browser.ask("/public", ["get"])
    assert answer.cookies == []
    assert answer.one("cache-control") == "public, max-age=600"
    assert browser.ask("/do", ["get"]).set == keeping.renewed
    assert browser.do(["stamp"])[2] == START + 100


def test_a_prefetch_does_not_renew(browser, clock):
    browser.do(["create", ANN])
    clock.set(START + 100)
    assert browser.ask("/do", ["get"], headers={"Sec-Purpose": "prefetch;prerender"}).cookies == []
    assert browser.do(["stamp"])[2] == START


@forms
def test_touch_moves_the_idle_expiry_now(browser, clock, keeping, form):
    browser.do(["create", ANN])
    clock.set(START + 10)
    answer = browser.ask("/do", ["touch"], form=form)
    assert answer.results == [True]
    assert answer.set == keeping.renewed
    assert browser.do(["stamp"])[1:] == [START, START + 10, START + 10 + 86_400]


def test_touch_without_a_session_says_so(browser):
    answer = browser.ask("/do", ["touch"], ["rotate"], ["delete"])
    assert answer.results == [False, False, False]


# ---- ends


@forms
def test_rotate_gives_the_same_contents_a_new_id_and_ends_the_earlier_one(browser, keeping, form):
    browser.do(["create", ANN])
    before, earlier = browser.jar.header, browser.do(["stamp"])
    answer = browser.ask("/do", ["rotate"], form=form)
    assert answer.results == [True]
    assert answer.set == {NAME} | keeping.fence
    assert browser.do(["get"]) == ANN
    stamp = browser.do(["stamp"])
    assert stamp[0] != earlier[0]
    assert stamp[1] == earlier[1]
    assert browser.do(["get"], cookie=f"{before}; {browser.jar.fence}") is None


@forms
def test_a_logout_clears_and_fences(browser, keeping, form):
    browser.do(["create", ANN])
    answer = browser.ask("/do", ["delete"], ["get"], form=form)
    assert answer.results == [True, None]
    assert answer.cleared == {NAME, SEEN}
    assert answer.set == keeping.fence
    assert browser.do(["get"]) is None


def test_a_logout_clears_every_chunk(browser, keeping):
    browser.do(["create", {**ANN, "big": {"$x": 4200}}])
    browser.do(["delete"])
    assert browser.jar.names == keeping.fence


def test_a_late_response_does_not_bring_a_session_back(browser):
    browser.do(["create", ANN])
    late = browser.ask("/do", ["merge", {"n": 2}], keep=False)
    browser.do(["delete"])
    for line in late.cookies:
        browser.jar.take(line)
    assert browser.do(["get"]) is None


def test_a_second_logout_does_not_lift_the_fence_of_the_first(browser):
    browser.do(["create", ANN])
    late = browser.ask("/do", ["merge", {"n": 2}], keep=False)
    browser.do(["delete"])
    browser.do(["create", BOB])
    browser.do(["delete"])
    for line in late.cookies:
        browser.jar.take(line)
    assert browser.do(["get"]) is None


def test_a_login_ends_the_session_before_it(browser, keeping):
    browser.do(["create", ANN])
    late = browser.ask("/do", ["merge", {"n": 2}], keep=False)
    answer = browser.ask("/do", ["create", BOB])
    assert answer.set == {NAME} | keeping.fence
    assert browser.do(["get"]) == BOB
    for line in late.cookies:
        browser.jar.take(line)
    assert browser.do(["get"]) == (None if keeping.late_response_wins else BOB)


def test_a_login_after_a_logout_in_one_request_stands(browser):
    browser.do(["create", ANN])
    browser.ask("/do", ["delete"], ["create", BOB])
    assert browser.do(["get"]) == BOB
