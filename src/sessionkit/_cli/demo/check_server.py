"""The check of the demo with a backend: two browsers of one user, and the sessions that they see and end."""

from __future__ import annotations

from collections.abc import Iterator

from ..._session.events import EventKind
from ..._session.session import Absence
from .client import Browser, expect

__all__ = ["Clock", "walk_on_server"]

LONGEST_COOKIE = 400
"""Characters that a pointer never needs."""


class Clock:
    """A clock that stands still until it is moved.

    Args:
        now: seconds since the epoch.
    """

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def walk_on_server(browser: Browser, other: Browser, clock: Clock) -> Iterator[str]:
    """Use the demo with two browsers; yield the name of each step that succeeded.

    Args:
        browser: the browser that ends sessions.
        other: another browser.
        clock: the clock of the demo. A login in the second of a revocation loses, so it moves before each login.
    """
    yield from _walk_record(browser, other)
    yield from _walk_list(browser, other, clock)
    yield from _walk_late(browser, other, clock)


def _walk_record(browser: Browser, other: Browser) -> Iterator[str]:
    """Begin and change a session, and see that the cookie only points to it."""
    expect("on the server" in browser.get("/").page, "the page does not tell of the backend")
    expect(not browser.cookies, "a visitor was given a cookie for looking")
    yield "signed out: no cookie, and nothing in the backend"

    browser.post("/sign-in", name="Ada")
    expect(list(browser.cookies) == ["sessionkit-demo"], "it is not one cookie")
    expect(browser.http_only, "the cookie is not HttpOnly")
    expect(browser.size < LONGEST_COOKIE, "the cookie is too large for a pointer")
    expect("Ada" not in browser.header_and_token, "the cookie can be read")
    yield f"sign in: one cookie of {browser.size} characters, which points to a record"

    pointer = dict(browser.cookies)
    browser.post("/note", note="hello")
    expect((browser.session or {}).get("note") == "hello", "the record was not updated")
    expect(browser.cookies == pointer, "an update has set a cookie")
    yield "update a field: the record changes, and no cookie is set"

    for _ in range(3):
        browser.post("/grow")
    expect(browser.cookies == pointer, "growing has set a cookie")
    expect(
        "SessionTooLargeError" in browser.post("/grow").page,
        "a record over its limit was not refused",
    )
    browser.post("/shrink")
    yield "grow to 60 kB: the same cookie; grow past 64 kB: refused"

    browser.post("/rotate")
    expect(browser.cookies != pointer and browser.session is not None, "the id is the same")
    page = other.get("/", late=f"sessionkit-demo={pointer['sessionkit-demo']}").page
    expect("Signed out" in page, "the cookie of before the rotation gives a session")
    yield "rotate: a new id, and the cookie of before is worth nothing"


def _walk_list(browser: Browser, other: Browser, clock: Clock) -> Iterator[str]:
    """Sign in from two browsers, and end their sessions from one of them."""
    other.post("/sign-in", name="Ada")
    expect(len(browser.handles) == 2, "the list has not both sessions")
    page = browser.get("/").page
    expect(
        "this browser" in page and "another browser" in page, "the list does not tell them apart"
    )
    yield "a second browser signs in with the same name: both see two sessions"

    own = _find_own(browser)
    for handle in browser.handles:
        if handle != own:
            browser.post("/sign-out-one", handle=handle)
    expect(Absence.UNKNOWN_RECORD.value in other.get("/").page, "the other browser is not told why")
    expect(other.session is None and browser.session is not None, "it was not that one that ended")
    yield "sign out that one: the other browser is signed out, this one is not"

    clock.now += 1
    other.post("/sign-in", name="Ada")
    browser.post("/sign-out-others")
    expect(other.session is None and browser.session is not None, "not exactly the others ended")
    yield "sign out the others: this browser stays"

    clock.now += 1
    other.post("/sign-in", name="Ada")
    expect(other.session is not None, "no new login after a revocation")
    browser.post("/sign-out-everywhere")
    expect(other.session is None and browser.session is None, "a session has survived")
    expect("sessionkit-demo" not in browser.cookies, "the cookie of this browser was not cleared")
    yield "sign out everywhere: no session is left"


def _find_own(browser: Browser) -> str:
    """Return the handle of the browser's own session, from the page."""
    page = browser.get("/").page
    listed = page[page.index("<b>this browser</b>") :]
    marker = 'name="handle" value="'
    begin = listed.index(marker) + len(marker)
    return listed[begin : listed.index('"', begin)]


def _walk_late(browser: Browser, other: Browser, clock: Clock) -> Iterator[str]:
    """Write after a logout, and use a copy of a cookie after a logout."""
    clock.now += 1
    browser.post("/sign-in", name="Ada")
    page = browser.post("/late").page
    expect(EventKind.LATE_WRITE.value in page, "the late write was not reported")
    expect(browser.session is None, "a late write has brought the session back")
    yield "a write after the sign-out: dropped, reported, and the session does not come back"

    browser.post("/sign-in", name="Ada")
    copy = browser.cookies["sessionkit-demo"]
    browser.post("/sign-out")
    page = other.get("/", late=f"sessionkit-demo={copy}").page
    expect("Signed out" in page, "a copied cookie gives a session after the sign-out")
    yield "a copy of the cookie, sent after the sign-out: no session"
