"""Sign in: the walk to the provider and back, several tabs, and everything that must not sign anybody in."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest

from .browser import Browser
from .sites import ON_SERVER, Site

served_by_a_backend = pytest.mark.parametrize("site", ON_SERVER, indirect=True)
"""For what does not depend on where a signed-in session is kept: before the login it is in a cookie."""


def test_a_visitor_signs_in_and_returns_to_the_page_that_asked(browser: Browser):
    first = browser.get("/account?tab=2")
    assert (first.status, first.query) == (302, {"returnTo": "/account?tab=2"})
    page = browser.follow(first)
    assert (page.status, page.request.full_url) == (200, f"{browser.origin}/account?tab=2")
    assert page.json["sub"] == "ada"


@served_by_a_backend
def test_the_request_has_a_state_a_nonce_and_a_challenge(browser: Browser):
    asked = browser.get("/auth/login").query
    assert asked["code_challenge_method"] == "S256"
    assert "code_verifier" not in asked
    other = browser.get("/auth/login").query
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 20
        assert asked[name] != other[name]


@served_by_a_backend
def test_the_user_is_that_of_the_id_token(browser: Browser, site: Site):
    browser.sign_in()
    assert browser.get("/account").json == {
        "iss": site.provider.issuer,
        "sub": "ada",
        "name": "Name of ada",
        "email": "ada@example.org",
    }


def test_nothing_of_the_sign_in_stays_in_the_session(browser: Browser, site: Site):
    browser.begin()
    browser.sign_in()
    assert sorted(site.contents(browser)) == ["id_token", "sid", "tokens", "user"]


@served_by_a_backend
@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/%2e%2e//evil.example"]
)
def test_a_sign_in_does_not_return_to_another_site(browser: Browser, path: str):
    assert browser.sign_in(path).request.full_url == f"{browser.origin}/"


# ---- tabs


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_tabs_that_sign_in_at_once_either_may_finish_first(
    browser: Browser, order: tuple[int, int]
):
    tabs = [browser.begin(return_to="/account?tab=0"), browser.begin(return_to="/account?tab=1")]
    first, second = order
    assert browser.follow(tabs[first]).request.full_url.endswith(f"/account?tab={first}")
    page = browser.follow(tabs[second])
    assert (page.status, page.request.full_url) == (200, f"{browser.origin}/")
    assert browser.who == "ada"


@served_by_a_backend
def test_abandoned_sign_ins_make_room_for_later_ones(browser: Browser, site: Site):
    for _ in range(10):
        last = browser.begin()
    assert len(site.contents(browser)) == 4
    assert sum(browser.cookie_sizes.values()) < 2_200
    browser.follow(last)
    assert browser.who == "ada"


# ---- what signs nobody in


@served_by_a_backend
def test_a_refused_consent_signs_nobody_in_and_says_so(site: Site):
    browser = Browser(site.origin, "nobody")
    page = browser.sign_in()
    assert page.status == 403
    assert page.text == 'You did not consent. <a href="/auth/login">Try again</a>'
    assert site.contents(browser) == {}
    assert browser.who is None


@served_by_a_backend
def test_a_refused_consent_leaves_a_signed_in_user_signed_in(browser: Browser):
    browser.sign_in()
    state = browser.get("/auth/login").query["state"]
    assert browser.get(f"/auth/callback?error=access_denied&state={state}").status == 403
    assert browser.who == "ada"


def callback(browser: Browser, **changed: str | None) -> int:
    """Change the callback of a sign-in, and return the status of the answer."""
    query = browser.begin().query | changed
    pairs = {name: value for name, value in query.items() if value is not None}
    return browser.get(f"/auth/callback?{urlencode(pairs)}").status


@served_by_a_backend
@pytest.mark.parametrize("iss", ["https://evil.example", None])
def test_a_callback_of_another_issuer_is_refused(browser: Browser, iss: str | None):
    assert callback(browser, iss=iss) == 403
    assert browser.who is None


@served_by_a_backend
@pytest.mark.parametrize("name", ["code", "state"])
def test_a_callback_that_lacks_something_is_refused(browser: Browser, name: str):
    assert callback(browser, **{name: None}) == 403
    assert callback(browser, **{name: "unknown"}) == 403
    assert browser.who is None


@served_by_a_backend
def test_the_callback_of_another_visitor_is_refused(browser: Browser, site: Site):
    attack = Browser(site.origin, "eve").begin()
    assert browser.follow(attack).status == 403
    assert callback(browser, code=attack.query["code"]) == 403
    assert browser.who is None


@served_by_a_backend
def test_a_callback_counts_once(browser: Browser):
    answer = browser.begin()
    alone = browser.twin()
    browser.follow(answer)
    assert browser.follow(answer).request.full_url == f"{browser.origin}/"
    assert browser.who == "ada"
    assert alone.follow(answer).status == 403


# ---- a callback without the cookie


@served_by_a_backend
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_callback_without_the_cookie_is_finished_by_a_step_on_this_site(
    browser: Browser, method: str
):
    form = browser.begin(return_to="/account").query
    if method == "POST":
        arrived = browser.post("/auth/arrive", form, cross_site=True)
    else:
        arrived = browser.send("GET", f"/auth/arrive?{urlencode(form)}", cross_site=True)
    assert arrived.headers["Cache-Control"] == "no-store"
    (url,) = re.findall(r'content="0; url=([^"]+)"', arrived.text)
    assert browser.follow(browser.get(html.unescape(url))).json["sub"] == "ada"


@served_by_a_backend
def test_that_step_leads_to_this_site_whatever_is_posted(browser: Browser):
    page = browser.post("/auth/arrive", {"a": '"><script>', "b": "&url=//evil.example"}).text
    (url,) = re.findall(r'content="0; url=([^"]+)">$', page)
    assert html.unescape(url) == "/auth/callback?a=%22%3E%3Cscript%3E&b=%26url%3D%2F%2Fevil.example"
