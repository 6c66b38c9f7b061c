"""Write an exchange's answer into a response: one that nobody else will write, or that of a framework without WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, Protocol, TypeAlias, cast
from wsgiref.headers import Headers

from .._cookies.caching import HeaderChanges
from .._exchange.exchange import Exchange
from .._session.tracebacks import clear_frames, clears_frames
from .recognition import as_request
from .registry import as_mapping, find_carrier
from .views import ASGIRequest

__all__ = [
    "STARTS",
    "Fields",
    "HasHeaders",
    "ResponseFields",
    "ResponseLike",
    "as_fields",
    "commit_response",
    "is_message",
    "is_response",
    "register_response",
    "write_response",
]


class HasHeaders(Protocol):
    """A response object."""

    @property
    def headers(self) -> Any:
        """Headers that can be listed, deleted and added to."""
        ...


class Fields(Protocol):
    """What a response's headers must offer."""

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them, doubles included."""
        ...

    def __delitem__(self, name: str, /) -> None:
        """Remove every value of a name that is there."""
        ...

    def add(self, name: str, value: str, /) -> Any:
        """Add a value and keep those that are there."""
        ...


class ResponseFields:
    """`Fields` out of three functions, which every framework has under names of its own.

    Args:
        items: lists all fields, doubles included.
        add: adds a value and keeps those that are there.
        delete: removes every value of a name that is there.
    """

    __slots__ = ("_add", "_delete", "_items")

    def __init__(
        self,
        items: Callable[[], Iterable[tuple[str, str]]],
        add: Callable[[str, str], Any],
        delete: Callable[[str], Any],
    ) -> None:
        self._items, self._add, self._delete = items, add, delete

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them."""
        return self._items()

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._add(name, value)

    def __delitem__(self, name: str, /) -> None:
        self._delete(name)


STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
"""The ASGI messages that take headers."""


ResponseLike: TypeAlias = (
    list[tuple[str, str]]
    | list[tuple[bytes, bytes]]
    | Headers
    | MutableMapping[str, Any]
    | HasHeaders
)


_response_carriers: dict[type, Callable[[Any], Any]] = {}


def register_response(kind: type[Any], carrier: Callable[[Any], Fields]) -> None:
    """Teach the verbs a framework's response type.

    Args:
        kind: the type; its subclasses are known with it.
        carrier: from such an object to `Fields`: something that has `items()`, `__delitem__` and `add(name, value)`.
    """
    _response_carriers[kind] = carrier


def is_message(value: object) -> bool:
    """Whether it is an ASGI message that takes headers."""
    mapping = as_mapping(value)
    kind = None if mapping is None else mapping.get("type")
    return isinstance(kind, str) and kind in STARTS  # of a session it may be anything


def as_fields(response: object) -> Fields | None:
    """The headers of a response object, under one name for "add"; None when it has none that can be written to."""
    carrier = find_carrier(_response_carriers, response)
    if carrier is not None:
        return cast("Fields", carrier(response))
    headers: Any = getattr(response, "headers", response)
    if not (hasattr(headers, "items") and hasattr(headers, "__delitem__")):
        return None
    if hasattr(headers, "add"):
        return cast("Fields", headers)
    # wsgiref calls it add_header, Starlette append.
    add = getattr(headers, "add_header", None) or getattr(headers, "append", None)
    return None if add is None else ResponseFields(headers.items, add, headers.__delitem__)


Field: TypeAlias = tuple[str, str]


Decide: TypeAlias = Callable[[int, Sequence[Field]], HeaderChanges]


def is_response(value: object) -> bool:
    """Return whether a value is a response that header lines can be written to."""
    if isinstance(value, (list, Headers)) or is_message(value):
        return True
    # Tornado's handler is both: a request where one is wanted, a response where one is.
    return find_carrier(_response_carriers, value) is not None or (
        as_fields(value) is not None and as_request(value) is None
    )


