"""What a crash reporter would send: the local variables of every frame of ours in an exception and its causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from sessionkit import BackendError

__all__ = ["frames_of_ours", "held"]


def held(error: BaseException, canary: str) -> list[str]:
    """The variables of our frames in which a canary is, by their `repr` or inside of containers."""
    return [
        f"{frame} {name}" for frame, name, value in _locals(error) if _shows(value, canary, set())
    ]


def frames_of_ours(error: BaseException) -> int:
    """How many frames of ours there are: a test of frames that are not there tests nothing."""
    return len({frame for frame, _, _ in _locals(error)})


def _locals(error: BaseException) -> Iterator[tuple[str, str, Any]]:
    for one in _chain(error):
        trace: TracebackType | None = one.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            if str(frame.f_globals.get("__name__")).startswith("sessionkit"):
                where = f"{type(one).__name__}: {frame.f_globals['__name__']}.{frame.f_code.co_name}:{trace.tb_lineno}"
                yield where, "", None
                yield from ((where, name, value) for name, value in frame.f_locals.items())
            trace = trace.tb_next


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def _shows(value: Any, canary: str, known: set[int]) -> bool:
    if id(value) in known:
        return False
    known.add(id(value))
    if canary in repr(value):
        return True
    if isinstance(value, Mapping):
        try:
            pairs = list(value.items())
        except BackendError:
            return False  # a framework's session object that was never loaded
        return any(_shows(one, canary, known) for pair in pairs for one in pair)
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_shows(one, canary, known) for one in value)
    return False
