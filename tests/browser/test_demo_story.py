"""The demo in every engine, from the first look to the end of a session."""

from collections.abc import Iterator

import pytest
from engines import Engine, Tab, Window
from walk import Clock

from sessionkit._cli.demo.server import running
from sessionkit._cli.demo.site import Site


@pytest.fixture
def window(engine: Engine, clock: Clock) -> Iterator[Window]:
    with running(Site(clock=clock), asgi=False) as url:
        window = engine.open_window(url)
        yield window
        window.close()


def sign_in(tab: Tab, name: str) -> None:
    tab.fill("#name", name)
    tab.press("button.primary")


def cookies(window: Window) -> list[str]:
    return sorted(cookie["name"] for cookie in window.cookies())


def test_the_whole_story(window: Window) -> None:
    tab = window.open_tab()
    tab.goto("/")
    assert "This is a demo" in tab.text("body")
    assert cookies(window) == []

    sign_in(tab, "Ada Lovelace")
    assert tab.text("h1") == "Hello, Ada Lovelace."
    (cookie,) = window.cookies()
    assert (cookie["name"], cookie["httpOnly"]) == ("sessionkit-demo", True)

    tab.fill("#note", "<b>hello</b>")
    tab.press("button.primary")
    assert '"note": "<b>hello</b>"' in tab.text("#contents")

    tab.press("#grow")
    tab.press("#grow")
    assert cookies(window) == ["sessionkit-demo.0", "sessionkit-demo.1"]
    tab.press("#grow")
    tab.press("#grow")
    assert "SessionTooLargeError" in tab.text(".journal")
    tab.press("#shrink")
    assert cookies(window) == ["sessionkit-demo"]

    tab.press("#touch")
    assert cookies(window) == ["seen.sessionkit-demo", "sessionkit-demo"]

    before = tab.text("#sid")
    tab.press("#rotate")
    assert tab.text("#sid") != before
    assert "out.sessionkit-demo" in cookies(window)

    tab.press("#tamper")
    assert tab.text(".event.now") == "A session cookie came and gave no session: bad tag."

    sign_in(tab, "Grace")
    tab.press("#sign-out")
    assert tab.text("h1") == "A session that lives in the cookie."
    assert cookies(window) == ["out.sessionkit-demo"]
    assert window.complaints == []
