"""The WSGI gateway (PEP 3333)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any, TypeAlias, cast

from ._exchange.exchange import Exchange
from ._exchange.server_side import ServerSide
from ._requests.gateway import Gateway
from ._requests.gateway_arguments import explain_protocol
from ._requests.views import WSGIRequest
from ._session.events import EventKind, tell
from ._session.tracebacks import clear_frames

__all__ = ["SessionMiddleware"]

Environ: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[bytes], object]
StartResponse: TypeAlias = Callable[..., Write]

logger: logging.Logger = logging.getLogger("sessionkit")


class SessionMiddleware(Gateway):
    """Sessions for a WSGI application.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        framework: for adapters: the keys of the framework's own session object.
    """

    protocol = "WSGI"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:  # noqa: C901  # one request, from top to bottom
        """Serve one request: run the application and its iterable in a context of their own."""
        context = copy_context()
        try:
            exchange = context.run(self.begin, WSGIRequest(environ))
        except BaseException as error:
            del environ
            clear_frames(error)
            raise
        is_socket = "HTTP_UPGRADE" in environ and WSGIRequest(environ).is_websocket
        served = cast("Exchange", exchange)  # `respond` is not used where there is none

        def respond(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Write:
            # By PEP 3333, an application may call again with exc_info after a failure. Then the header changes are computed again.
            if served.place is not None:
                served.place.take_over()
            if served.state is None:
                served.close_unread(headers)
            else:
                try:
                    headers = list(headers)
                    changes = served.commit(int(status[:3]), headers)
                    removes = changes.remove
                    headers = changes.applied(headers) if removes else [*headers, *changes.add]
                except BaseException:
                    del headers
                    raise
                if is_socket and status[0] in "12" and not served.keep():
                    # The server responded to the handshake before the handler ran, so no response carries the change.
                    tell(served.settings.on_event, EventKind.UNANSWERED)
            if exc_info is None:
                write = start_response(status, headers)
            else:
                try:
                    write = start_response(status, headers, exc_info)
                finally:
                    # PEP 3333 demands that no circular reference remains.
                    exc_info = None
            return write if served.server is None else _keep_at_write(served.server, write)

        try:
            body: Iterable[bytes] = context.run(
                self.app, environ, start_response if exchange is None else respond
            )
        except BaseException as error:
            # A traceback shows the variables of this frame, and the environ has the cookies.
            del environ
            if exchange is None or not _end_failed(exchange, start_response, is_socket):
                if isinstance(error, TypeError):
                    explain_protocol(self.app, self.protocol)
                raise
            return [b""]
        kind = type(body)
        if kind is list or kind is tuple or _is_file(body, environ):
            if exchange is not None:
                exchange.finish(unanswerable=is_socket)
            return body
        return _Body(context, body, exchange, start_response, is_socket)


def _keep_at_write(server: ServerSide, write: Write) -> Write:
    """Return a wrapper of the server's `write` (PEP 3333). It sends the headers; after that, a failure no longer deletes a new record."""

    def write_and_keep(data: bytes, /) -> object:
        if data:
            server.keep()
        return write(data)

    return write_and_keep


def _is_file(body: object, environ: Environ) -> bool:
    """Return whether a body is the server's own file wrapper, which the server only recognizes unwrapped."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


def _end_failed(exchange: Exchange, start_response: StartResponse, is_socket: bool) -> bool:
    """Respond as `_respond_with_end` does, and end the request, since there is no iterable to be closed."""
    try:
        # A handler of a websocket that ends well says so to gunicorn by StopIteration.
        ends_well = is_socket and isinstance(sys.exc_info()[1], StopIteration)
        return not ends_well and _respond_with_end(exchange, start_response)
    finally:
        exchange.finish(unanswerable=is_socket)


def _respond_with_end(exchange: Exchange, start_response: StartResponse) -> bool:
    """Respond with a bare 500 if the application ended a session and then raised: the server's own 500 would not end it.

    Returns:
        Whether a session was ended. If not, the server responds to the exception.

    Raises:
        BaseException: the application's exception, from `start_response`, if the headers have gone out (PEP 3333).
    """
    exchange.close_places()
    # The application began a response, but its headers have not been sent: changes that they would have saved are dropped.
    changes = exchange.commit(500)
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
    """Wraps the application's iterable: each step runs in the request's context."""

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
        self._next: Callable[[], bytes] = self._start

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
                or not _respond_with_end(self._exchange, self._start_response)
            ):
                raise
            raise StopIteration from None
        if data and self._start_response is not None:
            # The headers have gone out, and have told the browser of an end, or of a record.
            self._start_response = None
            if self._exchange is not None and self._exchange.server is not None:
                self._exchange.server.keep()
        return data

    def _start(self) -> bytes:
        """Return the first part of the body. If the application is a generator, its code begins to run here."""
        self._next = iter(self._body).__next__
        return self._next()

    def close(self) -> None:
        """Close the application's iterable, and end the request."""
        try:
            if self._exchange is not None:
                # No byte of the body depends on a session that is read from here on.
                self._exchange.late = None
            close = getattr(self._body, "close", None)
            if close is not None:
                self._run(close)
        finally:
            if self._exchange is not None:
                self._exchange.finish(unanswerable=self._is_socket)

    def _run(self, function: Callable[[], Any]) -> Any:
        """Run a function in the request's context, or without it if the context is in use: `close` must always run."""
        try:
            return self._context.run(function)
        except RuntimeError as error:
            # An error of `run` itself, before the function began, has a traceback of one frame.
            trace, message = error.__traceback__, "cannot enter context"
            if trace is None or trace.tb_next is not None or message not in str(error):
                raise
        return function()
