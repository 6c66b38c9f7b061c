"""A declared gap is a thing that is not there, and everything else is."""

from __future__ import annotations

from socket import create_connection

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from contract.browser import Browser
from contract.setting import FEATURES

ROUTES = {
    "sync": "/sync/do",
    "async": "/async/do",
    "background": "/background",
    "file": "/file",
    "handled": "/handled",
    "guards": "/api",
}


def has(browser: Browser, feature: str, served) -> bool:
    """Whether the app has it, found out from outside."""
    if feature in ROUTES:
        return browser.ask(ROUTES[feature]).status != 404
    if feature == "unkept":
        browser.do(["create", {"user": {"sub": "ann"}}])
        return browser.ask("/do", ["nested", ["half"], "\ud800"]).body == b"SerializationError"
    if feature == "framework":
        return browser.ask("/do", ["framework", "len"]).status == 200
    if feature == "raw":
        return browser.ask("/do", ["get"], form="raw").status == 200
    if feature == "dropped":
        return served.dropped is not None
    if feature == "page":
        return bool(served.pages)
    assert feature == "websocket"
    try:
        with connect(
            f"ws://127.0.0.1:{browser.port}/ws", sock=create_connection(("127.0.0.1", browser.port))
        ):
            return True
    except InvalidStatus:
        return False


def test_the_declared_gaps_are_exactly_what_the_app_has_not(browser, served):
    probed = [feature for feature in FEATURES if feature not in served.unprobed]
    assert {feature: has(browser, feature, served) for feature in probed} == {
        feature: feature not in served.gaps for feature in probed
    }


def test_every_gap_has_a_reason(served):
    assert [feature for feature, reason in served.gaps.items() if len(reason) < 10] == []
