"""The drivers: they perform on a backend the operations that an exchange decides. One is blocking, one async; no other code waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

from .._cookies.caching import HeaderChanges
from ..backends._protocols import AnyBackend, Record
from ..errors import BackendError, ConfigurationError
from .backend_warnings import Advice, atell_warnings
from .operations import Insert, Load, Operation, Wanted
from .performing import perform, runs_in_thread
from .replies import perform_now
from .unfinished_work import HasTasks, find_shielded, shield

__all__ = ["BlockingDriver", "aload", "asettle"]

Fields: TypeAlias = Sequence[tuple[str, str]]


class Advised(Protocol):
    """The settings that a driver needs."""

    @property
    def backend(self) -> AnyBackend | None:
        """The backend; None if sessions are kept in cookies."""
        ...

    @property
    def advice(self) -> Advice:
        """Whether the warnings of the backend have been logged."""
        ...


class Settling(HasTasks, Protocol):
    """The members of an exchange that a driver needs."""

    @property
    def settings(self) -> Advised:
        """The store's settings."""
        ...

    @property
    def has_ended(self) -> bool:
        """Whether the request has ended."""
        ...

    @property
    def pause(self) -> float:
        """The seconds to wait before the next operation."""
        ...

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The records to load."""
        ...

    def supply(self, found: Sequence[Record | None] | BackendError) -> None:
        """Take the records that were loaded."""

    def add_import(self) -> Generator[Operation, Any, None] | None:
        """Return the operations that add the record of an imported session."""
        ...

    def decide(
        self, status: int = ..., headers: Fields = ...
    ) -> tuple[Operation | None, HeaderChanges]:
        """Return the next operation; or None, and the header changes."""
        ...

    def took(self, operation: Operation, reply: Any) -> None:
        """Take the backend's reply."""

    def lose(self, operation: Operation) -> None:
        """Note that the backend's reply to an operation is lost."""


class BlockingDriver:
    """Performs the operations of exchanges on a blocking backend.

    Args:
        backend: the backend.
    """

    __slots__ = ("backend",)

    def __init__(self, backend: AnyBackend) -> None:
        self.backend: Any = backend

    def load(self, wanted: Wanted) -> Record | None:
        """Load a record; an exchange calls this when its session is first used."""
        record: Record | None = perform_now(Load(*wanted), self.backend)
        return record

    def run(self, exchange: Settling, status: int, headers: Fields) -> HeaderChanges:
        """Perform every operation that an exchange decides, and return the header changes; close nothing.

        Args:
            exchange: the exchange.
            status: the response's status.
            headers: the application's header fields.
        """
        while True:
            operation, changes = exchange.decide(status, headers)
            if operation is None:
                return changes
            try:
                reply = self._perform(operation)
            except BaseException:
                exchange.lose(operation)
                raise
            exchange.took(operation, reply)
            if exchange.pause:
                time.sleep(exchange.pause)

    def perform_all(self, operations: Generator[Operation, Any, None]) -> None:
        """Perform operations, and give each reply to the generator that yields them."""
        reply: Any = None
        with suppress(StopIteration):
            while True:
                reply = self._perform(operations.send(reply))

    def _perform(self, operation: Operation) -> Any:
        """Return the reply to an operation, or the `BackendError` that it raised."""
        try:
            return perform_now(operation, self.backend)
        except BackendError as error:
            return error


async def aload(exchange: Settling) -> None:
    """Load the records that a request's cookies point to. If this fails, the verb that asks for the session raises the error.

    The backend may be blocking or async. A blocking one is called in a thread, unless it declares `waits = False`. Without a
    backend there is nothing to do.

    Args:
        exchange: the exchange.
    """
    backend = _backend_of(exchange)
    if backend is None:
        return
    wanted = exchange.wanted
    if not wanted:
        operations = exchange.add_import()
        if operations is not None:
            await _add_import(exchange, backend, operations)
        return
    if exchange.settings.advice.due:
        await atell_warnings(exchange.settings.advice, backend)
    try:
        found = [await perform(Load(*one), backend) for one in wanted]
    except BackendError as error:
        exchange.supply(error)
    else:
        exchange.supply(found)


def _backend_of(exchange: Settling) -> AnyBackend | None:
    """Return the backend of an exchange, if it has one; an event loop of asyncio must run then."""
    backend = exchange.settings.backend
    if backend is not None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "sessions on the server need asyncio, and no event loop of asyncio runs here: choose a server, or a worker of it, "
                "that runs asyncio instead of trio, or keep the sessions in cookies"
            ) from None
    return backend


