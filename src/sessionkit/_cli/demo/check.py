"""The check of the demo: an HTTP client with a cookie jar uses the whole site over a real connection."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from itertools import chain

from ...backends import AnyBackend
from .check_server import Clock, walk_on_server
from .client import Browser, StepError, expect
from .messages import LARGEST_FORM, POLICY
from .server import running
from .site import Site

__all__ = ["check"]

Say = Callable[[str], None]


def check(*, asgi: bool, say: Say, backend: AnyBackend | None = None) -> bool:
    """Start the demo on a free port, use all of it, and print each step.

    Args:
        asgi: serve with uvicorn instead of wsgiref.
        say: prints a line.
        backend: where the sessions are kept; None for cookies.

    Returns:
        Whether every step succeeded.

    Raises:
        DemoError: uvicorn is not installed.
    """
    # The clock stands still, so that no renewal comes between the steps on a slow machine.
    clock = Clock(time.time())
    with running(Site(clock=clock, backend=backend), asgi=asgi) as address:
        say(f"The sessionkit demo, checked at {address} ({'uvicorn' if asgi else 'wsgiref'})")
        done = 0
        try:
            browser = Browser(address)
            steps = (
                chain(_walk_growth(browser), _walk_ending(browser))
                if backend is None
                else walk_on_server(browser, Browser(address), clock)
            )
            for step in steps:
                say(f"  ok  {step}")
                done += 1
        except (StepError, OSError, HTTPException, ValueError) as error:
            say(f"  FAILED after step {done}: {error}")
            return False
    say(f"All {done} steps did what they should.")
    return True


def _walk_growth(browser: Browser) -> Iterator[str]:
    """Begin a session, and make it larger and smaller; yield the name of each step that succeeded."""
    first = browser.get("/")
    expect(
        "Signed out" in first.page and "This is a demo" in first.page,
        "the page does not say that it is a demo",
    )
    expect(
        first.headers["Content-Security-Policy"] == POLICY and "<script" not in first.page,
        "the policy is another, or there is a script",
    )
    expect(not browser.cookies, "a visitor was given a cookie for looking")
    yield "signed out: no cookie, no script, the strictest policy"

    browser.post("/sign-in", name="Ada <Lovelace>")
    page = browser.get("/").page
    ada = {"sub": "demo|ada <lovelace>", "name": "Ada <Lovelace>"}
    expect(browser.session == {"user": ada, "note": "nothing yet"}, "the session is another")
    expect(
        "Ada &lt;Lovelace&gt;" in page and "Ada <Lovelace>" not in page, "a value is not escaped"
    )
    expect(
        list(browser.cookies) == ["sessionkit-demo"] and browser.http_only,
        "it is not one HttpOnly cookie",
    )
    expect("Ada" not in browser.header_and_token, "the cookie can be read")
    yield "sign in: one cookie, HttpOnly, and its contents cannot be read"

    expect(
        re.search(r"\d+ seconds left of 120.*\d+ seconds left of 900", page, re.DOTALL) is not None,
        "the expiries are not shown",
    )
    yield "both expiries count down"

    sid = browser.sid
    browser.post("/note", note="ünï & <b>")
    expect(
        (browser.session or {}).get("note") == "ünï & <b>" and browser.sid == sid,
        "the field was not updated",
    )
    yield "update a field: same session, new contents"

    browser.post("/grow")
    browser.post("/grow")
    expect(
        sorted(browser.cookies) == ["sessionkit-demo.0", "sessionkit-demo.1"],
        "it did not become chunks",
    )
    expect(
        (browser.session or {}).get("note") == "ünï & <b>", "the chunks do not read as the session"
    )
    yield f"grow past 4 KB: {len(browser.cookies)} chunks, {browser.size:,} bytes, and the single cookie is gone"

    browser.post("/grow")
    before = dict(browser.cookies)
    expect(
        "SessionTooLargeError" in browser.post("/grow").page and browser.cookies == before,
        "a session over the budget was not refused",
    )
    yield "grow past the budget: refused, and the session stays as it was"

    browser.post("/shrink")
    expect(list(browser.cookies) == ["sessionkit-demo"], "stale chunks were left")
    yield "shrink: one cookie again, no stale chunk"


def _walk_ending(browser: Browser) -> Iterator[str]:
    """Touch, rotate, forge and end the session; yield the name of each step that succeeded."""
    sid, note = browser.sid, (browser.session or {}).get("note")
    before = dict(browser.cookies)
    browser.post("/touch")
    expect(
        browser.cookies
        == {**before, "seen.sessionkit-demo": browser.cookies.get("seen.sessionkit-demo")},
        "a touch sent the session",
    )
    yield "touch: one small cookie moves the idle expiry"

    browser.post("/rotate")
    expect(
        browser.sid not in ("", sid) and "out.sessionkit-demo" in browser.cookies,
        "the id is the same, or the old one not fenced",
    )
    expect(
        note is not None and (browser.session or {}).get("note") == note,
        "rotation changed the contents",
    )
    yield "rotate: same contents, new id, the old one fenced"

    refused = [
        browser.post("/sign-out", origin="http://evil.example").status,
        browser.post("/sign-out", origin=None).status,
        browser.get("/", host="evil.example").status,
        browser.post("/note", note="x" * LARGEST_FORM).status,
        browser.get("/sign-out").status,
    ]
    expect(
        refused == [403, 403, 421, 413, 404] and browser.session is not None,
        f"the refusals are {refused}",
    )
    yield "another origin, no origin, another host, an oversize form, a GET: all refused"

    expect(
        "bad tag" in browser.post("/tamper").page and browser.session is None,
        "a forged cookie gave a session, or no event",
    )
    yield "forge one character: no session, and the event says why"

    browser.post("/sign-in", name="Grace")
    expect(
        (browser.session or {}).get("user", {}).get("name") == "Grace",
        "a forged cookie stands in the way of a sign-in",
    )
    late = browser.cookies["sessionkit-demo"]
    browser.post("/sign-out")
    expect(
        list(browser.cookies) == ["out.sessionkit-demo"] and browser.session is None,
        "the cookies were not cleared",
    )
    yield "sign out: every cookie cleared but the fence"

    page = browser.get("/", late=f"sessionkit-demo={late}").page
    expect(
        "Signed out" in page and "logged out" in page, "a late response brought the session back"
    )
    yield "a late response that brings the old cookie back: still signed out"
