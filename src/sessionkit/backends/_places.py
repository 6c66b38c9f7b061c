"""Tell whether two backends keep their records in the same place."""

from __future__ import annotations

__all__ = ["Placed"]


class Placed:
    """A backend that is equal to another one of its class in the same place.

    So two stores with the same settings, such as those of the `SESSIONKIT_*` variables in two applications of one process, are one
    store. Time limits and sizes of pools do not count.
    """

    _place: tuple[object, ...] = ()
    """The name of the place: a path, a URL, or the application's client or engine. It is never shown, because a URL may hold a password.

    A backend without one (a subclass that calls no `__init__` of ours) only equals itself.
    """

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Placed)
            and type(self) is type(other)
            and self._place != ()
            and self._place == other._place
        )

    def __hash__(self) -> int:
        return hash(self._place)
