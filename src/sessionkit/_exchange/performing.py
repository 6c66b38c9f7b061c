"""Perform one operation on a backend of either kind: await it, run it in a thread, or call it at once."""

from __future__ import annotations

import inspect
from typing import Any

from ..backends._protocols import AnyBackend
from .operations import List, Load, Operation
from .replies import check_reply
from .threads import read_in_thread, write_in_thread

__all__ = ["call", "is_async", "perform", "runs_in_thread"]


def is_async(backend: object) -> bool:
    """Return whether the operations of a backend are awaited.

    Args:
        backend: the backend.
    """
    return inspect.iscoroutinefunction(getattr(backend, "load", None))


async def perform(operation: Operation, backend: AnyBackend) -> Any:
    """Perform one operation on a backend of either kind.

    Args:
        operation: the operation.
        backend: the backend.
    """
    changes = not isinstance(operation, (Load, List))
    reply = await call(backend, operation.on, backend, changes=changes)
    return check_reply(operation, backend, reply)


async def call(backend: AnyBackend, function: Any, *args: Any, changes: bool = False) -> Any:
    """Call a method of a backend: await it, run it in a thread, or call it at once if it never waits.

    Args:
        backend: the backend.
        function: its method.
        args: the arguments of the method.
        changes: whether the method changes records, and so may wait for other writes.
    """
    if is_async(backend):
        return await function(*args)
    if runs_in_thread(backend):
        return await (write_in_thread if changes else read_in_thread)(function, *args)
    return function(*args)


def runs_in_thread(backend: AnyBackend) -> bool:
    """Return whether the operations of a backend are performed in a thread: it is blocking, and waits.

    Args:
        backend: the backend.
    """
    return not is_async(backend) and getattr(backend, "waits", True)
