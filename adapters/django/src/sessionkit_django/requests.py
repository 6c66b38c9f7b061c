"""Django's requests, as the core sees them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, cast
from weakref import ref

from django.core.handlers.asgi import ASGIRequest as DjangoASGIRequest
from django.http import HttpRequest

from sessionkit import Exchange, RequestInfo, Session
from sessionkit.adapters import ASGIRequest, Settings, WSGIRequest, register_request

__all__ = ["NotCached", "hide_tokens", "request_info"]

HIDDEN = "********************"  # as Django writes it


class OverWSGI(WSGIRequest):
    """A view of a request over WSGI, or of one that a test made."""

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        self.holder = request.META
        self._request = ref(request)  # weak: the request keeps its session

    @property
    def scheme(self) -> str:
        """The scheme that Django knows (`SECURE_PROXY_SSL_HEADER`)."""
        request = self._request()
        return super().scheme if request is None else request.scheme or "http"


class OverASGI(ASGIRequest):
    """A view of a request over ASGI. It reads the raw scope, because Django's `META` joins header fields of one name."""

    __slots__ = ("_request",)

    def __init__(self, request: DjangoASGIRequest) -> None:
        self.holder = cast("MutableMapping[str, Any]", request.scope)
        self._request = ref(request)  # weak: as above

    @property
    def scheme(self) -> str:
        """The scheme that Django knows (`SECURE_PROXY_SSL_HEADER`)."""
        request = self._request()
        return super().scheme if request is None else request.scheme or "http"


def request_info(request: HttpRequest) -> RequestInfo:
    """Return the view of a request."""
    return OverASGI(request) if isinstance(request, DjangoASGIRequest) else OverWSGI(request)


class NotCached:
    """Keep a page that reads the session out of a cache that runs inside our middleware.

    `cache_page`, and an `UpdateCacheMiddleware` that is listed after our middleware, decide before our `Vary` and `Cache-Control` are
    set.

    Args:
        request: the request that the session belongs to.
    """

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        self._request = ref(request)  # weak: the request keeps its session

    @classmethod
    def watch(cls, exchange: Exchange, request: HttpRequest) -> None:
        """Keep a request's page out of Django's cache as soon as something reads the exchange's session.

        Args:
            exchange: the exchange of the request.
            request: the request.
        """
        if exchange.fill is Session or isinstance(exchange.fill, cls):
            exchange.fill = cls(request)

    def __call__(self, contents: Mapping[str, Any], **named: Any) -> Session:
        request: Any = self._request()
        if request is not None:
            request._cache_update_cache = False  # noqa: SLF001  # the attribute that Django's cache middleware reads
        return Session(contents, **named)


def hide_tokens(request: HttpRequest, settings: Settings) -> None:
    """Replace the session's tokens in `request.COOKIES` by stars.

    A token is a live credential. Error reports (Django's own and others) show all cookies except the one named
    `SESSION_COOKIE_NAME`, and our session may have several cookies. The core reads the raw header instead.
    """
    cookies, own, chunk = request.COOKIES, settings.name, settings.chunk
    for name in cookies:
        if name == own or name.startswith(chunk):
            cookies[name] = HIDDEN


register_request(HttpRequest, request_info)
