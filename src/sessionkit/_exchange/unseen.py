"""Whether a browser may hold a session that its request does not show."""

from __future__ import annotations

from .config import Settings
from .reading import Incoming
from .request import RequestInfo

__all__ = ["may_be_hidden", "may_be_unnamed"]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.1


def may_be_hidden(settings: Settings, incoming: Incoming, request: RequestInfo) -> bool:
    """Return whether the browser may hold a session in cookies that this request does not show.

    Args:
        settings: the store's.
        incoming: what came with the request.
        request: its view.
    """
    if incoming.partial or any(other.partial for _, other in incoming.others()):
        return True
    if incoming.tokens:
        return False
    return _is_outside(request.path, settings.cookie.path) or _is_cross_site(request)


def may_be_unnamed(incoming: Incoming) -> bool:
    """Return whether a session may have come that no mark names."""
    return incoming.unnamed or any(other.unnamed for _, other in incoming.others())


def _is_outside(path: str, cookie_path: str) -> bool:
    """Return whether a browser keeps cookies of this path from this request (RFC 6265 section 5.1.4)."""
    if cookie_path == "/" or path in ("/", cookie_path):
        return False  # `/` is also what a request says of which nothing but a header is known
    return not path.startswith(cookie_path if cookie_path.endswith("/") else f"{cookie_path}/")


def _is_cross_site(request: RequestInfo) -> bool:
    """Return whether another site sent the request, which then comes without Lax or Strict cookies.

    Browsers say so in `Sec-Fetch-Site` (Fetch Metadata). One that does not send it tells by the `Origin` of a POST.
    """
    site = request.header("Sec-Fetch-Site")
    if site is not None:
        return site.strip().lower() == "cross-site"
    origin = None if request.method in _SAFE else request.header("Origin")
    return origin is not None and _host(origin.partition("://")[2]) != _host(
        request.header("Host") or ""
    )


def _host(authority: str) -> str:
    """Return the host of `host:port`, in lower case."""
    text = authority.strip().lower()
    if text.startswith("["):
        return text.partition("]")[0]
    return text.partition(":")[0]
