"""`with store.exchange(...)`: an exchange that is current in a block, without a server."""

from __future__ import annotations

from contextlib import suppress
from typing import NoReturn

from .._exchange.drivers import aload, asettle
from .._exchange.exchange import Exchange
from ..errors import BackendError, ConfigurationError
from .current import get_last_current, set_current
from .lookup import AnyExchange, find_open

__all__ = ["Activation"]


class Activation:
    """An exchange that is current in a `with` block. It is committed at the end of the block, as a 500 if the block raises.

    `with` is for stores without a backend or with a blocking one, `async with` for stores without a backend or with an async
    one.

    Args:
        exchange: the exchange.
    """

    __slots__ = ("_before", "_exchange")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._before: AnyExchange | None = None

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"the exchange has not begun, so it has no {name!r}: write `with store.exchange(...) as exchange:`"
        )

    def __enter__(self) -> Exchange:
        settings = self._exchange.settings
        if settings.records is not None and settings.driver is None:
            raise ConfigurationError(
                f"{type(settings.backend).__name__} is awaited: use `async with store.exchange(...)`"
            )
        self._exchange.drive()
        return self._enter()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        exchange = self._exchange
        try:
            try:
                exchange.commit(200 if error is None else 500)
            except BaseException:
                # As after a failed response: a session that was begun is removed, and an end is completed.
                with suppress(BackendError):
                    exchange.commit(500)
                raise
        finally:
            set_current(self._before)
            exchange.finish()

    async def __aenter__(self) -> Exchange:
        settings = self._exchange.settings
        if settings.driver is not None:
            raise ConfigurationError(
                f"{type(settings.backend).__name__} is not awaited: use `with store.exchange(...)`"
            )
        await aload(self._exchange)
        return self._enter()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        exchange, status = self._exchange, 200 if error is None else 500
        try:
            try:
                await asettle(exchange, status)
                exchange.commit(status)
            except BaseException:
                with suppress(BackendError):
                    await asettle(exchange, 500)
                    exchange.commit(500)
                raise
        finally:
            set_current(self._before)
            exchange.finish()

    def _enter(self) -> Exchange:
        self._before = get_last_current()
        self._exchange.outer = find_open(self._before)
        set_current(self._exchange)
        return self._exchange
