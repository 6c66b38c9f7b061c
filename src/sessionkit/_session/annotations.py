"""Find the readers for the annotations of a dataclass or a TypedDict."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, MutableSequence
from collections.abc import Sequence as AbstractSequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from typing_extensions import NotRequired, ReadOnly, Required, get_type_hints, is_typeddict

from .value_readers import (
    PARSERS,
    Load,
    copy_value,
    read_array,
    read_exactly,
    read_fields,
    read_first,
    read_member,
    read_number,
    read_object,
    read_one_of,
    read_seconds,
    read_text,
    read_tuple,
)

__all__ = ["make_loader"]

NestedLoad: TypeAlias = Callable[[type], Load | None]
"""A function that returns how values of another class are read; None for a class that is not a model."""


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


def make_loader(model: type, nested: NestedLoad) -> Load:
    """Return the function that reads contents as a model.

    For a dataclass, the function makes an object from the contents, and ignores keys that the dataclass does not have. For a
    TypedDict, it checks the contents and returns them as they are.

    Args:
        model: the dataclass or TypedDict.
        nested: returns how values of other models are read.

    Raises:
        TypeError: an annotation is not supported, or in a TypedDict is not a type of JSON; the message says which.
    """
    return _Builder(nested, is_json=is_typeddict(model)).load_class(model)


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
            self.made[model] = read_fields(loaders, make)
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
                f"the annotations of {model.__qualname__} cannot be read: the name {error.name!r} is not defined in its module. Import "
                "it there, outside of TYPE_CHECKING"
            ) from None

    def load_type(self, hint: Any, place: str) -> Load:  # noqa: C901, PLR0912  # one case a kind of annotation
        """Return the function for an annotation.

        Args:
            hint: the annotation.
            place: where the annotation is, for the error message.
        """
        hint = getattr(hint, "__supertype__", hint)
        origin, args = get_origin(hint), get_args(hint)
        if origin in (Annotated, Required, NotRequired, ReadOnly):
            return self.load_type(args[0], place)
        if hint in (Any, object):
            return copy_value
        if hint is None or hint is type(None):
            return read_exactly(type(None))
        if origin in (Union, types.UnionType):
            return read_first([self.load_type(one, place) for one in args])
        if origin is Literal:
            return read_one_of(args)
        kind: Any = origin or hint
        if kind in _OBJECTS:
            key, item = args or (str, Any)
            if key is str:
                return read_object(self.load_type(item, place))
        elif kind is tuple and (len(args) != 2 or args[1] is not ...) and args:
            if not self.is_json:
                return read_tuple([self.load_type(one, place) for one in args])
        elif kind is tuple or kind in _ARRAYS:
            make = _ARRAYS.get(kind, tuple)
            if make is list or not self.is_json:
                return read_array(self.load_type(args[0] if args else Any, place), make)
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
            return read_exactly(kind)
        if kind is float:
            return read_number
        is_dict, is_record = is_typeddict(kind), is_dataclass(kind)
        if is_dict or (is_record and not self.is_json):
            load = self.nested(kind)
            return self.load_class(kind) if load is None else load
        if self.is_json:
            return None
        if kind is timedelta:
            return read_seconds
        if kind in PARSERS:
            return read_text(kind)
        if issubclass(kind, Enum):
            return read_member(kind)
        return self.nested(kind)


def _is_required(hint: Any, known: bool) -> bool:
    """Return whether a TypedDict requires a key. Python does not notice `NotRequired` if annotations are text.

    Args:
        hint: the annotation of the key.
        known: what Python says.
    """
    origin = get_origin(hint)
    if origin in (Annotated, ReadOnly):
        return _is_required(get_args(hint)[0], known)
    return known if origin not in (Required, NotRequired) else origin is Required
