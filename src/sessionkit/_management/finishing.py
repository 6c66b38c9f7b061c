"""Finish a revocation even if its caller is cancelled; before it, add the session that the request has begun and keeps."""

from __future__ import annotations

import asyncio
from typing import Any, TypeGuard

from .._exchange.drivers import asettle
from .._exchange.exchange import OPEN, Exchange
from .._exchange.settings import Settings
from .._exchange.unfinished_work import hold
from .._session.events import logger
from ..errors import BackendError
from .listing import find_record
from .steps import Result, Steps, arun

__all__ = ["add_begun", "arun_to_the_end"]


async def arun_to_the_end(
    settings: Settings, steps: Steps[Result], keep: Exchange | None = None
) -> Result:
    """Perform steps as `arun` does, and finish them even if the waiting task is cancelled.

    A client that hangs up must not leave a revocation half done.

    Args:
        settings: the store's settings.
        steps: the steps.
        keep: the exchange of a request whose session stays, or None. A session that the request has begun is added first, as
            `add_begun` does it.

    Raises:
        BackendError, SessionTooLargeError, SerializationError: the backend failed, or the session cannot be added.
    """
    try:
        if _begins(keep):
            await asettle(keep)
    except asyncio.CancelledError:
        _begin(settings, steps).add_done_callback(_report)
        raise
    task = _begin(settings, steps)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_report)
        raise


def _begin(settings: Settings, steps: Steps[Result]) -> asyncio.Future[Result]:
    task = asyncio.ensure_future(arun(settings, steps))
    hold(task)
    return task


def _report(task: asyncio.Future[Any]) -> None:
    """Log the failure of a revocation whose caller was cancelled, and is not told."""
    if task.cancelled():
        logger.error(
            "sessions may not be revoked: the event loop has ended before the backend answered"
        )
    elif (error := task.exception()) is not None:
        logger.error("sessions may not be revoked: %s", _describe(error))


def _describe(error: BaseException) -> str:
    """Return the text of our own errors; of any other, only the type, because its text may hold what no log may show."""
    return str(error) if isinstance(error, BackendError) else type(error).__name__


def _begins(keep: Exchange | None) -> TypeGuard[Exchange]:
    """Return whether a request has begun or imported a session that the backend does not have yet."""
    return keep is not None and keep.phase is OPEN and find_record(keep) is None


def add_begun(keep: Exchange | None) -> None:
    """Add the record of a session that a request has begun, so that a revocation of its user can spare it.

    An earlier revocation by another request refuses the record: the login was in progress then.

    Args:
        keep: the exchange of the request, or None.

    Raises:
        BackendError, SessionTooLargeError, SerializationError: it cannot be added.
    """
    if _begins(keep) and keep.settings.driver is not None:
        keep.settings.driver.run(keep, 200, ())
