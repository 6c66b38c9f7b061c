"""A handler with a session, which begins its requests and answers them."""

from __future__ import annotations

from asyncio import Future
from functools import partial
from typing import Any, NoReturn

from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from sessionkit import ConfigurationError, Exchange, NoActiveRequestError, bind
from sessionkit.adapters import LazyContents, admit_task, commit_response, make_current

from .carriers import TornadoRequest, fields_of
from .config import gateway_of
from .verbs import get_session

__all__ = ["SessionMixin", "TornadoSession"]


class TornadoSession(LazyContents):
    """The object behind `self.session`: nested changes are saved, and nothing is read before its first use."""


class SessionMixin(RequestHandler):
    """A handler with a session: `class Index(SessionMixin, RequestHandler)`, or `(SessionMixin, WebSocketHandler)`.

    The store is the application's setting `sessionkit`; without one it is made of `cookie_secret`.
    """

    _exchange: Exchange | None = None

    @property
    def session(self) -> TornadoSession:
        """The session of whoever comes, anonymous or signed in.

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
        # Not `prepare`: applications override that without calling ours. This is the task of the request.
        try:
            exchange, _ = gateway_of(self.application).enter(TornadoRequest(self.request))
        except (ConfigurationError, TypeError) as error:
            self.prepare = partial(_fail, error)  # type: ignore[method-assign]  # where Tornado answers with a 500
            await super()._execute(transforms, *args, **kwargs)
            return
        self._exchange = exchange
        make_current(exchange)
        admit_task(exchange)
        if isinstance(self, WebSocketHandler):
            self.on_message = bind(self.on_message)  # Tornado runs a coroutine in a task of its own
        try:
            await super()._execute(transforms, *args, **kwargs)
        finally:
            if (
                self._finished or self._auto_finish
            ):  # else somebody keeps the handler, and finishes it later
                exchange.finish()

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send what was written; the first time with the headers, into which the session is written."""
        if self._exchange is not None and not self._headers_written:
            commit_response(self._exchange, self.get_status(), fields_of(self))
            admit_task(self._exchange)
        return super().flush(include_footers)


def _fail(error: Exception) -> NoReturn:
    raise error
