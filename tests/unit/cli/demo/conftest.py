"""The demo, and a browser that looks at it."""

import pytest

from .browser import Browser, over_asgi, over_wsgi


@pytest.fixture(params=[over_wsgi, over_asgi], ids=["wsgi", "asgi"])
def browser(request: pytest.FixtureRequest) -> Browser:
    return Browser(request.param)


@pytest.fixture
def ada(browser: Browser) -> Browser:
    browser.post("/sign-in", name="Ada")
    return browser
