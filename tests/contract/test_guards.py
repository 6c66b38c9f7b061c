"""require_session_api and require_session_page, and where a login returns to."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from sessionkit import safe_return_to

ANN = {"user": {"sub": "ann"}}
guards = pytest.mark.needs("guards")

REFUSED = [
    "//e", "///e", "/\\e", "\\/e", "\\\\e", "/\t/e", "/\n/e", "\t//e", " //e", "\0//e", "/ /e", "https://e", "https:e", "https:/e",
    "http:///e", "HTTPS:e", "javascript:alert(1)", "data:text/html,x", "e.com", "@e", "?x", "#x", ".", "..//e", "/.//e", "/..//e",
    "/a/..//e", "/%2e//e", "/%2f/e", "/%2Fe", "/%5ce", "/%09/e", "/%0d%0aX:", "/x?y=%0d%0aZ", "\uff0f\uff0fe", "/\u2028/e", "/\u3002e", "",
    "/" + "x" * 3000,
]  # fmt: skip
"""What must not be returned to, as the application gets it after the query was decoded."""


@guards
def test_an_api_runs_for_a_signed_in_user(browser):
    browser.do(["create", ANN])
    answer = browser.ask("/api", ["get"])
    assert answer.results == [ANN]


@guards
def test_an_api_answers_everybody_else_with_401_and_json(browser):
    answer = browser.ask("/api", ["framework", "all"])
    assert answer.status == 401
    assert (
        answer.body
        == b'{"error": "not_authenticated", "error_description": "The user does not have an active session"}'
    )
    assert (answer.one("content-type") or "").startswith("application/json")
    assert answer.one("cache-control") == "no-store"
    assert answer.one("vary") == "Cookie"
    assert answer.cookies == []


@guards
@pytest.mark.needs("framework")
def test_an_anonymous_session_is_no_sign_in(browser):
    browser.do(["framework", "set", "cart", ["tea"]])
    assert browser.ask("/api", ["get"]).status == 401
    assert browser.ask("/page", ["get"]).status == 302


@guards
def test_a_dead_session_is_no_sign_in(browser, clock):
    browser.do(["create", ANN])
    clock.set(clock() + 86_400)
    assert browser.ask("/api", ["get"]).status == 401


@guards
def test_a_refused_visitors_operations_are_not_done(browser):
    browser.ask("/api", ["create", ANN])
    browser.ask("/page", ["create", ANN])
    assert browser.do(["get"]) is None


@guards
def test_a_page_runs_for_a_signed_in_user(browser):
    browser.do(["create", ANN])
    assert browser.ask("/page", ["get"]).results == [ANN]
    assert browser.ask("/page/a?b=1", ["get"]).results == [ANN]


@guards
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_sends_everybody_else_to_the_login_with_the_way_back(browser, method):
    answer = browser.ask("/page/a%20b?c=d&e=%C3%A9", method=method)
    assert answer.status == 302
    assert answer.one("location") == "/auth/login?returnTo=" + quote(
        "/page/a%20b?c=d&e=%C3%A9", safe="/"
    )
    assert answer.one("cache-control") == "no-store"
    assert answer.cookies == []


@guards
def test_a_post_is_not_returned_to(browser):
    answer = browser.ask("/page/a", method="POST")
    assert answer.status == 303
    assert answer.one("location") == "/auth/login?returnTo=/"


@guards
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"])
def test_no_header_says_where_the_site_is(browser, header):
    value = {"X-Forwarded-Prefix": "//e.example", "Forwarded": "host=e.example"}.get(
        header, "e.example"
    )
    answer = browser.ask("/page/a", headers={header: value})
    assert answer.status == 302
    assert answer.one("location") == "/auth/login?returnTo=/page/a"


@guards
@pytest.mark.parametrize(
    "path",
    ["/page/..//e", "/page//e/..", "/page/%2e%2e//e", "/page/%2f%2fe", "/page/%5ce", "/page/%09/e", "/page/%0d%0aX:y", "/page/x?y=%0d%0aZ", "/page/" + "x" * 2100],
)  # fmt: skip
def test_a_path_that_is_unsafe_to_return_to_is_not(browser, path):
    answer = browser.ask(path)
    location = answer.one("location")
    assert answer.status in (302, 404) or (
        location is not None and answer.status in (301, 307, 308)
    )
    if location is not None:
        parts = urlsplit(location)
        assert parts.netloc in ("", f"127.0.0.1:{browser.port}")
        (back,) = parse_qs(parts.query).get("returnTo", ["/"])
        assert safe_return_to(back, "unsafe") == back
        assert answer.all("x") == []


@pytest.mark.parametrize("value", REFUSED)
def test_what_would_leave_the_site_is_not_returned_to(browser, value):
    answer = browser.ask(f"/after-login?returnTo={quote(value, safe='')}")
    assert answer.status == 302
    assert answer.one("location") == "/"


def test_two_ways_back_are_none(browser):
    assert browser.ask("/after-login?returnTo=/a&returnTo=/b").one("location") == "/"


def test_a_safe_way_back_is_taken(browser):
    assert (
        browser.ask(f"/after-login?returnTo={quote('/a/b?c=d#e', safe='')}").one("location")
        == "/a/b?c=d#e"
    )
