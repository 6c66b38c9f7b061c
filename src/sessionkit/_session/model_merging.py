"""Merge a changed model into the contents of a session. Keys that the model does not know stay."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, cast

from ..errors import SerializationError
from .models import dump_model, load_model
from .value_readers import MisfitError

__all__ = ["make_merge"]

_ABSENT: Any = object()


def make_merge(model: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that merges a model into contents; it may be called again with the contents of another request.

    The change is the difference between the model and the contents of the first call. Every call applies the same change.
    Keys that the model does not know stay, and so do the changes that a parallel request has made to other keys.

    Args:
        model: the model; or a mapping, of which every key is a change.
    """
    given = isinstance(model, Mapping)
    after = dict(cast("Mapping[str, Any]", model)) if given else dump_model(model)
    before: dict[str, Any] | None = None

    def merge(contents: dict[str, Any]) -> dict[str, Any]:
        nonlocal before
        known = {} if given else _find_known(type(model), contents)
        if before is None:
            before = known
        try:
            return _merge_objects(contents, known, before, after)
        except RecursionError:
            pass
        raise SerializationError(
            "the session cannot be saved: it is nested too deep, or inside itself"
        )

    return merge


def _find_known(model: type, contents: dict[str, Any]) -> dict[str, Any]:
    """Return the members of contents that the model has fields for; {} if the contents do not fit the model."""
    try:
        return dump_model(load_model(model, contents))
    except (MisfitError, SerializationError):
        return {}


def _merge_objects(
    contents: dict[str, Any], known: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> dict[str, Any]:
    """Return contents with the change from `before` to `after`. `known` is the part of the contents that the model has fields for."""
    merged = dict(contents)
    for key in {**before, **after}:
        if key not in after:
            merged.pop(key, None)
        elif not _is_same(before.get(key, _ABSENT), after[key]):
            current, seen, was = (one.get(key, _ABSENT) for one in (contents, known, before))
            merged[key] = _merge_values(current, seen, was, after[key])
    return merged


def _merge_values(current: Any, known: Any, before: Any, after: Any) -> Any:
    if isinstance(current, dict) and isinstance(after, dict):
        seen: list[Any] = [one if isinstance(one, dict) else {} for one in (known, before)]
        return _merge_objects(
            cast("dict[str, Any]", current), seen[0], seen[1], cast("dict[str, Any]", after)
        )
    lists: list[Any] = [current, known, after]
    if all(isinstance(one, list) for one in lists) and len(lists[0]) == len(lists[1]):
        # An item that the model has not changed keeps the keys that the model does not know, even if its position has changed.
        left: dict[str | None, list[Any]] = {}
        for item, whole in zip(reversed(lists[1]), reversed(lists[0]), strict=True):
            left.setdefault(_write(item), []).append(whole)
        left.pop(None, None)
        return [_take_item(left, item) for item in lists[2]]
    return deepcopy(after)


def _take_item(left: dict[str | None, list[Any]], item: Any) -> Any:
    found = left.get(_write(item))
    return found.pop() if found else deepcopy(item)


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal with their types: 1, 1.0 and True differ."""
    text = _write(one)
    return text is not None and text == _write(other)


def _write(value: Any) -> str | None:
    """Return a JSON value as a text that equal values have; None for any other value, which `update_session` refuses."""
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
