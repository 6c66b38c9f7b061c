"""Detect changes of a session by snapshots of its contents. Two snapshots are equal if and only if the JSON and its types are."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any, cast

from .tags import Tags

__all__ = [
    "OPAQUE",
    "Restorable",
    "are_equal",
    "is_opaque",
    "normalize",
    "plain",
    "restore_contents",
    "same",
    "take_snapshot",
]

DEEPEST = 100
"""The most levels of nesting that are compared. No session may have as many."""

_EMPTY = marshal.dumps({})
OPAQUE = b"?"
"""The first byte of an opaque snapshot: one of contents that are not JSON. No output of marshal begins with this byte."""


def _make_opaque(contents: dict[str, Any], tags: Tags | None) -> bytes:
    if tags is not None:
        try:
            # Version 2 knows no references: equal values have equal bytes.
            return OPAQUE + marshal.dumps(plain(tags.tag(contents)), 2)
        except Exception:  # noqa: BLE001, S110  # a value's own methods may raise anything
            pass
    try:
        # A Session hides its values from its repr.
        return OPAQUE + repr(plain(contents)).encode("utf-8", "surrogatepass")
    except Exception:  # noqa: BLE001  # the repr of somebody else's object may raise whatever it likes
        return OPAQUE


def take_snapshot(contents: dict[str, Any], tags: Tags | None = None) -> bytes:
    """Return the snapshot of a session; never raise.

    marshal takes a quarter of the time of the standard library's json. It accepts the types of JSON and few others. A JSON
    encoder may write a date like a text, or NaN like null, which would hide a change. Contents that are not JSON have an
    opaque snapshot. It equals no other snapshot, so the contents count as changed, and the serializer then checks them.

    Args:
        contents: the contents of a session.
        tags: the conversion of values that JSON does not have. Contents that it converts to the same JSON are equal.
    """
    if not contents:
        return _EMPTY
    plain = contents if type(contents) is dict else dict(contents)
    try:
        return marshal.dumps(plain)
    except ValueError:
        return _make_opaque(plain, tags)


def normalize(contents: dict[str, Any], tags: Tags | None = None) -> tuple[dict[str, Any], bytes]:
    """Return contents in the types that the next request will read, and their snapshot.

    The contents may contain another session, or the live session, which must not contain itself. Both are replaced by plain dicts.

    Args:
        contents: the contents of a session.
        tags: the conversion of values that JSON does not have. A lazy text is converted now.
    """
    snapshot = take_snapshot(contents, tags)
    if not snapshot.startswith(OPAQUE):
        return contents, snapshot
    contents = plain(contents) if tags is None else _as_read(contents, tags)
    return contents, take_snapshot(contents, tags)


def _as_read(contents: dict[str, Any], tags: Tags) -> dict[str, Any]:
    """Return the contents that the next request will read; the contents as they are if a value cannot be kept."""
    try:
        return cast("dict[str, Any]", tags.untag(plain(tags.tag(contents))))
    except Exception:  # noqa: BLE001  # a value's own methods may raise anything
        return contents


restore_contents: Callable[[bytes], dict[str, Any]] = marshal.loads  # our own bytes
"""Returns a copy of the contents of a snapshot that is not opaque."""


class Restorable:
    """The contents of a session at a certain moment, which may be changed in place meanwhile.

    Args:
        snapshot: their snapshot.
    """

    __slots__ = ("_contents", "snapshot")

    def __init__(self, snapshot: bytes) -> None:
        self.snapshot: bytes = snapshot
        self._contents: dict[str, Any] | None = None

    def restore(self) -> dict[str, Any]:
        """Return these contents, restored once from the snapshot, which is not opaque. They must not be changed."""
        if self._contents is None:
            self._contents = restore_contents(self.snapshot)
        return self._contents


def is_opaque(snapshot: bytes) -> bool:
    """Return whether a snapshot is of contents that are not JSON, so that they cannot be restored from it."""
    return snapshot.startswith(OPAQUE)


def plain(value: Any, around: tuple[int, ...] = ()) -> Any:
    """Return a value with subclasses of dict, tuple, str, … replaced by the types themselves.

    A value that is not JSON, or that contains itself, is left as it is.

    Args:
        value: a value in a session.
        around: the ids of the values that contain it.
    """
    if id(value) in around or len(around) == DEEPEST:
        return value
    within = (*around, id(value))
    if isinstance(value, dict):
        pairs: Any = value.items()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # object narrows to dict[Unknown, Unknown]
        return {plain(key): plain(item, within) for key, item in pairs}
    if isinstance(value, (list, tuple)):
        items = [plain(item, within) for item in cast("list[Any]", value)]
        return items if isinstance(value, list) else tuple(items)
    for kind in (str, int, float):
        if isinstance(value, kind) and not isinstance(value, bool):
            return _exactly[kind](value)
    return value


# The conversions that the JSON encoder uses for a value of a subclass, whatever the methods of the subclass are.
_exactly: dict[type, Any] = {str: str.__str__, int: int.__pos__, float: float.__pos__}


def same(contents: dict[str, Any], snapshot: bytes, other: bytes) -> bool:
    """Return whether contents equal those of another snapshot.

    Args:
        contents: the contents of a session.
        snapshot: their snapshot.
        other: the other snapshot.
    """
    # The current version of marshal takes half the time of version 2, but its bytes depend on how often a value is referred
    # to. So if the bytes differ, the contents are compared with version 2, which has no references.
    if snapshot == other:
        return True
    if snapshot.startswith(OPAQUE) or other.startswith(OPAQUE):
        return False
    return are_equal(contents, restore_contents(other))


def are_equal(contents: dict[str, Any], others: dict[str, Any]) -> bool:
    """Return whether contents equal others, types included.

    Args:
        contents: the contents of a session; marshal accepts them.
        others: the other contents, restored from a snapshot.
    """
    try:
        if contents != others:
            return False
    except RecursionError:
        return False  # perhaps a value contains itself, and version 2 would never end
    return marshal.dumps(dict(contents), 2) == marshal.dumps(others, 2)
