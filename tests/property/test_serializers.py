"""Both serializers keep the same, refuse the same and say the same of it, subclasses included: one switches whenever one likes."""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from sessionkit import JSON, SerializationError, SessionStore, fast_json
from sessionkit._session.json import SAFE_INTEGER, freeze
from sessionkit.testing import session_cookies

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
STORES = {
    "json": SessionStore(SECRET),
    "fast": SessionStore(SECRET, serializer=fast_json()),
}


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "what it says of itself"


class Whole(int):
    def __repr__(self) -> str:
        return "what it says of itself"


class Real(float):
    pass


class Row(list):
    pass


class Table(dict):
    pass


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Named(int, enum.Enum):
    """Its value is not what it is."""

    def __new__(cls, number: int, label: str) -> Any:
        made = int.__new__(cls, number)
        made._value_ = label
        return made

    ONE = (1, "one")

    def __repr__(self) -> str:
        return "<Named>"


class Plain(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    a: Any
    b: Any


TEXTS = st.text(max_size=4)
WORDS = st.one_of(
    TEXTS, TEXTS.map(Text), st.sampled_from([Colour.RED, "\ud800", Text("\udfff"), "__proto__", ""])
)
NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.integers(-(2**65), 2**65).map(Whole),
    st.floats(),
    st.floats(allow_nan=False, allow_infinity=False).map(Real),
    st.sampled_from([Level.HIGH, Named.ONE, True, Real(math.nan), 2**63, Whole(2**63), -(2**63)]),
)
STRANGERS = st.sampled_from([b"x", {1}, Plain.RED, 1j, bytearray(b"x"), range(2), object])
KEYS = st.one_of(WORDS, WORDS, WORDS, st.sampled_from([True, None, 1, Level.HIGH, 1.5, ("a",)]))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    dicts = st.dictionaries(KEYS, inner, max_size=3)
    return st.one_of(
        lists, lists.map(Row), lists.map(tuple), st.tuples(inner, inner).map(lambda two: Pair(*two)),
        dicts, dicts.map(Table), dicts.map(OrderedDict), dicts.map(lambda one: defaultdict(list, one)),
    )  # fmt: skip


VALUES = st.recursive(
    st.one_of(WORDS, WORDS, NUMBERS, NUMBERS, st.none(), STRANGERS), containers, max_leaves=8
)
CONTENTS = st.dictionaries(st.one_of(TEXTS, TEXTS.map(Text)), VALUES, max_size=3)


def outcome(act: Callable[[], Any]) -> str:
    """What was kept, types included, or why it was not."""
    try:
        return repr(act())
    except SerializationError as error:
        return f"refused: {error}"


@given(CONTENTS, st.sampled_from([{}, {"largest": SAFE_INTEGER}]))
def test_the_bytes_hold_the_same(contents: dict[str, Any], limits: dict[str, int]) -> None:
    json_, fast = (
        outcome(lambda one=one: json.loads(freeze(contents, one, **limits)))
        for one in (JSON, fast_json())
    )
    assert json_ == fast


def by_verb(store: SessionStore, new: dict[str, Any]) -> dict[str, str]:
    with store.exchange() as exchange:
        store.create_session(new)
    return dict(pair.split(";")[0].split("=", 1) for _, pair in exchange.response_headers[:1])


def in_place(store: SessionStore, new: dict[str, Any]) -> dict[str, str]:
    with store.exchange(session_cookies(store, {"user": {"sub": "ada"}})) as exchange:
        exchange.contents.update(new)
    return dict(pair.split(";")[0].split("=", 1) for _, pair in exchange.response_headers[:1])


@given(CONTENTS, st.sampled_from([by_verb, in_place]))
def test_a_store_keeps_the_same(contents: dict[str, Any], way: Any) -> None:
    new = {**contents, "user": {"sub": "ada"}, "own": Text("makes every one a change")}

    def kept(store: SessionStore) -> dict[str, Any]:
        with store.exchange(way(store, new)) as exchange:
            return dict(exchange.contents)

    json_, fast = (outcome(lambda one=one: kept(one)) for one in STORES.values())
    assert json_ == fast
