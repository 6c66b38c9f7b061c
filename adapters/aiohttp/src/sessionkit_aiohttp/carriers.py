"""aiohttp's request and response as the core sees them, and the verbs told of both."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, cast

from aiohttp import web

from sessionkit.dispatch import register_request, register_response

__all__ = ["AiohttpFields", "AiohttpRequest"]

# aiohttp 3.14 warns of keys of its requests that are plain strings.
STATE: Any = cast("Any", web).RequestKey("sessionkit", dict) if hasattr(web, "RequestKey") else "sessionkit"


class AiohttpRequest:
    """A view of a request; what it keeps is shared by its clones."""

    __slots__ = ("request",)

    def __init__(self, request: web.BaseRequest, /) -> None:
        self.request = request

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """A dict of our own in the request's storage."""
        return cast("MutableMapping[str, Any]", self.request.setdefault(STATE, {}))

    @property
    def cookie_header(self) -> str:
        """All cookie fields, byte for byte."""
        return self._joined("cookie", b"; ") or ""

    @property
    def method(self) -> str:
        """The request method."""
        return self.request.method

    @property
    def path(self) -> str:
        """The decoded path."""
        return self.request.path

    @property
    def query(self) -> str:
        """The query string, encoded."""
        return self.request.rel_url.raw_query_string

    @property
    def scheme(self) -> str:
        """Of the connection, or of a clone that a proxy's middleware made."""
        return self.request.scheme

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        return self._joined(name, b", ")

    def _joined(self, name: str, glue: bytes) -> str | None:
        wanted = name.lower().encode("latin-1")
        found = [value for field, value in self.request.raw_headers if field.lower() == wanted]
        return glue.join(found).decode("latin-1") if found else None


class AiohttpFields:
    """The headers of a response: while it is being prepared, `response.set_cookie` would be dropped in silence."""

    __slots__ = ("_headers",)

    def __init__(self, response: web.StreamResponse, /) -> None:
        self._headers = response.headers

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them."""
        return self._headers.items()

    def __delitem__(self, name: str, /) -> None:
        self._headers.popall(name, None)

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._headers.add(name, value)


register_request(web.BaseRequest, AiohttpRequest)
register_response(web.StreamResponse, AiohttpFields)
