"""Sessions as models: read contents as a model, and write a model as contents.

pydantic and msgspec are never imported: an application with such a model has imported them.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from typing_extensions import is_typeddict

from ..errors import SerializationError
from .annotations import make_loader
from .value_readers import Load, MisfitError, convert_value

__all__ = ["MisfitError", "check_model", "dump_model", "is_model", "load_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """The functions that read the models of one class from contents, and write them as JSON."""

    load: Load
    dump: Callable[[Any], Any]


def check_model(model: type) -> _Kind:
    """Return how a class of models is read and written.

    Raises:
        TypeError: the class is not a model, or has an annotation that is not supported.
    """
    is_class = isinstance(cast("object", model), type)
    kind = _find_kind(model) if is_class else None
    if kind is None:
        given = model.__qualname__ if is_class else f"an object of {type(model).__name__}"
        raise TypeError(
            f"session_of was given {given}: give the class of a model first, and then the request, session_of(Account, request). "
            "A model is a pydantic model, a dataclass, a msgspec.Struct, a TypedDict, or a class with from_session and to_session"
        )
    return kind


def load_model(model: type, contents: Mapping[str, Any]) -> Any:
    """Return contents as a model.

    Args:
        model: a pydantic model, a dataclass, a `msgspec.Struct`, a class with `from_session` and `to_session`; or a TypedDict,
            which gives the contents themselves.
        contents: the contents of a session.

    Raises:
        ValueError: the contents do not fit the model (a `MisfitError`).
        TypeError: as for `check_model`.
    """
    return check_model(model).load(contents if is_typeddict(model) else dict(contents), "")


def dump_model(model: object) -> dict[str, Any]:
    """Return the JSON form of a model, for `create_session`. Dates, UUIDs, decimals and bytes become text.

    Args:
        model: an object of a class that `session_of` takes.

    Raises:
        TypeError: the object is not a model, or is written as something other than a JSON object.
        SerializationError: a value cannot be written, or the model could not be read again.
    """
    kind = _find_kind(cast("Any", type(model)))
    if kind is None:
        raise TypeError(
            f"{type(model).__name__} is not a model: give an object of a pydantic model, a dataclass, a msgspec.Struct, or a class "
            "with `from_session` and `to_session`"
        )
    try:
        dumped = kind.dump(model)
        if isinstance(dumped, dict):
            kind.load(dumped, "")
    except MisfitError as error:
        # Otherwise the next request would find a session that does not fit, and the visitor would be signed out.
        raise SerializationError(
            f"the {type(model).__qualname__} could not be read again: the value of {error.path or 'it'} does not fit its type"
        ) from None
    except RecursionError:
        dumped = _TOO_DEEP
    if dumped is _TOO_DEEP:
        # The error is raised outside `except`, because the RecursionError has hundreds of frames with values.
        raise SerializationError(
            f"the {type(model).__qualname__} cannot be written as JSON: it is nested too deep, or inside itself"
        )
    if not isinstance(dumped, dict):
        raise TypeError(
            f"{type(model).__qualname__} is not written as a JSON object: give a model with fields, since a session is a dict"
        )
    return cast("dict[str, Any]", dumped)


def is_model(value: object) -> bool:
    """Return whether a value is an object of a class that `session_of` takes."""
    return (
        not isinstance(value, (type, Mapping)) and _find_kind(cast("Any", type(value))) is not None
    )


_TOO_DEEP: Any = object()


# ---- the kinds of models


@lru_cache(maxsize=256)
def _find_kind(model: Any) -> _Kind | None:
    """Return how a class of models is read and written; None for a class that is not a model."""
    if hasattr(model, "from_session") and hasattr(model, "to_session"):
        return _make_own_kind(model)
    if hasattr(model, "__pydantic_core_schema__") and "pydantic" in sys.modules:
        return _make_pydantic_kind(model)
    if hasattr(model, "__struct_fields__") and "msgspec" in sys.modules:
        return _make_msgspec_kind(model)
    is_dict, is_record = is_typeddict(model), is_dataclass(model)
    if is_dict or is_record:
        dump = dict if is_dict else _to_json
        return _Kind(load=make_loader(model, _find_nested), dump=dump)
    return None


def _find_nested(model: Any) -> Load | None:
    """Return how a model inside another model is read; None for a plain dataclass or TypedDict, which the outer model reads."""
    is_plain = is_typeddict(model) or is_dataclass(model)
    if (
        is_plain
        and not hasattr(model, "from_session")
        and not hasattr(model, "__pydantic_core_schema__")
    ):
        return None
    kind = _find_kind(model)
    return None if kind is None else kind.load


def _make_own_kind(model: Any) -> _Kind:
    def load(value: Any, path: str) -> Any:
        return convert_value(model.from_session, path, deepcopy(value))

    return _Kind(load=load, dump=lambda value: _to_json(value.to_session()))


def _make_pydantic_kind(model: type) -> _Kind:
    pydantic = cast("Any", sys.modules["pydantic"])
    adapter = pydantic.TypeAdapter(model)

    def load(value: Any, path: str) -> Any:
        try:
            try:
                payload = json.dumps(value, ensure_ascii=False).encode()
            except (TypeError, ValueError):
                # A value of Flask's that JSON does not have, or half a surrogate pair.
                return adapter.validate_python(deepcopy(value))
            # The contents are passed as JSON, so that a strict model accepts dates, and bytes are read as they were written.
            return adapter.validate_json(payload)
        except pydantic.ValidationError as error:
            names = _find_names(adapter.core_schema)
            raise MisfitError(_add_path(path, _find_place(error, names))) from None

    def dump(value: Any) -> Any:
        try:
            # Its warnings show values. `round_trip` leaves computed fields out, which cannot be read again.
            return adapter.dump_python(
                value, mode="json", by_alias=True, round_trip=True, warnings=False
            )
        except ValueError as error:
            # The text after the second colon comes from an error in a serializer, and may show a value.
            why = ": ".join(str(error).split(": ")[:2])
        raise SerializationError(
            f"{model.__qualname__} cannot be written as JSON: {why}. For bytes set ser_json_bytes and val_json_bytes to 'base64' "
            "in its model_config"
        )

    return _Kind(load=load, dump=dump)


def _find_place(error: Any, names: Collection[str]) -> str:
    """Return the path of the first value that pydantic refused. Its message may show a value, the path shows none.

    Args:
        error: the error.
        names: the names of all fields. Any other part of a path is a type, or a key of the session, which is data.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    places = first["loc"]
    return ".".join(str(one) if isinstance(one, int) or one in names else "*" for one in places)


