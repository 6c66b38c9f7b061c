"""A request and an answer, whichever gateway carries them; and which requests are turned away."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from ..._exchange.request import is_loopback

__all__ = ["LARGEST_FORM", "POLICY", "Answer", "Asked", "plain", "refusal"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
"""No script, no image, no font, nothing from elsewhere: what a page without JavaScript can afford."""

LARGEST_FORM = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a browser asked for. `body` is None when it is larger than `LARGEST_FORM`, or does not say how long it is."""

    method: str
    path: str
    cookie_header: str = ""
    host: str | None = None
    origin: str | None = None
    fetch_site: str | None = None
    body: bytes | None = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it gets."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def complete(self) -> list[tuple[str, str]]:
        """All headers: its own, and those that every answer has."""
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


def refusal(asked: Asked, listening: str) -> Answer | None:
    """Why a request is turned away before anything looks at it, or None.

    Args:
        asked: the request.
        listening: the address that the demo listens on.
    """
    if not _is_ours(asked.host, listening):
        return plain(421, "The demo answers only under this machine's own name (DNS rebinding).")
    if asked.method not in ("GET", "HEAD", "POST"):
        return plain(405, "GET shows, POST changes.", ("Allow", "GET, HEAD, POST"))
    if asked.method == "POST" and not _from_our_page(asked):
        return plain(403, "A change must come from a form of the demo's own page (CSRF).")
    if asked.body is None:
        return plain(413, f"A form says how long it is, and has at most {LARGEST_FORM} bytes.")
    return None


def _is_ours(host: str | None, listening: str) -> bool:
    """Whether a Host header names this machine, or the address that somebody chose with `--host`.

    A page of `evil.example` can have its name point to 127.0.0.1; the browser then sends that name.
    """
    if is_loopback(host):
        return True
    name = _hostname(host or "")
    wildcard = listening in ("0.0.0.0", "::", "")  # noqa: S104  # it is compared, not bound
    return name == listening.lower() or (wildcard and _is_address(name))


def _hostname(host: str) -> str:
    name = host.lower()
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _from_our_page(asked: Asked) -> bool:
    """Whether a browser says so: every current one sends Origin with a POST, and Sec-Fetch-Site to loopback addresses."""
    if asked.origin is None and asked.fetch_site is None:
        return False
    if asked.fetch_site is not None and asked.fetch_site != "same-origin":
        return False
    return asked.origin is None or asked.origin == f"http://{asked.host}"


def plain(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    """An answer of one line."""
    return Answer(
        status=status,
        body=f"{text}\n".encode(),
        headers=[("Content-Type", "text/plain; charset=utf-8"), *headers],
    )
