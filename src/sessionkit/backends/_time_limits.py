"""The time limit of an operation of a backend: a deadline that every wait of the operation asks for."""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic

__all__ = ["TimeLimit", "time_left"]

# Outside an operation (for example when a pool is closed) nobody waits for a reply.
_deadline: ContextVar[float] = ContextVar("sessionkit_deadline", default=0.0)


class TimeLimit:
    """Give the operations of a `with` block this many seconds in all."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(monotonic() + self._seconds)

    def __exit__(self, *error: object) -> None:
        _deadline.reset(self._token)


def time_left() -> float:
    """Return the seconds that remain for the running operation. The result is never zero, which drivers refuse or treat as endless."""
    return max(_deadline.get() - monotonic(), 0.001)
