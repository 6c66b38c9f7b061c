"""Tornado's request and handler as the core sees them, and the verbs told of both."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import RequestHandler

from sessionkit.dispatch import register_request, register_response

__all__ = ["TornadoFields", "TornadoRequest"]


class TornadoRequest:
    """A view of a request."""

    __slots__ = ("request",)

    def __init__(self, request: HTTPServerRequest, /) -> None:
        self.request = request

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """The request's own attributes; none can be named like our key."""
        return vars(self.request)

    @property
    def cookie_header(self) -> str:
        """All cookie fields, as latin-1."""
        return "; ".join(self.request.headers.get_list("Cookie"))

    @property
    def method(self) -> str:
        """The request method."""
        return self.request.method or "GET"

    @property
    def path(self) -> str:
        """The path, which Tornado leaves encoded."""
        return unquote(self.request.path)

    @property
    def query(self) -> str:
        """The query string, encoded."""
        return self.request.query

    @property
    def scheme(self) -> str:
        """Of the connection, or of the proxy's header with `xheaders=True`."""
        return self.request.protocol

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        return ", ".join(self.request.headers.get_list(name)) if name in self.request.headers else None


class TornadoFields:
    """The headers of a response, doubles included."""

    __slots__ = ("_headers",)

    def __init__(self, headers: HTTPHeaders, /) -> None:
        self._headers = headers

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them."""
        return self._headers.get_all()

    def __delitem__(self, name: str, /) -> None:
        self._headers.pop(name, None)

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._headers.add(name, value)


register_request(HTTPServerRequest, TornadoRequest)
register_request(RequestHandler, lambda handler: TornadoRequest(handler.request))
register_response(RequestHandler, lambda handler: TornadoFields(vars(handler)["_headers"]))  # Tornado has no public way to list them
