"""Sessions on the server: their ends, parallel requests, and a backend that fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contract.browser import Browser
from contract.keeping import NAME, SEEN
from contract.sockets import opened, tell

pytestmark = pytest.mark.with_backend

ANN, BOB = {"user": {"sub": "ann"}, "n": 0}, {"user": {"sub": "bob"}}
PATHS = ["/do", "/redirect", "/missing", "/stream", pytest.param("/file", marks=pytest.mark.needs("file"))]  # fmt: skip


@pytest.fixture
def other(served, browser):
    """Another visitor."""
    one = Browser(served.port, served.clock)
    yield one
    one.close()


def test_the_cookie_of_a_large_session_is_short(browser):
    answer = browser.ask("/do", ["create", {**ANN, "large": {"$x": 50_000}}])
    assert answer.set == {NAME}
    assert len(answer.cookies[0]) < 500
    assert browser.do(["get"])["large"] == "x" * 50_000


# ---- ends


def test_a_logout_ends_the_session_for_a_copied_cookie(browser):
    browser.do(["create", ANN])
    copied = browser.jar.header
    browser.do(["delete"])
    assert browser.do(["get"], cookie=copied) is None


def test_a_login_ends_the_earlier_session_for_a_copied_cookie(browser):
    browser.do(["create", ANN])
    copied = browser.jar.header
    browser.do(["create", BOB])
    assert browser.do(["get"], cookie=copied) is None


@pytest.mark.parametrize("path", PATHS)
def test_a_late_write_after_a_logout_is_dropped_and_the_page_goes_out(browser, path):
    browser.do(["create", ANN])
    copied = browser.jar.header
    browser.do(["events"])
    expected = browser.ask(path)
    answer = browser.ask(path, ["get"], ["elsewhere", copied, ["delete"]], ["merge", {"n": 2}])
    assert answer.status == expected.status
    assert path == "/do" or answer.body == expected.body
    assert answer.cookies == []
    assert "LATE_WRITE" in browser.do(["events"])
    assert browser.do(["get"]) is None


def test_revoking_a_user_ends_the_session_of_the_other_browser(browser, other, clock):
    # A user of this test alone: the suite's clock is set back, and a revocation is not.
    cat = {"user": {"sub": "cat"}}
    browser.do(["create", cat])
    other.do(["create", cat])
    assert browser.do(["revoke_user", cat["user"]]) == 2
    assert [one.do(["get"]) for one in (browser, other)] == [None, None]
    clock.set(clock() + 1)
    browser.do(["create", cat])
    assert [one.do(["get"]) for one in (browser, other)] == [cat, None]


@pytest.mark.parametrize(
    "path",
    ["/unhandled", pytest.param("/handled", marks=pytest.mark.needs("handled"))],
)
def test_a_login_that_fails_leaves_no_session_behind(browser, path):
    user = {"sub": f"of {path}"}
    assert browser.ask(path, ["create", {"user": user}]).status == 500
    assert browser.do(["revoke_user", user]) == 0


@pytest.mark.needs("websocket")
@pytest.mark.parametrize(
    "form", ["none", "request", pytest.param("raw", marks=pytest.mark.needs("raw"))]
)
def test_a_socket_learns_of_a_logout_when_it_asks(browser, form):
    browser.do(["create", ANN])
    with opened(browser, ["get"], form=form) as socket:
        socket.recv(timeout=20)
        assert tell(socket, ["still_valid"]) == [True]
        browser.do(["delete"])
        assert tell(socket, ["get"]) == [ANN]
        assert tell(socket, ["still_valid"]) == [False]
        assert tell(socket, ["get"]) == [None]


# ---- parallel requests


def test_two_parallel_updates_of_different_keys_are_both_kept(browser):
    browser.do(["create", ANN])
    answer = browser.ask(
        "/do",
        ["get"],
        ["elsewhere", browser.jar.header, ["merge", {"theirs": 1}]],
        ["merge", {"mine": 2}],
    )
    assert answer.results == [ANN, [True], True]
    assert browser.do(["get"]) == {**ANN, "theirs": 1, "mine": 2}


@pytest.mark.needs("framework")
def test_a_parallel_update_through_the_framework_session_is_kept(browser):
    browser.do(["create", ANN])
    browser.do(
        ["framework", "set", "mine", 2],
        ["elsewhere", browser.jar.header, ["merge", {"theirs": 1}]],
    )
    assert browser.do(["framework", "all"]) == {**ANN, "theirs": 1, "mine": 2}


def test_a_function_is_called_again_for_a_parallel_update(browser):
    browser.do(["create", ANN])
    browser.do(["increment", "n"], ["elsewhere", browser.jar.header, ["increment", "n"]])
    assert browser.do(["get"])["n"] == 2


def test_parallel_requests_lose_no_increment(browser, served):
    browser.do(["create", ANN])
    header = browser.jar.header

    def increment(_: int) -> list[object]:
        tab = Browser(served.port, served.clock)
        done = [tab.do(["increment", "n"], cookie=header) for _ in range(10)]
        tab.close()
        return done

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(increment, range(4)))
    assert found == [[True] * 10] * 4
    assert browser.do(["get"])["n"] == 40


# ---- a backend that fails

VERBS = [["get"], ["merge", {"n": 1}], ["touch"], ["rotate"], ["create", BOB], ["delete"]]


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
def test_an_outage_is_raised_by_the_verb_that_asks_and_changes_nothing(browser, served, verb):
    browser.do(["create", ANN])
    served.let_fail("load")
    answer = browser.ask("/do", ["attempt", verb])
    assert answer.results == [{"raised": "BackendError"}]
    assert answer.cookies == []
    served.let_fail()
    assert browser.do(["get"]) == ANN


@pytest.mark.needs("framework")
def test_an_outage_is_raised_by_the_framework_session(browser, served):
    browser.do(["create", ANN])
    served.let_fail("load")
    answer = browser.ask("/do", ["attempt", ["framework", "all"]])
    assert answer.results == [{"raised": "BackendError"}]
    assert answer.cookies == []


@pytest.mark.parametrize(
    "path",
    ["/do", "/stream", pytest.param("/api", marks=pytest.mark.needs("guards")), pytest.param("/page", marks=pytest.mark.needs("guards"))],
)  # fmt: skip
@pytest.mark.needs("handled")
def test_the_applications_error_handler_answers_in_an_outage(browser, served, path):
    browser.do(["create", ANN])
    served.let_fail("load")
    answer = browser.ask(path, ["get"])
    assert (answer.status, answer.body) == (500, b"BackendError")
    assert answer.cookies == []
    served.let_fail()
    assert browser.do(["get"]) == ANN


def test_pages_that_do_not_look_go_on_working_in_an_outage(browser, served):
    browser.do(["create", ANN])
    served.let_fail("load", "insert", "replace", "touch", "delete")
    for path, status in {"/do": 200, "/redirect": 302, "/missing": 404, "/stream": 200}.items():
        answer = browser.ask(path)
        assert answer.status == status
        assert answer.cookies == []
    assert browser.ask("/do", ["get"], cookie=b"").results == [None]


FAILURES = {
    "update": ("replace", ["merge", {"n": 1}]),
    "change in place": ("replace", ["nested", ["n"], 1]),
    "login": ("insert", ["create", BOB]),
    "rotation": ("insert", ["rotate"]),
    "logout": ("delete", ["delete"]),
    "touch": ("touch", ["touch"]),
}
failures = pytest.mark.parametrize(("operation", "verb"), FAILURES.values(), ids=FAILURES)


@failures
def test_what_cannot_be_kept_is_an_error_and_no_cookie_says_that_it_was(
    browser, served, operation, verb
):
    browser.do(["create", ANN])
    served.let_fail(operation)
    answer = browser.ask("/do", verb)
    assert answer.status == 500
    assert answer.set == set()
    served.let_fail()
    # A login ends the earlier session before it begins the new one.
    ended = verb[0] == "create"
    assert answer.cleared == ({NAME, SEEN} if ended else set())
    assert browser.do(["get"]) == (None if ended else ANN)


@pytest.mark.needs("unkept")
@failures
def test_the_applications_error_handler_answers_for_what_cannot_be_kept(
    browser, served, operation, verb
):
    browser.do(["create", ANN])
    served.let_fail(operation)
    answer = browser.ask("/do", verb)
    assert (answer.status, answer.body) == (500, b"BackendError")


def test_a_renewal_that_fails_is_no_error_of_a_page_that_only_read(browser, served, clock):
    browser.do(["create", ANN])
    browser.do(["events"])
    clock.set(clock() + 100)
    served.let_fail("touch")
    answer = browser.ask("/do", ["get"])
    assert answer.results == [ANN]
    assert "RENEWAL_FAILED" in browser.do(["events"])
    served.let_fail()
    assert browser.do(["get"]) == ANN
