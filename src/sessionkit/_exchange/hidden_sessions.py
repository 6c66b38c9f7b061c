"""Decide whether the browser may hold a session that its request does not show, so that ending it takes a barrier."""

from __future__ import annotations

from .._session.session import Absence
from .reading import RequestCookies
from .request import RequestInfo, split_host
from .settings import Settings

__all__ = ["may_be_hidden", "may_be_overwritten", "may_be_unnamed"]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.1


def may_be_hidden(settings: Settings, cookies: RequestCookies, request: RequestInfo) -> bool:
    """Return whether the browser may hold a session in cookies that this request does not show.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        request: the view of the request.
    """
    if cookies.partial or any(theirs.partial for _, theirs in cookies.read_importers()):
        return True
    if cookies.tokens or cookies.pointers:
        return False
    return _is_outside(request.path, settings.cookie.path) or _is_cross_site(request)


def may_be_unnamed(cookies: RequestCookies) -> bool:
    """Return whether the request may contain a session without a readable id, so that it has no mark for the fence."""
    return cookies.unnamed or any(theirs.unnamed for _, theirs in cookies.read_importers())


def may_be_overwritten(settings: Settings, cookies: RequestCookies) -> bool:
    """Return whether a late response of an ended session may have overwritten the cookie of the session that followed.

    If so, the request does not show the overwritten session, and a late response of it could bring it back.

    Args:
        settings: the store's settings. If another program signs users in too, the result is False, because a barrier would
            also end a session that the other program begins in the next minute.
        cookies: the request's cookies.
    """
    if settings.format.traits.shared or settings.importers:
        return False
    came = cookies.tokens or cookies.pointers
    return bool(came) and cookies.token is None and cookies.absence is Absence.LOGGED_OUT


def _is_outside(path: str, cookie_path: str) -> bool:
    """Return whether a browser sends no cookies of this path with this request (RFC 6265 section 5.1.4)."""
    if cookie_path == "/" or path in ("/", cookie_path):
        # `/` is also the path of a request of which only the Cookie header is known.
        return False
    return not path.startswith(cookie_path if cookie_path.endswith("/") else f"{cookie_path}/")


def _is_cross_site(request: RequestInfo) -> bool:
    """Return whether another site sent the request, so that it has no Lax or Strict cookies.

    Browsers report this in `Sec-Fetch-Site` (Fetch Metadata). A browser that does not send this header sends an `Origin` with
    a POST.
    """
    site = request.header("Sec-Fetch-Site")
    if site is not None:
        return site.strip().lower() == "cross-site"
    origin = None if request.method in _SAFE else request.header("Origin")
    if origin is None:
        return False
    # `null` names no host: the browser hides the origin, mostly after a redirect from another site.
    host = split_host(origin.partition("://")[2])
    return not host or host != split_host(request.header("Host") or "")
