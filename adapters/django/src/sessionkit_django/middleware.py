"""The middleware that replaces Django's own: it reads the request's session, and writes its cookies into the response."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable
from typing import Any
from weakref import finalize

from django.contrib.sessions import middleware
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from sessionkit import Exchange
from sessionkit.adapters import Entry, admit_task, aload, find_or_open_exchange

from .config import gateway
from .engine import SessionStore
from .requests import NotCached, hide_tokens, request_info
from .responses import copy_response, resume_stream, settle_response, write_or_fail

__all__ = ["SessionMiddleware"]

ENTRY = "sessionkit.entry"
"""The attribute of a request that keeps its entry."""

SESSION = "sessionkit.session"
"""The attribute of a request that keeps its session object."""

INNER = "sessionkit.inner"
"""The attribute of a copy of a request, made inside it, that keeps the place of the copy's session object."""


class SessionMiddleware(middleware.SessionMiddleware):
    """Serves `request.session`, and the verbs in every form. Put it into `MIDDLEWARE` in place of Django's own.

    A middleware outside of it runs after the session is saved. If a logout must survive an error there too, also wrap the
    application (`store.wsgi(get_wsgi_application())`); this middleware then uses the outer exchange.

    Raises:
        ImproperlyConfigured: a setting cannot work.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self._engine: Any = self.SessionStore  # of SESSION_ENGINE
        if not issubclass(self._engine, SessionStore):
            raise ImproperlyConfigured(
                'sessionkit: SESSION_ENGINE must be "sessionkit_django.engine", which this middleware serves'
            )
        settings = gateway().settings  # mistakes in the settings raise an error now
        if settings.backend is not None and settings.driver is None and not self.async_mode:
            raise ImproperlyConfigured(
                f"sessionkit: {type(settings.backend).__name__} is awaited, and Django calls the session middleware synchronously: "
                "serve the project by ASGI, and see that no middleware after it in MIDDLEWARE is synchronous only; or take the "
                "blocking backend of the same kind"
            )

    def process_request(self, request: HttpRequest) -> None:
        """Make the session object; nothing is decrypted yet.

        If a test calls this method itself, with a request of `RequestFactory`, the request ends when the test drops it.
        """
        attributes, served = vars(request), gateway()
        is_served, info = ENTRY in attributes, request_info(request)
        entry = attributes[ENTRY] = served.begin_inside(info)
        exchange = entry.exchange
        if exchange is not None and exchange.server is not None and not self.async_mode:
            exchange.drive()
        hide_tokens(request, served.settings)
        found = exchange or find_or_open_exchange(info, served.settings)
        if found is not None:
            NotCached.watch(found, request)
        session = request.session = attributes[SESSION] = self._engine(exchange=found)
        if found is not None:
            outer, place = found.place, session.stand_in(attributes)
            if outer is not None:
                attributes[INNER] = place
        if exchange is None:
            attributes.pop("close", None)  # a copy: the original ends with its own response
        elif not is_served:
            finalize(request, exchange.finish)
        else:
            attributes["close"] = _make_close(request, exchange)

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Write the session into the response, unless a gateway around Django does."""
        entry: Entry | None = getattr(request, ENTRY, None)
        if entry is None:
            return response
        try:
            _take_back(request)
            exchange = _find_used(entry, response)
            if exchange is not None:
                response = write_or_fail(exchange, copy_response(response))
            return resume_stream(entry, response) if response.streaming else response
        finally:
            entry.leave()

    async def _await_response(self, request: HttpRequest, response: Any) -> Any:
        """Write the session into the response as `process_response` does, and await the backend."""
        entry: Entry = getattr(request, ENTRY)
        try:
            _take_back(request)
            exchange = _find_used(entry, response)
            if exchange is not None:
                await settle_response(exchange, response.status_code)
                response = write_or_fail(exchange, copy_response(response))
            return resume_stream(entry, response) if response.streaming else response
        finally:
            entry.leave()

    def __call__(self, request: HttpRequest) -> Any:
        """Serve a request, and end it if an exception leaves it without a response (`SystemExit`)."""
        vars(request).setdefault(ENTRY)
        if self.async_mode:
            return self.__acall__(request)
        try:
            begin: Any = self.process_request  # that of a subclass may respond
            response = begin(request) or self.get_response(request)
            return self.process_response(request, response)
        except BaseException:
            _abandon(request)
            raise

    async def __acall__(self, request: HttpRequest) -> Any:
        """Serve a request of an async application: a backend is awaited before the view, and before the response."""
        self.process_request(request)
        get_response: Any = self.get_response
        exchange: Exchange | None = getattr(request, ENTRY).exchange
        try:
            if exchange is not None:
                await aload(exchange)
            response = await get_response(request)
            response = await self._await_response(request, response)
        except BaseException as error:
            # Either the visitor has hung up and Django cancels the view, or the session cannot be saved. Django does not
            # close the request.
            if exchange is not None and isinstance(error, CancelledError):
                await gateway().end_unanswered(exchange)
            _abandon(request)
            raise
        if exchange is not None:
            admit_task(exchange)
            if response.streaming and response.is_async:
                response.streaming_content = _admit_streaming_task(
                    exchange, response.streaming_content
                )
        return response


def _take_back(request: HttpRequest) -> None:
    """Make the contents of a dict that the application has put in the place of `request.session`."""
    attributes = vars(request)
    inner: Any = attributes.pop(INNER, None)
    if inner is not None:
        inner.close()
    exchange: Exchange | None = getattr(attributes.get(SESSION), "exchange", None)
    if exchange is not None and exchange.place is not None:
        exchange.place.take_over()


def _find_used(entry: Entry, response: Any) -> Exchange | None:
    """Return the exchange to commit into the response; None if another gateway answers, or if the session was not used."""
    exchange = entry.exchange
    if exchange is None or exchange.close_unread(response.headers if response.streaming else None):
        return None
    return exchange


def _abandon(request: HttpRequest) -> None:
    """End a request that gets no response."""
    entry: Entry | None = getattr(request, ENTRY, None)
    if entry is not None:
        if entry.exchange is not None:
            entry.exchange.finish()
        entry.leave()


async def _admit_streaming_task(
    exchange: Exchange, parts: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Yield the parts of a stream, and let the sending task find the session. An outer middleware may send it from another task."""
    admit_task(exchange)
    async for part in parts:
        yield part


def _make_close(request: HttpRequest, exchange: Exchange) -> Callable[[], None]:
    """Return a `request.close` that finishes the exchange as well.

    Django calls it when the whole response has been sent, including a stream, even if a middleware has replaced the response. The
    response itself gets no attribute that a cache could not pickle.
    """
    close = request.close

    def close_and_finish() -> None:
        try:
            close()
        finally:
            exchange.finish()
            vars(request).pop("close", None)  # to break a reference cycle

    return close_and_finish
