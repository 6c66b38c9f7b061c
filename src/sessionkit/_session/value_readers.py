"""Read one JSON value as one type: each function makes, or is, a reader of values of that type."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, cast
from uuid import UUID

__all__ = [
    "PARSERS",
    "Load",
    "MisfitError",
    "convert_value",
    "copy_value",
    "read_array",
    "read_exactly",
    "read_fields",
    "read_first",
    "read_member",
    "read_number",
    "read_object",
    "read_one_of",
    "read_seconds",
    "read_text",
    "read_tuple",
]

Load: TypeAlias = Callable[[Any, str], Any]
"""A function of a JSON value and its path: it returns the value as a type, or raises `MisfitError`."""


class MisfitError(ValueError):
    """A value does not fit its annotation.

    Attributes:
        path: the path of the value in the session (`user.joined`); it contains no value.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def _parse_datetime(text: str) -> datetime:
    # Python 3.10 does not read the Z of JavaScript and pydantic.
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00" * text.endswith("Z"))


def _parse_bytes(text: str) -> bytes:
    # pydantic writes base64url with padding, dataclasses and msgspec base64.
    return b64decode(text.replace("-", "+").replace("_", "/"), validate=True)


PARSERS: dict[type, Callable[[Any], Any]] = {
    datetime: _parse_datetime,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
    Decimal: Decimal,
    bytes: _parse_bytes,
}
"""The functions that read text as a type that JSON does not have."""


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def convert_value(convert: Callable[..., Any], path: str, /, *values: Any, **named: Any) -> Any:
    """Return what a function makes of values; raise `MisfitError` if it refuses them."""
    try:
        return convert(*values, **named)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        raise MisfitError(path) from None


def read_fields(loaders: Mapping[str, tuple[Load, bool]], make: type | None) -> Load:
    """Return the reader of an object with named members.

    Args:
        loaders: for each member its reader, and whether it is required. The dict may be filled later, because a class can
            refer to itself.
        make: the dataclass to make; None for a TypedDict, which is the object itself.
    """

    def load(value: Any, path: str) -> Any:
        if make is not None and isinstance(value, make):
            return value
        contents: Any = value
        if not isinstance(value, Mapping):
            raise MisfitError(path)
        read: dict[str, Any] = {}
        for name, (one, is_required) in loaders.items():
            if name in contents:
                read[name] = one(contents[name], _join(path, name))
            elif is_required:
                raise MisfitError(_join(path, name))
        if make is None:
            return contents
        # Its `__post_init__` may refuse these values.
        return convert_value(make, path, **read)

    return load


def copy_value(value: Any, path: str) -> Any:
    """Return a copy: a model never shares a value with the live session."""
    return deepcopy(value)


def read_exactly(kind: type) -> Load:
    """Return the reader of a type that JSON has; the reader converts nothing."""

    def load(value: Any, path: str) -> Any:
        # In Python True is an int; in JSON it is not a number.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise MisfitError(path)
        return value

    return load


def read_number(value: Any, path: str) -> float:
    """Return a number as a float."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise MisfitError(path)
    number: float = convert_value(float, path, value)
    return number


def read_seconds(value: Any, path: str) -> timedelta:
    """Return a number of seconds as a timedelta."""
    if isinstance(value, timedelta):
        return value
    duration: timedelta = convert_value(timedelta, path, seconds=read_number(value, path))
    return duration


def read_text(kind: type) -> Load:
    """Return the reader of a type that JSON has as text, such as a date."""
    parse = PARSERS[kind]

    def load(value: Any, path: str) -> Any:
        if isinstance(value, kind):
            # The session objects of Flask and Quart hold such values.
            return value
        if not isinstance(value, str):
            raise MisfitError(path)
        return convert_value(parse, path, value)

    return load


def read_member(kind: type[Enum]) -> Load:
    """Return the reader of the members of an enumeration, by their values."""

    def load(value: Any, path: str) -> Any:
        return value if isinstance(value, kind) else convert_value(kind, path, value)

    return load


def read_one_of(values: Collection[Any]) -> Load:
    """Return the reader of a `Literal`."""

    def load(value: Any, path: str) -> Any:
        for one in values:
            if type(one) is type(value) and one == value:
                return one
        raise MisfitError(path)

    return load


def read_first(loaders: Collection[Load]) -> Load:
    """Return the reader of a union: the first reader that takes the value reads it."""

    def load(value: Any, path: str) -> Any:
        for one in loaders:
            try:
                return one(value, path)
            except MisfitError:
                pass
        raise MisfitError(path)

    return load


def read_object(item: Load) -> Load:
    """Return the reader of an object with any keys, and values of one type."""

    def load(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise MisfitError(path)
        pairs = cast("Mapping[str, Any]", value).items()
        # The keys of a mapping are data, so a path must not show them.
        return {key: item(one, _join(path, "*")) for key, one in pairs}

    return load


def read_array(item: Load, make: Callable[[Iterable[Any]], Any]) -> Load:
    """Return the reader of an array with items of one type.

    Args:
        item: the reader of an item.
        make: makes the list, tuple or set.
    """

    def load(value: Any, path: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise MisfitError(path)
        items = cast("list[Any]", value)
        read = [item(one, _join(path, at)) for at, one in enumerate(items)]
        # A set cannot contain lists and dicts.
        return convert_value(make, path, read)

    return load


def read_tuple(loaders: Collection[Load]) -> Load:
    """Return the reader of an array of fixed length, with a reader for each item."""

    def load(value: Any, path: str) -> Any:
        if not isinstance(value, (list, tuple)) or len(cast("list[Any]", value)) != len(loaders):
            raise MisfitError(path)
        items = enumerate(zip(loaders, cast("list[Any]", value), strict=True))
        return tuple(one(item, _join(path, at)) for at, (one, item) in items)

    return load
