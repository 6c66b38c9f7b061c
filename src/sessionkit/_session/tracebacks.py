"""Keep contents and secrets out of tracebacks: crash reporters and debug pages show the local variables of each frame."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from inspect import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    iscoroutinefunction,
    isgeneratorfunction,
)
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

__all__ = ["clear_frames", "clears_frames"]

F = TypeVar("F", bound=Callable[..., Any])

_BELOW = frozenset({"json", "joserfc"})
"""Packages that sessionkit calls. Their frames contain our arguments."""

_SUSPENDABLE = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
"""Flags of code that can be suspended. Python before 3.13 closes such a frame when it is cleared."""


def clears_frames(function: F, /) -> F:
    """Decorate a function that applications call, so that no exception leaves it with contents or secrets in a frame of ours.

    The traceback keeps its lines. A function that every request calls does the same in its own body, without this decorator.

    Args:
        function: a plain function. (A coroutine or generator function would return before its code runs.)

    Raises:
        TypeError: the function is a coroutine or generator function.
    """
    if iscoroutinefunction(function) or isgeneratorfunction(function):
        raise TypeError(
            f"{function.__name__} can wait, so nothing is raised where it is called: call clear_frames in its body"
        )

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except BaseException as error:
            del args, named
            clear_frames(error)
            raise

    return cast("F", call)


def clear_frames(error: BaseException) -> None:
    """Clear the variables of our frames that an exception has left, and drop the causes that arose in them.

    The frames of an application's functions (a guard, `convert`) keep their variables. A frame that still runs, such as the
    caller's, cannot be cleared: it deletes its variables itself.

    Args:
        error: the exception.
    """
    known: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in known:
        known.add(id(one))
        _clear(one.__traceback__)
        # For example json's TypeError: it adds nothing, and its frames contain the values that were to be written.
        while one.__context__ is not None and _arose_here(one.__context__):
            one.__context__ = one.__context__.__context__
        one = one.__cause__ or one.__context__


def _clear(trace: TracebackType | None) -> None:
    inside = False
    while trace is not None:
        frame = trace.tb_frame
        inside = inside or _is_ours(frame)
        if inside and (_is_ours(frame) or _package(frame) in _BELOW):
            _forget(frame)
        trace = trace.tb_next


def _forget(frame: FrameType) -> None:
    code = frame.f_code
    # A generator expression cannot catch an exception. So one that an exception has left is not suspended.
    if not code.co_flags & _SUSPENDABLE or code.co_name == "<genexpr>":
        with suppress(RuntimeError):  # it still runs
            frame.clear()


def _arose_here(error: BaseException) -> bool:
    """Return whether an exception has left no frames but ours, and those of packages that we call."""
    trace = error.__traceback__
    while trace is not None and (_is_ours(trace.tb_frame) or _package(trace.tb_frame) in _BELOW):
        trace = trace.tb_next
    return trace is None


def _is_ours(frame: FrameType) -> bool:
    """Return whether a frame belongs to the core or to an adapter."""
    package = _package(frame)
    return package == "sessionkit" or package.startswith("sessionkit_")


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
