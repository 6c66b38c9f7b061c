"""A request and its response, whichever gateway carries them, and the requests that are refused."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from ..._exchange.request import is_loopback, split_host

__all__ = ["LARGEST_FORM", "POLICY", "Request", "Response", "make_plain", "refuse"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"
"""No script, no font, nothing from another site: the page works without them. Its one image, the icon, is in the page."""

LARGEST_FORM = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A browser's request. `body` is None if it is larger than `LARGEST_FORM`, or of unknown length."""

    method: str
    path: str
    cookie_header: str = ""
    host: str | None = None
    origin: str | None = None
    fetch_site: str | None = None
    body: bytes | None = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The response to a request."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def complete(self) -> list[tuple[str, str]]:
        """Return all headers: those of this response, and those of every response."""
        return [
            *self.headers,
            ("Content-Length", str(len(self.body))),
            ("Content-Security-Policy", POLICY),
            ("Cache-Control", "no-store"),
            # Not no-referrer: with that a browser sends `Origin: null` with our own forms (Fetch, "append a request Origin header").
            ("Referrer-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ]


def refuse(request: Request, listening: str) -> Response | None:
    """Return the refusal of a request that the site must not look at, or None.

    Args:
        request: the request.
        listening: the address that the demo listens on.
    """
    if not _is_ours(request.host, listening):
        return make_plain(
            421, "The demo serves only requests to this machine's own name (DNS rebinding)."
        )
    if request.method not in ("GET", "HEAD", "POST"):
        return make_plain(405, "GET shows, POST changes.", ("Allow", "GET, HEAD, POST"))
    if request.method == "POST" and not _is_from_our_page(request):
        return make_plain(403, "A change must come from a form of the demo's own page (CSRF).")
    if request.body is None:
        return make_plain(413, f"A form says how long it is, and has at most {LARGEST_FORM} bytes.")
    return None


def _is_ours(host: str | None, listening: str) -> bool:
    """Return whether a Host header names this machine, or the address that `--host` gave.

    The owner of `evil.example` can point this name to 127.0.0.1 (DNS rebinding). The browser then sends it as the host.
    """
    if is_loopback(host):
        return True
    name = split_host(host or "")
    wildcard = listening in ("0.0.0.0", "::", "")  # noqa: S104  # it is compared, not bound
    return name == listening.lower() or (wildcard and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_from_our_page(request: Request) -> bool:
    """Return whether the demo's own page sent a POST: browsers send Origin with it, and Sec-Fetch-Site to loopback addresses."""
    if request.origin is None and request.fetch_site is None:
        return False
    if request.fetch_site is not None and request.fetch_site != "same-origin":
        return False
    return request.origin is None or request.origin == f"http://{request.host}"


def make_plain(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """Return a response of one line."""
    return Response(
        status=status,
        body=f"{text}\n".encode(),
        headers=[("Content-Type", "text/plain; charset=utf-8"), *headers],
    )
