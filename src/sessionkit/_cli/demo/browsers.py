"""Recognize the browsers of the demo's visitors by the cookies that they were given. No value of a cookie is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from typing import Generic, TypeVar

__all__ = ["KnownBrowsers", "digest"]

T = TypeVar("T")

KNOWN = 512
"""The most cookies, and the most clients, that are remembered; the longest unused ones are forgotten first."""


def digest(pair: str) -> bytes:
    """Return the digest of a cookie that is written `name=value`."""
    return sha256(pair.encode("utf-8", "replace")).digest()


class KnownBrowsers(Generic[T]):
    """Remembers one object for each browser.

    A cookie only for this would be one that no session needs, in a demo that shows every cookie. So a browser is found by the
    cookies that it was given before. If the response to a form sets no cookie, the client's next request is taken for the same
    browser's: it follows the redirect at once.
    """

    def __init__(self) -> None:
        self._by_cookie: OrderedDict[bytes, T] = OrderedDict()
        self._followers: OrderedDict[str, T] = OrderedDict()

    def find(self, cookie_header: str, client: str) -> T | None:
        """Return the object of a browser, or None if the browser is not known.

        Args:
            cookie_header: the Cookie header of its request.
            client: its address and User-Agent.
        """
        following = self._followers.pop(client, None)
        for pair in cookie_header.split(";", 64)[:64]:
            known = self._by_cookie.get(digest(pair.strip()))
            if known is not None:
                return known
        return following

    def keep(self, found: T, digests: Iterable[bytes], follower: str | None) -> None:
        """Remember an object under the cookies that a response sets.

        Args:
            found: the object.
            digests: the digests of the cookies.
            follower: the client, if its next request is the same browser's.
        """
        for one in digests:
            self._by_cookie[one] = found
        if follower is not None:
            self._followers[follower] = found
        for remembered in (self._by_cookie, self._followers):
            while len(remembered) > KNOWN:
                remembered.popitem(last=False)
