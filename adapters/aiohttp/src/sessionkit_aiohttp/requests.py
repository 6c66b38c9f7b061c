"""aiohttp's requests, as the core sees them. Its responses have headers that the core can write to as they are."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any, cast

from aiohttp import web

from sessionkit.adapters import CarriedRequest, register_request

__all__ = ["AiohttpRequest"]

# aiohttp 3.14 warns if a key of a request is a plain string.
STATE: Any = (
    cast("Any", web).RequestKey("sessionkit", dict) if hasattr(web, "RequestKey") else "sessionkit"
)


HEADERS = "sessionkit.headers"


class AiohttpRequest(CarriedRequest):
    """A view of a request. Clones of the request with the same headers share its exchange."""

    __slots__ = ()
    request: web.BaseRequest

    @property
    def holder(self) -> MutableMapping[str, Any]:
        """A dict in the request's storage, which its clones share. A clone with another Cookie header has a dict of its own."""
        headers = self.request.raw_headers
        kept: dict[str, Any] = self.request.setdefault(STATE, {HEADERS: headers})
        if kept[HEADERS] is headers:
            return kept
        own = self.cookie_header
        if own == "; ".join(_fields(kept[HEADERS], "cookie")):
            return kept
        return cast("dict[str, Any]", kept.setdefault(f"{HEADERS} {own}", {}))

    @property
    def path(self) -> str:
        """The decoded path."""
        return self.request.path

    @property
    def query(self) -> str:
        """The query string, encoded."""
        return self.request.rel_url.raw_query_string

    def fields(self, name: str, /) -> Sequence[str]:
        """Return the values of a header, as they came."""
        return _fields(self.request.raw_headers, name)


def _fields(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[str]:
    wanted = name.lower().encode("latin-1")
    return [value.decode("latin-1") for field, value in headers if field.lower() == wanted]


register_request(web.BaseRequest, AiohttpRequest)
register_request(web.View, lambda view: AiohttpRequest(view.request))
