"""A request as the core sees it: lazy views, computed when asked."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from dataclasses import KW_ONLY, dataclass, field
from ipaddress import ip_address
from typing import Any, Protocol

__all__ = ["HOLDER", "HeaderRequest", "RequestInfo", "is_activity", "is_loopback"]

HOLDER = "sessionkit.exchange"
"""The key of environ or scope that holds the exchange (one without a dot fails `wsgiref.validate`)."""


class RequestInfo(Protocol):
    """What `renews` and the core may ask of a request."""

    @property
    def cookie_header(self) -> str:
        """The raw Cookie header, decoded as latin-1; empty when none came."""
        ...

    @property
    def method(self) -> str:
        """`GET`, `POST`, …; `GET` for a websocket."""
        ...

    @property
    def path(self) -> str:
        """The path, as the server decoded it."""
        ...

    @property
    def query(self) -> str:
        """The query string, still encoded, without the question mark."""
        ...

    @property
    def scheme(self) -> str:
        """`http`, `https`, `ws` or `wss`, as the server knows it."""
        ...

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """Where the request keeps its exchange."""
        ...

    def header(self, name: str, /) -> str | None:
        """One header's value; `name` in any case."""
        ...


@dataclass(slots=True, eq=False, repr=False)
class HeaderRequest:
    """A request of which there is nothing but a Cookie header: scripts, jobs, tests."""

    cookie_header: str = ""
    _: KW_ONLY
    method: str = "GET"
    path: str = "/"
    query: str = ""
    scheme: str = "https"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    holder: MutableMapping[str, Any] = field(default_factory=dict[str, Any], init=False)

    def __post_init__(self) -> None:
        self.headers = {name.lower(): value for name, value in self.headers.items()}

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        return self.headers.get(name.lower())


def is_activity(request: RequestInfo, /) -> bool:
    """The default `renews`: no for OPTIONS, and for pages fetched before anybody asked to see them.

    Args:
        request: the view of the request.

    Returns:
        Whether it counts as activity. A prefetch or prerender says so in `Sec-Purpose` (the Fetch standard), older
        browsers in `Purpose`, `X-Purpose` or `X-Moz`, scripts in `X-Sec-Purpose` (Turbo) or `Next-Router-Prefetch`.
    """
    if request.method == "OPTIONS":
        return False
    purposes = " ".join(filter(None, map(request.header, _PURPOSES))).lower()
    return _UNASKED.search(purposes) is None and not any(map(request.header, _NEXT))


_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Sec-Purpose", "X-Moz")


_UNASKED = re.compile(
    "prefetch|prerender|preview"
)  # preview: Safari, for the pictures of its start page


_NEXT = ("Next-Router-Prefetch", "Next-Router-Segment-Prefetch")
"""Of Next.js, whose values are its own."""


def is_loopback(host: str | None) -> bool:
    """Whether a Host header names this very machine, for which browsers make exceptions."""
    name = (host or "").lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False  # 127.0.0.1.example.org is somebody's name
