"""The context variable: which exchange is the current one?"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from .._exchange.exchange import ENDED, OPEN, Exchange
from ..errors import NoActiveRequestError
from .lookup import Excluded, Held, find_open, iterate_held

__all__ = [
    "Entry",
    "activated",
    "admit_task",
    "bind",
    "find_waiting",
    "get_current",
    "get_held",
    "make_current",
    "restore_current",
    "set_current",
    "this_task",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


_current: ContextVar[Held | None] = ContextVar("sessionkit", default=None)
_bound: ContextVar[Held | None] = ContextVar("sessionkit.bound", default=None)

set_current: Callable[[Held | None], object] = _current.set
"""Set on every entry of a gateway: under a pipelined connection even a variable that was reset leaks."""

get_held: Callable[[], Held | None] = _current.get
"""What was set last, ended or not."""


def restore_current(mine: Held | None, before: Held | None) -> None:
    """Make what was current before an entry the current one again.

    A coroutine that is collected is closed in whatever context the collector runs in: what another has set stays.
    """
    if _current.get() is mine:
        _current.set(before)


def find_waiting() -> Held | None:
    """What is current before an entry, if its request waits for the one that begins; None for a request that a server has sent.

    A thread or connection that serves one request after another may keep what the last one set. That one has been
    answered, and does not wait.
    """
    held = _current.get()
    if held is None or (type(held) is Exchange and held.phase is ENDED and held.outer is None):
        return None
    for one in iterate_held(held):
        if isinstance(one, Exchange) and one.phase is not ENDED:
            waits = one.phase is OPEN or this_task() in (one.tasks or ())
            return held if waits else None
    return None


class Entry:
    """A request that has become the current one, perhaps inside another one that waits for its response.

    Attributes:
        exchange: the exchange with which the caller answers the request; None if somebody else answers it, or nobody.
    """

    __slots__ = ("_before", "_mine", "exchange")

    def __init__(self, exchange: Exchange | None, mine: Held | None, before: Held | None) -> None:
        self.exchange: Exchange | None = exchange
        self._mine, self._before = mine, before

    def leave(self) -> None:
        """Make the request that waits the current one again.

        If no other request waits, this one stays current, since its stream may ask for it; so does the inner one of two
        gateways of one request. What another context has made current stays current there.
        """
        if self._before is not None and self._before not in iterate_held(self._mine):
            restore_current(self._mine, self._before)


class _Hold(Entry):
    """The entry of a request context, which has no stream: whatever was current before is current again afterwards."""

    __slots__ = ()

    def leave(self) -> None:
        restore_current(self._mine, self._before)


def make_current(exchange: Exchange) -> Entry:
    """Make an exchange current that no gateway answers, such as that of a request context, until `Entry.leave`.

    Args:
        exchange: the result of `find_or_open_exchange`.
    """
    entry = _Hold(exchange, exchange, get_held())
    set_current(exchange)
    return entry


def get_current() -> Exchange | Excluded:
    """The exchange of the current request.

    Raises:
        NoActiveRequestError: there is none, it has ended, or the socket's task is another.
    """
    held = _current.get()
    if held is None:
        raise NoActiveRequestError(
            "no request is being served here: install the middleware, pass the request, or use `with store.exchange(cookie_header):`"
        )
    one = (
        held if type(held) is Exchange and held.phase is not ENDED else find_open(held)
    )  # the former in most requests
    if one is None:
        raise NoActiveRequestError(
            "the request this session belonged to has finished: a task that outlives it has no session"
        )
    if isinstance(one, Exchange) and one.phase is not OPEN and one.tasks is not None:
        here = this_task()
        if (
            here is not None
            and here not in one.tasks
            and _bound.get() is not one
            and not _is_part_of(one, here)
        ):
            raise NoActiveRequestError(
                "the response has started, and this task is not the one that serves it (or the websocket): "
                "pass the request or scope, or wrap the function in sessionkit.bind"
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
    held = get_current()
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


def this_task() -> asyncio.Task[Any] | None:
    """Return the calling task; None in a thread."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs here
        return None


def admit_task(exchange: Exchange) -> None:
    """Let the calling task find an exchange implicitly after the response has started, besides those that may already.

    A task that one visitor started works for others too, but it has that visitor's context.
    """
    exchange.tasks = (*(exchange.tasks or ()), this_task())


def _is_part_of(exchange: Exchange, here: object) -> bool:
    """Return whether a task ends with one that serves the exchange: in a task group of anyio, in which Starlette and Litestar stream.

    A task that nobody waits for (`asyncio.create_task`, a group of the whole application) does not.
    """
    anyio = sys.modules.get("anyio")  # no import: who uses it has imported it
    if anyio is None:
        return False
    parents: dict[int, int | None] = {one.id: one.parent_id for one in anyio.get_running_tasks()}
    serving = {id(task) for task in exchange.tasks or ()}
    parent = parents.get(id(here))
    while parent is not None and parent not in serving:
        parent = parents.get(parent)
    if parent is None:
        return False
    admit_task(exchange)  # it is known from here on
    return True


@contextmanager
def _bound_to(held: Held) -> Generator[None, None, None]:
    before, bound_before = _current.get(), _bound.get()
    _current.set(held)
    _bound.set(held)
    try:
        yield
    finally:
        _current.set(before)
        _bound.set(bound_before)


@contextmanager
def activated(exchange: Exchange) -> Generator[Exchange, None, None]:
    """Make an exchange the current one for a block; commit at its end, as 500 when the block raises."""
    before = _current.get()
    exchange.outer = find_open(before)
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
