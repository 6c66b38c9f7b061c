"""Cookie headers as no honest browser sends them: raw bytes, never a framework's idea of cookies (THREATS 3.2)."""

from __future__ import annotations

import pytest

ANN = {"user": {"sub": "ann"}}
BOB = {"user": {"sub": "bob"}}
NAME = "__Host-session"


def token(browser, session=ANN) -> str:
    browser.do(["create", session])
    value = next(one.value for one in browser.jar.cookies.values() if one.name == NAME)
    browser.jar.cookies.clear()
    return value


@pytest.mark.parametrize(
    "before",
    ["\u2000".encode(), b"\xa0", "\u00a0".encode(), b"\x85", b"\x1c", b"\x1f", "\u3000".encode(), b"\x0b", b"\x0c", b'"', b"x"],
    ids=repr,
)  # fmt: skip
def test_a_name_that_is_ours_only_after_stripping_is_not_ours(browser, before):
    value = token(browser).encode()
    answer = browser.ask("/do", ["get"], cookie=before + NAME.encode() + b"=" + value, keep=False)
    # A server may refuse a control character outright.
    assert answer.status == 400 or answer.results == [None]


def test_the_same_without_the_odd_byte_is_a_session(browser):
    assert browser.do(["get"], cookie=f" \t{NAME} = {token(browser)}\t ") == ANN


@pytest.mark.parametrize("form", ['"{}"', "{}%20", "%{}", '{}"', "{}, b"])
def test_a_value_is_used_as_it_is(browser, form):
    assert browser.do(["get"], cookie=f"{NAME}={form.format(token(browser))}") is None


def test_quotes_hide_nothing(browser):
    assert browser.do(["get"], cookie=f'x="a; {NAME}={token(browser)}; b"') == ANN


def test_a_name_is_compared_with_its_case(browser):
    assert browser.do(["get"], cookie=f"__HOST-SESSION={token(browser)}") is None


@pytest.mark.parametrize(
    "cookie",
    [b"\xa0=\xa0; \xff\xfe", b"=;=;;;", "\u2000=\u2000".encode(), b"$Version=1; __Host-session=$Path", b"__Host-session=" + b"A" * 6000, b"__Host-session"],
    ids=lambda one: repr(one[:20]),
)  # fmt: skip
def test_no_cookie_can_make_it_fail(browser, cookie):
    assert browser.do(["get"], cookie=cookie) is None


def test_bad_bytes_beside_the_session_do_not_hide_it(browser):
    value = token(browser).encode()
    assert (
        browser.do(["get"], cookie=b"\xa0=\xff; " + NAME.encode() + b"=" + value + b"; x=\xe9")
        == ANN
    )


@pytest.mark.needs("framework")
def test_bad_bytes_do_not_hide_the_framework_session(browser):
    value = token(browser).encode()
    assert (
        browser.do(["framework", "all"], cookie=b"\xa0=\xff; " + NAME.encode() + b"=" + value)
        == ANN
    )


def test_two_sessions_of_different_users_are_none(browser):
    first, second = token(browser), token(browser, BOB)
    assert browser.do(["get"], cookie=f"{NAME}={first}; {NAME}={second}") is None


def test_of_two_sessions_of_one_user_the_newer_is_taken(browser, clock):
    first = token(browser)
    clock.set(clock() + 5)
    second = token(browser, {**ANN, "n": 2})
    for cookies in ((first, second), (second, first)):
        header = "; ".join(f"{NAME}={one}" for one in cookies)
        assert browser.do(["get"], cookie=header)["n"] == 2


def test_of_two_cookies_of_one_session_the_newer_is_taken(browser, clock):
    browser.do(["create", ANN])
    old = browser.jar.header
    clock.set(clock() + 5)
    browser.do(["merge", {"n": 2}])
    for cookie in (f"{old}; {browser.jar.header}", f"{browser.jar.header}; {old}"):
        assert browser.do(["get"], cookie=cookie)["n"] == 2


def test_a_login_by_another_sites_post_is_who_is_signed_in(browser, clock):
    browser.do(["create", {**ANN, "big": "x" * 4500}])
    clock.set(clock() + 60)
    late = browser.ask("/do", ["merge", {"n": 2}], keep=False)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://op.example"}
    bob = {"user": {"sub": "bob"}}
    posted = browser.ask("/do", ["create", bob], method="POST", headers=headers, cookie=b"")
    assert {f"{NAME}.0", f"{NAME}.1"} <= posted.cleared
    assert browser.do(["get"]) == bob
    for line in late.cookies:
        browser.jar.take(line)
    assert browser.do(["get"]) in (None, bob)
