"""Make a request the current one while another request waits for its response: `Entry`.

The body of a stream is made after the response has been returned, when the other request is the current one again. So the entry
also runs the steps of a stream.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, TypeVar

from .._exchange.exchange import ENDED, OPEN, Exchange
from .current import get_last_current, restore_current, serves, set_current, this_task
from .lookup import AnyExchange, iterate_outward

__all__ = ["Entry", "find_waiting", "make_current"]

Part = TypeVar("Part")


def find_waiting() -> AnyExchange | None:
    """Return the current exchange if its request waits for a request made inside it; None for a request from a server.

    A thread or a connection that serves one request after another may still have the exchange of the previous request. That
    request has been answered, and does not wait.
    """
    current = get_last_current()
    if current is None or (
        type(current) is Exchange and current.phase is ENDED and current.outer is None
    ):
        return None
    for link in iterate_outward(current):
        if isinstance(link, Exchange) and link.phase is not ENDED:
            waits = link.phase is OPEN or serves(link, this_task())
            return current if waits else None
    return None


class Entry:
    """The time during which a request is the current one, perhaps inside another request that waits for its response.

    Attributes:
        exchange: the exchange with which the caller answers the request; None if another gateway answers it, or no gateway does.
    """

    __slots__ = ("_before", "_mine", "exchange")

    def __init__(
        self, exchange: Exchange | None, mine: AnyExchange | None, before: AnyExchange | None
    ) -> None:
        self.exchange: Exchange | None = exchange
        self._mine, self._before = mine, before

    @property
    def is_inside(self) -> bool:
        """Whether another request waits for the response to this one. Two gateways of one request do not count."""
        before = self._before
        return before is not None and before not in iterate_outward(self._mine)

    def leave(self) -> None:
        """Make the waiting request the current one again.

        If no other request waits, this request stays current, because its stream may read the session. If the request has two
        gateways, the inner one stays current. An exchange that has become current meanwhile stays current too.
        """
        if self._before is None:
            # The commonest case: a server has sent the request.
            return
        # The inner one of two gateways may have made its exchange current since.
        if self.is_inside and any(
            link is self._mine for link in iterate_outward(get_last_current())
        ):
            set_current(self._before)

    def iterate(self, parts: Iterable[Part]) -> Iterable[Part]:
        """Return the parts of a stream's body. Each part is made while this request is the current one, even after `leave`.

        Args:
            parts: the body. If no other request waits, it is returned as it is, because this request stays current.
        """
        return self._iterate(parts) if self.is_inside else parts

    def aiterate(self, parts: AsyncIterable[Part]) -> AsyncIterable[Part]:
        """Return the parts of an async stream's body, as `iterate` does.

        Args:
            parts: the body.
        """
        return self._aiterate(parts) if self.is_inside else parts

    def _iterate(self, parts: Iterable[Part]) -> Generator[Part, None, None]:
        iterator = iter(parts)
        try:
            while True:
                with self._resuming():
                    try:
                        part = next(iterator)
                    except StopIteration:
                        return
                yield part
        finally:
            close: Any = getattr(iterator, "close", None)
            if close is not None:
                with self._resuming():
                    close()

    async def _aiterate(self, parts: AsyncIterable[Part]) -> AsyncGenerator[Part, None]:
        iterator = aiter(parts)
        try:
            while True:
                with self._resuming():
                    try:
                        part = await anext(iterator)
                    except StopAsyncIteration:
                        return
                yield part
        finally:
            close: Any = getattr(iterator, "aclose", None)
            if close is not None:
                with self._resuming():
                    await close()

    @contextmanager
    def _resuming(self) -> Generator[None, None, None]:
        """Make this request the current one for a block."""
        before = get_last_current()
        set_current(self._mine)
        try:
            yield
        finally:
            restore_current(self._mine, before)


class _Hold(Entry):
    """The entry of a request context. A request context has no stream, so the earlier exchange always becomes current again."""

    __slots__ = ()

    def leave(self) -> None:
        restore_current(self._mine, self._before)


def make_current(exchange: Exchange) -> Entry:
    """Make an exchange current until `Entry.leave`, for a request that no gateway answers, such as a request context.

    Args:
        exchange: the result of `find_or_open_exchange`.
    """
    entry = _Hold(exchange, exchange, get_last_current())
    set_current(exchange)
    return entry
