"""The base of all gateways: on entry, find or make the request's exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from .._exchange.backend_warnings import tell_warnings
from .._exchange.drivers import asettle
from .._exchange.exchange import ENDED, OPEN, Exchange
from .._exchange.framework_keys import FrameworkKeys
from .._exchange.request import HOLDER, RequestInfo
from .._exchange.settings import Settings
from .._exchange.unfinished_work import afinish, hold
from .._session.events import EventKind
from .._session.tracebacks import clears_frames
from ..errors import ConfigurationError, NoActiveRequestError
from .current import get_current, get_last_current, set_current
from .entry import Entry, find_waiting
from .gateway_arguments import check_app, check_store, explain_protocol, match_globs, takes
from .lookup import (
    AnyExchange,
    Exclusion,
    find_innermost,
    find_outer,
    iterate_outward,
    select_store,
)

__all__ = ["Gateway", "HasSettings"]


class HasSettings(Protocol):
    """The part of a store that a gateway needs."""

    @property
    def settings(self) -> Settings:
        """The store's settings."""
        ...


class Gateway:
    """The base of all gateways.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        framework: for adapters: the keys of the framework's own session object.
    """

    call = "SessionMiddleware(app, store)"
    """The call that makes a gateway, for error messages."""

    protocol = ""
    """The protocol by which the application is called, `WSGI` or `ASGI`; empty for a framework's own."""

    awaits = False
    """Whether the gateway awaits a backend (`aload`, `asettle`). If not, a blocking backend is called when it is needed."""

    @clears_frames
    def __init__(
        self,
        app: Any,
        store: HasSettings,
        *,
        exclude: str | Iterable[str] = (),
        framework: FrameworkKeys | None = None,
    ) -> None:
        check_app(app, self.call)
        check_store(store, self.call)
        if self.protocol and not takes(app, 3):
            explain_protocol(app, self.protocol)
        self.app = app
        self.settings: Settings = (
            store.settings if framework is None else store.settings.with_framework(framework)
        )
        self.excluded: Callable[[RequestInfo], object] | None = match_globs(exclude)
        if self.settings.records is not None and self.settings.driver is None and not self.awaits:
            raise ConfigurationError(
                f"{type(self.settings.backend).__name__} is awaited, and this gateway is synchronous: take the blocking backend "
                "of the same kind, or serve the application by ASGI"
            )
        if self.settings.driver is not None:
            tell_warnings(self.settings.advice, self.settings.driver.backend)

    def begin(self, request: RequestInfo) -> Exchange | None:
        """Begin to serve a request and make it the current one; if its path is excluded, it has no session.

        This is for the adapters of frameworks with a server of their own.

        Args:
            request: the view of the request.

        Returns:
            The exchange; None on an excluded path, and if a gateway around this one answers the request.

        Raises:
            ConfigurationError: as for `enter`.
        """
        if self.excluded is not None and self.excluded(request):
            set_current(self.leave_out(request))
            return None
        exchange, is_answering = self.enter(request)
        set_current(request.holder[HOLDER])
        return exchange if is_answering else None

    def begin_inside(self, request: RequestInfo) -> Entry:
        """Begin to serve a request in a framework where one request can be made inside another one.

        Args:
            request: the view of the request.

        Returns:
            The entry, with the exchange that `begin` returns. Call its `leave` when the response is ready.

        Raises:
            ConfigurationError: as for `enter`.
        """
        before = find_waiting()
        exchange = self.begin(request)
        return Entry(exchange, get_last_current(), before)

    def serving(self, request: RequestInfo | None) -> Exchange | None:
        """Return the exchange that this gateway answers, if it has not ended.

        Args:
            request: the view of the request; None for the current one.
        """
        innermost: AnyExchange | None
        try:
            innermost = get_current() if request is None else find_innermost(request)
        except NoActiveRequestError:
            return None
        for link in iterate_outward(innermost):
            if isinstance(link, Exchange) and link.gateway is self and link.phase is not ENDED:
                return link
        return None

    async def end_unanswered(self, exchange: Exchange) -> None:
        """Perform the remaining operations on the backend for a request that gets no response, because its client has hung up.

        A session that the application has ended is ended on the server, because no response can clear its cookies. A session
        that the application has created is removed, because no browser knows it. `Exchange.finish` reports the changes that are
        lost. Once the response has started, there is nothing to do. A `BackendError` is only logged.

        Args:
            exchange: the exchange.
        """
        if exchange.phase is OPEN:
            exchange.close_places()
            if exchange.must_settle:
                await asettle(exchange, 500)

    async def end(self, exchange: Exchange) -> None:
        """End a request that gets no response, as `end_unanswered` does, and close its exchange.

        Args:
            exchange: the exchange.
        """
        await self.end_unanswered(exchange)
        exchange.finish()

    def end_soon(self, exchange: Exchange) -> None:
        """Let the event loop end a request that gets no response. This is for callbacks, which cannot await.

        `finish_requests` waits for it.

        Args:
            exchange: the exchange.
        """
        hold(asyncio.ensure_future(self.end(exchange)))

    async def end_unsent(self, exchange: Exchange) -> None:
        """Remove the record of a session that the request has begun, because the header fields of its response could not be sent.

        No browser knows this session. Everything else that was saved stays. A `BackendError` is only logged.

        Args:
            exchange: the exchange.
        """
        state, server = exchange.state, exchange.server
        if state is not None and server is not None and server.is_unfinished:
            state.tell_once(EventKind.ROLLED_BACK)
            await asettle(exchange, 500)

    async def finish_requests(self) -> None:
        """Wait for the operations that cancelled requests have begun on the backend, for 5 seconds at most.

        Await it when the server has cancelled its requests and shuts down, before the application closes the backend.
        """
        if self.settings.backend is not None:
            await afinish()

    def enter(self, request: RequestInfo) -> tuple[Exchange, bool]:
        """Find or make the exchange of a request, and tell whether this gateway answers it.

        A gateway inside another one of the same store uses the same exchange. It finds the exchange through the request,
        never through the context variable. It ignores a closed exchange (of an environ that is used for a second request),
        and one that a verb opened without a gateway.

        Args:
            request: the view of the request; its holder keeps the exchange.

        Returns:
            The exchange, and whether this gateway answers the request.

        Raises:
            ConfigurationError: a gateway of another store around this one has the same cookie name. Each would treat the
                other's sessions as forged.
        """
        holder = request.holder
        is_new = (
            HOLDER not in holder and "asgi.scope" not in holder and "wsgi_environ" not in holder
        )
        outer: Sequence[AnyExchange] = [] if is_new else find_outer(request)
        exchanges = [link for link in outer if isinstance(link, Exchange)] if outer else []
        shared = select_store(exchanges, self.settings) if exchanges else None
        if isinstance(shared, Exchange):
            shared.serve_framework(self.settings)
            if HOLDER not in holder:
                # A bridge between WSGI and ASGI has made this request from another one.
                holder[HOLDER] = outer[0]
            return shared, False
        exchange = Exchange(self.settings, request)
        exchange.gateway = self
        if exchange.server is not None and not self.awaits:
            exchange.drive()
        exchange.outer = outer[0] if outer else None
        holder[HOLDER] = exchange
        return exchange, True

    def leave_out(self, request: RequestInfo) -> Exclusion:
        """Mark a request as excluded. It has no session of this store, but keeps the sessions of gateways around this one."""
        outer = find_outer(request)
        exclusion = Exclusion(self.settings, request.cookie_header, outer[0] if outer else None)
        request.holder[HOLDER] = exclusion
        return exclusion
