"""The check of the demo: an HTTP client with a cookie jar uses the whole site over a real connection."""

from __future__ import annotations

import html
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPException
from http.cookiejar import CookieJar
from itertools import chain
from json import loads
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from .messages import LARGEST_FORM, POLICY
from .server import running
from .site import Site

__all__ = ["check"]

Say = Callable[[str], None]


class _StepError(Exception):
    """A step failed."""


class _Response(NamedTuple):
    status: int
    headers: Message
    page: str


def check(*, asgi: bool, say: Say) -> bool:
    """Start the demo on a free port, use all of it, and print each step.

    Args:
        asgi: serve with uvicorn instead of wsgiref.
        say: prints a line.

    Returns:
        Whether every step succeeded.

    Raises:
        DemoError: uvicorn is not installed.
    """
    started = time.time()
    # The clock stands still, so that no renewal comes between the steps on a slow machine.
    with running(Site(clock=lambda: started), asgi=asgi) as address:
        say(f"The sessionkit demo, checked at {address} ({'uvicorn' if asgi else 'wsgiref'})")
        done = 0
        try:
            browser = _Browser(address)
            for step in chain(_walk_growth(browser), _walk_ending(browser)):
                say(f"  ok  {step}")
                done += 1
        except (_StepError, OSError, HTTPException, ValueError) as error:
            say(f"  FAILED after step {done}: {error}")
            return False
    say(f"All {done} steps did what they should.")
    return True


def _walk_growth(browser: _Browser) -> Iterator[str]:
    """Begin a session, and make it larger and smaller; yield the name of each step that succeeded."""
    first = browser.get("/")
    _expect(
        "Signed out" in first.page and "This is a demo" in first.page,
        "the page does not say that it is a demo",
    )
    _expect(
        first.headers["Content-Security-Policy"] == POLICY and "<script" not in first.page,
        "the policy is another, or there is a script",
    )
    _expect(not browser.cookies, "a visitor was given a cookie for looking")
    yield "signed out: no cookie, no script, the strictest policy"

    browser.post("/sign-in", name="Ada <Lovelace>")
    page = browser.get("/").page
    ada = {"sub": "demo|ada <lovelace>", "name": "Ada <Lovelace>"}
    _expect(browser.session == {"user": ada, "note": "nothing yet"}, "the session is another")
    _expect(
        "Ada &lt;Lovelace&gt;" in page and "Ada <Lovelace>" not in page, "a value is not escaped"
    )
    _expect(
        list(browser.cookies) == ["sessionkit-demo"] and browser.http_only,
        "it is not one HttpOnly cookie",
    )
    _expect("Ada" not in browser.header_and_token, "the cookie can be read")
    yield "sign in: one cookie, HttpOnly, and its contents cannot be read"

    _expect(
        re.search(r"\d+ seconds left of 120.*\d+ seconds left of 900", page, re.DOTALL) is not None,
        "the expiries are not shown",
    )
    yield "both expiries count down"

    sid = browser.sid
    browser.post("/note", note="ünï & <b>")
    _expect(
        (browser.session or {}).get("note") == "ünï & <b>" and browser.sid == sid,
        "the field was not updated",
    )
    yield "update a field: same session, new contents"

    browser.post("/grow")
    browser.post("/grow")
    _expect(
        sorted(browser.cookies) == ["sessionkit-demo.0", "sessionkit-demo.1"],
        "it did not become chunks",
    )
    _expect(
        (browser.session or {}).get("note") == "ünï & <b>", "the chunks do not read as the session"
    )
    yield f"grow past 4 KB: {len(browser.cookies)} chunks, {browser.size:,} bytes, and the single cookie is gone"

    browser.post("/grow")
    before = dict(browser.cookies)
    _expect(
        "SessionTooLargeError" in browser.post("/grow").page and browser.cookies == before,
        "a session over the budget was not refused",
    )
    yield "grow past the budget: refused, and the session stays as it was"

    browser.post("/shrink")
    _expect(list(browser.cookies) == ["sessionkit-demo"], "stale chunks were left")
    yield "shrink: one cookie again, no stale chunk"