async def _add_import(
    exchange: Settling, backend: AnyBackend, operations: Generator[Operation, Any, None]
) -> None:
    """Add the record of an imported session. If this fails, the verb that asks for the session raises the error."""
    reply: Any = None
    while True:
        try:
            operation = operations.send(reply)
        except StopIteration:
            return
        except BackendError as error:
            exchange.supply(error)
            return
        except Exception:  # noqa: BLE001  # the application's guard, which the verb meets again
            return
        reply = await _reply(backend, operation)


async def asettle(exchange: Settling, status: int = 200, headers: Fields = ()) -> None:
    """Perform every operation that an exchange decides on its backend, of either kind; close nothing.

    Without a backend there is nothing to do.

    If a client hangs up, the server cancels the task that serves it. A logout must not be left half done. So all operations
    are shielded from the cancellation, from the first operation that ends a session on. (A thread cannot be stopped, so a
    blocking backend performs all of them.) If the application responds after all, for example after a time-out of its own,
    the operations of the next call follow these: otherwise the two calls would undo each other's work. They are shielded too,
    because the task may be cancelled again, and a session that no browser knows must still be removed.

    The operation that adds a record is shielded by itself. A database may perform it even after its task was cancelled, and so
    after the deletion that takes it back. If the request has ended meanwhile (some frameworks handle it in a task of their own,
    which goes on), no response carries the pointer, and the record is removed.

    Args:
        exchange: the exchange. A synchronous `commit` afterwards finds nothing left to do.
        status: the response's status.
        headers: the application's header fields.

    Raises:
        BackendError: the backend failed. The last operation may have succeeded or not.
        ConflictError: parallel changes could not be merged.
    """
    backend = _backend_of(exchange)
    if backend is None:
        return
    try:
        earlier = find_shielded(exchange)
        if earlier is None:
            await _run(exchange, backend, status, headers, is_shielded=False)
        else:
            work = _run(exchange, backend, status, headers, is_shielded=True, earlier=earlier)
            await shield(exchange, work)
    except BaseException:
        # A traceback shows the variables of this frame.
        del headers
        raise


async def _run(
    exchange: Settling,
    backend: AnyBackend,
    status: int,
    headers: Fields,
    *,
    is_shielded: bool,
    earlier: asyncio.Future[None] | None = None,
) -> None:
    try:
        if earlier is not None:
            # Its error belongs to the call that was cancelled. The exchange knows which operations are left.
            await asyncio.wait((earlier,))
        while True:
            operation, _ = exchange.decide(500 if exchange.has_ended else status, headers)
            if operation is None:
                return
            if exchange.settings.advice.due:
                await atell_warnings(exchange.settings.advice, backend)
            if not is_shielded and (operation.ends or runs_in_thread(backend)):
                work = _run(exchange, backend, status, headers, is_shielded=True)
                await shield(exchange, work)
                return
            if isinstance(operation, Insert) and not is_shielded:
                await _insert(exchange, backend, operation)
            else:
                await _take(exchange, backend, operation)
    except BaseException:
        del headers
        raise


async def _insert(exchange: Settling, backend: AnyBackend, operation: Insert) -> None:
    """Perform an operation that adds a record. If the waiting task is cancelled, the next call waits for the reply, but not for ever."""
    try:
        await shield(exchange, _take(exchange, backend, operation))
    except asyncio.CancelledError:
        work = find_shielded(exchange)
        if work is not None:
            # Whoever ends the request before the reply comes must take the record back.
            exchange.lose(operation)
            alarm = asyncio.get_running_loop().call_later(_PATIENCE, work.cancel)
            work.add_done_callback(lambda _: alarm.cancel())
        raise


# Seconds. Within this time our own backends reply, or raise an error.
_PATIENCE = 3


async def _reply(backend: AnyBackend, operation: Operation) -> Any:
    """Return the reply to an operation, or the `BackendError` that it raised."""
    try:
        return await perform(operation, backend)
    except BackendError as error:
        return error


async def _take(exchange: Settling, backend: AnyBackend, operation: Operation) -> None:
    try:
        reply = await _reply(backend, operation)
    except BaseException:
        # The client has hung up, or a time-out of the application has expired.
        exchange.lose(operation)
        raise
    exchange.took(operation, reply)
    if exchange.pause:
        await asyncio.sleep(exchange.pause)
