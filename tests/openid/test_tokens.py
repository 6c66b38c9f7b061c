"""The tokens: used, refreshed once by parallel requests, and refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from .browser import Browser
from .sites import IN_TWO_PROCESSES, SITES, Site, origin_of


def signed_in(site: Site, name: str, grant: str | None = None) -> tuple[Browser, str]:
    """Return a browser whose user has an access token that is about to expire, and the name of that user."""
    account = f"brief-{name}-{site.name}"
    browser = Browser(site.origin, account, grant)
    browser.sign_in()
    assert browser.who == account
    return browser, account


def test_a_token_that_is_good_is_not_refreshed(browser: Browser, site: Site):
    browser.sign_in()
    assert browser.get("/api/profile").json["email"] == "ada@example.org"
    assert site.provider.refreshes("ada") == 0


def test_a_token_that_expires_is_refreshed_within_the_request(site: Site):
    browser, account = signed_in(site, "one")
    before = site.contents(browser)["tokens"]
    for count in (1, 2):
        assert browser.get("/api/profile").json["sub"] == account
        assert site.provider.refreshes(account) == count
    after = site.contents(browser)["tokens"]
    assert after.keys() == before.keys()
    for name in ("access_token", "refresh_token"):
        assert after[name] != before[name]
    assert browser.who == account


def test_parallel_requests_use_a_refresh_token_once(site: Site):
    browser, account = signed_in(site, "many")
    tabs = [browser.twin() for _ in range(4)]
    with ThreadPoolExecutor(len(tabs)) as pool:
        replies = [*pool.map(lambda tab: tab.get("/api/profile"), tabs)]
    assert [reply.json["sub"] for reply in replies] == [account] * len(tabs)
    for reply in replies:
        browser.receive(reply)
    # The provider ends the sign-in when a token comes twice.
    assert browser.get("/api/profile").status == 200
    if (
        not site.on_server
    ):  # there a slow request may have found the new token, which is about to expire too
        assert site.provider.refreshes(account) == 2


@pytest.mark.parametrize("site", IN_TWO_PROCESSES, indirect=True)
def test_two_processes_use_a_refresh_token_once(site: Site):
    browser, account = signed_in(site, "apart")
    tabs = [browser.twin() for _ in range(4)]
    urls = [f"{origin_of(port)}/api/profile" for port in site.ports * 2]
    with ThreadPoolExecutor(len(tabs)) as pool:
        replies = [*pool.map(Browser.get, tabs, urls)]
    assert [reply.json["sub"] for reply in replies] == [account] * len(tabs)
    # The provider ends the sign-in when a token comes twice.
    assert browser.get("/api/profile").status == 200


@pytest.mark.parametrize("site", IN_TWO_PROCESSES, indirect=True)
def test_each_process_finds_the_tokens_of_the_other(site: Site):
    browser, account = signed_in(site, "both")
    for port in site.ports * 2:
        assert browser.get(f"{origin_of(port)}/api/profile").json["sub"] == account
    browser.end_at_provider(site.provider.issuer, site.client_id)
    assert browser.get("/api/profile").status == 401
    assert browser.who is None


def test_a_response_that_got_lost_costs_no_sign_in(site: Site):
    browser, account = signed_in(site, "lost")
    lost = browser.twin().get("/api/profile")
    assert lost.status == 200
    assert browser.get("/api/profile").status == 200
    assert browser.who == account


@pytest.mark.parametrize("site", SITES + IN_TWO_PROCESSES, indirect=True)
def test_a_refresh_outlives_a_request_that_fails(site: Site):
    browser, account = signed_in(site, "fails")
    site.provider.fail_once()
    assert browser.get("/api/profile").status == 500
    assert browser.get("/api/profile").json["sub"] == account
    assert browser.who == account


def test_a_user_who_granted_less_is_refreshed_too(site: Site):
    browser, account = signed_in(site, "less", grant="openid profile")
    assert browser.get("/api/profile").json == {"sub": account, "name": f"Name of {account}"}
    assert site.provider.refreshes(account) == 1
    assert "email" not in browser.get("/account").json


def test_tokens_that_the_provider_has_ended_sign_the_user_out(site: Site):
    browser, _ = signed_in(site, "ended")
    browser.end_at_provider(site.provider.issuer, site.client_id)
    assert browser.get("/api/profile").status == 401
    assert browser.who is None


def test_a_token_that_cannot_be_refreshed_signs_the_user_out(site: Site):
    browser, _ = signed_in(site, "once")
    assert browser.get("/api/profile").status == 401
    assert browser.who is None


def test_the_cookies_stay_small(browser: Browser, site: Site):
    browser.sign_in()
    assert sum(browser.cookie_sizes.values()) < (450 if site.on_server else 3_000)
