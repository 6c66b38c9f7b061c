"""How the demo looks and counts in Chromium, scripts switched off. `test_demo_story.py` uses all of it in every engine."""

from collections.abc import Iterator

import pytest
from engines.chromium import Chromium
from playwright.sync_api import Page
from walk import Clock

from sessionkit._cli.demo.server import running
from sessionkit._cli.demo.site import Site


@pytest.fixture
def page(chromium: Chromium, clock: Clock) -> Iterator[Page]:
    with running(Site(clock=clock), asgi=False) as url:
        context = chromium.browser.new_context(
            base_url=url, java_script_enabled=False, viewport={"width": 1200, "height": 900}
        )
        page = context.new_page()
        page.goto("/")
        yield page
        context.close()


def sign_in(page: Page, name: str = "Ada Lovelace") -> None:
    page.fill("#name", name)
    page.click("button.primary")
    page.wait_for_selector("#contents")


def press(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.click(f"#{button}")


WIND = """([clock], milliseconds) => {
    clock.getAnimations().filter(one => one.animationName === "count").forEach(one => { one.pause(); one.currentTime = milliseconds });
    const after = getComputedStyle(clock.querySelector(".digits"), "::after");
    return [after.getPropertyValue("--minutes"), after.getPropertyValue("--seconds"), after.content];
}"""


SHOWN = [
    # the clock (0: idle, 1: absolute), the milliseconds since the page was loaded, the minutes and seconds that are shown
    (0, 0, 2, 0),
    (0, 999, 2, 0),
    (0, 1000, 1, 59),
    (0, 60_000, 1, 0),
    (0, 60_999, 1, 0),
    (0, 61_000, 0, 59),
    (0, 119_000, 0, 1),
    (0, 120_000, 0, 0),
    (0, 500_000, 0, 0),
    (1, 0, 15, 0),
    (1, 1000, 14, 59),
]


def test_the_clocks_count_whole_seconds_without_a_script(page: Page) -> None:
    sign_in(page)
    shown = []
    for number, milliseconds, _, _ in SHOWN:
        clock = page.locator(f".clock >> nth={number}")
        minutes, seconds, content = clock.evaluate_all(WIND, milliseconds)
        assert content == 'counter(minutes) ":" counter(seconds, decimal-leading-zero)'
        shown.append((number, milliseconds, int(minutes), int(seconds)))
    assert shown == SHOWN


def test_when_its_time_is_up_the_page_comes_back_by_itself_and_says_so(
    page: Page, clock: Clock
) -> None:
    sign_in(page)
    for ahead in (*range(100, 900, 100), 899):
        clock.ahead = ahead
        page.goto("/")
    assert page.inner_text(".spoken >> nth=1") == "1 seconds left of 900"
    clock.ahead = 900
    page.wait_for_selector(".event.now")
    assert (
        page.inner_text(".event.now")
        == "A session cookie came and gave no session: past its absolute lifetime."
    )


def test_nothing_is_wider_than_the_window(page: Page) -> None:
    sign_in(page, "Hippopotomonstrosesquippedaliophobia" * 2)
    for button in ("grow", "grow", "grow", "rotate", "touch"):
        press(page, button)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_page_of_another_site_cannot_press_a_button(page: Page) -> None:
    sign_in(page)
    url = page.url.replace("127.0.0.1", "localhost")
    other = page.context.new_page()
    other.set_content(f'<form method="post" action="{page.url}sign-out"><button>x</button></form>')
    with other.expect_navigation():
        other.click("button")
    assert "must come from a form of the demo's own page" in other.inner_text("body")
    other.goto(url)
    page.reload()
    assert page.inner_text("h1") == "Hello, Ada Lovelace."
