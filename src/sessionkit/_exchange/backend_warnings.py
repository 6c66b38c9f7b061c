"""Log the warnings of a backend, such as a server that may evict sessions, once for each store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from .._session.events import logger
from ..backends._protocols import AnyBackend
from ..errors import BackendError
from .performing import call

__all__ = ["Advice", "atell_warnings", "tell_warnings"]


class Advice:
    """Remembers whether the warnings of a store's backend have been logged.

    Attributes:
        due: whether they still have to be logged.
    """

    __slots__ = ("due",)

    def __init__(self) -> None:
        self.due: bool = True


def tell_warnings(advice: Advice, backend: AnyBackend) -> None:
    """Log the warnings of a blocking backend once for each store. If the server is down, they are logged later; nothing fails.

    Args:
        advice: the store's.
        backend: a blocking backend.
    """
    if not advice.due:
        return
    advice.due = False
    blocking: Any = backend
    try:
        _log(blocking.warnings())
    except BackendError as error:
        _log_failure(error)


async def atell_warnings(advice: Advice, backend: AnyBackend) -> None:
    """Log the warnings of a backend of either kind as `tell_warnings` does, at the first request that needs the backend.

    Args:
        advice: the store's, which is due.
        backend: the backend.
    """
    advice.due = False
    try:
        _log(await call(backend, backend.warnings))
    except BackendError as error:
        _log_failure(error)
    except asyncio.CancelledError:
        # Another request asks again.
        advice.due = True
        raise


def _log(warnings: Sequence[str]) -> None:
    for text in warnings:
        logger.warning("%s", text)


def _log_failure(error: BackendError) -> None:
    logger.warning("the settings of the session backend could not be checked: %s", error)
