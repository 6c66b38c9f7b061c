"""The demo with a backend, in two windows of a real Chromium that share no cookies, scripts switched off."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines.chromium import Chromium
from playwright.sync_api import Page
from walk import Clock

from sessionkit._cli.demo.server import running
from sessionkit._cli.demo.site import Site
from sessionkit.backends import SQLiteBackend


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def open_window(
    chromium: Chromium, clock: Clock, complaints: list[str], tmp_path: Path
) -> Iterator[Callable[[], Page]]:
    """Open a window with cookies of its own, as a private one has."""
    backend = SQLiteBackend(tmp_path / "sessions.db", clock=clock)
    contexts = []
    with running(Site(clock=clock, backend=backend), asgi=False) as url:

        def open_one() -> Page:
            context = chromium.browser.new_context(
                base_url=url, java_script_enabled=False, viewport={"width": 1200, "height": 900}
            )
            contexts.append(context)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("requestfailed", lambda request: complaints.append(request.url))
            page.goto("/")
            return page

        yield open_one
        for context in contexts:
            context.close()
    backend.close()


def sign_in(page: Page, name: str = "Ada") -> None:
    page.fill("#name", name)
    page.click("button.primary")
    page.wait_for_selector("#contents")


def press(page: Page, selector: str) -> None:
    with page.expect_navigation():
        page.click(selector)


def cookies(page: Page) -> list[str]:
    return sorted(cookie["name"] for cookie in page.context.cookies())


def heading(page: Page) -> str:
    page.goto("/")
    return page.inner_text("h1")


SIGNED_OUT = "A session that lives on the server."


def test_two_windows_see_and_end_each_other(
    open_window: Callable[[], Page], clock: Clock, complaints: list[str]
) -> None:
    laptop, phone = open_window(), open_window()
    assert laptop.inner_text("h1") == SIGNED_OUT
    assert cookies(laptop) == []

    sign_in(laptop)
    sign_in(phone)
    assert cookies(laptop) == ["sessionkit-demo"]
    assert heading(laptop) == "Hello, Ada."
    assert laptop.inner_text("#count") == "2"

    press(laptop, "li:has-text('another browser') button")
    assert laptop.inner_text("#count") == "1"
    assert heading(phone) == SIGNED_OUT
    assert (
        phone.inner_text(".event.now")
        == "A session cookie came and gave no session: no record on the server: logged out, revoked or expired."
    )

    clock.ahead += 1
    sign_in(phone)
    press(laptop, "#sign-out-everywhere")
    assert (heading(laptop), heading(phone)) == (SIGNED_OUT, SIGNED_OUT)
    assert cookies(laptop) == []
    assert complaints == []


def test_a_write_after_the_sign_out_does_not_bring_the_session_back(
    open_window: Callable[[], Page],
) -> None:
    page = open_window()
    sign_in(page)
    press(page, "#late")
    assert page.inner_text("h1") == SIGNED_OUT
    assert "what the request wrote was dropped" in page.inner_text(".journal")
    assert heading(page) == SIGNED_OUT


def test_a_large_session_is_still_one_cookie(open_window: Callable[[], Page]) -> None:
    page = open_window()
    sign_in(page)
    (before,) = page.context.cookies()
    for _ in range(3):
        press(page, "#grow")
    (after,) = page.context.cookies()
    assert "60,000 characters" in page.inner_text("#contents")
    assert after["value"] == before["value"]
    assert page.inner_text(".cookie .tag") == "pointer"


def test_nothing_is_wider_than_the_window(open_window: Callable[[], Page]) -> None:
    page = open_window()
    sign_in(page, "Hippopotomonstrosesquippedaliophobia" * 2)
    page.fill("#note", "Hippopotomonstrosesquippedaliophobia" * 5)
    press(page, "button.primary")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
