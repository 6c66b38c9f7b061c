"""Remember which settings were passed, which a frozen dataclass cannot tell from its defaults, and explain unknown ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

__all__ = ["refuse_unknown", "remember_arguments"]

T = TypeVar("T")

_FOREIGN = {
    "Lifetime": {
        "expires": "absolute=...",
        "max_age": "absolute=..., or idle=... for a limit that activity moves",
        "permanent": "absolute=...",
        "timeout": "idle=...",
        "ttl": "absolute=..., or idle=... for a limit that activity moves",
    },
    "CookieSettings": {
        "cookie_name": "name=...",
        "expires": "SessionStore(..., lifetime=Lifetime(absolute=...))",
        "https_only": "secure=...",
        "httponly": "http_only=...",
        "key": "name=...",
        "max_age": "SessionStore(..., lifetime=Lifetime(absolute=...))",
        "samesite": "same_site=...",
        "session_cookie": "name=...",
    },
}
"""For names that other libraries use, the arguments of these classes."""


def remember_arguments(kind: type[T]) -> type[T]:
    """Decorate a keyword-only frozen dataclass: its field `given` holds the arguments of the call.

    An unknown argument, or an argument without a name, raises a TypeError that says what to write.

    Args:
        kind: the class; the field takes no part in its `__init__`, comparisons and `repr`.
    """
    namespace: Any = kind
    init: Callable[..., None] = namespace.__init__
    known = [name for name in signature(init).parameters if name != "self"]
    foreign = _FOREIGN.get(kind.__name__, {})

    @wraps(init)
    def remember(self: T, *nameless: Any, **given: Any) -> None:
        if nameless:
            forms = ", ".join(f"{name}=..." for name in known[:2])
            raise TypeError(
                f"the arguments of {kind.__name__} have names: {kind.__name__}({forms})"
            )
        refuse_unknown(kind.__name__, given, known, foreign)
        init(self, **given)
        object.__setattr__(self, "given", tuple(given.items()))

    namespace.__init__ = remember
    return kind


def refuse_unknown(
    title: str, given: Iterable[str], known: Collection[str], places: Mapping[str, str]
) -> None:
    """Raise TypeError for the name of an argument that a class does not have, and say what to write.

    Args:
        title: the name of the class.
        given: the names of the arguments that were given.
        known: the names that the class has.
        places: for names that other libraries use, the arguments to pass instead.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = places.get(name) or (f"{near[0]}=..." if near else None)
            raise TypeError(
                f"{title} has no argument {name}" + (f": give {meant}" if meant else "")
            )
