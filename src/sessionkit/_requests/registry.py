"""Look a framework's type up among the registered ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, cast

__all__ = ["as_mapping", "find_carrier"]


def find_carrier(
    carriers: Mapping[type, Callable[[Any], Any]], value: object
) -> Callable[[Any], Any] | None:
    """Return the function that is registered for a value's type or one of its base types.

    Args:
        carriers: the registered functions.
        value: a request or response object, or a proxy of one.
    """
    # `__class__` instead of `type()`: a framework's thread-local proxy gives the class of the object behind it.
    return (
        next((carriers[kind] for kind in value.__class__.__mro__ if kind in carriers), None)
        if carriers
        else None
    )


def as_mapping(value: object) -> MutableMapping[str, Any] | None:
    """Return a value if it is a mutable mapping, else None."""
    return cast("MutableMapping[str, Any]", value) if isinstance(value, MutableMapping) else None
