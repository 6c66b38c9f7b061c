"""Which request is this? environ, scope, a framework's object, or the current one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, cast

__all__ = ["as_mapping", "find_carrier"]


def find_carrier(
    carriers: Mapping[type, Callable[[Any], Any]], value: object
) -> Callable[[Any], Any] | None:
    # __class__, not type(): a framework's thread-local proxy answers for what it stands for.
    return (
        next((carriers[kind] for kind in value.__class__.__mro__ if kind in carriers), None)
        if carriers
        else None
    )


def as_mapping(value: object) -> MutableMapping[str, Any] | None:
    return cast("MutableMapping[str, Any]", value) if isinstance(value, MutableMapping) else None
