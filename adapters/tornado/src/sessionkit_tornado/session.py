"""A handler with a session. It begins an exchange for its request, and commits it into the response."""

from __future__ import annotations

import asyncio
from asyncio import Future
from functools import partial
from typing import Any, NoReturn, cast

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from sessionkit import Exchange, NoActiveRequestError, bind
from sessionkit.adapters import (
    LazyContents,
    Phase,
    admit_task,
    aload,
    asettle,
    commit_response,
    make_current,
)

from .config import gateway_of
from .requests import TornadoRequest, fields_of
from .verbs import get_session

__all__ = ["SessionMixin", "TornadoSession"]

_SWITCHING = 101


class TornadoSession(LazyContents):
    """The object behind `self.session`. Nested changes are saved, and nothing is read before its first use."""


class SessionMixin(RequestHandler):
    """A handler with a session: `class Index(SessionMixin, RequestHandler)`, or `(SessionMixin, WebSocketHandler)`.

    The store is the application's setting `sessionkit`; without this setting, it is made from `cookie_secret`.
    """

    _exchange: Exchange | None = None
    # The task that saves the session and then sends the response, if there is something to await.
    _sending: Future[None] | None = None
    # Whether some code awaits this task and handles its failure; and what awaits it after Tornado has executed the handler.
    _is_watched: bool = True
    _watching: Future[None] | None = None
    # Whether the response is sent without the session, because not even its end can be saved.
    _is_unsaved: bool = False

    @property
    def session(self) -> TornadoSession:
        """The session of the visitor, anonymous or signed in.

        Raises:
            NoActiveRequestError: Tornado has not begun to execute the handler.
        """
        if self._exchange is None:
            raise NoActiveRequestError(
                "the handler has no session before Tornado executes it: use it in prepare, and from there on"
            )
        return TornadoSession(self._exchange)

    def get_current_user(self) -> Any:
        """Return the `user` of a signed-in user's session, for `self.current_user` and `tornado.web.authenticated`."""
        session = get_session(self)
        return None if session is None else session.get("user")

    async def _execute(self, transforms: Any, *args: bytes, **kwargs: bytes) -> None:
        # This is not done in `prepare`, because applications override it without calling ours. This is the task of the request.
        exchange: Exchange | None = None
        try:
            exchange, _ = gateway_of(self.application).enter(TornadoRequest(self.request))
            await aload(exchange)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # Tornado responds to an error of `prepare`
            self.prepare = partial(_fail, error)  # type: ignore[method-assign]
            await super()._execute(transforms, *args, **kwargs)
            return
        self._exchange = exchange
        entry = make_current(exchange)
        admit_task(exchange)
        if isinstance(self, WebSocketHandler):
            # An assignment to `self` would declare these methods for a handler that is not a websocket, and so forbid overriding them.
            handler: Any = self
            handler.on_message = bind(
                self.on_message
            )  # Tornado runs a coroutine in a task of its own
            if exchange.settings.backend is not None:
                handler.get_websocket_protocol = partial(
                    _settle_handshake, exchange, self.get_websocket_protocol
                )
        try:
            await super()._execute(transforms, *args, **kwargs)
        finally:
            try:
                await self._watch()
            finally:
                # Another handler may have executed this one, inside its own request.
                entry.leave()

    def finish(self, chunk: Any = None) -> Future[None]:
        """Finish the response. With a backend, the session is saved before the response is sent; await the result to wait for both."""
        if self._finished or not self._must_settle():
            return super().finish(chunk)  # pyright: ignore[reportUnknownMemberType]  # a bare `dict` in Tornado's annotation
        if chunk is not None:
            self.write(chunk)  # pyright: ignore[reportUnknownMemberType]  # a bare `dict` in Tornado's annotation
        # For the application and for Tornado the response is finished: nothing may be written to it.
        self._finished = True
        return self._put_off()

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send the output that was written so far. The first call also writes the session into the headers, and sends them."""
        # Only `finish` sends footers, and it has already checked this.
        if not include_footers and self._must_settle():
            return self._put_off()
        self._commit()
        return super().flush(include_footers)

    def _commit(self) -> None:
        exchange = self._exchange
        if exchange is not None and not self._headers_written and not self._is_unsaved:
            commit_response(exchange, self.get_status(), fields_of(self))
            admit_task(exchange)

    # ---- saving the session on the server, which is awaited, before the headers

    def _must_settle(self) -> bool:
        """Return whether there is something to await before the headers are sent."""
        exchange = self._exchange
        if exchange is None or exchange.settings.backend is None or not exchange.looked_at:
            return False
        if self._headers_written or self._is_unsaved or self.get_status() == _SWITCHING:
            return False
        is_put_off = self._sending is not None and not self._sending.done()
        if exchange.decide(self.get_status())[0] is not None:
            return True
        # A session that was saved in the midst of the handler must be removed if its cookie cannot be sent.
        return is_put_off or (exchange.server is not None and exchange.server.is_unfinished)

    def _put_off(self) -> Future[None]:
        """Return the task that saves the session and then sends the response."""
        if self._sending is None or self._sending.done():
            # For the application the response has started.
            cast("Exchange", self._exchange).phase = Phase.COMMITTED
            self._sending = asyncio.ensure_future(self._send())
            self._sending.add_done_callback(_retrieve)
            if not self._is_watched:
                # The application has kept the handler, and sends its response now.
                self._is_watched = True
                self._watching = asyncio.ensure_future(self._watch())
        return self._sending

    async def _send(self) -> None:
        """Save the session; then finish the response, or flush it if it has not been finished meanwhile."""
        exchange = cast("Exchange", self._exchange)
        admit_task(exchange)  # a function that `update_session` was given may be called again
        settled = None
        try:
            while settled != self.get_status():  # an error may have replaced the response
                settled = self.get_status()
                await asettle(exchange, settled)
        except BaseException:
            # A session that cannot even be ended stays as it is, and no cookie says that it has ended.
            self._is_unsaved = self.get_status() >= 500
            self._finished, exchange.phase = False, Phase.OPEN
            raise
        finished, self._finished = self._finished, False
        if finished:
            sent = super().finish()  # pyright: ignore[reportUnknownMemberType]  # a bare `dict` in Tornado's annotation
        else:
            self._commit()
            sent = super().flush()
        try:
            await sent
        except StreamClosedError:
            # The client has hung up. Tornado does not tell a handler before it sends.
            await gateway_of(self.application).end_unsent(exchange)
            raise

    async def _watch(self) -> None:
        """Wait until the response is sent, respond to a failure that no code has awaited, and end the exchange."""
        while (sending := self._sending) is not None:
            try:
                await sending
            except Exception as error:  # noqa: BLE001  # as Tornado does
                # A client that has hung up is not an error. If the response is finished, Tornado only logs the error.
                if not (self._finished and isinstance(error, StreamClosedError)):
                    self._handle_request_exception(error)
            if self._sending is sending:
                self._sending = None
        self._is_watched = False
        # Otherwise the application keeps the handler, and finishes it later.
        if self._finished or self._auto_finish:
            await gateway_of(self.application).end(cast("Exchange", self._exchange))


def _settle_handshake(exchange: Exchange, make: Any) -> Any:
    """Return the protocol of a websocket. It saves the session before it accepts the socket, because it cannot wait when it responds."""
    protocol = make()
    if protocol is not None:
        protocol.accept_connection = partial(_accept, exchange, protocol.accept_connection)
    return protocol


async def _accept(exchange: Exchange, accept: Any, handler: Any) -> None:
    await asettle(exchange, _SWITCHING)
    # For the application the response has started: a later change could not be saved any more.
    exchange.phase = Phase.COMMITTED
    await accept(handler)


def _retrieve(task: Future[None]) -> None:
    """Retrieve a task's error, which has been handled. Otherwise asyncio would log it if the application does not await the task."""
    if not task.cancelled():
        task.exception()


def _fail(error: BaseException) -> NoReturn:
    raise error
