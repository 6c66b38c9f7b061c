"""Django's requests and responses, as the core sees them."""

from __future__ import annotations

from collections.abc import MutableMapping
from http.cookies import Morsel
from typing import Any, cast

from django.core.handlers.asgi import ASGIRequest as DjangoASGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from sessionkit.dispatch import register_request, register_response
from sessionkit.request import ASGIRequest, RequestInfo, WSGIRequest
from sessionkit.settings import Settings

__all__ = ["Line", "ResponseFields", "hide_tokens", "request_info"]

HIDDEN = "********************"  # as Django writes it


class OverWSGI(WSGIRequest):
    """A view of a request over WSGI, or of one that a test made."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.META)
        self._request = request

    @property
    def scheme(self) -> str:
        """As Django knows it (`SECURE_PROXY_SSL_HEADER`)."""
        return self._request.scheme or "http"


class OverASGI(ASGIRequest):
    """A view of a request over ASGI: of its raw scope, since Django's `META` has joined its header fields."""

    def __init__(self, request: DjangoASGIRequest) -> None:
        super().__init__(cast("MutableMapping[str, Any]", request.scope))
        self._request = request

    @property
    def scheme(self) -> str:
        """As Django knows it (`SECURE_PROXY_SSL_HEADER`)."""
        return self._request.scheme or "http"


def request_info(request: HttpRequest) -> RequestInfo:
    """The view of a request."""
    return OverASGI(request) if isinstance(request, DjangoASGIRequest) else OverWSGI(request)


def hide_tokens(request: HttpRequest, settings: Settings) -> None:
    """Put stars in the place of the session's token in `request.COOKIES`.

    It is a live credential, and error reports (Django's own, those of others) show all cookies but the one named
    `SESSION_COOKIE_NAME`, of which there are several. We read the raw header.
    """
    cookies = request.COOKIES
    for name in cookies:
        if name == settings.name or name.startswith(settings.chunk):
            cookies[name] = HIDDEN


class Line(Morsel[str]):
    """A Set-Cookie line as it is: what a response's `cookies` (a `SimpleCookie`) would not let pass, such as Priority.

    Args:
        line: the value of the field.
    """

    def __init__(self, line: str) -> None:
        super().__init__()
        self.line = line
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        self.set(name, value, value)
        for attribute in attributes:  # for whoever looks at response.cookies
            key, equals, value = attribute.partition("=")
            if self.isReservedKey(key):
                self[key] = value if equals else True

    def OutputString(self, attrs: Any = None) -> str:  # noqa: N802  # http.cookies' name and argument
        """The line, byte for byte."""
        return self.line

    def copy(self) -> Line:
        """Another that says the same."""
        return Line(self.line)

    def __reduce__(self) -> tuple[type[Line], tuple[str]]:
        return Line, (self.line,)


class ResponseFields:
    """The header fields of a response, its cookies among them."""

    def __init__(self, response: HttpResponseBase) -> None:
        self._response = response
        self._removed: dict[str, Morsel[str]] = {}

    def items(self) -> list[tuple[str, str]]:
        """All of them."""
        cookies = [("Set-Cookie", one.OutputString()) for one in self._response.cookies.values()]
        return [*self._response.items(), *cookies]

    def __delitem__(self, name: str, /) -> None:
        if name.lower() != "set-cookie":
            del self._response[name]
            return
        self._removed.update((one.OutputString(), one) for one in self._response.cookies.values())
        self._response.cookies.clear()

    def add(self, name: str, value: str, /) -> None:
        """Add a field; a cookie that was there before comes back as it was."""
        if name.lower() == "set-cookie":
            cookie = self._removed.get(value) or Line(value)
            self._response.cookies[cookie.key] = cookie
        else:
            self._response[name] = value


register_request(HttpRequest, request_info)
register_response(HttpResponseBase, ResponseFields)
