"""Tags: Flask and Quart write values that JSON does not have as objects with one key. For example, `{" t": [1, 2]}` is a tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, cast

__all__ = ["MARK", "Tags", "strip_tags"]

MARK = b'{" '
"""The beginning of a tagged value in compact JSON: the key of each tag begins with a blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A framework's conversion of values that JSON does not have.

    Args:
        tag: converts contents to JSON, nested values included. It returns an unknown value unchanged, or raises an error.
        untag: converts JSON to contents.
    """

    tag: Callable[[Any], Any]
    untag: Callable[[Any], Any]

    def read(self, value: Any) -> Any:
        """Return the contents of tagged JSON; the JSON itself if a tag holds a value that its type does not accept."""
        try:
            return self.untag(value)
        except Exception:  # noqa: BLE001  # another application wrote it, and its tags may hold anything
            return value

    def knows(self, value: object) -> bool:
        """Return whether there is a tag for a value that JSON does not have."""
        try:
            return self.tag(value) is not value
        except Exception:  # noqa: BLE001  # a value's own methods may raise anything
            return False


def strip_tags(value: Any) -> Any:
    """Return tagged JSON of Flask as JSON without its tags: tuples as lists, dates as ISO 8601 text, the rest as the text of its tag.

    Raises:
        ValueError: the text of a date is not a date.
    """
    if isinstance(value, list):
        return [strip_tags(item) for item in cast("Iterable[Any]", value)]
    if not isinstance(value, dict):
        return value
    found = {key: strip_tags(item) for key, item in cast("dict[str, Any]", value).items()}
    if len(found) != 1:
        return found
    ((key, item),) = found.items()
    if key == " di" and isinstance(item, dict):
        # A dict with one key that looks like a tag: its key is lengthened by two underscores.
        return {inner[:-2]: one for inner, one in cast("dict[str, Any]", item).items()}
    if key == " d" and isinstance(item, str):
        return _parse_date(item)
    return item if key in (" t", " b", " m", " u") else found


def _parse_date(text: str) -> str:
    """Return an HTTP date as ISO 8601 in UTC; raise ValueError for other text, and for years that Python does not have."""
    try:
        return parsedate_to_datetime(text).astimezone(timezone.utc).isoformat()
    except OverflowError as error:
        raise ValueError(str(error)) from None
