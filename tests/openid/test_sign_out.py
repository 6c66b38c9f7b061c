"""Sign out: here and at the provider, late responses, and the provider's own word that a user has gone."""

from __future__ import annotations

import pytest

from .browser import Browser
from .sites import ON_SERVER, Site

served_by_a_backend = pytest.mark.parametrize("site", ON_SERVER, indirect=True)


def test_a_user_signs_out_here_and_at_the_provider(browser: Browser, site: Site):
    browser.sign_in()
    asked = browser.post("/auth/logout")
    assert asked.location.startswith(f"{site.provider.issuer}/session/end?")
    assert asked.query["post_logout_redirect_uri"] == f"{browser.origin}/"
    assert browser.who is None
    end = browser.confirm(browser.follow(asked))
    assert (end.status, end.text) == (200, '<a href="/auth/login">Sign in</a>')
    assert end.request.full_url.startswith(f"{browser.origin}/?state=")
    browser.at_provider["X-Account"] = "eve"
    browser.sign_in()
    assert browser.who == "eve"


def test_a_visitor_who_is_not_signed_in_signs_out(browser: Browser):
    assert browser.follow(browser.post("/auth/logout")).request.full_url == f"{browser.origin}/"
    assert browser.get("/auth/logout").status == 405


def test_a_late_response_does_not_sign_in_again(site: Site):
    browser = Browser(site.origin, f"brief-late-{site.name}")
    browser.sign_in()
    late = browser.twin()
    browser.post("/auth/logout")
    browser.receive(late.get("/api/profile"))
    assert browser.who is None


def test_a_sign_in_of_another_tab_does_not_finish_after_the_logout(browser: Browser):
    browser.sign_in()
    begun = browser.begin()
    browser.post("/auth/logout")
    assert browser.follow(begun).status == 403
    assert browser.who is None


@served_by_a_backend
def test_the_provider_ends_the_session_of_the_browser_that_signed_out_there(site: Site):
    account = f"two-devices-{site.name}"
    phone, laptop = Browser(site.origin, account), Browser(site.origin, account)
    phone.sign_in()
    laptop.sign_in()
    phone.end_at_provider(site.provider.issuer, site.client_id)
    assert (phone.who, laptop.who) == (None, account)


@served_by_a_backend
def test_what_is_no_logout_token_signs_nobody_out(browser: Browser, site: Site):
    browser.sign_in()
    id_token = site.contents(browser)["id_token"]
    unsigned = "eyJhbGciOiJub25lIn0." + id_token.split(".")[1] + "."
    for token in ("", "x", "a.b.c", unsigned, id_token):
        assert browser.post("/auth/backchannel-logout", {"logout_token": token}).status == 400
    assert browser.who == "ada"
