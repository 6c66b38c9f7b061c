"""Keep the work that goes on when its request is cancelled, so that the next call and a shutdown can wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, Protocol

__all__ = ["HasTasks", "afinish", "find_shielded", "hold", "shield"]


class HasTasks(Protocol):
    """An exchange, which knows the tasks that may find it.

    Attributes:
        tasks: the tasks that serve the request and may find the exchange; None if every task may.
    """

    tasks: Collection[object] | None


async def shield(exchange: HasTasks, work: Coroutine[Any, Any, None]) -> None:
    """Await the work of an exchange, and let it finish even if the waiting task is cancelled.

    Args:
        exchange: the exchange.
        work: the operations.
    """

    def forget(task: asyncio.Future[None]) -> None:
        # Another call may wait for this one, or may have ended with the event loop.
        if _shielded.get(exchange) is task:
            del _shielded[exchange]

    task = _shielded[exchange] = asyncio.ensure_future(work)
    task.add_done_callback(forget)
    hold(task)
    if exchange.tasks is not None:
        # After a conflict, a function that `update_session` was given is called again there.
        exchange.tasks = (*exchange.tasks, task)
    await asyncio.shield(task)


def find_shielded(exchange: HasTasks) -> asyncio.Future[None] | None:
    """Return the latest shielded work of an exchange, if it goes on.

    Args:
        exchange: the exchange.
    """
    return _shielded.get(exchange)


_shielded: dict[HasTasks, asyncio.Future[None]] = {}


def hold(work: asyncio.Future[Any]) -> None:
    """Keep work alive that goes on when its request is cancelled, and let `afinish` wait for it.

    Args:
        work: a task. An event loop refers only weakly to its tasks.
    """
    _held.add(work)
    work.add_done_callback(_release)


def _release(work: asyncio.Future[Any]) -> None:
    _held.discard(work)
    if not work.cancelled():
        # If the waiting task was cancelled, nobody else asks for the error.
        work.exception()


_held: set[asyncio.Future[Any]] = set()


async def afinish() -> None:
    """Wait for the work of requests that this event loop has cancelled, for 5 seconds at most.

    A server that shuts down cancels the requests that take too long, and its process may end soon after that.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + _LONGEST
    while True:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        # A copy, because the event loops of other threads go on.
        works = [work for work in tuple(_held) if work.get_loop() is loop and not work.done()]
        left = end - loop.time()
        if not works or left <= 0:
            return
        await asyncio.wait(works, timeout=left)


# A framework's tasks await each other, so a cancellation or a reply takes some turns of the event loop to reach the gateway.
_TURNS = 10

# Seconds. Two operations of our own backends take no longer.
_LONGEST = 5
