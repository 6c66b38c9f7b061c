"""What the quick check of a fast encoder's output lets pass is exactly what the slow walk lets pass."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sessionkit import SerializationError, fast_json
from sessionkit._session.json import check, freeze
from sessionkit._session.snapshot import take_snapshot

FAST = fast_json()

TEXTS = st.one_of(
    st.text(max_size=6), st.sampled_from(["},{", "[[", "l\x05\0\0\0", "\x7f", "\xf8\x7f", "{" * 70])
)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**63 - 1, 2**63, 2**60, -(2**63), -(2**63) - 1, 127, -1, 5, 1151]),
    st.floats(),
    st.sampled_from([math.inf, -math.inf, math.nan, -math.nan, 1.7976931348623157e308]),
)
STRANGERS = st.sampled_from([{1}, b"x", 1j, ..., dt.date(2026, 1, 1), frozenset({"a"})])
KEYS = st.one_of(TEXTS, st.integers(0, 3), st.none(), st.booleans())


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(TEXTS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=2),
    )


VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans(), st.none(), STRANGERS), containers, max_leaves=12
)


def nested(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value, {}]
    return value


@given(
    st.dictionaries(TEXTS, VALUES, max_size=4), st.sampled_from([0, 0, 0, 60, 61, 62, 63, 64, 70])
)
def test_the_quick_check_and_the_walk_agree(contents: dict[str, Any], levels: int) -> None:
    contents = {**contents, "deep": nested(1, levels)}
    try:
        check(contents)
        refused = False
    except SerializationError:
        refused = True
    try:
        payload = freeze(contents, FAST, snapshot=take_snapshot(contents))
    except SerializationError:
        assert refused or not is_unicode(contents)
        return
    assert not refused
    check(FAST.loads(payload))


def is_unicode(value: Any) -> bool:
    """Whether no text has half a surrogate pair, which the encoders refuse themselves."""
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(is_unicode(part) for pair in value.items() for part in pair)
    return not isinstance(value, (list, tuple)) or all(map(is_unicode, value))
