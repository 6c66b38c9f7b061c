"""The middleware that takes the place of Django's: reads the request's session, and answers with its cookies."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.contrib.sessions import middleware
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished
from django.http import HttpRequest

from sessionkit.exchange import Exchange
from sessionkit.native import exchange_of
from sessionkit.request import HOLDER

from .config import gateway
from .engine import SessionStore
from .requests import hide_tokens, request_info
from .responses import answered

__all__ = ["SessionMiddleware"]

_serving: ContextVar[Exchange | None] = ContextVar("sessionkit_django", default=None)


class SessionMiddleware(middleware.SessionMiddleware):
    """Serves `request.session`, and the verbs in every form. In `MIDDLEWARE` where Django's stood.

    What a middleware outside it does with a response comes too late to count: for a logout to survive its
    failures too, wrap the application (`store.wsgi(get_wsgi_application())`), whose exchange is then used.

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
        gateway()  # what is wrong with the settings is said now

    def process_request(self, request: HttpRequest) -> None:
        """Make the session object; nothing is decrypted yet."""
        info, settings = request_info(request), gateway().settings
        exchange = gateway().begin(info)
        setattr(request, HOLDER, exchange)
        _serving.set(exchange)
        hide_tokens(request, settings)
        request.session = self._engine(exchange=exchange or exchange_of(info, settings))

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Answer, unless a gateway around Django does."""
        exchange: Exchange | None = getattr(request, HOLDER, None)
        if exchange is None:
            return response
        if not exchange.close_unread():
            response = answered(exchange, response)
        response._resource_closers.append(exchange.finish)  # noqa: SLF001  # Django has no public way to hear that a stream has ended
        return response

    async def __acall__(self, request: HttpRequest) -> Any:
        """The same around an async application; nothing waits, so nothing goes through a thread."""
        self.process_request(request)
        get_response: Any = self.get_response
        return self.process_response(request, await get_response(request))


def _finish(**_: Any) -> None:
    """The same for a response that a middleware outside of ours has put in the place of ours, which nobody closes."""
    exchange = _serving.get()
    if exchange is not None:
        _serving.set(None)
        exchange.finish()


request_finished.connect(_finish, dispatch_uid="sessionkit_django.middleware")
