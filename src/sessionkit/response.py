"""Write an exchange's answer into a response that nobody else will write: the form without a gateway."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, Protocol, cast

from .caching import HeaderChanges
from .dispatch import is_message, response_carrier
from .exchange import Exchange
from .request import ASGIRequest

__all__ = ["Fields", "write"]


class Fields(Protocol):
    """What a response's headers must offer."""

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them, doubles included."""
        ...

    def __delitem__(self, name: str, /) -> None:
        """Remove every value of a name."""
        ...

    def add(self, name: str, value: str, /) -> Any:
        """Add a value and keep those that are there."""
        ...


def write(exchange: Exchange, response: object) -> None:
    """Put what the exchange says now in the place of what an earlier call said."""
    if isinstance(response, list):
        _write_list(exchange, cast("list[tuple[Any, Any]]", response), 200)
    elif is_message(response):
        message = cast("MutableMapping[str, Any]", response)
        headers: list[tuple[Any, Any]] = list(message.get("headers") or ())
        _write_list(exchange, headers, message.get("status", 200))
        message["headers"] = headers
    else:
        carrier = response_carrier(response)
        _write_fields(exchange, _fields(carrier(response) if carrier else getattr(response, "headers", response)))


def _write_list(exchange: Exchange, headers: list[tuple[Any, Any]], status: int) -> None:
    binary = isinstance(headers[0][0], bytes) if headers else isinstance(exchange.request, ASGIRequest)
    text = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers] if binary else list(headers)
    changes = exchange.answer(status, text)
    text = changes.applied(field for field in text if not _is_ours(exchange, *field))
    _remember(exchange, changes)
    headers[:] = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in text] if binary else text


def _write_fields(exchange: Exchange, fields: Fields) -> None:
    text = list(fields.items())
    changes = exchange.answer(200, text)
    for name in dict.fromkeys(name.lower() for name in changes.remove):
        del fields[name]
    if exchange.sent:
        del fields["set-cookie"]
        for name, value in text:
            if name.lower() == "set-cookie" and not _is_ours(exchange, name, value):
                fields.add(name, value)
    for name, value in changes.add:
        fields.add(name, value)
    _remember(exchange, changes)


def _is_ours(exchange: Exchange, name: str, value: str) -> bool:
    return name.lower() == "set-cookie" and value in exchange.sent


def _remember(exchange: Exchange, changes: HeaderChanges) -> None:
    exchange.sent = tuple(value for name, value in changes.add if name == "Set-Cookie")


def _fields(headers: Any) -> Fields:
    """Headers under one name for "add": wsgiref calls it add_header, Starlette append."""
    if hasattr(headers, "add"):
        return headers
    return _Named(headers, headers.add_header if hasattr(headers, "add_header") else headers.append)


class _Named:
    def __init__(self, headers: Any, add: Any) -> None:
        self.items = headers.items
        self.add = add
        self._headers = headers

    def __delitem__(self, name: str, /) -> None:
        del self._headers[name]
