"""The WSGI gateway (PEP 3333)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any, TypeAlias

from ._exchange.exchange import Exchange
from ._requests.gateway import Gateway
from ._requests.views import WSGIRequest
from ._session.events import EventKind, tell

__all__ = ["SessionMiddleware"]

Environ: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[bytes], object]
StartResponse: TypeAlias = Callable[..., Write]
WSGIApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

logger: logging.Logger = logging.getLogger("sessionkit")


class SessionMiddleware(Gateway):
    """Sessions for a WSGI application.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        framework: for adapters: what is to be known of the framework whose own session object is served.
    """

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:  # noqa: C901  # one request, from top to bottom
        """Serve one request, the application and its iterable, in a context of its own."""
        context = copy_context()
        exchange = context.run(self.begin, WSGIRequest(environ))
        is_socket = "HTTP_UPGRADE" in environ and WSGIRequest(environ).is_websocket

        def respond(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Write:
            # PEP 3333 lets an application that failed call again with exc_info: the answer is computed anew.
            if exchange is None:
                pass
            elif exchange.state is None:
                exchange.close_unread(headers)
            else:
                try:
                    headers = list(headers)
                    headers = exchange.commit(int(status[:3]), headers).applied(headers)
                except BaseException:
                    del headers
                    raise
                if is_socket and status[0] in "12" and exchange.changed:
                    # The handshake went out before the handler ran.
                    tell(exchange.settings.on_event, EventKind.UNANSWERED)
            if exc_info is None:
                return start_response(status, headers)
            try:
                return start_response(status, headers, exc_info)
            finally:
                exc_info = None  # PEP 3333: no circular reference

        try:
            body: Iterable[bytes] = context.run(
                self.app, environ, start_response if exchange is None else respond
            )
        except BaseException:
            if exchange is None or not _end_failed(exchange, start_response, is_socket):
                del (
                    environ
                )  # the cookies are in it, and a traceback shows the variables of this frame
                raise
            return [b""]
        kind = type(body)
        if kind is list or kind is tuple or _is_file(body, environ):
            if exchange is not None:
                exchange.finish(unanswerable=is_socket)
            return body
        return _Body(context, body, exchange, start_response, is_socket)


def _is_file(body: object, environ: Environ) -> bool:
    """Whether it is the server's own file wrapper, which it would not know again inside another iterable."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


def _end_failed(exchange: Exchange, start_response: StartResponse, is_socket: bool) -> bool:
    """As `_answer_end`, where there is no iterable whose `close` would end the request."""
    try:
        return _answer_end(exchange, start_response)
    finally:
        exchange.finish(unanswerable=is_socket)


def _answer_end(exchange: Exchange, start_response: StartResponse) -> bool:
    """The application raised. If it had ended a session, answer in the server's place, whose 500 would not carry the end.

    Returns:
        False, if there is nothing to carry: the exception is the server's.

    Raises:
        BaseException: that exception, from `start_response`, if the headers have gone out (PEP 3333).
    """
    changes = exchange.commit(
        500
    )  # where a response was begun, its headers never left: what they would have saved is dropped
    if not exchange.must_end or not isinstance(sys.exc_info()[1], Exception):
        return False
    headers = changes.applied([("Content-Type", "text/plain"), ("Content-Length", "0")])
    start_response("500 Internal Server Error", headers, sys.exc_info())
    logger.error(
        "the application failed after it had ended a session: a bare 500 carries the end",
        exc_info=True,  # noqa: LOG014  # called from `except`
    )
    return True


class _Body:
    """An iterable whose every step runs in the request's context."""

    __slots__ = ("_body", "_context", "_exchange", "_is_socket", "_next", "_start_response")

    def __init__(
        self,
        context: Context,
        body: Iterable[bytes],
        exchange: Exchange | None,
        start_response: StartResponse,
        is_socket: bool,
    ) -> None:
        self._is_socket = is_socket
        self._context = context
        self._body = body
        self._exchange = exchange
        self._start_response: StartResponse | None = start_response
        self._next: Callable[[], bytes] = self._first

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            data: bytes = self._run(self._next)
        except StopIteration:
            raise
        except BaseException:
            if (
                self._exchange is None
                or self._start_response is None
                or not _answer_end(self._exchange, self._start_response)
            ):
                raise
            raise StopIteration from None
        if data:
            self._start_response = None  # the headers are out, and with them the end
        return data

    def _first(self) -> bytes:
        """Of an application that is a generator, nothing has run before this."""
        self._next = iter(self._body).__next__
        return self._next()

    def close(self) -> None:
        """Close the application's iterable, and end the request."""
        try:
            if self._exchange is not None:
                self._exchange.late = None  # no byte depends on what is read from here on
            close = getattr(self._body, "close", None)
            if close is not None:
                self._run(close)
        finally:
            if self._exchange is not None:
                self._exchange.finish(unanswerable=self._is_socket)

    def _run(self, function: Callable[[], Any]) -> Any:
        """Run a function in the request's context if it is free, and directly otherwise: nothing may keep `close` from running."""
        try:
            return self._context.run(function)
        except RuntimeError as error:
            # Raised by `run` itself, before the function began, and not by the function?
            trace, why = error.__traceback__, "cannot enter context"
            if trace is None or trace.tb_next is not None or why not in str(error):
                raise
        return function()
