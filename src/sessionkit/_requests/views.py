"""Views of a WSGI environ, an ASGI scope and a framework's own request. Each property is computed when it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

__all__ = ["ASGIRequest", "CarriedRequest", "WSGIRequest"]

_COPIED = ("type", "method", "scheme", "path", "query_string", "headers")
"""The keys of a scope that `RequestInfo` reads."""


@lru_cache(maxsize=64)
def _name_variable(name: str) -> str:
    """Return the key of an environ for a header (RFC 3875 section 4.1.18)."""
    return "HTTP_" + name.upper().replace("-", "_")


class WSGIRequest:
    """A view of a WSGI environ (PEP 3333)."""

    __slots__ = ("holder",)

    def __init__(self, environ: MutableMapping[str, Any], /) -> None:
        self.holder: MutableMapping[str, Any] = environ

    @property
    def cookie_header(self) -> str:
        """The raw Cookie header. A bridge from ASGI joins the fields of HTTP/2 with a comma, which may also stand in a value."""
        header = str(self.holder.get("HTTP_COOKIE") or "")
        scope: Any = self.holder.get("asgi.scope") if "," in header else None
        if scope is not None:
            joined = ASGIRequest(scope).cookie_header
            # The application may have made this request from another one, and changed its Cookie header.
            if joined.replace("; ", ",") == header.replace("; ", ","):
                return joined
        return header

    @property
    def method(self) -> str:
        """The request method."""
        return str(self.holder.get("REQUEST_METHOD", "GET"))

    @property
    def path(self) -> str:
        """The path with the mount point, decoded from the latin-1 of PEP 3333."""
        raw = str(self.holder.get("SCRIPT_NAME", "") + self.holder.get("PATH_INFO", ""))
        return raw if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")

    @property
    def query(self) -> str:
        """The query string."""
        return str(self.holder.get("QUERY_STRING", ""))

    @property
    def scheme(self) -> str:
        """The scheme, such as `https`."""
        return str(self.holder.get("wsgi.url_scheme", "http"))

    def header(self, name: str, /) -> str | None:
        """Return the value of a header."""
        value = self.holder.get(_name_variable(name))
        return value or self.holder.get("SERVER_NAME") if name.lower() == "host" else value

    def detach(self) -> WSGIRequest:
        """Return a view of a copy with only the strings of the environ, so that no value refers back to the environ."""
        strings = {k: value for k, value in self.holder.items() if type(value) is str}
        if "," in strings.get("HTTP_COOKIE", ""):
            strings["HTTP_COOKIE"] = self.cookie_header
        return WSGIRequest(strings)

    @property
    def is_websocket(self) -> bool:
        """Whether the request opens a websocket (RFC 6455 section 4.1). If so, the server itself responds to the handshake."""
        return str(self.holder.get("HTTP_UPGRADE", "")).lower() == "websocket"


class ASGIRequest:
    """A view of an ASGI scope (http or websocket)."""

    __slots__ = ("holder",)

    def __init__(self, scope: MutableMapping[str, Any], /) -> None:
        self.holder: MutableMapping[str, Any] = scope

    @property
    def cookie_header(self) -> str:
        """All Cookie fields joined: HTTP/2 may send a field for each cookie (RFC 9113 section 8.2.3)."""
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
        """The path with the mount point."""
        return str(self.holder.get("path", ""))

    @property
    def query(self) -> str:
        """The query string."""
        return bytes(self.holder.get("query_string", b"")).decode("latin-1")

    @property
    def scheme(self) -> str:
        """The scheme, such as `https`."""
        return str(self.holder.get("scheme", "http"))

    def header(self, name: str, /) -> str | None:
        """Return the value of a header."""
        wanted = name.lower().encode("latin-1")
        values: list[bytes] = [
            value for field, value in self.holder.get("headers", ()) if field == wanted
        ]
        return b", ".join(values).decode("latin-1") if values else None

    def detach(self) -> ASGIRequest:
        """Return a view of a copy with only the keys that views read, so that no value refers back to the scope."""
        return ASGIRequest({key: self.holder[key] for key in _COPIED if key in self.holder})


class CarriedRequest(ABC):
    """A view of a framework's own request, for a framework without WSGI and ASGI. The adapter's subclass adds the rest of `RequestInfo`.

    Args:
        request: the framework's request.
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
        """Return the values of a header, one for each field, as latin-1 and otherwise unchanged; `name` in any case."""

    @property
    def cookie_header(self) -> str:
        """All Cookie fields joined (RFC 9113 section 8.2.3)."""
        return "; ".join(self.fields("cookie"))

    def header(self, name: str, /) -> str | None:
        """Return the value of a header."""
        values = self.fields(name)
        return ", ".join(values) if values else None
