"""Tell whether two backends keep their records in the same place."""

from __future__ import annotations

__all__ = ["Placed"]


class Placed:
    """A backend that is equal to another one of its class in the same place.

    So two stores with the same settings, such as those of the `SESSIONKIT_*` variables in two applications of one process, are one
    store. Time limits and sizes of pools do not count.

    A backend of an application's class, which is derived from one of ours, only equals itself: it may keep its records elsewhere in
    that place, such as those of each tenant apart.
    """

    _place: tuple[object, ...]
    """What names the place: a path; or a URL, or the application's client or engine. It is never shown: a URL may hold a password."""

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Placed)
            and type(self) is type(other)
            and Placed in type(self).__bases__
            and self._place == other._place
        )

    def __hash__(self) -> int:
        return hash(type(self))
