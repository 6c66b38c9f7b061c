"""Read JSON values as the annotated types of a dataclass, and check that they fit those of a TypedDict."""

from __future__ import annotations

import types
from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, MutableSequence
from collections.abc import Sequence as AbstractSequence
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin
from uuid import UUID

from typing_extensions import NotRequired, ReadOnly, Required, get_type_hints, is_typeddict

__all__ = ["Load", "MisfitError", "NestedLoad", "make_dataclass_loader", "make_dict_loader"]

Load: TypeAlias = Callable[[Any, str], Any]
"""A function of a JSON value and its path: it returns the value as a type, or raises `MisfitError`."""

NestedLoad: TypeAlias = Callable[[type], Load | None]
"""A function that returns how values of another class are read; None for a class that is no model."""


class MisfitError(ValueError):
    """A value does not fit its annotation.

    Attributes:
        path: where the value stands in the session (`user.joined`); no value is in it.
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


_PARSERS: dict[type, Callable[[Any], Any]] = {
    datetime: _parse_datetime,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
    Decimal: Decimal,
    bytes: _parse_bytes,
}
"""How text is read as a type that JSON does not have."""

_ARRAYS: dict[object, Callable[[Iterable[Any]], Any]] = {
    list: list,
    AbstractSequence: list,
    MutableSequence: list,
    Collection: list,
    Iterable: list,
    set: set,
    AbstractSet: set,
    frozenset: frozenset,
}

_OBJECTS = (dict, Mapping, MutableMapping)


def make_dataclass_loader(model: type, nested: NestedLoad) -> Load:
    """Return the function that makes a dataclass of contents. Keys that it does not know are ignored.

    Args:
        model: the dataclass.
        nested: returns how values of other models are read.

    Raises:
        TypeError: an annotation is not supported; the message says which.
    """
    return _Builder(nested, is_json=False).load_class(model)


def make_dict_loader(model: type, nested: NestedLoad) -> Load:
    """Return the function that checks contents against a TypedDict, and returns them as they are.

    Args:
        model: the TypedDict.
        nested: returns how values of other models are read.

    Raises:
        TypeError: an annotation is not of JSON; the message says which.
    """
    return _Builder(nested, is_json=True).load_class(model)


class _Builder:
    """Makes the functions for one class, and for the classes that it refers to, itself included.

    Args:
        nested: returns how values of other models are read.
        is_json: whether only the types of JSON are allowed, and nothing is converted.
    """

    def __init__(self, nested: NestedLoad, *, is_json: bool) -> None:
        self.nested, self.is_json = nested, is_json
        self.made: dict[type, Load] = {}

    def load_class(self, model: type) -> Load:
        """Return the function for a dataclass or a TypedDict."""
        if model not in self.made:
            loaders: dict[str, tuple[Load, bool]] = {}
            make = None if is_typeddict(model) else model
            self.made[model] = _read_fields(loaders, make)
            hints = self._hints_of(model)
            if make is None:
                required = cast("Any", model).__required_keys__
                names = {name: _is_required(hint, name in required) for name, hint in hints.items()}
            else:
                names = {
                    one.name: one.default is MISSING and one.default_factory is MISSING
                    for one in fields(cast("Any", model))
                    if one.init
                }
            for name, is_required in names.items():
                place = f"{model.__qualname__}.{name}"
                loaders[name] = self.load_type(hints[name], place), is_required
        return self.made[model]

    def _hints_of(self, model: type) -> dict[str, Any]:
        try:
            return get_type_hints(model, include_extras=True)
        except NameError as error:
            raise TypeError(
                f"the annotations of {model.__qualname__} cannot be read: the name {error.name!r} is not defined in its module"
            ) from None

    def load_type(self, hint: Any, place: str) -> Load:  # noqa: C901, PLR0912  # one case a kind of annotation
        """Return the function for an annotation.

        Args:
            hint: the annotation.
            place: where it stands, for the error message.
        """
        hint = getattr(hint, "__supertype__", hint)
        origin, args = get_origin(hint), get_args(hint)
        if origin in (Annotated, Required, NotRequired, ReadOnly):
            return self.load_type(args[0], place)
        if hint in (Any, object):
            return _copy_value
        if hint is None or hint is type(None):
            return _read_exactly(type(None))
        if origin in (Union, types.UnionType):
            return _read_first([self.load_type(one, place) for one in args])
        if origin is Literal:
            return _read_one_of(args)
        kind: Any = origin or hint
        if kind in _OBJECTS:
            key, item = args or (str, Any)
            if key is str:
                return _read_object(self.load_type(item, place))
        elif kind is tuple and (len(args) != 2 or args[1] is not ...) and args:
            if not self.is_json:
                return _read_tuple([self.load_type(one, place) for one in args])
        elif kind is tuple or kind in _ARRAYS:
            make = _ARRAYS.get(kind, tuple)
            if make is list or not self.is_json:
                return _read_array(self.load_type(args[0] if args else Any, place), make)
        elif isinstance(kind, type):
            found = self._load_other(kind)
            if found is not None:
                return found
        raise TypeError(
            f"{place}: {getattr(hint, '__name__', hint)} is not a type of JSON, and a TypedDict is the session itself, which holds JSON: "
            "make it a dataclass or a pydantic model"
            if self.is_json
            else f"{place}: {getattr(hint, '__name__', hint)} is not supported in a dataclass: take a pydantic model or a "
            "msgspec.Struct, or give the class `from_session` and `to_session`"
        )

    def _load_other(self, kind: Any) -> Load | None:
        """Return the function for a class; None for one that is not supported."""
        if kind in (str, int, bool):
            return _read_exactly(kind)
        if kind is float:
            return _read_number
        is_dict, is_record = is_typeddict(kind), is_dataclass(kind)
        if is_dict or (is_record and not self.is_json):
            load = self.nested(kind)
            return self.load_class(kind) if load is None else load
        if self.is_json:
            return None
        if kind is timedelta:
            return _read_seconds
        if kind in _PARSERS:
            return _parse(kind, _PARSERS[kind])
        if issubclass(kind, Enum):
            return _read_member(kind)
        return self.nested(kind)


def _is_required(hint: Any, known: bool) -> bool:
    """Return whether a TypedDict needs a key. Python itself does not see `NotRequired` where annotations are text.

    Args:
        hint: the annotation of the key.
        known: what Python says.
    """
    origin = get_origin(hint)
    if origin in (Annotated, ReadOnly):
        return _is_required(get_args(hint)[0], known)
    return known if origin not in (Required, NotRequired) else origin is Required


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _read_fields(loaders: Mapping[str, tuple[Load, bool]], make: type | None) -> Load:
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
        try:
            return make(**read)
        except (ValueError, TypeError, LookupError):
            # Its `__post_init__` refuses these values.
            raise MisfitError(path) from None

    return load


def _copy_value(value: Any, path: str) -> Any:
    # A model never shares a value with the live session.
    return deepcopy(value)


def _read_exactly(kind: type) -> Load:
    def load(value: Any, path: str) -> Any:
        # True is an int to Python, and none to JSON.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise MisfitError(path)
        return value

    return load


def _read_number(value: Any, path: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise MisfitError(path)
    try:
        return float(value)
    except OverflowError:
        raise MisfitError(path) from None


def _read_seconds(value: Any, path: str) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(seconds=_read_number(value, path))
    except (ValueError, OverflowError):
        raise MisfitError(path) from None


def _parse(kind: type, parse: Callable[[str], Any]) -> Load:
    def load(value: Any, path: str) -> Any:
        if isinstance(value, kind):
            # The session objects of Flask and Quart hold such values.
            return value
        if not isinstance(value, str):
            raise MisfitError(path)
        try:
            return parse(value)
        except (ValueError, ArithmeticError):
            raise MisfitError(path) from None

    return load


def _read_member(kind: type[Enum]) -> Load:
    def load(value: Any, path: str) -> Any:
        if isinstance(value, kind):
            return value
        try:
            return kind(value)
        except ValueError:
            raise MisfitError(path) from None

    return load


def _read_one_of(values: Collection[Any]) -> Load:
    def load(value: Any, path: str) -> Any:
        for one in values:
            if type(one) is type(value) and one == value:
                return one
        raise MisfitError(path)

    return load


def _read_first(loaders: Collection[Load]) -> Load:
    def load(value: Any, path: str) -> Any:
        for one in loaders:
            try:
                return one(value, path)
            except MisfitError:
                pass
        raise MisfitError(path)

    return load


def _read_object(item: Load) -> Load:
    def load(value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            raise MisfitError(path)
        pairs = cast("Mapping[str, Any]", value).items()
        # The keys of a mapping are data: they have no place in a path.
        return {key: item(one, _join(path, "*")) for key, one in pairs}

    return load


def _read_array(item: Load, make: Callable[[Iterable[Any]], Any]) -> Load:
    def load(value: Any, path: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise MisfitError(path)
        items = cast("list[Any]", value)
        read = [item(one, _join(path, at)) for at, one in enumerate(items)]
        try:
            return make(read)
        except TypeError:
            # A set holds no lists and dicts.
            raise MisfitError(path) from None

    return load


def _read_tuple(loaders: Collection[Load]) -> Load:
    def load(value: Any, path: str) -> Any:
        if not isinstance(value, (list, tuple)) or len(cast("list[Any]", value)) != len(loaders):
            raise MisfitError(path)
        items = enumerate(zip(loaders, cast("list[Any]", value), strict=True))
        return tuple(one(item, _join(path, at)) for at, (one, item) in items)

    return load
