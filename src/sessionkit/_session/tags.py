"""Tags: a framework's session keeps values that JSON does not have as objects with one key: `{" t": [1, 2]}` is a tuple."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["MARK", "Tags"]

MARK = b'{" '
"""The beginning of a tagged value in compact JSON: the key of each tag begins with a blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A framework's conversion of values that JSON does not have.

    Args:
        tag: from contents to JSON, nested values included. It returns an unknown value as it is, or raises.
        untag: from JSON to contents.
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
        """Return whether a value that JSON does not have has a tag."""
        try:
            return self.tag(value) is not value
        except Exception:  # noqa: BLE001  # a value's own methods may raise anything
            return False
