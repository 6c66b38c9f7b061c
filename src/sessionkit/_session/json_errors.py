"""The first value of a session that is not JSON: its path, the reason, and what to store instead."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, cast
from uuid import UUID

from .tags import Tags

__all__ = ["DEEPEST", "INT_MAX", "find_culprit"]

DEEPEST = 64
"""Levels of nesting, the session itself being the first."""

INT_MAX = 2**63 - 1


def find_culprit(
    contents: dict[str, Any], largest: int, tags: Tags | None = None
) -> tuple[str, str] | None:
    """Return the path of the first value that is not JSON, such as `session["user"]["joined"]`, and the reason.

    Args:
        contents: the contents of the session.
        largest: the greatest absolute value of an integer.
        tags: how values that JSON does not have are kept.

    Returns:
        None if all of it is JSON.
    """
    return _culprit(contents, "session", DEEPEST, largest, tags)


def _reason(value: object, largest: int, tags: Tags | None) -> str | None:
    """Return the reason why a value is not JSON, whatever its members are; None if it is."""
    if isinstance(value, float):
        return None if isfinite(value) else "NaN and infinity are not JSON: store None or text"
    if isinstance(value, int):
        low = -largest - (largest == INT_MAX)
        return (
            None
            if low <= value <= largest
            else f"an integer beyond {largest} is not portable JSON: store it as a string"
        )
    if isinstance(value, str):
        return None if _is_unicode(value) else "a lone surrogate is not Unicode text: leave it out"
    if value is None or isinstance(value, (dict, list, tuple)):
        return None
    if tags is not None and tags.knows(value):
        return None
    way_out = next(way_out for kind, way_out in _WAYS_OUT if isinstance(value, kind))
    return f"{type(value).__name__} is not JSON: {way_out}"


_WAYS_OUT: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (Enum, "store its value"),
    ((date, time), "store value.isoformat(), or save a model (session_of, save_session)"),
    (timedelta, "store value.total_seconds(), or save a model (session_of, save_session)"),
    ((UUID, Decimal), "store str(value), or save a model (session_of, save_session)"),
    ((bytes, bytearray), "store text, base64.b64encode(value).decode()"),
    ((set, frozenset), "store a list"),
    (
        object,
        "store its values as text, numbers, lists and dicts, or save a model (session_of, save_session)",
    ),
)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _culprit(
    value: object, path: str, levels: int, largest: int, tags: Tags | None
) -> tuple[str, str] | None:
    """Return the path of the first value that is not JSON, and the reason; None if there is none."""
    why = _reason(value, largest, tags)
    if why is None and isinstance(value, (dict, list, tuple)) and levels == 0:
        why = f"nested deeper than {DEEPEST} levels (or inside itself): store only a part of it"
    if why is not None:
        return path, why
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType]  # object narrows to dict[Unknown, Unknown]
        for key, _ in pairs:
            if not isinstance(key, str):
                return path, f"a key is {type(key).__name__}, and keys are str: store str(key)"
            if not _is_unicode(key):
                return path, "a key with a lone surrogate is not Unicode text: leave it out"
    elif isinstance(value, (list, tuple)):
        pairs = list(enumerate(cast("list[Any]", value)))
    else:
        return None
    inner = (
        _culprit(item, f"{path}[{json.dumps(key)}]", levels - 1, largest, tags)
        for key, item in pairs
    )
    return next(filter(None, inner), None)
