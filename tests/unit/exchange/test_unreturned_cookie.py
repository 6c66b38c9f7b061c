"""A client that does not return the Secure cookie that it was given over http on this machine is told of once."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import CookieSettings, EventKind

from ..scene import ALICE, Scene

HTTPX = {"User-Agent": "python-httpx/0.28", "Host": "localhost:8000"}
SAFARI = {"User-Agent": "Safari", "Host": "localhost:8000"}
NAVIGATION = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
TOLD = [EventKind.NOT_RETURNED]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def login(scene: Scene, *, arrives: bool = False, scheme: str = "http", **headers: str) -> None:
    visit = scene.browser.visit(scheme=scheme, headers=headers)
    visit.exchange.create(ALICE)
    if arrives:
        visit.arrive()
    else:
        visit.commit()


def come(scene: Scene, *, scheme: str = "http", **headers: str) -> list[EventKind]:
    """Read the session in a request, and return what has been told so far, refusals apart."""
    visit = scene.browser.visit(scheme=scheme, headers=headers)
    visit.exchange.get()
    visit.arrive()
    return [event.kind for event in scene.events if event.kind is not EventKind.REFUSED]


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:5000", "[::1]"])
def test_the_next_request_without_the_cookie_is_told_once(scene: Scene, host: str) -> None:
    client = {**HTTPX, "Host": host}
    login(scene, **client)
    assert come(scene, **client) == TOLD
    login(scene, **client)
    assert come(scene, **client) == TOLD


def test_a_browser_is_told_of_when_it_comes_back_from_the_login(scene: Scene) -> None:
    login(scene, **SAFARI, **NAVIGATION)
    assert come(scene, **SAFARI, **NAVIGATION) == TOLD


def test_a_client_that_returns_the_cookie_is_never_told_of(scene: Scene) -> None:
    login(scene, arrives=True, **HTTPX)
    assert come(scene, **HTTPX) == []
    scene.browser.jar.close_browser()
    scene.browser = scene.another_browser()
    assert come(scene, **HTTPX) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "font"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"},
    ],
)
def test_requests_that_may_lack_cookies_are_passed_over(
    scene: Scene, headers: dict[str, str]
) -> None:
    login(scene, **SAFARI, **NAVIGATION)
    assert come(scene, **SAFARI, **headers) == []
    assert come(scene, **SAFARI, **NAVIGATION) == TOLD


@pytest.mark.parametrize(
    "other",
    [
        {**HTTPX, "User-Agent": "curl"},
        {**HTTPX, "Host": "127.0.0.1:8000"},
        {"Host": "localhost:8000"},
        {**HTTPX, "scheme": "https"},
    ],
    ids=["agent", "host", "no agent", "https"],
)
def test_another_client_is_another_client(scene: Scene, other: dict[str, Any]) -> None:
    login(scene, **HTTPX)
    assert come(scene, **other) == []


def test_a_client_that_comes_late_may_have_thrown_the_cookie_away(scene: Scene) -> None:
    login(scene, **HTTPX)
    scene.clock.wait(10)
    assert come(scene, **HTTPX) == []


def test_a_logout_is_no_missing_cookie(scene: Scene) -> None:
    login(scene, arrives=True, **HTTPX)
    visit = scene.browser.visit(scheme="http", headers=HTTPX)
    visit.exchange.delete()
    visit.arrive()
    scene.browser = scene.another_browser()
    assert come(scene, **HTTPX) == []


@pytest.mark.parametrize(
    "settings",
    [{"cookie": CookieSettings(secure=False)}, {"cookie": CookieSettings(path="/app")}],
    ids=["not secure", "another path"],
)
def test_a_cookie_that_may_be_missing_is_not_expected(settings: dict[str, Any]) -> None:
    scene = Scene(**settings)
    login(scene, **HTTPX)
    assert come(scene, **HTTPX) == []


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_the_visitors_of_a_proxy_are_not_one_client(scene: Scene, header: str) -> None:
    login(scene, **HTTPX, **{header: "x"})
    assert come(scene, **HTTPX, **{header: "x"}) == []


def test_over_https_nothing_is_expected(scene: Scene) -> None:
    login(scene, scheme="https", **HTTPX)
    assert scene.store.settings.expected.client is None


def test_one_client_is_remembered_whoever_comes(scene: Scene) -> None:
    for number in range(1000):
        login(scene, **{**HTTPX, "User-Agent": f"client {number}"})
    assert scene.store.settings.expected.client == ("client 999", "localhost:8000")


def test_test_clients_of_flask_are_several_visitors_and_return_every_cookie(scene: Scene) -> None:
    client = {"User-Agent": "Werkzeug/3.1.3", "Host": "localhost"}
    login(scene, **client)
    assert come(scene, **client) == []
