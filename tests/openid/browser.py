"""A browser that signs in: it follows redirects from the application to the provider and back, with a cookie jar."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

REDIRECTS = 12


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


_opener = build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, and the request that it answers."""

    request: Request
    status: int
    headers: Message
    text: str

    @property
    def location(self) -> str:
        """Where the response redirects to."""
        return urljoin(self.request.full_url, self.headers["Location"] or "")

    @property
    def query(self) -> dict[str, str]:
        """The query of that address."""
        pairs = parse_qs(urlsplit(self.location).query)
        return {name: values[0] for name, values in pairs.items()}

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def info(self) -> Message:
        """Return the headers, as a cookie jar asks for them."""
        return self.headers


class Browser:
    """A visitor of one application; `account` is who signs in at the provider, `grant` the scopes that they consent to.

    Like Chrome and Firefox it takes http://localhost for secure.
    """

    def __init__(self, origin: str, account: str = "ada", grant: str | None = None) -> None:
        self.origin = origin
        self.at_provider = {"X-Account": account} | ({"X-Grant": grant} if grant else {})
        self.jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))

    def twin(self) -> Browser:
        """Return a browser with the same cookies, which from now on are its own."""
        other = Browser(self.origin)
        other.at_provider = self.at_provider
        for cookie in self.jar:
            other.jar.set_cookie(copy.copy(cookie))
        return other

    def send(
        self, method: str, url: str, form: dict[str, str] | None = None, *, cross_site: bool = False
    ) -> Reply:
        """Send one request; `cross_site` leaves the cookies at home, as SameSite does with a POST from elsewhere."""
        body = None if form is None else urlencode(form).encode()
        headers = {} if url.startswith(("/", self.origin)) else self.at_provider
        request = Request(urljoin(self.origin, url), body, headers, method=method)
        if not cross_site:
            self.jar.add_cookie_header(request)
        try:
            response = _opener.open(request, timeout=30)
        except HTTPError as error:
            response = error
        with response:
            reply = Reply(request, response.status, response.headers, response.read().decode())
        self.receive(reply)
        return reply

    def receive(self, reply: Reply) -> None:
        """Take the cookies of a response, perhaps one that arrives late."""
        self.jar.extract_cookies(reply, reply.request)  # type: ignore[arg-type]

    def get(self, url: str) -> Reply:
        return self.send("GET", url)

    def post(self, url: str, form: dict[str, str] | None = None, **how: bool) -> Reply:
        return self.send("POST", url, form or {}, **how)

    def follow(self, reply: Reply, until: str = "") -> Reply:
        """Follow redirects to the end, or until one leads to an address that begins so."""
        for _ in range(REDIRECTS):
            if not 300 <= reply.status < 400 or (until and reply.location.startswith(until)):
                return reply
            reply = self.get(reply.location)
        raise AssertionError(f"more than {REDIRECTS} redirects, the last to {reply.location}")

    # ---- the walk

    def begin(self, return_to: str = "") -> Reply:
        """Begin to sign in; return the answer of the provider, which redirects to the callback."""
        first = self.get("/auth/login" + (f"?returnTo={return_to}" if return_to else ""))
        return self.follow(first, until=f"{self.origin}/auth/callback")

    def sign_in(self, return_to: str = "") -> Reply:
        """Sign in; return the page at the end."""
        return self.follow(self.begin(return_to))

    def confirm(self, asked: Reply) -> Reply:
        """Answer the provider, which asks whether to sign out there too; return the page at the end."""
        (action,) = re.findall(r'action="([^"]+)"', asked.text)
        (secret,) = re.findall(r'name="xsrf" value="([^"]+)"', asked.text)
        return self.follow(self.post(action, {"xsrf": secret, "logout": "yes"}))

    def end_at_provider(self, issuer: str, client_id: str) -> Reply:
        """Sign out at the provider, as from another application."""
        return self.confirm(self.get(f"{issuer}/session/end?client_id={client_id}"))

    @property
    def who(self) -> str | None:
        """Who is signed in."""
        reply = self.get("/account")
        return reply.json["sub"] if reply.status == 200 else None

    @property
    def cookies(self) -> dict[str, str]:
        """The application's cookies."""
        return {
            cookie.name: cookie.value or ""
            for cookie in self.jar
            if cookie.domain.startswith("localhost")
        }

    @property
    def cookie_sizes(self) -> dict[str, int]:
        """The sizes of these cookies, their names included."""
        return {name: len(name) + len(value) for name, value in self.cookies.items()}
