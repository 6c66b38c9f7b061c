"""The view of a request that the core needs, `RequestInfo`, and the default `renews`."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from dataclasses import KW_ONLY, dataclass, field
from ipaddress import ip_address
from typing import Any, Protocol

__all__ = ["HOLDER", "HeaderRequest", "RequestInfo", "is_activity", "is_loopback", "split_host"]

HOLDER = "sessionkit.exchange"
"""The key of the environ or scope that holds the exchange (`wsgiref.validate` requires the dot)."""


class RequestInfo(Protocol):
    """A view of a request: everything that `renews` and the core may read."""

    @property
    def cookie_header(self) -> str:
        """The raw Cookie header, decoded as latin-1; empty if there is none."""
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
        """The mapping in which the request keeps its exchange."""
        ...

    def header(self, name: str, /) -> str | None:
        """Return the value of a header; `name` in any case."""
        ...


@dataclass(slots=True, eq=False, repr=False)
class HeaderRequest:
    """A request that consists of a Cookie header, for scripts, jobs and tests.

    Args:
        cookie_header: the value of the header: `name=value; name=value`.
        method: the request method.
        path: the path with the mount point, decoded.
        query: the query string.
        scheme: the scheme, `http` or `https`.
        headers: the other header fields; their names in any case.
    """

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
        """Return the value of a header."""
        return self.headers.get(name.lower())


def is_activity(request: RequestInfo, /) -> bool:
    """Return whether a request is activity of the user; this is the default `renews`.

    OPTIONS is not activity, and neither is a page that is fetched before the user asks for it. Browsers mark such a request
    with `Sec-Purpose` (the Fetch standard), older browsers with `Purpose`, `X-Purpose` or `X-Moz`, and scripts with
    `X-Sec-Purpose` (Turbo), `Next-Router-Prefetch` or `X-Middleware-Prefetch` (Next.js) or `HX-Preloaded` (htmx).

    Args:
        request: the view of the request.
    """
    if request.method == "OPTIONS":
        return False
    purposes = " ".join(filter(None, map(request.header, _PURPOSES))).lower()
    return _PREFETCH.search(purposes) is None and not any(map(request.header, _SCRIPTED))


_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Sec-Purpose", "X-Moz")


# Safari fetches the pictures of its start page with the purpose `preview`.
_PREFETCH = re.compile("prefetch|prerender|preview")


_SCRIPTED = (
    "Next-Router-Prefetch",
    "Next-Router-Segment-Prefetch",
    "X-Middleware-Prefetch",
    "HX-Preloaded",
)
"""Headers of a prefetch by a script, in Next.js and htmx. Their values do not matter."""


def is_loopback(host: str | None) -> bool:
    """Return whether a Host header names the browser's own machine, for which some browsers accept Secure cookies over http."""
    name = split_host(host or "")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        # A name such as 127.0.0.1.example.org is not an address.
        return False


def split_host(authority: str) -> str:
    """Return the host of `host:port`, in lower case and without the brackets of an IPv6 address."""
    text = authority.strip().lower()
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