def _find_names(schema: Any) -> set[str]:
    """Return the names of all fields in a schema of pydantic, and their aliases."""
    found: set[str] = set()
    left: list[Any] = [schema]
    while left:
        one = left.pop()
        members: Any = one
        if isinstance(one, dict):
            if isinstance(members.get("fields"), dict):
                found.update(members["fields"])
            found.update(_list_texts([members.get("name"), members.get("validation_alias")]))
            left.extend(value for key, value in members.items() if key != "metadata")
        elif isinstance(one, list):
            left.extend(members)
    return found


def _list_texts(values: list[Any]) -> Iterator[str]:
    for one in values:
        inner: Any = one
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            yield from _list_texts(inner)


def _make_msgspec_kind(model: type) -> _Kind:
    msgspec = cast("Any", sys.modules["msgspec"])

    def load(value: Any, path: str) -> Any:
        try:
            return msgspec.convert(deepcopy(value), model)
        except msgspec.ValidationError as error:
            place = str(error).rpartition(" - at `$.")[2] if " - at `$." in str(error) else ""
            raise MisfitError(_add_path(path, place.removesuffix("`"))) from None

    def dump(value: Any) -> Any:
        try:
            return msgspec.to_builtins(value)
        except TypeError as error:
            # The message names a type and shows no value.
            why = str(error)
        raise SerializationError(f"{model.__qualname__} cannot be written as JSON: {why}")

    return _Kind(load=load, dump=dump)


def _add_path(path: str, place: str) -> str:
    return ".".join(filter(None, (path, place)))


# ---- writing dataclasses


def _to_json(value: Any) -> Any:
    """Return the JSON form of a value in a dataclass. A value of an unknown type stays as it is; `update_session` then reports its path."""
    members: Any = value
    match value:
        case Enum():
            return _to_json(value.value)
        case None | str() | int() | float():
            return value
        case date() | time():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {key: _to_json(item) for key, item in members.items()}
        case list() | tuple():
            return [_to_json(item) for item in members]
        case set() | frozenset():
            # Always in the same order, so that an unchanged set does not look changed.
            items = [_to_json(item) for item in members]
            return sorted(items, key=lambda item: json.dumps(item, default=str))
        case _:
            return _dump_nested(members)


def _dump_nested(value: Any) -> Any:
    model = cast("Any", type(value))
    kind = _find_kind(model)
    if kind is not None and kind.dump is not _to_json:
        return kind.dump(value)
    if kind is None:
        return value
    return {one.name: _to_json(getattr(value, one.name)) for one in fields(model) if one.init}
