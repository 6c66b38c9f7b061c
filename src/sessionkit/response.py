"""Write an exchange's answer into a response: one that nobody else will write, or that of a framework without WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, TypeAlias, cast

from .caching import HeaderChanges
from .dispatch import Fields, fields_of, is_message
from .exchange import Exchange
from .frames import clear_frames, clears_frames
from .request import ASGIRequest

__all__ = ["commit", "write"]

Field: TypeAlias = tuple[str, str]
Decide: TypeAlias = Callable[[int, Sequence[Field]], HeaderChanges]


def commit(exchange: Exchange, status: int, fields: Fields) -> None:
    """Close an exchange, and put what it says into the headers of the response that is about to start.

    For the adapters of frameworks that have a server of their own, and so neither `start_response` nor `send`.

    Args:
        exchange: the request's.
        status: the response's status.
        fields: the response's headers.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: as for `Exchange.commit`; nothing is written then.
    """
    if not exchange.close_unread(fields):
        try:
            _write_fields(exchange, fields, status, exchange.commit)
        except BaseException as error:
            del fields
            clear_frames(error)
            raise


@clears_frames
def write(exchange: Exchange, response: object) -> None:
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
        _write_fields(exchange, cast("Fields", fields_of(response)), 200, exchange.answer)


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
    exchange.taken = tuple(field for field in headers if field[0] in changes.remove)
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
    return [*(field for field in exchange.taken if field[0].lower() not in replaced), *kept]
