"""The expiry that `request.session.set_expiry` stores in the contents, under Django's key `_session_expiry`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import Any

__all__ = ["check_expiry", "ends", "transient"]

KEY = "_session_expiry"


def transient(contents: Mapping[str, Any]) -> bool | None:
    """Return whether the browser drops the session when it closes; None if `set_expiry` was not called."""
    asked = contents.get(KEY)
    return None if asked is None else bool(asked == 0)


def ends(contents: Mapping[str, Any], updated_at: int) -> float:
    """Return the time at which the session ends according to `set_expiry`.

    Args:
        contents: the contents of the session. An int under the key is seconds since the last activity, a str is a time (ISO 8601).
        updated_at: when the session was last active, in seconds since the epoch.

    Returns:
        Seconds since the epoch; infinity if `set_expiry` was not called.

    Raises:
        TypeError: the value is neither an int nor a time.
    """
    asked = contents.get(KEY)
    if not asked:
        return inf
    check_expiry(KEY, asked)
    try:
        if not isinstance(asked, str):
            return updated_at + float(asked)
        return datetime.fromisoformat(asked).timestamp()
    except (ValueError, OverflowError):
        return -inf  # Django did not write this value, so the session counts as expired


def check_expiry(key: str, value: object) -> None:
    """Raise a TypeError if a value that is assigned to Django's key is not an expiry."""
    if key == KEY and value and not isinstance(value, (int, float, str)):
        raise TypeError(
            f"{KEY!r} of the session is {type(value).__name__}, which is not an expiry: call request.session.set_expiry with seconds, a "
            "timedelta, a datetime or None"
        )
