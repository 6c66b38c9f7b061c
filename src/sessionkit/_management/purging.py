"""Remove the records of expired sessions."""

from __future__ import annotations

from .._exchange.operations import Purge
from .._exchange.settings import Settings
from .steps import Steps

__all__ = ["purge"]


def purge(settings: Settings, limit: int) -> Steps[int]:
    """Remove expired records, and return how many.

    Args:
        settings: the store's settings.
        limit: the most records to remove.

    Raises:
        TypeError, ValueError: the limit is no whole number of at least 1.
    """
    if type(limit) is not int:
        raise TypeError(f"a limit is a whole number of records, not {type(limit).__name__}")
    if limit < 1:
        raise ValueError("a limit is a whole number of at least 1")
    removed: int = yield Purge(int(settings.clock()), limit)
    return removed
