"""The backends of the contract apps: one that fails when the suite says so, blocking or awaited."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sessionkit import BackendError
from sessionkit.backends import Backend, MemoryBackend, SQLiteBackend

KINDS = ("cookie", "memory", "sqlite")
"""Where the sessions are kept: in cookies, or on the server. An app whose gateway awaits has a memory that is awaited."""

FOLDER, SESSIONS = "CONTRACT_FOLDER", "CONTRACT_SESSIONS"
"""The environment variables that name the folder an app shares with the suite, and one of the kinds."""

FAILING = "failing"
"""The file of the folder that lists the operations which fail."""


def _failing(operation: str) -> Callable[..., Any]:
    def call(self: FailingBackend, *args: Any) -> Any:
        if operation in self.failing.read_text().split():
            raise BackendError("the session backend fails, as the suite told it to")
        return getattr(self.backend, operation)(*args)

    return call


class FailingBackend:
    """A blocking backend of which the suite can make any operation fail.

    Args:
        backend: the backend that does the work.
        failing: the file that lists the operations which fail.
    """

    load, insert, replace, touch = map(_failing, ("load", "insert", "replace", "touch"))
    delete, of, revoke, purge = map(_failing, ("delete", "of", "revoke", "purge"))

    def __init__(self, backend: Backend, failing: Path) -> None:
        self.backend, self.failing = backend, failing
        self.waits: bool = getattr(backend, "waits", True)

    def close(self) -> None:
        self.backend.close()

    def warnings(self) -> list[str]:
        return []


def _awaited(operation: str) -> Callable[..., Any]:
    async def call(self: AwaitedBackend, *args: Any) -> Any:
        await asyncio.sleep(0)
        return getattr(self.backend, operation)(*args)

    return call


class AwaitedBackend:
    """An awaited backend that lets other tasks run before each operation.

    Args:
        backend: the blocking backend that does the work.
    """

    load, insert, replace, touch = map(_awaited, ("load", "insert", "replace", "touch"))
    delete, of, revoke, purge = map(_awaited, ("delete", "of", "revoke", "purge"))

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def aclose(self) -> None:
        self.backend.close()

    async def warnings(self) -> list[str]:
        return []


def make_backend(clock: Callable[[], float]) -> Any:
    """Make the blocking backend that the environment asks for; None for cookies.

    Args:
        clock: the suite's clock.
    """
    kind, folder = os.environ[SESSIONS], Path(os.environ[FOLDER])
    if kind == "cookie":
        return None
    backend: Any = MemoryBackend(clock=clock)
    if kind == "sqlite":
        backend = SQLiteBackend(folder / "sessions.db", clock=clock)
    return FailingBackend(backend, folder / FAILING)
