"""The objects that replace an exchange and its request after the request has ended, so that no reference cycle remains."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from .request import HOLDER, HeaderRequest
from .settings import Settings

__all__ = ["GONE", "UnreadExchange", "make_unread", "replace_link"]

GONE = HeaderRequest()
"""Replaces the request of a finished exchange. The request refers to its exchange, so otherwise there would be a reference cycle."""


class UnreadExchange:
    """Replaces an exchange in its request, if the request ended before the session was read.

    Attributes:
        settings: the store's settings.
        owned: whether the exchange was owned.
        outer: the exchange, or the exclusion, of the gateway around.
    """

    __slots__ = ("outer", "owned", "settings")

    def __init__(self, settings: Settings, owned: bool, outer: object) -> None:
        self.settings: Settings = settings
        self.owned: bool = owned
        self.outer: object = outer


@lru_cache(maxsize=256)
def make_unread(settings: Settings) -> UnreadExchange:
    """Return the `UnreadExchange` for requests with one gateway. Each store has one such object, because most requests need it."""
    return UnreadExchange(settings, True, None)


def replace_link(holder: MutableMapping[str, Any], exchange: object, successor: object) -> None:
    """Replace an exchange in the chain that a request holds: the innermost, then each `outer`.

    Args:
        holder: the request's holder.
        exchange: the exchange to replace.
        successor: the object that takes its place.
    """
    link: Any = holder.get(HOLDER)
    if link is exchange:
        holder[HOLDER] = successor
        return
    while link is not None:
        if link.outer is exchange:
            link.outer = successor
            return
        link = link.outer