def _walk_ending(browser: _Browser) -> Iterator[str]:
    """Touch, rotate, forge and end the session; yield the name of each step that succeeded."""
    sid, note = browser.sid, (browser.session or {}).get("note")
    before = dict(browser.cookies)
    browser.post("/touch")
    _expect(
        browser.cookies
        == {**before, "seen.sessionkit-demo": browser.cookies.get("seen.sessionkit-demo")},
        "a touch sent the session",
    )
    yield "touch: one small cookie moves the idle expiry"

    browser.post("/rotate")
    _expect(
        browser.sid not in ("", sid) and "out.sessionkit-demo" in browser.cookies,
        "the id is the same, or the old one not fenced",
    )
    _expect(
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
    _expect(
        refused == [403, 403, 421, 413, 404] and browser.session is not None,
        f"the refusals are {refused}",
    )
    yield "another origin, no origin, another host, an oversize form, a GET: all refused"

    _expect(
        "bad tag" in browser.post("/tamper").page and browser.session is None,
        "a forged cookie gave a session, or no event",
    )
    yield "forge one character: no session, and the event says why"

    browser.post("/sign-in", name="Grace")
    _expect(
        (browser.session or {}).get("user", {}).get("name") == "Grace",
        "a forged cookie stands in the way of a sign-in",
    )
    late = browser.cookies["sessionkit-demo"]
    browser.post("/sign-out")
    _expect(
        list(browser.cookies) == ["out.sessionkit-demo"] and browser.session is None,
        "the cookies were not cleared",
    )
    yield "sign out: every cookie cleared but the fence"

    page = browser.get("/", late=f"sessionkit-demo={late}").page
    _expect(
        "Signed out" in page and "logged out" in page, "a late response brought the session back"
    )
    yield "a late response that brings the old cookie back: still signed out"


def _expect(holds: bool, fault: str) -> None:
    if not holds:
        raise _StepError(fault)


class _Browser:
    """An HTTP client that keeps cookies and follows redirects."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._jar = CookieJar()
        # No proxy from the environment: it could not reach this machine's own address.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self._jar))

    def get(self, path: str, *, host: str | None = None, late: str | None = None) -> _Response:
        """Get a page. `late` is a cookie that is sent beside those of the jar."""
        request = Request(self._address + path)  # noqa: S310  # http, and our own server
        if host is not None:
            request.add_header("Host", host)
        if late is not None:
            kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            request.add_header("Cookie", f"{kept}; {late}")
        return self._send(request)

    def post(self, path: str, *, origin: str | None = "", **form: str) -> _Response:
        """Send a form. By default its Origin is the demo's own."""
        request = Request(self._address + path, data=urlencode(form).encode())  # noqa: S310  # http, and our own server
        if origin is not None:
            request.add_header("Origin", origin or self._address)
        return self._send(request)

    def _send(self, request: Request) -> _Response:
        try:
            with self._opener.open(request, timeout=10) as response:
                return _Response(response.status, response.headers, response.read().decode())
        except HTTPError as error:
            with error:
                return _Response(error.code, error.headers, error.read().decode())

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies in the jar, by name."""
        return {cookie.name: cookie.value or "" for cookie in self._jar}

    @property
    def size(self) -> int:
        """The characters of all values in the jar."""
        return sum(map(len, self.cookies.values()))

    @property
    def http_only(self) -> bool:
        """Whether every cookie is HttpOnly."""
        return all(cookie.has_nonstandard_attr("HttpOnly") for cookie in self._jar)

    @property
    def header_and_token(self) -> str:
        """The session's cookie, and its header decoded: everything that can be read without the secret."""
        value = self.cookies.get("sessionkit-demo", "")
        return value + urlsafe_b64decode(value.partition(".")[0] + "==").decode()

    @property
    def sid(self) -> str:
        """The id of the session, from the page."""
        found = re.search(r'<code id="sid">([^<]*)</code>', self.get("/").page)
        return found[1] if found else ""

    @property
    def session(self) -> dict[str, Any] | None:
        """The contents of the session, from the page."""
        found = re.search(r'<pre id="contents">(.*?)</pre>', self.get("/").page, re.DOTALL)
        return None if found is None else loads(html.unescape(found[1]))
