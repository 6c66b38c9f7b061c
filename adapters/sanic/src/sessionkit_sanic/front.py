"""What stands in front of an application: it begins a request's exchange before anything else, and answers it as the headers go out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sanic import Request, Sanic
from sanic.http import Stage
from sanic.log import error_logger
from sanic.response import ResponseStream

from sessionkit import SessionKitError, SessionStore
from sessionkit.context import admit
from sessionkit.exchange import Exchange
from sessionkit.gateway import Gateway
from sessionkit.native import LazyContents
from sessionkit.response import commit
from sessionkit.settings import NativeKeys

from .carriers import Response, SanicRequest, fields_of

__all__ = ["Front", "SanicSession"]

_HANDLED = "sessionkit.handled"


class SanicSession(LazyContents):
    """What `request.ctx.session` is: nested changes are saved, nothing is read before it is used."""


class Front(Gateway):
    """The gateway of an application; its methods are for Sanic's signals."""

    def __init__(
        self, app: Sanic[Any, Any], store: SessionStore, exclude: str | Iterable[str]
    ) -> None:
        super().__init__(app, store, exclude=exclude, native=NativeKeys())
        # Where a request keeps, for each store, the response that was answered, and a connection its latest exchange.
        self._answered, self._latest = (
            f"sessionkit.answered {self.settings.name}",
            f"sessionkit.latest {self.settings.name}",
        )

    async def begun(self, request: Request[Any, Any]) -> None:
        """One task serves a whole connection: the variable must be set for each of its requests."""
        exchange = self.begin(SanicRequest(request))
        if exchange is None:
            return
        admit(exchange)
        request.ctx.session = SanicSession(exchange)
        if request.conn_info is not None:
            await self.closed(request.conn_info)
            setattr(request.conn_info.ctx, self._latest, exchange)

    async def handled(self, request: Request[Any, Any]) -> None:
        """From here on what the handler returned is answered, unless it has responded itself."""
        setattr(request.ctx, _HANDLED, True)

    def streamed(self, request: Request[Any, Any], response: Response) -> None:
        """`request.respond()` in a handler: its headers go out with the first `send`, and nothing else tells of them.

        What Sanic's middleware raises it logs and forgets, so what cannot be kept fails the response here.
        """
        if hasattr(request.ctx, _HANDLED) and not isinstance(response, ResponseStream):
            return
        try:
            self._commit(request, response)
        except SessionKitError:
            error_logger.exception("the session cannot be saved, and the response becomes a 500")
            response.status = 500
            self._commit(request, response)

    async def answered(self, request: Request[Any, Any], response: Response) -> None:
        """A response is about to be sent, or a stream is over. Nothing of the application runs after this."""
        self._commit(request, response)
        exchange = self.serving(SanicRequest(request))
        if exchange is not None:
            exchange.finish()

    async def closed(self, conn_info: Any) -> None:
        """A connection is closed: what was never answered, and the exchange of a websocket, end with it."""
        exchange: Exchange | None = (
            None if conn_info is None else getattr(conn_info.ctx, self._latest, None)
        )
        if exchange is not None:
            exchange.finish()

    def _commit(self, request: Request[Any, Any], response: Response) -> None:
        view = SanicRequest(request)
        exchange, before = self.serving(view), view.holder.get(self._answered)
        if exchange is None or request.stream is None or request.stream.stage is not Stage.HANDLER:
            return  # the headers have gone out
        # What a ResponseStream makes of itself has its headers; an error's response takes the place of any.
        if before is not response and not (
            isinstance(before, ResponseStream) and response.status == before.status
        ):
            commit(exchange, response.status, fields_of(response))
            admit(exchange)
            view.holder[self._answered] = response
