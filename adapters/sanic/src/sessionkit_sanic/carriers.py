"""Sanic's request and response as the core sees them."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

from sanic import Request
from sanic.response import BaseHTTPResponse, ResponseStream

from sessionkit.dispatch import ResponseFields, register_request, register_response
from sessionkit.request import CarriedRequest

__all__ = ["Response", "SanicRequest", "fields_of"]

Response: TypeAlias = BaseHTTPResponse | ResponseStream


class SanicRequest(CarriedRequest):
    """A view of a request."""

    __slots__ = ()

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """What is kept on `request.ctx`; no attribute of the application's can be named like our keys."""
        return cast("MutableMapping[str, Any]", vars(self.request.ctx))

    @property
    def method(self) -> str:
        """The request method."""
        return str(self.request.method)

    @property
    def path(self) -> str:
        """The path, which Sanic leaves encoded."""
        return unquote(self.request.path)

    @property
    def query(self) -> str:
        """The query string, encoded."""
        return str(self.request.query_string)

    @property
    def scheme(self) -> str:
        """As Sanic's proxy settings say."""
        return str(self.request.scheme)

    def fields(self, name: str, /) -> list[str]:
        """The values of a header, of the raw lines.

        Not of `request.headers`: Sanic strips more from a value than the blanks of HTTP (U+2000), and so makes our name of another.
        """
        request, wanted = self.request, name.lower().encode("latin-1")
        if request.app.asgi:
            pairs: Iterable[tuple[bytes, bytes]] = request.scope["headers"]
        else:
            lines = (
                line.partition(b":") for line in cast("bytes", request.head).split(b"\r\n")[1:]
            )
            pairs = ((field.lower(), value.strip(b" \t")) for field, _, value in lines)
        return [value.decode("latin-1") for field, value in pairs if field == wanted]


def fields_of(response: Response) -> ResponseFields:
    """The headers of a response, in which Sanic keeps its cookies as objects."""
    headers: Any = response.headers
    return ResponseFields(
        lambda: [(name, str(value)) for name, value in headers.items()],
        headers.add,
        headers.__delitem__,
    )


register_request(Request, SanicRequest)
register_response(BaseHTTPResponse, fields_of)
register_response(ResponseStream, fields_of)
