"""What a visitor can cause leaves no contents in the frames of sessionkit and its adapters, whoever reports it."""

from __future__ import annotations

import pytest

CANARY = "canary-in-the-contents"
ANN = {"user": {"sub": "ann"}, "token": CANARY}


def leaks(browser):
    return browser.do(["leaks", CANARY])


@pytest.mark.parametrize(
    "change",
    [
        ["nested", ["large"], {"$x": "too large"}],
        ["nested", ["half"], "\ud800"],
        ["nested", ["user", "sub"], "bob"],
        ["update", {**ANN, "large": {"$x": "too large"}}],
        ["create", {**ANN, "half": "\ud800"}],
    ],
    ids=["too large", "no JSON", "somebody else", "update", "create"],
)
@pytest.mark.parametrize(
    "path",
    [
        "/do",
        "/stream",
        "/redirect",
        pytest.param("/api", marks=pytest.mark.needs("guards")),
        pytest.param("/page", marks=pytest.mark.needs("guards")),
        pytest.param("/sync/do", marks=pytest.mark.needs("sync")),
        pytest.param("/async/do", marks=pytest.mark.needs("async")),
    ],
)
def test_a_session_that_cannot_be_kept_is_reported_without_its_contents(browser, path, change):
    browser.do(["create", ANN])
    leaks(browser)
    assert browser.ask(path, change).status == 500
    found = leaks(browser)
    assert len(found) > 0
    assert [one for one in found if one] == []


@pytest.mark.needs("framework")
@pytest.mark.parametrize(
    "change",
    [
        ["set", "large", {"$x": "too large"}],
        ["set", "half", "\ud800"],
        ["nested", ["user", "sub"], "bob"],
    ],
    ids=["too large", "no JSON", "somebody else"],
)
def test_a_framework_session_that_cannot_be_kept_is_reported_without_its_contents(browser, change):
    browser.do(["create", ANN])
    leaks(browser)
    assert browser.ask("/do", ["framework", *change]).status == 500
    found = leaks(browser)
    assert len(found) > 0
    assert [one for one in found if one] == []


@pytest.mark.parametrize("path", ["/do", "/stream", "/redirect"])
def test_a_session_that_cannot_be_kept_is_reported_without_its_cookie(browser, path):
    browser.do(["create", ANN])
    leaks(browser)
    token = browser.jar.header.rpartition("=")[2]
    assert browser.ask(path, ["nested", ["user", "sub"], "bob"]).status == 500
    found = browser.do(["leaks", token], cookie="")
    assert len(found) > 0
    assert [one for one in found if one] == []


def test_a_write_that_comes_too_late_is_reported_without_what_was_written(browser):
    browser.do(["create", ANN])
    leaks(browser)
    browser.ask(
        "/stream", late=[["attempt", ["update", ANN]], ["attempt", ["nested", ["late"], CANARY]]]
    )
    assert [one for one in leaks(browser) if one] == []
