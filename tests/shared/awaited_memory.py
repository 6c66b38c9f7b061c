"""A backend that is awaited, and that can fail or take its time: what the tests of several adapters share."""

from __future__ import annotations

import asyncio
from typing import Any

from sessionkit import BackendError
from sessionkit.backends import MemoryBackend


class AwaitedMemory:
    """A MemoryBackend with operations that are awaited, and really wait.

    Attributes:
        calls: the names of the operations that were asked for, in order.
        failing: the names of those that raise `error`.
        held: for the name of an operation, an event that it waits for; `waiting` is set meanwhile.
    """

    def __init__(self) -> None:
        self.memory = MemoryBackend()
        self.calls: list[str] = []
        self.failing: set[str] = set()
        self.error: Exception = BackendError("the session backend cannot be reached")
        self.held: dict[str, asyncio.Event] = {}
        self.waiting: asyncio.Event | None = None

    async def _perform(self, name: str, *args: Any) -> Any:
        self.calls.append(name)
        await asyncio.sleep(0)
        if name in self.held:
            if self.waiting is not None:
                self.waiting.set()
            await self.held[name].wait()
        if name in self.failing:
            raise self.error
        return getattr(self.memory, name)(*args)

    async def load(self, *args: Any) -> Any:
        return await self._perform("load", *args)

    async def insert(self, *args: Any) -> Any:
        return await self._perform("insert", *args)

    async def replace(self, *args: Any) -> Any:
        return await self._perform("replace", *args)

    async def touch(self, *args: Any) -> Any:
        return await self._perform("touch", *args)

    async def delete(self, *args: Any) -> Any:
        return await self._perform("delete", *args)

    async def of(self, *args: Any) -> Any:
        return await self._perform("of", *args)

    async def revoke(self, *args: Any) -> Any:
        return await self._perform("revoke", *args)

    async def purge(self, *args: Any) -> Any:
        return await self._perform("purge", *args)

    async def aclose(self) -> None:
        self.memory.close()

    async def warnings(self) -> list[str]:
        return []
