"""Compute how much fits: the longest token in one cookie, and the most chunks within `max_bytes`."""

from __future__ import annotations

from .._session.lifetime import FOUR_HUNDRED_DAYS
from .chunks import Layout, most
from .settings import LINE, CookieSettings

__all__ = ["list_possible_names", "measure_single_size"]


def measure_single_size(cookie: CookieSettings, layout: Layout, name: str) -> int:
    """Return how many characters of a token certainly fit into one cookie; 0 if that is not known."""
    if layout.numbered or layout.alike or layout.size is not None:
        # Such a format splits tokens by rules of its own.
        return 0
    return min(
        LINE - len(cookie.line(name, "", FOUR_HUNDRED_DAYS)), cookie.max_bytes - len(name) - 3
    )


def list_possible_names(cookie: CookieSettings, layout: Layout, name: str) -> tuple[str, ...]:
    """Return the name of the whole cookie, and the names of as many chunks as `max_bytes` allows."""
    # The longest line leaves the least room for a chunk, so it gives the largest number of chunks.
    line = LINE + 1 - len(cookie.line("", "", FOUR_HUNDRED_DAYS)) - (layout.expiry or 0)
    count = most(name, layout, line, cookie.max_bytes)
    return (name, *(f"{name}{layout.separator}{number}" for number in range(count)))