def commit_response(exchange: Exchange, status: int, fields: Fields) -> None:
    """Close an exchange, and put what it says into the headers of the response that is about to start.

    For the adapters of frameworks that have a server of their own, and so neither `start_response` nor `send`.

    Args:
        exchange: the request's.
        status: the response's status.
        fields: the response's headers.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: as for `Exchange.commit`; nothing is written then.
    """
    if exchange.state is None:
        exchange.close_unread(fields)
        return
    try:
        if exchange.sent:
            _write_fields(exchange, fields, status, exchange.commit)
            return
        changes = exchange.commit(status, list(fields.items()))
        if changes.remove:
            _write_fields(exchange, fields, status, lambda *_: changes)
            return
        # Nothing of the application's is in the way of what most responses add.
        exchange.sent, exchange.removed = changes.add, ()
        for name, value in changes.add:
            fields.add(name, value)
    except BaseException as error:
        del fields
        clear_frames(error)
        raise


@clears_frames
def write_response(exchange: Exchange, response: object) -> None:
    """Put what the exchange says now in the place of what an earlier call said."""
    if isinstance(response, list):
        _write_list(
            exchange,
            cast("list[tuple[Any, Any]]", response),
            200,
            binary=isinstance(exchange.request, ASGIRequest),
        )
    elif is_message(response):
        message = cast("MutableMapping[str, Any]", response)
        headers: list[tuple[Any, Any]] = list(message.get("headers") or ())
        _write_list(exchange, headers, message.get("status", 200), binary=True)
        message["headers"] = headers
    else:
        _write_fields(exchange, cast("Fields", as_fields(response)), 200, exchange.answer)


def _write_list(
    exchange: Exchange, headers: list[tuple[Any, Any]], status: int, *, binary: bool
) -> None:
    if isinstance(headers[0][0], bytes) if headers else binary:
        text = _rewritten(
            exchange,
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            status,
            exchange.answer,
        )
        headers[:] = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in text
        ]
    else:
        headers[:] = _rewritten(
            exchange, [(name, value) for name, value in headers], status, exchange.answer
        )


def _write_fields(exchange: Exchange, fields: Fields, status: int, decide: Decide) -> None:
    before = [(name, value) for name, value in fields.items()]
    after = _rewritten(exchange, before, status, decide)
    for name in dict.fromkeys(name.lower() for name, _ in (*before, *after)):
        values, there = (
            [value for field, value in headers if field.lower() == name]
            for headers in (after, before)
        )
        spelled = next((field for field, _ in (*after, *before) if field.lower() == name), name)
        if values[: len(there)] != there:
            del fields[spelled]
            there = []
        for value in values[
            len(there) :
        ]:  # what is there already, an application's own cookies above all, stays as it is
            fields.add(spelled, value)


def _rewritten(
    exchange: Exchange, headers: list[Field], status: int, decide: Decide
) -> list[Field]:
    """The headers as they must be now, whatever an earlier call had made of them."""
    headers = _restored(exchange, headers)
    changes = decide(status, headers)
    exchange.sent = changes.add
    exchange.removed = tuple(field for field in headers if field[0] in changes.remove)
    return changes.applied(headers)


def _restored(exchange: Exchange, headers: list[Field]) -> list[Field]:
    """The headers as the application made them: without what an earlier call added, and with what it took away."""
    there = {(name.lower(), value) for name, value in headers}
    # The Set-Cookie lines tell by which response this is; where none were sent all that was sent must be there.
    marks = [field for field in exchange.sent if field[0] == "Set-Cookie"] or exchange.sent
    if not marks or not all((name.lower(), value) in there for name, value in marks):
        return headers
    added = {(name.lower(), value) for name, value in exchange.sent}
    kept = [(name, value) for name, value in headers if (name.lower(), value) not in added]
    # Where what we wrote in a field's place is still there, the application has only added to it; else its new word holds.
    replaced = {name.lower() for name, _ in (*kept, *exchange.sent)} - {
        name for name, _ in added & there
    }
    return [*(field for field in exchange.removed if field[0].lower() not in replaced), *kept]
