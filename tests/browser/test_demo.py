"""The demo in a real Chromium, scripts switched off, from the first look to the end of a session."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from walk import Clock

from sessionkit._cli.demo.server import running
from sessionkit._cli.demo.site import Site


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, clock: Clock, complaints: list[str]) -> Iterator[Page]:
    with running(Site(clock=clock), asgi=False) as url:
        context = chromium.new_context(
            base_url=url, java_script_enabled=False, viewport={"width": 1200, "height": 900}
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("requestfailed", lambda request: complaints.append(request.url))
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


def cookies(page: Page) -> list[str]:
    return sorted(cookie["name"] for cookie in page.context.cookies())


def test_the_whole_story(page: Page, complaints: list[str]) -> None:
    assert "This is a demo" in page.inner_text("body")
    assert cookies(page) == []

    sign_in(page)
    assert page.inner_text("h1") == "Hello, Ada Lovelace."
    assert cookies(page) == ["sessionkit-demo"]
    assert page.context.cookies()[0]["httpOnly"] is True

    page.fill("#note", "<b>hello</b>")
    with page.expect_navigation():
        page.click("button.primary")
    assert '"note": "<b>hello</b>"' in page.inner_text("#contents")

    press(page, "grow")
    press(page, "grow")
    assert cookies(page) == ["sessionkit-demo.0", "sessionkit-demo.1"]
    press(page, "grow")
    press(page, "grow")
    assert "SessionTooLargeError" in page.inner_text(".journal")
    press(page, "shrink")
    assert cookies(page) == ["sessionkit-demo"]

    press(page, "touch")
    assert cookies(page) == ["seen.sessionkit-demo", "sessionkit-demo"]

    before = page.inner_text("#sid")
    press(page, "rotate")
    assert page.inner_text("#sid") != before
    assert "out.sessionkit-demo" in cookies(page)

    press(page, "tamper")
    assert page.inner_text(".event.now") == "A session cookie came and gave no session: bad tag."

    sign_in(page, "Grace")
    press(page, "sign-out")
    assert page.inner_text("h1") == "A session that lives in the cookie."
    assert cookies(page) == ["out.sessionkit-demo"]
    assert complaints == []


WIND = """([clock], milliseconds) => {
    clock.getAnimations().filter(one => one.animationName === "count").forEach(one => { one.pause(); one.currentTime = milliseconds });
    const after = getComputedStyle(clock.querySelector(".digits"), "::after");
    return [after.getPropertyValue("--minutes"), after.getPropertyValue("--seconds"), after.content];
}"""


@pytest.mark.parametrize(
    ("clock_number", "milliseconds", "expected"),
    [
        (0, 0, (2, 0)),
        (0, 999, (2, 0)),
        (0, 1000, (1, 59)),
        (0, 60_000, (1, 0)),
        (0, 60_999, (1, 0)),
        (0, 61_000, (0, 59)),
        (0, 119_000, (0, 1)),
        (0, 120_000, (0, 0)),
        (0, 500_000, (0, 0)),
        (1, 0, (15, 0)),
        (1, 1000, (14, 59)),
    ],
)
def test_the_clocks_count_whole_seconds_without_a_script(
    page: Page, clock_number: int, milliseconds: int, expected: tuple[int, int]
) -> None:
    sign_in(page)
    minutes, seconds, content = page.locator(f".clock >> nth={clock_number}").evaluate_all(
        WIND, milliseconds
    )
    assert (int(minutes), int(seconds)) == expected
    assert content == 'counter(minutes) ":" counter(seconds, decimal-leading-zero)'


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


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(page: Page, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, "Hippopotomonstrosesquippedaliophobia" * 2)
    for button in ("grow", "grow", "grow", "rotate", "touch"):
        press(page, button)
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
