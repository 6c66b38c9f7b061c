"""The gateway of an application. It begins an exchange before other code runs, and commits it when the headers are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from sanic import Request, Sanic
from sanic.http import Stage
from sanic.log import error_logger
from sanic.response import BaseHTTPResponse, ResponseStream

from sessionkit import Exchange, SessionStore
from sessionkit.adapters import (
    Entry,
    FrameworkKeys,
    Gateway,
    HeaderChanges,
    LazyContents,
    Phase,
    admit_task,
    aload,
    asettle,
    commit_response,
    find_or_open_exchange,
)

from .requests import SanicRequest
from .responses import OwnResponse, Response, copy_of_stream, fields_of

__all__ = ["SanicGateway", "SanicSession"]

_HANDLED, _GATEWAYS = "sessionkit.handled", "sessionkit.gateways"


class SanicSession(LazyContents):
    """The object behind `request.ctx.session`. Nested changes are saved, and nothing is read before its first use."""


class SanicGateway(Gateway):
    """The gateway of an application. Its methods are handlers of Sanic's signals."""

    awaits = True

    def __init__(
        self, app: Sanic[Any, Any], store: SessionStore, exclude: str | Iterable[str]
    ) -> None:
        super().__init__(app, store, exclude=exclude, framework=FrameworkKeys())
        # Where a request keeps, for each gateway, the response that was answered, whether one could not be saved, its entry,
        # and what ends its exchange with its task; and a connection its latest exchange.
        self._answered, self._failed, self._entry, self._on_done, self._latest = (
            f"sessionkit.{name} {id(self)}"
            for name in ("answered", "failed", "entry", "on_done", "latest")
        )

    async def on_request(self, request: Request[Any, Any]) -> None:
        """Begin a request. One task serves a whole connection, so the context variable must be set for each of its requests."""
        # An earlier request of the connection that was never answered does not wait for this one.
        await self.on_close(request.conn_info)
        view = SanicRequest(request)
        attributes = cast("dict[str, Any]", vars(request.ctx))
        if request.app.asgi and request.scope["type"] == "http":
            # The core finds the exchange of a gateway around the application there.
            attributes["asgi.scope"] = request.scope
        entry = attributes[self._entry] = self.begin_inside(view)
        exchange = entry.exchange
        if exchange is None:
            shared = find_or_open_exchange(view, self.settings)
            if shared is not None:
                _show(shared, attributes)
            return
        admit_task(exchange)
        _show(exchange, attributes)
        gateways: list[SanicGateway] = attributes.setdefault(_GATEWAYS, [])
        gateways.append(self)
        if request.conn_info is not None:
            setattr(request.conn_info.ctx, self._latest, exchange)
        if request.app.asgi:
            # Sanic has no signal for the end of such a request.
            task = cast("asyncio.Task[Any]", asyncio.current_task())
            on_done = attributes[self._on_done] = partial(self._on_task_done, exchange)
            task.add_done_callback(on_done)
        await aload(exchange)

    async def on_exception(self, request: Request[Any, Any], **_: Any) -> None:
        """Leave out a request that never began because Sanic could not parse it: nobody knows which cookies it has."""
        if not hasattr(request.ctx, self._entry) and not hasattr(request.ctx, _GATEWAYS):
            self.leave_out(SanicRequest(request))

    def _on_task_done(self, exchange: Exchange, _: object) -> None:
        """End a request under ASGI whose task has ended without a response, because the server cancelled it, or after a websocket."""
        if exchange.phase is Phase.OPEN:
            self.end_soon(exchange)
        else:
            exchange.finish()

    async def on_handled(self, request: Request[Any, Any]) -> None:
        """Note that the handler has returned. From now on its response is committed, unless the handler has responded itself."""
        setattr(request.ctx, _HANDLED, True)
        if request.app.asgi and request.scope["type"] == "websocket":
            # Nothing is sent once the handler of a websocket has returned.
            self._leave(request)

    async def on_response(self, request: Request[Any, Any], response: Response) -> Response | None:
        """Commit at `request.respond()` in a handler, because its headers are sent with the first `send`, without another signal.

        Sanic only logs an error that a middleware raises. So if the session cannot be saved, the response is made a failure here.
        """
        if isinstance(response, ResponseStream):
            made = copy_of_stream(response)
            # Sanic calls no further middleware after one that returned a response.
            gateways: list[SanicGateway] = getattr(request.ctx, _GATEWAYS, [])
            for gateway in gateways:
                await gateway.commit_or_fail(request, made)
            return made  # returned from a coroutine, because Sanic would await the stream itself, and so begin it
        if not hasattr(request.ctx, _HANDLED):
            await self.commit_or_fail(request, response)
            _connect(request, response)
        return None

    async def commit_or_fail(self, request: Request[Any, Any], response: Response) -> None:
        """Commit the session into the response; make the response a 500 if the session cannot be saved."""
        try:
            await self._commit(request, response)
        except Exception:  # noqa: BLE001  # Sanic would log it, and send the response
            error_logger.exception("the session cannot be saved, and the response becomes a 500")
            await self._commit(request, response, 500)

    async def on_sent(self, request: Request[Any, Any], response: Response) -> None:
        """Commit the session, because a response is about to be sent, or a stream has ended. The application runs no code after this."""
        connection = request.conn_info
        # The client has hung up, and Sanic has cancelled the handler. The changes that the handler made are dropped.
        is_lost = self.settings.backend is not None and connection is not None and connection.lost
        await self._commit(request, response, 500 if is_lost else None)
        _connect(request, response)
        exchange = self.serving(SanicRequest(request))
        if exchange is not None:
            exchange.finish()
            on_done = cast("dict[str, Any]", vars(request.ctx)).pop(self._on_done, None)
            if on_done is not None:
                cast("asyncio.Task[Any]", asyncio.current_task()).remove_done_callback(on_done)
        self._leave(request)

    def _leave(self, request: Request[Any, Any]) -> None:
        """If this request was made inside the request of another visitor, make the other one current again."""
        entry: Entry | None = getattr(request.ctx, self._entry, None)
        if entry is not None:
            entry.leave()

    async def on_close(self, conn_info: Any) -> None:
        """End the latest exchange of a closed connection: the exchange of a websocket, or of a request that was never answered."""
        exchange: Exchange | None = (
            None if conn_info is None else getattr(conn_info.ctx, self._latest, None)
        )
        if exchange is not None:
            await self.end(exchange)

    async def on_stop(self, _: object) -> None:
        """Wait for the work that cancelled requests have begun."""
        await self.finish_requests()

    async def _commit(
        self, request: Request[Any, Any], response: Response, status: int | None = None
    ) -> None:
        view, stream = SanicRequest(request), request.stream
        exchange, before = self.serving(view), view.holder.get(self._answered)
        if exchange is None or stream is None or stream.stage is not Stage.HANDLER:
            return  # the headers have gone out
        if exchange.place is not None:
            exchange.place.take_over()
        if isinstance(response, OwnResponse):
            response = response.original
        # The response that a ResponseStream makes has the stream's headers. An error's response replaces any response.
        if before is response or (
            isinstance(before, ResponseStream) and response.status == before.status
        ):
            return
        is_saved = await self._settle(exchange, view, status or response.status)
        if not is_saved:
            exchange.close(HeaderChanges())
            status = 500
        if isinstance(response, ResponseStream):
            response.status = status or response.status
            if is_saved:
                commit_response(exchange, response.status, fields_of(response))
        elif not exchange.close_unread(
            # After a `request.respond()` the handler still runs, and a stream may be the first to read the session.
            None if hasattr(request.ctx, _HANDLED) else fields_of(response)
        ):
            there = stream.response
            shown = (
                there if isinstance(there, OwnResponse) and there.original is response else response
            )
            headers = list(fields_of(shown).items())
            changes = (
                exchange.commit(status or shown.status, headers) if is_saved else HeaderChanges()
            )
            cast("Any", stream).response = own = OwnResponse(shown, changes, status)
            _connect(request, own)
        admit_task(exchange)
        view.holder[self._answered] = response

    async def _settle(self, exchange: Exchange, view: SanicRequest, status: int) -> bool:
        """Save the session on the server. Return False if this fails for an error response, which then becomes a 500.

        Raises:
            BackendError: the session cannot be saved. Sanic responds with an error instead.
        """
        try:
            await asettle(exchange, status)
        except Exception:
            if status < 500 and self._failed not in view.holder:
                view.holder[self._failed] = True
                raise
            error_logger.exception("the session cannot be saved, and the response becomes a 500")
            return False
        return True


def _show(exchange: Exchange, attributes: dict[str, Any]) -> None:
    """Put the session object of an exchange into the attributes of `request.ctx`."""
    before = attributes.get("session")
    if isinstance(before, SanicSession):
        if before.exchange is exchange:
            return
        # With two extensions, the last one serves `request.ctx.session`.
        before.exchange.place = None
    attributes["session"] = session = SanicSession(exchange)
    session.stand_in(attributes)


def _connect(request: Request[Any, Any], response: Response) -> None:
    """Connect a response to the request again.

    An application that keeps it may have sent it to another visitor while this one's session was saved.
    """
    if isinstance(response, BaseHTTPResponse):
        cast("Any", response).stream = request.stream
