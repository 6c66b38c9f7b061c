"""Values that JSON has not, kept by a framework's own session as objects of one key: `{" t": [1, 2]}` is a tuple."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["MARK", "Tags"]

MARK = b'{" '
"""How the compact JSON of a tagged value begins: each tag's key begins with a blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """How values that JSON has not become JSON, and values again.

    Args:
        tag: from contents to JSON, nested values included. What it does not know it gives back, or raises for.
        untag: from JSON to contents.
    """

    tag: Callable[[Any], Any]
    untag: Callable[[Any], Any]

    def read(self, value: Any) -> Any:
        """Return the contents that tagged JSON stands for; as it is where a tag holds what its type cannot be made of."""
        try:
            return self.untag(value)
        except Exception:  # noqa: BLE001  # another application wrote it, and its tags may hold anything
            return value

    def knows(self, value: object) -> bool:
        """Return whether a value that JSON has not becomes JSON."""
        try:
            return self.tag(value) is not value
        except Exception:  # noqa: BLE001  # a value's own methods may raise anything
            return False
