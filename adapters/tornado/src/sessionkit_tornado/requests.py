"""Tornado's requests, and the headers of a handler's response, as the core sees them."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import RequestHandler

from sessionkit.adapters import CarriedRequest, ResponseFields, register_request, register_response

__all__ = ["TornadoRequest", "fields_of"]


class TornadoRequest(CarriedRequest):
    """A view of a request."""

    __slots__ = ()
    request: HTTPServerRequest

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """The request's attributes. The name of our key contains a dot, so no other attribute has it."""
        return vars(self.request)

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
        """The scheme of the connection; with `xheaders=True` the scheme in the proxy's header."""
        return self.request.protocol

    def fields(self, name: str, /) -> Sequence[str]:
        """Return the values of a header, as latin-1."""
        return self.request.headers.get_list(name)


def fields_of(handler: RequestHandler) -> ResponseFields:
    """Return the headers of a handler's response, which Tornado has no public way to list."""
    headers: HTTPHeaders = vars(handler)["_headers"]
    return ResponseFields(headers.get_all, headers.add, headers.__delitem__)


register_request(HTTPServerRequest, TornadoRequest)
register_request(RequestHandler, lambda handler: TornadoRequest(handler.request))
register_response(RequestHandler, fields_of)
