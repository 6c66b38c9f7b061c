"""Carried members: they are copied from the loaded session into every update, even if the new contents do not have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._session.snapshot import is_opaque, restore_contents, same, take_snapshot

__all__ = ["Carried", "find_carried"]


class Carried:
    """A snapshot of the carried members of a session.

    Args:
        snapshot: the snapshot of the members; never an opaque one.
    """

    __slots__ = ("_snapshot",)

    def __init__(self, snapshot: bytes) -> None:
        self._snapshot = snapshot

    def merge_into(self, contents: dict[str, Any]) -> dict[str, Any]:
        """Return contents with the carried members of the snapshot."""
        return contents | restore_contents(self._snapshot)

    def are_in(self, contents: Mapping[str, Any]) -> bool:
        """Return whether contents have the carried members unchanged."""
        keys = restore_contents(self._snapshot)
        members = {key: contents[key] for key in keys if key in contents}
        return same(members, take_snapshot(members), self._snapshot)


def find_carried(keys: Iterable[str], contents: Mapping[str, Any]) -> Carried | None:
    """Return the carried members of a session; None if it has none, or if one of them is not JSON.

    Args:
        keys: the names of the format's carried members.
        contents: the contents of the session.
    """
    members = {key: contents[key] for key in keys if key in contents}
    snapshot = take_snapshot(members)
    return Carried(snapshot) if members and not is_opaque(snapshot) else None
