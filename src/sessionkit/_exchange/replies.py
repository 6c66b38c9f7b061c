"""Check what a backend returns. A backend of the application may have mistakes, which must not lose a session silently."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import Any, NoReturn, cast

from ..backends._protocols import Record
from .operations import Delete, Insert, List, Load, Operation, Purge, Replace, Revoke, Touch

__all__ = ["check_reply", "perform_now"]

_METHODS: dict[type[Operation], tuple[str, tuple[type, ...], str]] = {
    Load: ("load", (Record, NoneType), "a Record or None"),
    Insert: ("insert", (bool,), "True or False"),
    Replace: ("replace", (bool, Record), "True, False or the Record that is there"),
    Touch: ("touch", (bool,), "True or False"),
    Delete: ("delete", (Record, NoneType), "the Record that was there, or None"),
    List: ("of", (Iterable,), "a list of Records"),
    Revoke: ("revoke", (int,), "the number of records"),
    Purge: ("purge", (int,), "the number of records"),
}
"""For each operation: the method of the backend, the types of its replies, and the words for them in an error message."""

_FIELDS: tuple[type | tuple[type, ...], ...] = (
    str, str, int, int, int, int, (bytes, bytearray, memoryview), (bytes, bytearray, memoryview),
)  # fmt: skip
"""The types of the fields of a record. Some drivers of databases return a `memoryview` for bytes."""

_USUAL = (str, str, int, int, int, int, bytes, bytes)
"""The types that nearly every record has."""


def perform_now(operation: Operation, backend: Any) -> Any:
    """Perform an operation on a blocking backend, and return the reply.

    Args:
        operation: the operation.
        backend: the backend.

    Raises:
        TypeError: the backend breaks its contract.
        BackendError: the backend failed.
    """
    return check_reply(operation, backend, operation.on(backend))


def check_reply(operation: Operation, backend: object, reply: Any) -> Any:
    """Return a reply to an operation if the contract of backends allows it.

    Args:
        operation: the operation.
        backend: the backend.
        reply: what its method returned.

    Raises:
        TypeError: the contract does not allow it; the message names the method and what it must return.
    """
    method, kinds, wanted = _METHODS[type(operation)]
    if not isinstance(reply, kinds):
        _refuse(backend, method, type(reply).__name__, wanted)
    if isinstance(reply, Record):
        _check_record(operation, backend, method, reply)
    elif isinstance(operation, List):
        reply = list(cast("Iterable[Any]", reply))
        for one in reply:
            if not isinstance(one, Record):
                _refuse(backend, method, f"a {type(one).__name__} among the records", wanted)
            _check_record(operation, backend, method, one)
    return reply


def _check_record(operation: Any, backend: object, method: str, record: Record) -> None:
    """Raise TypeError if a record has fields of wrong types, or is not the requested record."""
    if (*map(type, record),) != _USUAL:
        _check_fields(backend, method, record)
    asked = operation.record if isinstance(operation, Replace) else operation
    if record.owner != asked.owner or record.key != getattr(asked, "key", record.key):
        _refuse(backend, method, "a Record with another key or owner", "the one that was asked for")


def _check_fields(backend: object, method: str, record: Record) -> None:
    for name, value, kind in zip(Record._fields, record, _FIELDS, strict=True):
        if not isinstance(value, kind):
            kind_name = kind.__name__ if isinstance(kind, type) else "bytes"
            found = f"a Record whose {name} is {type(value).__name__}"
            _refuse(backend, method, found, f"one whose {name} is {kind_name}")


def _refuse(backend: object, method: str, found: str, wanted: str) -> NoReturn:
    raise TypeError(f"{type(backend).__name__}.{method} returned {found}: it must return {wanted}")
