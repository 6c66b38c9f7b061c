"""Detect a client that does not return a Secure cookie over http on the developer's own machine, and warn once.

Chromium and Firefox return the cookie to http://localhost; Safari and HTTP clients such as httpx do not. To other hosts no client
returns it, so there the warning is logged when the cookie is set. The test clients of Flask and Werkzeug return it everywhere.
"""

from __future__ import annotations

from .._session.events import EventKind
from .request import RequestInfo, is_loopback
from .settings import Settings

__all__ = ["INSECURE", "check_return", "tell_insecure"]

SOON = 10
"""The seconds in which the next request is expected. After a login it follows at once: as a redirect, or as the next line of a script."""

TEST_CLIENT = "Werkzeug/"
"""The beginning of the user agent of Flask's test client. A test has one client for each visitor, and all look like one client here."""

INSECURE = ("http", "ws")
"""The schemes of requests over plain http."""

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")  # fmt: skip
"""Headers of proxies. All visitors of a proxy on the same machine look like one client here."""


def tell_insecure(settings: Settings, request: RequestInfo, *, sets: bool) -> None:
    """Warn once that a Secure cookie is set over http; or remember the client, if it may be one that returns the cookie.

    Args:
        settings: the store's settings.
        request: the request that is answered.
        sets: whether the response sets a session; otherwise it ends one.
    """
    if not is_loopback(request.header("Host")):
        settings.warn_once(EventKind.INSECURE)
        return
    expected = settings.expected
    expected.client, agent = None, request.header("User-Agent")
    if (
        sets
        and agent
        and not agent.startswith(TEST_CLIENT)
        and settings.cookie.path == "/"
        and settings.stem not in request.cookie_header
        and not any(map(request.header, _FORWARDED))
    ):
        expected.until = settings.clock() + SOON
        expected.client = (agent, request.header("Host"))


def check_return(settings: Settings, request: RequestInfo) -> None:
    """Warn once if this is the expected client's next request, and it came without the cookie.

    Args:
        settings: the store's settings, where a client is expected.
        request: a request that reads its session.
    """
    expected = settings.expected
    client = (request.header("User-Agent"), request.header("Host"))
    if expected.client != client or request.scheme not in INSECURE:
        return
    is_back = settings.stem in request.cookie_header
    if not is_back and settings.clock() < expected.until:
        # A browser sends no cookies with some requests of a page, and with requests of another site.
        site, kind = request.header("Sec-Fetch-Site"), request.header("Sec-Fetch-Dest")
        if (site, kind) not in ((None, None), ("same-origin", "document")):
            return
        settings.warn_once(EventKind.NOT_RETURNED)
    expected.client = None
