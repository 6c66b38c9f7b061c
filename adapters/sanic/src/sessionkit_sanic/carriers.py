"""Sanic's request and response as the core sees them, and the verbs told of both."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, cast
from urllib.parse import unquote

from multidict import MultiDict
from sanic import Request
from sanic.response import BaseHTTPResponse, ResponseStream

from sessionkit.dispatch import register_request, register_response

__all__ = ["SanicFields", "SanicRequest"]


class SanicRequest:
    """A view of a request."""

    __slots__ = ("request",)

    def __init__(self, request: Request[Any, Any], /) -> None:
        self.request = request

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """What is kept on `request.ctx`; no attribute of the application's can be named like our keys."""
        return cast("MutableMapping[str, Any]", vars(self.request.ctx))

    @property
    def cookie_header(self) -> str:
        """All cookie fields, byte for byte."""
        return "; ".join(self._fields("cookie"))

    @property
    def method(self) -> str:
        """The request method."""
        return self.request.method

    @property
    def path(self) -> str:
        """The path, which Sanic leaves encoded."""
        return unquote(self.request.path)

    @property
    def query(self) -> str:
        """The query string, encoded."""
        return self.request.query_string

    @property
    def scheme(self) -> str:
        """As Sanic's proxy settings say."""
        return self.request.scheme

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        found = self._fields(name)
        return ", ".join(found) if found else None

    def _fields(self, name: str) -> list[str]:
        # Not request.headers: Sanic strips more from a value than the blanks of HTTP (U+2000), and so makes our name of another.
        request, wanted = self.request, name.lower().encode("latin-1")
        if request.app.asgi:
            pairs: Iterable[tuple[bytes, bytes]] = cast("Any", request.scope)["headers"]
        else:
            lines = (line.partition(b":") for line in request.head.split(b"\r\n")[1:])
            pairs = ((field.lower(), value.strip(b" \t")) for field, _, value in lines)
        return [value.decode("latin-1") for field, value in pairs if field == wanted]


class SanicFields:
    """The headers of a response, in which Sanic keeps its cookies as objects."""

    __slots__ = ("_headers",)

    def __init__(self, response: BaseHTTPResponse | ResponseStream, /) -> None:
        self._headers = cast("MultiDict[Any]", response.headers)

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them."""
        return [(name, str(value)) for name, value in self._headers.items()]

    def __delitem__(self, name: str, /) -> None:
        self._headers.popall(name, None)

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._headers.add(name, value)


register_request(Request, SanicRequest)
register_response(BaseHTTPResponse, SanicFields)
register_response(ResponseStream, SanicFields)
