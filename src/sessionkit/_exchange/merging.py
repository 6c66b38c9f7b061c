"""Merge parallel changes of one session: replay the steps of one request over the contents that another request wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, cast

from .._session.json import Serializer, rewrite
from ..errors import ConflictError

__all__ = ["Change", "Step", "Update", "call_function", "merge_change", "replay"]

Function: TypeAlias = Callable[[dict[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A step of a request that is stored as its result: the contents before and after it, as JSON."""

    before: bytes = field(repr=False)
    after: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """A step that can be repeated: the function that `update_session` was given."""

    function: Function


Step: TypeAlias = Change | Update


def call_function(
    function: Function, copy: Callable[[], dict[str, Any]]
) -> Mapping[str, Any] | None:
    """Call the function of `update_session`, and return the new contents; None if it changes nothing.

    Args:
        function: the function.
        copy: makes the contents that the function gets.

    Raises:
        TypeError: the function returned neither contents nor None, or it changed its argument and returned None.
    """
    given = copy()
    result = cast("object", function(given))
    if result is None and given != copy():
        raise TypeError(
            "the function that update_session was given changed its copy of the session and returned None: "
            "return the new contents, or leave the copy alone to change nothing"
        )
    if result is not None and not isinstance(result, Mapping):
        raise TypeError(
            "the function that update_session was given must return the new contents, or None to change nothing, "
            f"not {type(result).__name__}"
        )
    return cast("Mapping[str, Any] | None", result)


def _copy_contents(contents: dict[str, Any], serializer: Serializer) -> dict[str, Any]:
    """Return a copy of contents, as a session that is read has them."""
    copy: dict[str, Any] = serializer.loads(rewrite(contents, serializer))
    return copy


def replay(
    steps: Iterable[Step],
    theirs: dict[str, Any],
    serializer: Serializer,
    exclusive: Collection[str],
    accepts: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """Return the contents that another request wrote, with the steps of this one replayed over them.

    Args:
        steps: the steps, in order.
        theirs: the contents that the other request wrote.
        serializer: reads the contents of a `Change`.
        exclusive: the keys of which parallel changes cannot be merged.
        accepts: returns whether a function's result may replace the contents; if not, the step does nothing.

    Raises:
        ConflictError: both requests changed the value of an exclusive key.
    """
    contents = theirs
    for step in steps:
        if isinstance(step, Change):
            before, after = serializer.loads(step.before), serializer.loads(step.after)
            contents = merge_change(before, after, contents, exclusive, serializer)
        else:
            # A copy of its own, since the function may change it.
            result = call_function(step.function, partial(_copy_contents, contents, serializer))
            if result is not None and accepts(dict(result)):
                contents = dict(result)
    return contents


def merge_change(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    theirs: Mapping[str, Any],
    exclusive: Collection[str],
    serializer: Serializer,
) -> dict[str, Any]:
    """Return a three-way merge by top-level key: the later commit wins, and a deletion beats a change.

    Args:
        before: the contents that both changes began with.
        after: the contents after this request's change.
        theirs: the contents after the other request's change.
        exclusive: the keys of which parallel changes cannot be merged.
        serializer: writes values, to compare them with their types.

    Raises:
        ConflictError: both changed the value of an exclusive key, to different values.
    """

    def write(contents: Mapping[str, Any], key: str) -> bytes | None:
        return rewrite({key: contents[key]}, serializer) if key in contents else None

    merged = dict(theirs)
    for key in {**before, **after}:
        earlier, mine, other = write(before, key), write(after, key), write(theirs, key)
        if mine in (earlier, other):
            continue
        if key in exclusive and other != earlier:
            raise ConflictError(
                f"parallel requests changed {key!r} of one session differently, and who the user is cannot be merged: "
                "nothing of this request was saved. Call create_session for another user"
            )
        if mine is None:
            merged.pop(key, None)
        elif other is not None or earlier is None:
            merged[key] = after[key]
    return merged
