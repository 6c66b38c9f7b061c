"""The current request: the context variable, which tasks may use it, and `bind`.

`lookup` finds the exchange of a request that is given.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from .._exchange.exchange import ENDED, OPEN, Exchange
from .._exchange.request import RequestInfo
from ..errors import NoActiveRequestError
from .lookup import AnyExchange, Exclusion, find_open

__all__ = [
    "admit_task",
    "bind",
    "find_preserved",
    "get_current",
    "get_last_current",
    "register_preserved",
    "restore_current",
    "serves",
    "set_current",
    "this_task",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


_current: ContextVar[AnyExchange | None] = ContextVar("sessionkit", default=None)
_bound: ContextVar[AnyExchange | None] = ContextVar("sessionkit.bound", default=None)

set_current: Callable[[AnyExchange | None], object] = _current.set
"""Set the current exchange. Every gateway does this on entry, because on a pipelined connection even a reset variable leaks."""

get_last_current: Callable[[], AnyExchange | None] = _current.get
"""Return the exchange that was set last, ended or not."""


def restore_current(mine: AnyExchange | None, before: AnyExchange | None) -> None:
    """Make the earlier exchange current again, unless another one has become current meanwhile.

    The garbage collector may close an abandoned coroutine in another context. The exchange that is current there must stay.

    Args:
        mine: the exchange that the caller has set.
        before: the exchange that was current before.
    """
    if _current.get() is mine:
        _current.set(before)


_find_functions: list[Callable[[], RequestInfo | None]] = []

register_preserved: Callable[[Callable[[], RequestInfo | None]], None] = _find_functions.append
"""Register a framework's function that returns the request whose context is preserved after the request's end, or None."""


def find_preserved() -> RequestInfo | None:
    """Return the ended request whose context a framework's test client or debugger preserves; None if there is none.

    The session of such a request can be read. A request that is being served comes first.
    """
    if not _find_functions or _current.get() is not None:
        return None
    return next(filter(None, (find() for find in _find_functions)), None)


def get_current() -> Exchange | Exclusion:
    """Return the exchange or exclusion of the current request.

    Raises:
        NoActiveRequestError: there is no current request, it has ended, or its response has started and this task does
            not serve it.
    """
    current = _current.get()
    if current is None:
        raise NoActiveRequestError(
            "no request is being served here: install the middleware, pass the request, or use `with store.exchange(cookie_header):`"
        )
    # The first condition holds in most requests, and saves the call.
    if type(current) is Exchange and current.phase is not ENDED:
        link: Exchange | Exclusion | None = current
    else:
        link = find_open(current)
    if link is None:
        raise NoActiveRequestError(
            "the request this session belonged to has finished: a task that outlives it has no session. Pass the "
            "values that it needs to the task"
        )
    if isinstance(link, Exchange) and link.phase is not OPEN and link.tasks is not None:
        here = this_task()
        if here is not None and _bound.get() is not link and not serves(link, here):
            raise NoActiveRequestError(
                "the response has started, and this task is not the one that serves it (or the websocket): "
                "pass the request or scope, or wrap the function in sessionkit.bind"
            )
    return link


def bind(function: F, /) -> F:
    """Bind a function to the current request, for a thread, executor or task that does not inherit the context.

    Args:
        function: a plain or coroutine function. (Instead of a generator, bind the function that iterates over it.)

    Returns:
        A function that runs with the exchange that is current now. Once the request has ended, the verbs raise
        `NoActiveRequestError` in this function too.

    Raises:
        NoActiveRequestError: no request is being served here.
        TypeError: the argument is not a function (was it called already?), or it is a generator function, whose code would
            run after the binding has ended.
    """
    if not callable(function):
        raise TypeError(
            f"bind takes a function, not {type(function).__name__}: write bind(work), and not bind(work())"
        )
    exchange = get_current()
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"bind({function!r}): a generator runs after the binding is over; bind the function that iterates over it"
        )
    # `inspect` does not treat an object with `async def __call__` as a coroutine function, but its binding must last as long.
    called = getattr(function, "__call__", None)  # noqa: B004
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):

        @functools.wraps(function)
        async def run_async(*args: Any, **named: Any) -> Any:
            with _binding(exchange):
                return await function(*args, **named)

        return cast("F", run_async)

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        with _binding(exchange):
            return function(*args, **named)

    return cast("F", run)


def this_task() -> object:
    """Return the calling task of asyncio or trio; in a callback of asyncio's event loop, return the loop; in a thread, return None."""
    try:
        return asyncio.current_task() or asyncio.get_running_loop()
    except RuntimeError:
        # No event loop of asyncio runs in this thread. A server that runs trio has imported it.
        trio = sys.modules.get("trio.lowlevel")
        if trio is None:
            return None
    try:
        return cast("object", trio.current_task())
    except RuntimeError:
        return None


def admit_task(exchange: Exchange) -> None:
    """Let verbs without arguments find an exchange in the calling task after the response has started.

    In a task that only inherited the context they do not find it, because such a task may work for other visitors.

    Args:
        exchange: the exchange of the request that the task serves.
    """
    exchange.tasks = (*(exchange.tasks or ()), this_task())


def serves(exchange: Exchange, task: object) -> bool:
    """Return whether a task serves the request of an exchange, by itself or in a task group of such a task.

    Args:
        exchange: the exchange.
        task: the calling task; None in a thread.
    """
    tasks = exchange.tasks or ()
    return task in tasks or (task is not None and _is_child_task(exchange, task))


# The child tasks that have used a session, each with its exchange. They are forgotten when they end: a long stream may have one
# for each message of its client.
_children: WeakKeyDictionary[object, Exchange] = WeakKeyDictionary()


def _is_child_task(exchange: Exchange, here: object) -> bool:
    """Return whether a task runs in a task group of anyio that belongs to a task of the exchange.

    Starlette and Litestar stream in such a group, which ends with the task that serves the request. A task for which no task
    waits (`asyncio.create_task`), or a task in a group of the whole application, is not a child.
    """
    # If the application uses anyio, it has imported anyio already.
    anyio = sys.modules.get("anyio")
    if anyio is None or isinstance(here, asyncio.AbstractEventLoop):
        # A callback belongs to no group, and anyio must not be called in a callback.
        return False
    if _children.get(here) is exchange:
        return True
    serving = {id(task) for task in exchange.tasks or ()}
    parent: int | None = anyio.get_current_task().parent_id
    if parent is not None and parent not in serving:
        # This looks at every task of the process, so it is only done for a group inside another one.
        parents: dict[int, int | None] = {
            task.id: task.parent_id for task in anyio.get_running_tasks()
        }
        while parent is not None and parent not in serving:
            parent = parents.get(parent)
    if parent is None:
        return False
    _children[here] = exchange
    return True


@contextmanager
def _binding(exchange: AnyExchange) -> Generator[None, None, None]:
    """Make an exchange current for a block, even in a task that could not find it otherwise."""
    before, bound_before = _current.get(), _bound.get()
    _current.set(exchange)
    _bound.set(exchange)
    try:
        yield
    finally:
        _current.set(before)
        _bound.set(bound_before)
