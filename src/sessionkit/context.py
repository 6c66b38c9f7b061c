"""The context variable: which exchange is the current one?"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from .errors import NoActiveRequestError
from .exchange import ENDED, Exchange
from .settings import Settings

__all__ = ["Excluded", "activate", "active", "bind", "current", "in_this_task", "links", "living"]

F = TypeVar("F", bound=Callable[..., Any])


class Excluded:
    """Stands where an exchange would, under a gateway that leaves this path alone.

    Attributes:
        settings: of the store that has no session here.
        outer: the exchange, or the exclusion, of a gateway around that one.
    """

    __slots__ = ("outer", "settings")

    def __init__(self, settings: Settings, outer: object = None) -> None:
        self.settings: Settings = settings
        self.outer: object = outer

    def __repr__(self) -> str:
        return "<excluded from sessions>"


def living(held: object) -> Exchange | Excluded | None:
    """The innermost of an exchange and those around it that has not ended: what has ended counts as absent."""
    while isinstance(held, Exchange) and held.phase is ENDED:
        held = held.outer
    return held if isinstance(held, (Exchange, Excluded)) else None


def links(held: object) -> Iterator[Exchange | Excluded]:
    """An exchange found in a request and those around it, the innermost first; without those that have ended."""
    one = living(held)
    while one is not None:
        yield one
        one = living(one.outer)


_current: ContextVar[Exchange | Excluded | None] = ContextVar("sessionkit", default=None)
_bound: ContextVar[Exchange | Excluded | None] = ContextVar("sessionkit.bound", default=None)

activate: Callable[[Exchange | Excluded | None], object] = _current.set
"""Set on every entry of a gateway: under a pipelined connection even a variable that was reset leaks."""


def current() -> Exchange | Excluded:
    """The exchange of the current request.

    Raises:
        NoActiveRequestError: there is none, it has ended, or the socket's task is another.
    """
    held = _current.get()
    if held is None:
        raise NoActiveRequestError(
            "no request is being served here: install the middleware, pass the request, or use `with store.exchange(cookie_header):`"
        )
    one = living(held)
    if one is None:
        raise NoActiveRequestError(
            "the request this session belonged to has finished: a task that outlives it has no session"
        )
    if (
        isinstance(one, Exchange)
        and one.reachable is not None
        and not one.reachable()
        and _bound.get() is not one
    ):
        raise NoActiveRequestError(
            "this task is not the one that serves the websocket: pass the scope, or wrap the function in sessionkit.bind"
        )
    return one


def bind(function: F, /) -> F:
    """Bind a function to the current request, for a thread, executor or task that does not inherit the context.

    Args:
        function: a plain or coroutine function. (Of a generator, bind what iterates over it.)

    Returns:
        One that runs with the exchange that is current now. Once the request has ended, the verbs raise
        `NoActiveRequestError` in it as everywhere.

    Raises:
        NoActiveRequestError: no request is being served here.
        TypeError: it is a generator function, which would run after the binding is over.
    """
    held = current()
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"bind({function!r}): a generator runs after the binding is over; bind the function that iterates over it"
        )
    # An object with `async def __call__` is no coroutine function to inspect, and its binding must last as long.
    called = getattr(function, "__call__", None)  # noqa: B004
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):

        @functools.wraps(function)
        async def run_async(*args: Any, **named: Any) -> Any:
            with _bound_to(held):
                return await function(*args, **named)

        return cast("F", run_async)

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        with _bound_to(held):
            return function(*args, **named)

    return cast("F", run)


def in_this_task() -> Callable[[], bool]:
    """Says whether the caller is the task that serves the socket: a task started lazily by one visitor works for others too."""
    here = _task()
    return lambda: _task() is here


def _task() -> object:
    try:
        return asyncio.current_task()
    except RuntimeError:  # a thread, or another event loop
        return None


@contextmanager
def _bound_to(held: Exchange | Excluded) -> Generator[None, None, None]:
    before, bound_before = _current.get(), _bound.get()
    _current.set(held)
    _bound.set(held)
    try:
        yield
    finally:
        _current.set(before)
        _bound.set(bound_before)


@contextmanager
def active(exchange: Exchange) -> Generator[Exchange, None, None]:
    """Make an exchange the current one for a block; commit at its end, as 500 when the block raises."""
    before = _current.get()
    _current.set(exchange)
    try:
        yield exchange
        exchange.commit()
    except BaseException:
        exchange.commit(500)
        raise
    finally:
        _current.set(before)
        exchange.finish()
