"""The HTTP client of the check: it keeps cookies and follows redirects, as a browser does."""

from __future__ import annotations

import html
import re
from base64 import urlsafe_b64decode
from email.message import Message
from http.cookiejar import CookieJar
from json import loads
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

__all__ = ["Browser", "StepError", "expect"]


class StepError(Exception):
    """A step of the check failed."""


class Response(NamedTuple):
    """The response to a request, after its redirects."""

    status: int
    headers: Message
    page: str


def expect(holds: bool, fault: str) -> None:
    """Raise StepError with a fault unless a condition holds."""
    if not holds:
        raise StepError(fault)


class Browser:
    """An HTTP client that keeps cookies and follows redirects."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._jar = CookieJar()
        # No proxy from the environment: it could not reach this machine's own address.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self._jar))

    def get(self, path: str, *, host: str | None = None, late: str | None = None) -> Response:
        """Get a page. `late` is a cookie that is sent beside those of the jar."""
        request = Request(self._address + path)  # noqa: S310  # http, and our own server
        if host is not None:
            request.add_header("Host", host)
        if late is not None:
            kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            request.add_header("Cookie", f"{kept}; {late}")
        return self._send(request)

    def post(self, path: str, *, origin: str | None = "", **form: str) -> Response:
        """Send a form. By default its Origin is the demo's own."""
        request = Request(self._address + path, data=urlencode(form).encode())  # noqa: S310  # http, and our own server
        if origin is not None:
            request.add_header("Origin", origin or self._address)
        return self._send(request)

    def _send(self, request: Request) -> Response:
        try:
            with self._opener.open(request, timeout=10) as response:
                return Response(response.status, response.headers, response.read().decode())
        except HTTPError as error:
            with error:
                return Response(error.code, error.headers, error.read().decode())

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

    @property
    def handles(self) -> list[str]:
        """The handles of the sessions that the page lists."""
        return re.findall(r'name="handle" value="([^"]*)"', self.get("/").page)
