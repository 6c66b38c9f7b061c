"""Write header lines into a response that no WSGI or ASGI gateway writes: a framework's object, a list or a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeAlias, cast
from wsgiref.headers import Headers

from .._cookies.caching import HeaderChanges
from .._exchange.exchange import Exchange
from .._session.tracebacks import clear_frames, clears_frames
from .recognition import as_mapping, as_request, find_carrier
from .views import ASGIRequest

__all__ = [
    "STARTS",
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
    """The header fields of a response, which can be listed, removed and added."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all fields, repeated names included."""
        ...

    def __delitem__(self, name: str, /) -> None:
        """Remove every value of a name that is present."""
        ...

    def add(self, name: str, value: str, /) -> Any:
        """Add a value, and keep the name's other values."""
        ...


class ResponseFields:
    """`Fields` made from three functions, which have different names in each framework.

    Args:
        items: returns all fields, repeated names included.
        add: adds a value, and keeps the name's other values.
        delete: removes every value of a name that is present.
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
        """Return all fields."""
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
    | Mapping[str, Any]  # a message; one of asgiref.typing is a TypedDict
    | HasHeaders
)


_response_carriers: dict[type, Callable[[Any], Any]] = {}


def register_response(kind: type[Any], carrier: Callable[[Any], Fields]) -> None:
    """Teach the verbs a framework's response type.

    Args:
        kind: the type; its subclasses are registered with it.
        carrier: returns the `Fields` of an object of the type: `items()`, `__delitem__` and `add(name, value)`.
    """
    _response_carriers[kind] = carrier


def is_message(value: object) -> bool:
    """Return whether a value is an ASGI message that takes headers."""
    mapping = as_mapping(value)
    kind = None if mapping is None else mapping.get("type")
    # The value of a session's key `type` may be anything.
    return isinstance(kind, str) and kind in STARTS


def as_fields(response: object) -> Fields | None:
    """Return the header fields of a response object; None if it has no header fields that can be changed."""
    carrier = find_carrier(_response_carriers, response)
    if carrier is not None:
        return cast("Fields", carrier(response))
    headers: Any = getattr(response, "headers", response)
    if not (hasattr(headers, "items") and hasattr(headers, "__delitem__")):
        return None
    if hasattr(headers, "add"):
        return cast("Fields", headers)
    # The method is named `add_header` in wsgiref and `append` in Starlette.
    add = getattr(headers, "add_header", None) or getattr(headers, "append", None)
    return None if add is None else ResponseFields(headers.items, add, headers.__delitem__)


Field: TypeAlias = tuple[str, str]


Decide: TypeAlias = Callable[[int, Sequence[Field]], HeaderChanges]


def is_response(value: object) -> bool:
    """Return whether a value is a response that header lines can be written to."""
    if isinstance(value, (list, Headers)) or is_message(value):
        return True
    # Tornado's handler is registered as a request and as a response.
    return find_carrier(_response_carriers, value) is not None or (
        as_fields(value) is not None and as_request(value) is None
    )


def commit_response(exchange: Exchange, status: int, fields: Fields) -> None:
    """Commit an exchange, and write its header lines into a response that is about to start.

    This is for adapters of frameworks with a server of their own, without `start_response` and `send`.

    Args:
        exchange: the request's exchange.
        status: the response's status.
        fields: the response's header fields.

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
            _write_fields(exchange, fields, status, lambda _status, _headers: changes)
            return
        # For most responses, fields are only added, and no field of the application is replaced.
        exchange.sent, exchange.taken = changes.add, ()
        for name, value in changes.add:
            fields.add(name, value)
    except BaseException as error:
        del fields
        clear_frames(error)
        raise


@clears_frames
def write_response(exchange: Exchange, response: object) -> None:
    """Write the header lines for the session as it is now. They replace the lines that an earlier call wrote.

    Args:
        exchange: the request's exchange.
        response: a list of header fields, an ASGI message that takes headers, or a response object.
    """
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
    """Write into a list of header fields.

    Args:
        exchange: the request's exchange.
        headers: the list.
        status: the response's status.
        binary: whether names and values are bytes, if the list is empty and so does not show it.
    """
    if isinstance(headers[0][0], bytes) if headers else binary:
        text = _recompute(
            exchange,
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            status,
            exchange.answer,
        )
        headers[:] = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in text
        ]
    else:
        headers[:] = _recompute(
            exchange, [(name, value) for name, value in headers], status, exchange.answer
        )


def _write_fields(exchange: Exchange, fields: Fields, status: int, decide: Decide) -> None:
    """Write into the header fields of a response object, without changing fields that stay the same.

    Args:
        exchange: the request's exchange.
        fields: the response's header fields.
        status: the response's status.
        decide: returns the header changes for the status and the application's fields.
    """
    before = [(name, value) for name, value in fields.items()]
    after = _recompute(exchange, before, status, decide)
    for name in dict.fromkeys(name.lower() for name, _ in (*before, *after)):
        wanted, present = (
            [value for field, value in headers if field.lower() == name]
            for headers in (after, before)
        )
        spelling = next((field for field, _ in (*after, *before) if field.lower() == name), name)
        if wanted[: len(present)] != present:
            del fields[spelling]
            present = []
        # Values that are present stay as they are, for example the application's own cookies.
        for value in wanted[len(present) :]:
            fields.add(spelling, value)


def _recompute(
    exchange: Exchange, headers: list[Field], status: int, decide: Decide
) -> list[Field]:
    """Return the header fields for the session as it is now, without the changes that an earlier call made."""
    headers = _restore(exchange, headers)
    changes = decide(status, headers)
    exchange.sent = changes.add
    exchange.taken = tuple(field for field in headers if field[0] in changes.remove)
    return changes.applied(headers)


def _restore(exchange: Exchange, headers: list[Field]) -> list[Field]:
    """Return the application's header fields: without those that an earlier call added, and with those that it removed."""
    present = {(name.lower(), value) for name, value in headers}
    # An earlier call wrote into this response if the response still has that call's Set-Cookie lines, or all its fields.
    marks = [field for field in exchange.sent if field[0] == "Set-Cookie"] or exchange.sent
    if not marks or not all((name.lower(), value) in present for name, value in marks):
        return headers
    added = {(name.lower(), value) for name, value in exchange.sent}
    remaining = [(name, value) for name, value in headers if (name.lower(), value) not in added]
    # If the field that replaced an application's field is gone, the application has set a new value, which stays. If it is
    # still present, the application has at most added to it, and its earlier value comes back.
    replaced = {name.lower() for name, _ in (*remaining, *exchange.sent)} - {
        name for name, _ in added & present
    }
    return [*(field for field in exchange.taken if field[0].lower() not in replaced), *remaining]
