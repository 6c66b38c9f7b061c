"""What `request.session.set_expiry` asks for: `_session_expiry` in the contents (Django's own key)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import Any

__all__ = ["ends", "transient"]

KEY = "_session_expiry"


def transient(contents: Mapping[str, Any]) -> bool | None:
    """Whether the browser shall forget the session when it closes; None where the session does not say."""
    asked = contents.get(KEY)
    return None if asked is None else bool(asked == 0)


def ends(contents: Mapping[str, Any], updated_at: int) -> float:
    """The moment from which the session is over by its own word.

    Args:
        contents: an int is seconds since the last activity, a str a moment (ISO 8601).
        updated_at: when it was last active, in seconds since the epoch.

    Returns:
        Seconds since the epoch; infinity where it does not say.
    """
    asked = contents.get(KEY)
    if not asked:
        return inf
    if not isinstance(asked, str):
        return updated_at + float(asked)
    try:
        return datetime.fromisoformat(asked).timestamp()
    except ValueError:
        return -inf  # not written by Django: nobody can say that it is still good
