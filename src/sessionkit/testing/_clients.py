"""Call blocking and async backends in the same way, so that the cases are written once for both kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from .._exchange.performing import is_async
from ..backends import AnyBackend, AsyncBackend, Backend

__all__ = ["awaited", "blocking", "in_new_loop"]

T = TypeVar("T")


def blocking(backend: AnyBackend, loop: asyncio.AbstractEventLoop) -> Backend:
    """Return a backend whose operations block. An async backend is run on this event loop."""
    if is_async(backend):
        return cast("Backend", _Blocking(backend, loop))
    return cast("Backend", backend)


def awaited(backend: AnyBackend) -> AsyncBackend:
    """Return a backend whose operations are awaited. A blocking backend is run in threads, as under the ASGI gateway."""
    if is_async(backend):
        return cast("AsyncBackend", backend)
    return cast("AsyncBackend", _Awaited(backend))


def in_new_loop(backend: AnyBackend, use: Callable[[AsyncBackend], Coroutine[Any, Any, T]]) -> T:
    """Use a backend on a new event loop, and close its connections there."""

    async def run() -> T:
        ours = awaited(backend)
        try:
            return await use(ours)
        finally:
            if is_async(backend):
                await ours.aclose()

    return asyncio.run(run())


class _Blocking:
    def __init__(self, backend: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._backend = backend
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._backend, "aclose" if name == "close" else name)
        return lambda *arguments: self._loop.run_until_complete(method(*arguments))


class _Awaited:
    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._backend, "close" if name == "aclose" else name)
        return lambda *arguments: asyncio.to_thread(method, *arguments)
