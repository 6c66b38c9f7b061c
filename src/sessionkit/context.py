"""The context variable: which exchange is the current one?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast

from .errors import NoActiveRequestError
from .exchange import Exchange, Phase

__all__ = ["EXCLUDED", "Excluded", "activate", "active", "bind", "current"]

F = TypeVar("F", bound=Callable[..., Any])


class Excluded:
    """Stands where an exchange would, under a gateway that leaves this path alone."""

    def __repr__(self) -> str:
        return "<excluded from sessions>"


EXCLUDED: Final = Excluded()

_current: ContextVar[Exchange | Excluded | None] = ContextVar("sessionkit", default=None)
_bound: ContextVar[Exchange | None] = ContextVar("sessionkit.bound", default=None)

activate = _current.set
"""Set on every entry of a gateway: under a pipelined connection even a variable that was reset leaks."""


def current() -> Exchange | Excluded:
    """The exchange of the current request.

    Raises:
        NoActiveRequestError: there is none, it has ended, or the socket's task is another.
    """
    exchange = _current.get()
    if exchange is None:
        raise NoActiveRequestError(
            "no request is being served here: install the middleware, pass the request, or use `with store.exchange(cookie_header):`"
        )
    if isinstance(exchange, Excluded):
        return exchange
    if exchange.phase is Phase.ENDED:
        raise NoActiveRequestError("the request this session belonged to has finished: a task that outlives it has no session")
    if exchange.reachable is not None and not exchange.reachable() and _bound.get() is not exchange:
        raise NoActiveRequestError(
            "this task is not the one that serves the websocket: pass the scope, or wrap the function in sessionkit.bind"
        )
    return exchange


def bind(function: F, /) -> F:
    """Bind a function to the current request, for a thread, executor or task that does not inherit the context.

    Args:
        function: a plain or coroutine function.

    Returns:
        One that runs with the exchange that is current now.

    Raises:
        NoActiveRequestError: there is none now; or, when it is called, the request has ended.
    """
    exchange = current()

    @contextmanager
    def bound() -> Iterator[None]:
        before, bound_before = _current.get(), _bound.get()
        _current.set(exchange)
        _bound.set(exchange if isinstance(exchange, Exchange) else None)
        try:
            yield
        finally:
            _current.set(before)
            _bound.set(bound_before)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*args: Any, **named: Any) -> Any:
            with bound():
                return await function(*args, **named)

        return cast("F", run_async)

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        with bound():
            return function(*args, **named)

    return cast("F", run)


@contextmanager
def active(exchange: Exchange) -> Iterator[Exchange]:
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
