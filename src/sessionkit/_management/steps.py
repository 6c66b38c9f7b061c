"""Perform the operations that a function yields, on a blocking backend or on one of either kind."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar, cast

from .._exchange.operations import Operation
from .._exchange.performing import perform
from .._exchange.replies import perform_now
from .._exchange.settings import Settings
from ..errors import BackendError, ConfigurationError

__all__ = ["Result", "Steps", "arun", "run"]

Result = TypeVar("Result")

Steps = Generator[Operation, Any, Result]
"""A generator that yields operations, is sent their replies, and returns a result. It works with blocking and async backends."""


def run(settings: Settings, steps: Steps[Result]) -> Result:
    """Perform steps on a blocking backend.

    Args:
        settings: the store's settings.
        steps: the steps.

    Raises:
        ConfigurationError: the backend is async.
        BackendError: the backend failed.
    """
    if settings.backend is not None and settings.driver is None:
        raise ConfigurationError(
            f"{type(settings.backend).__name__} is an async backend: await the method with an `a` before its name "
            "(asessions_of, arevoke, arevoke_user, apurge, astill_valid)"
        )
    reply: Any = None
    while True:
        try:
            operation = _advance(steps, reply)
        except StopIteration as end:
            return cast("Result", end.value)
        try:
            reply = perform_now(operation, settings.backend)
        except BackendError as error:
            reply = error


async def arun(settings: Settings, steps: Steps[Result]) -> Result:
    """Perform steps on a backend of either kind.

    Args:
        settings: the store's settings.
        steps: the steps.

    Raises:
        BackendError: the backend failed.
    """
    reply: Any = None
    while True:
        try:
            operation = _advance(steps, reply)
        except StopIteration as end:
            return cast("Result", end.value)
        try:
            reply = await perform(operation, cast("Any", settings.backend))
        except BackendError as error:
            reply = error


def _advance(steps: Steps[Any], reply: Any) -> Operation:
    """Give steps the reply to their last operation, or raise the backend's error there; return the next operation."""
    return steps.throw(reply) if isinstance(reply, BackendError) else steps.send(reply)
