"""A request as the core sees it: lazy views, computed when asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

__all__ = ["ASGIRequest", "CarriedRequest", "WSGIRequest"]

_RECEIVED = ("type", "method", "scheme", "path", "query_string", "headers")
"""The keys of a scope that `RequestInfo` reads."""


@lru_cache(maxsize=64)
def _variable(name: str) -> str:
    """The key of an environ for a header (RFC 3875 section 4.1.18)."""
    return "HTTP_" + name.upper().replace("-", "_")


class WSGIRequest:
    """A view of a WSGI environ (PEP 3333)."""

    __slots__ = ("holder",)

    def __init__(self, environ: MutableMapping[str, Any], /) -> None:
        self.holder: MutableMapping[str, Any] = environ

    @property
    def cookie_header(self) -> str:
        """The raw Cookie header."""
        return str(self.holder.get("HTTP_COOKIE") or "")

    @property
    def method(self) -> str:
        """The request method."""
        return str(self.holder.get("REQUEST_METHOD", "GET"))

    @property
    def path(self) -> str:
        """Mount point and path; PEP 3333 hands them over as latin-1."""
        raw = str(self.holder.get("SCRIPT_NAME", "") + self.holder.get("PATH_INFO", ""))
        return raw if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")

    @property
    def query(self) -> str:
        """The query string."""
        return str(self.holder.get("QUERY_STRING", ""))

    @property
    def scheme(self) -> str:
        """The scheme."""
        return str(self.holder.get("wsgi.url_scheme", "http"))

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        value = self.holder.get(_variable(name))
        return value or self.holder.get("SERVER_NAME") if name.lower() == "host" else value

    def detach(self) -> WSGIRequest:
        """Return a view of a copy that holds the strings of the environ, and no object that could refer back to it."""
        return WSGIRequest({k: value for k, value in self.holder.items() if type(value) is str})

    @property
    def is_websocket(self) -> bool:
        """Whether it opens a websocket (RFC 6455 section 4.1): then a server answers the handshake by its own hand."""
        return str(self.holder.get("HTTP_UPGRADE", "")).lower() == "websocket"


class ASGIRequest:
    """A view of an ASGI scope (http or websocket)."""

    __slots__ = ("holder",)

    def __init__(self, scope: MutableMapping[str, Any], /) -> None:
        self.holder: MutableMapping[str, Any] = scope

    @property
    def cookie_header(self) -> str:
        """All cookie fields joined: HTTP/2 may send one a cookie (RFC 9113 section 8.2.3)."""
        joined = b""
        for name, value in self.holder.get("headers", ()):
            if name == b"cookie":
                joined = joined + b"; " + value if joined else value
        return joined.decode("latin-1")

    @property
    def method(self) -> str:
        """The request method."""
        return str(self.holder.get("method", "GET"))

    @property
    def path(self) -> str:
        """The path, mount point included."""
        return str(self.holder.get("path", ""))

    @property
    def query(self) -> str:
        """The query string."""
        return bytes(self.holder.get("query_string", b"")).decode("latin-1")

    @property
    def scheme(self) -> str:
        """The scheme."""
        return str(self.holder.get("scheme", "http"))

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        wanted = name.lower().encode("latin-1")
        found: list[bytes] = [
            value for field, value in self.holder.get("headers", ()) if field == wanted
        ]
        return b", ".join(found).decode("latin-1") if found else None

    def detach(self) -> ASGIRequest:
        """Return a view of a copy that holds what the client sent, and no object that could refer back to the scope."""
        return ASGIRequest({key: self.holder[key] for key in _RECEIVED if key in self.holder})


class CarriedRequest(ABC):
    """A view of the request of a framework with a server of its own; its adapter adds the rest of `RequestInfo`.

    Args:
        request: the framework's.
    """

    __slots__ = ("request",)

    def __init__(self, request: Any, /) -> None:
        self.request: Any = request

    @property
    def method(self) -> str:
        """The request method."""
        return str(self.request.method or "GET")

    @property
    def scheme(self) -> str:
        """The scheme, as the framework's proxy settings say."""
        return str(self.request.scheme)

    @abstractmethod
    def fields(self, name: str, /) -> Sequence[str]:
        """The values of a header, one a field and byte for byte, as latin-1; `name` in any case."""

    @property
    def cookie_header(self) -> str:
        """All cookie fields joined (RFC 9113 section 8.2.3)."""
        return "; ".join(self.fields("cookie"))

    def header(self, name: str, /) -> str | None:
        """One header's value."""
        found = self.fields(name)
        return ", ".join(found) if found else None
