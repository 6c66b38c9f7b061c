"""The WSGI gateway (PEP 3333)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any, TypeAlias

from .context import EXCLUDED, activate
from .exchange import Exchange, Phase
from .gateway import Gateway
from .request import HOLDER, WSGIRequest

__all__ = ["SessionMiddleware"]

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Callable[[bytes], object]]
WSGIApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

logger = logging.getLogger("sessionkit")


class SessionMiddleware(Gateway):
    """Sessions for a WSGI application.

    Args:
        app: the application.
        store: a `SessionStore`.
        exclude: globs of paths that have no session (`/static/*`).
        native: for adapters: what is to be known of the framework whose own session object is served.
    """

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, the application and its iterable, in a context of its own."""
        context = copy_context()
        request = WSGIRequest(environ)
        if self.excluded is not None and self.excluded(request.path):
            environ[HOLDER] = EXCLUDED
            context.run(activate, EXCLUDED)
            return _iterated(context, context.run(self.app, environ, start_response), environ, None)
        exchange, owner = self.enter(request)
        context.run(activate, exchange)
        if not owner:
            return _iterated(context, context.run(self.app, environ, start_response), environ, None)
        responder = _Responder(exchange, start_response)
        try:
            body = context.run(self.app, environ, responder)
        except BaseException:
            if not responder.end_failed():
                raise
            return [b""]
        return _iterated(context, body, environ, responder)


class _Responder:
    """A start_response that commits the exchange."""

    __slots__ = ("exchange", "sent", "start_response")

    def __init__(self, exchange: Exchange, start_response: StartResponse) -> None:
        self.exchange = exchange
        self.start_response = start_response
        self.sent = False

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        try:
            # PEP 3333 lets an application that failed call again with exc_info: the answer is computed anew.
            changes = self.exchange.commit(int(status[:3]), headers)
            if changes.add:
                headers = changes.applied(headers)
            write = self.start_response(status, headers, exc_info) if exc_info else self.start_response(status, headers)
        finally:
            exc_info = None  # PEP 3333: no circular reference
        return write if not self.exchange.must_end else self._noting(write)

    def _noting(self, write: Callable[[bytes], object]) -> Callable[[bytes], object]:
        def noted(data: bytes) -> object:
            self.sent = self.sent or bool(data)
            return write(data)

        return noted

    def end_failed(self) -> bool:
        """The application raised: answer in the server's place if a session was ended; else False."""
        exchange = self.exchange
        if self.sent or not exchange.must_end:
            exchange.finish()
            return False
        logger.exception("the application failed after it had ended a session: a bare 500 carries the end")
        headers = exchange.commit(500).applied([("Content-Type", "text/plain"), ("Content-Length", "0")])
        try:
            self.start_response("500 Internal Server Error", headers, sys.exc_info())
        finally:
            exchange.finish()
        return True


def _iterated(context: Context, body: Iterable[bytes], environ: Environ, responder: _Responder | None) -> Iterable[bytes]:
    """The body as the server should see it: untouched where nothing of the application runs any more."""
    wrapper = environ.get("wsgi.file_wrapper")
    if type(body) in (list, tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
        if responder is not None:
            responder.exchange.finish()
        return body
    return _Body(context, body, responder)


class _Body:
    """An iterable whose every step runs in the request's context."""

    __slots__ = ("_body", "_context", "_next", "_responder")

    def __init__(self, context: Context, body: Iterable[bytes], responder: _Responder | None) -> None:
        self._context = context
        self._body = body
        self._responder = responder
        self._next: Callable[[], bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        responder = self._responder
        try:
            if self._next is None:
                self._next = self._run(iter, self._body).__next__
            data: bytes = self._run(self._next)
        except StopIteration:
            raise
        except BaseException:
            if responder is None or not responder.end_failed():
                raise
            raise StopIteration from None
        if responder is not None and data:
            responder.sent = True
        return data

    def close(self) -> None:
        """Close the application's iterable, and end the request."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                self._run(close)
        finally:
            if self._responder is not None and self._responder.exchange.phase is not Phase.ENDED:
                self._responder.exchange.finish()

    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        """In the request's context if it is free, and directly otherwise: nothing may keep `close` from running."""
        entered = False

        def enter() -> Any:
            nonlocal entered
            entered = True
            return function(*args)

        try:
            return self._context.run(enter)
        except RuntimeError:
            if entered:
                raise
        return function(*args)
