"""A request context that no response leaves: what was changed in its session is lost, and told."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask, session

from sessionkit import EventKind, SessionStore
from sessionkit.testing import session_cookies
from sessionkit_flask import SessionKit

SECRET = "flask unanswered: 0123456789abcdefghijklmnopqrstuvwxyz"
HTTPS = "https://localhost"


class Shop:
    def __init__(self) -> None:
        self.told: list[EventKind] = []
        self.store = SessionStore(SECRET, on_event=lambda event: self.told.append(event.kind))
        self.app = Flask("shop")
        SessionKit(self.app, store=self.store)
        self.app.add_url_rule("/", view_func=lambda: "ok")

    def context(self):
        cookies = session_cookies(self.store, {"user": {"sub": "ann"}, "cart": []})
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return self.app.test_request_context(base_url=HTTPS, headers={"Cookie": header})


@pytest.fixture
def shop() -> Iterator[Shop]:
    gc.disable()  # no cycle of ours keeps it
    yield Shop()
    gc.enable()


CHANGES = {
    "assigned": lambda: session.__setitem__("n", 1),
    "nested": lambda: session["cart"].append("tea"),
    "emptied": lambda: [session.pop(key) for key in list(session)],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_a_test_request_context_is_told_when_the_context_goes(shop, change):
    with shop.context():
        CHANGES[change]()
        assert shop.told == []
    assert shop.told == [EventKind.UNANSWERED]


def test_a_session_that_is_read_there_is_not_told_of(shop):
    with shop.context():
        assert session["cart"] == []
    assert shop.told == []


def test_a_change_that_a_response_then_carries_is_not_told_of(shop):
    with shop.context():
        session["n"] = 1
        response = shop.app.process_response(shop.app.make_response("ok"))
    assert "__Host-session=" in response.headers["Set-Cookie"]
    assert shop.told == []


def test_a_session_transaction_that_is_saved_is_not_told_of_and_one_that_fails_is(shop):
    client = shop.app.test_client()

    def change(*, fail: bool) -> None:
        with client.session_transaction(base_url=HTTPS) as opened:
            opened["n"] = opened.get("n", 0) + 1
            if fail:
                raise KeyError

    change(fail=False)
    assert shop.told == []
    with suppress(KeyError):
        change(fail=True)
    gc.collect()  # the traceback
    assert shop.told == [EventKind.UNANSWERED]
