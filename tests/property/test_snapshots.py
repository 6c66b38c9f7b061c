"""A session has changed exactly when its JSON has, types included."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import JSON, Serializer, fast_json
from sessionkit._session.snapshot import same, take_snapshot

# Values that Python, or a careless comparison, takes for one another.
ALIKE: list[Any] = [
    0,
    False,
    0.0,
    -0.0,
    "",
    "0",
    None,
    "null",
    1,
    True,
    1.0,
    "1",
    2**53,
    float(2**53),
    "é",
    "e\u0301",
    [],
    {},
    [0],
    {"": 0},
]
SHAPES = st.recursive(
    st.sampled_from(ALIKE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["", "a", "b", "é"]), inner, max_size=4)
    ),
    max_leaves=10,
)
SESSIONS = st.dictionaries(st.sampled_from(["user", "a", "b", ""]), SHAPES, max_size=4)

BOTH = pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["standard", "fast"])


def varied(value: Any, data: st.DataObject) -> Any:
    """The same again in new objects, with a leaf or an order changed here and there."""
    if isinstance(value, dict):
        keys = list(value)
        if data.draw(st.integers(0, 9)) == 0:
            keys.reverse()
        return {"".join(key): varied(value[key], data) for key in keys}
    if isinstance(value, list):
        return [varied(item, data) for item in value]
    return (
        data.draw(st.sampled_from(ALIKE))
        if data.draw(st.integers(0, 5)) == 0
        else json.loads(json.dumps(value))
    )


@given(one=SESSIONS, data=st.data())
def test_two_sessions_have_equal_snapshots_exactly_when_they_are_the_same_json(
    one: dict[str, Any], data: st.DataObject
) -> None:
    other = varied(one, data)
    assert same(one, take_snapshot(one), take_snapshot(other)) == (
        json.dumps(one) == json.dumps(other)
    )


@given(one=SESSIONS, other=SESSIONS)
def test_any_two_sessions_are_told_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert same(one, take_snapshot(one), take_snapshot(other)) == (
        json.dumps(one) == json.dumps(other)
    )


@BOTH
@given(one=SESSIONS)
def test_what_was_written_and_read_is_unchanged(
    serializer: Serializer, one: dict[str, Any]
) -> None:
    assert same(one, take_snapshot(one), take_snapshot(serializer.loads(serializer.dumps(one))))
