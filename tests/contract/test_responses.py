"""Every kind of response carries what it must."""

from __future__ import annotations

import pytest

from contract.keeping import NAME, SEEN
from contract.setting import FILE

ANN = {"user": {"sub": "ann"}, "n": 1}


def test_a_redirect_carries_a_login(browser):
    answer = browser.ask("/redirect", ["create", ANN], method="POST")
    assert answer.status == 302
    assert answer.one("location") in (
        "/do",
        f"http://127.0.0.1:{browser.port}/do",
    )  # some frameworks make it absolute
    assert browser.do(["get"]) == ANN


def test_head_carries_the_cookies_of_get_and_no_body(browser, keeping):
    browser.do(["create", ANN])
    answer = browser.ask("/do", ["merge", {"n": 2}], method="HEAD")
    assert answer.status == 200
    assert answer.body == b""
    assert answer.set == keeping.changed
    assert browser.do(["get"])["n"] == 2


def test_a_304_carries_a_change(browser, keeping):
    browser.do(["create", ANN])
    answer = browser.ask("/not-modified", ["merge", {"n": 2}])
    assert answer.status == 304
    assert answer.set == keeping.changed
    assert answer.one("etag") == '"1"'
    assert browser.do(["get"])["n"] == 2


def test_a_404_of_the_handlers_carries_a_change(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/missing", ["merge", {"n": 2}])
    assert answer.status == 404
    assert browser.do(["get"])["n"] == 2


def test_a_404_of_the_router_leaves_the_session_alone(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/nowhere", ["merge", {"n": 2}])
    assert answer.status == 404
    assert answer.cookies == []
    assert browser.do(["get"]) == ANN


FAILURES = ["/unhandled", pytest.param("/handled", marks=pytest.mark.needs("handled"))]


@pytest.mark.parametrize("path", FAILURES)
def test_a_500_rolls_an_update_back(browser, path):
    browser.do(["create", ANN])
    answer = browser.ask(path, ["merge", {"n": 2}])
    assert answer.status == 500
    assert answer.cookies == []
    assert browser.do(["get"]) == ANN


@pytest.mark.parametrize("path", FAILURES)
def test_a_500_rolls_a_login_back(browser, path):
    answer = browser.ask(path, ["create", ANN])
    assert answer.status == 500
    assert answer.cookies == []
    assert browser.do(["get"]) is None


@pytest.mark.parametrize("path", FAILURES)
def test_a_500_keeps_a_logout(browser, keeping, path):
    browser.do(["create", ANN])
    answer = browser.ask(path, ["delete"])
    assert answer.status == 500
    assert answer.cleared == {NAME, SEEN}
    assert answer.set == keeping.fence
    assert browser.do(["get"]) is None


@pytest.mark.parametrize("path", FAILURES)
def test_a_500_at_the_login_of_another_ends_the_first_and_begins_none(browser, keeping, path):
    browser.do(["create", ANN])
    answer = browser.ask(path, ["create", {"user": {"sub": "bob"}}])
    assert answer.status == 500
    assert browser.jar.names == keeping.fence
    assert browser.do(["get"]) is None


@pytest.mark.needs("unkept")
@pytest.mark.parametrize("path", ["/do", "/redirect", "/stream"])
def test_the_applications_error_handler_answers_if_the_session_cannot_be_kept(browser, path):
    browser.do(["create", ANN])
    answer = browser.ask(path, ["nested", ["half"], "\ud800"])
    assert (answer.status, answer.body) == (500, b"SerializationError")
    assert browser.do(["get"]) == ANN


@pytest.mark.needs("handled")
def test_a_handled_500_is_the_applications_own(browser):
    assert browser.ask("/handled", ["get"]).body == b"handled"


def test_an_in_place_change_of_the_user_saves_nothing(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/do", ["nested", ["user", "sub"], "bob"])
    assert answer.status == 500
    assert browser.do(["get"]) == ANN


def test_a_stream_saves_what_was_done_before_it(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/stream", ["merge", {"n": 2}], late=[["get"]])
    assert answer.status == 200
    assert answer.body == b'one\ntwo\n[{"n":2,"user":{"sub":"ann"}}]'
    assert browser.do(["get"])["n"] == 2


@pytest.mark.parametrize(
    "verb", [["merge", {"n": 3}], ["touch"], ["rotate"], ["create", ANN], ["delete"]]
)
def test_a_write_in_a_stream_comes_too_late_and_says_so(browser, verb):
    browser.do(["create", ANN])
    answer = browser.ask("/stream", late=[["attempt", verb]])
    assert answer.body == b'one\ntwo\n[{"raised":"ResponseStartedError"}]'
    assert browser.do(["get"]) == ANN


def test_a_stream_that_is_the_first_to_read_the_session_is_told_of(browser):
    browser.do(["create", ANN])
    browser.do(["events"])
    assert browser.ask("/stream", late=[["get"]]).one("vary") is None
    assert browser.do(["events"]).count("NOT_PRIVATE") == 1


def test_a_nested_change_in_a_stream_is_reported(browser):
    browser.do(["create", ANN])
    browser.do(["events"])
    browser.ask("/stream", late=[["nested", ["user", "name"], "Ann"]])
    # It is found when the request ends, which some servers do after the client has had its last byte.
    assert any("LATE_CHANGE" in browser.do(["events"]) for _ in range(1000))
    assert browser.do(["get"]) == ANN


@pytest.mark.needs("file")
def test_a_file_is_sent_whole_with_what_was_done_before(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/file", ["merge", {"n": 2}])
    assert answer.status == 200
    assert answer.body == FILE.read_bytes()
    assert browser.do(["get"])["n"] == 2


@pytest.mark.needs("background")
def test_work_after_the_response_reads_the_session_and_cannot_write_it(browser):
    browser.do(["create", ANN])
    before = len(browser.do(["notes"]))
    answer = browser.ask(
        "/background",
        ["merge", {"n": 2}],
        ["get"],
        late=[["get"], ["attempt", ["merge", {"n": 3}]]],
    )
    assert answer.results == [True, {**ANN, "n": 2}]
    for _ in range(2000):  # the work goes on while the next requests are answered
        notes = browser.do(["notes"])
        if len(notes) > before:
            break
    assert notes[before:] == [[{**ANN, "n": 2}, {"raised": "ResponseStartedError"}]]
    assert browser.do(["get"])["n"] == 2
