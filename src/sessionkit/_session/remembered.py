"""Remember which settings were given: a frozen dataclass does not tell them from its defaults."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

__all__ = ["remember_arguments"]

T = TypeVar("T")


def remember_arguments(kind: type[T]) -> type[T]:
    """Decorate a keyword-only frozen dataclass: its field `given` holds the arguments of the call.

    Args:
        kind: the class; the field takes no part in its `__init__`, comparisons and `repr`.
    """
    namespace: Any = kind
    init: Callable[..., None] = namespace.__init__

    @wraps(init)
    def remember(self: T, **given: Any) -> None:
        init(self, **given)
        object.__setattr__(self, "given", tuple(given.items()))

    namespace.__init__ = remember
    return kind
