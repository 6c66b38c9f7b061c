"""Sanic's requests, as the core sees them."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, cast
from urllib.parse import unquote

from sanic import Request

from sessionkit.adapters import (
    CarriedRequest,
    register_request,
)

__all__ = ["SanicRequest"]


class SanicRequest(CarriedRequest):
    """A view of a request."""

    __slots__ = ()

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """The attributes of `request.ctx`. The names of our keys contain dots, so no attribute of the application can have them."""
        return cast("MutableMapping[str, Any]", vars(self.request.ctx))

    @property
    def scheme(self) -> str:
        """The scheme according to Sanic's proxy settings; under ASGI, that of the server, because Sanic checks only its own connections."""
        request = self.request
        scheme = str(request.scheme)
        if request.app.asgi and scheme in ("http", "ws"):
            return str(request.scope.get("scheme", scheme))
        return scheme

    @property
    def path(self) -> str:
        """The path, which Sanic leaves encoded."""
        return unquote(self.request.path)

    @property
    def query(self) -> str:
        """The query string, encoded."""
        return str(self.request.query_string)

    def fields(self, name: str, /) -> list[str]:
        """Return the values of a header from the raw lines.

        `request.headers` cannot be used: Sanic strips more white space than HTTP allows (U+2000), which could turn the name
        of another cookie into ours.
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


register_request(Request, SanicRequest)
