"""Values that JSON has not, where a framework's own session has tags for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import (
    JSON,
    CookieSettings,
    EventKind,
    SerializationError,
    SessionStore,
    SessionTooLargeError,
    fast_json,
)
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._session.json import freeze, rewrite
from sessionkit._session.snapshot import is_opaque, normalize, same, take_snapshot
from sessionkit._session.tags import Tags
from sessionkit.formats import Auth0FastAPI, Importer, Native
from sessionkit.testing import session_cookies

from ..leaving import CANARY, leaves

SECRET = "tags tests: 0123456789abcdefghijklmnopqrstuvwxyz"
OLD = "tags tests, before: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}
OTHERWISE = ": store its values as text, numbers, lists and dicts, or save a model (session_of, save_session)"
"""The way out for a value of any other class."""


class Money:
    """A value that JSON has not."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    def __hash__(self) -> int:
        return hash(self.cents)


class Broken:
    """One whose own methods raise."""

    @property
    def cents(self) -> int:
        raise ZeroDivisionError


class Tagged:
    """What a `TaggedJSONSerializer` is asked for."""

    def tag(self, value: Any) -> Any:
        if isinstance(value, (Money, Broken)):
            return {" m": value.cents}
        if isinstance(value, tuple):
            return {" t": [self.tag(item) for item in value]}
        if isinstance(value, list):
            return [self.tag(item) for item in value]
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in (" m", " t", " d"):
            ((key, item),) = value.items()
            return {" d": {f"{key}_": self.tag(item)}}
        return (
            {key: self.tag(item) for key, item in value.items()}
            if isinstance(value, dict)
            else value
        )

    def untag(self, value: dict[str, Any]) -> Any:
        match value:
            case {" m": cents} if len(value) == 1:
                return Money(int(cents))
            case {" t": items} if len(value) == 1:
                return tuple(items)
            case {" d": inner} if len(value) == 1:
                return {key[:-1]: item for key, item in inner.items()}
        return value


class Provider:
    """The JSON of an application, which makes a text of a complex number."""

    @staticmethod
    def dumps(value: object) -> str:
        return json.dumps(value, default=Provider.default)

    @staticmethod
    def default(value: object) -> str:
        if isinstance(value, complex):
            return str(value)
        raise TypeError

    loads = staticmethod(json.loads)


class Kit(FlaskFamilyExtension[Any]):
    serializer, json = Tagged(), Provider

    def _serve(self, app: Any) -> None: ...


TAGS = Kit().tags
KEYS = FrameworkKeys(tags=TAGS)
SERIALIZERS = pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["json", "fast"])
VALUES: list[Any] = [
    Money(5), (Money(5), [1, (2,)]), {"a": {"b": [Money(1), b"".decode()]}}, {" m": 1}, {" d": {" m_": 1}}, {" m": 1, "b": 2},
    '{" t": []}', (), {" x": (1,)},
]  # fmt: skip


def visit(store: SessionStore, header: str = "") -> Exchange:
    return Exchange(store.settings.with_framework(KEYS), HeaderRequest(header))


def header_of(exchange: Exchange) -> str:
    exchange.commit()
    lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
    return "; ".join(line.partition(";")[0] for line in lines)


@SERIALIZERS
@pytest.mark.parametrize("value", VALUES)
def test_a_value_comes_back_and_counts_as_unchanged(value: Any, serializer: Any) -> None:
    store = SessionStore(SECRET, serializer=serializer)
    first = visit(store)
    first.create({**ANN, "value": value})
    assert value == first.contents["value"]
    second = visit(store, header_of(first))
    assert value == second.contents["value"]
    assert type(value) is type(second.contents["value"])
    assert second.changed is False
    assert header_of(second) == ""


@SERIALIZERS
def test_what_is_json_is_the_same_json_with_tags_and_without(serializer: Any) -> None:
    contents = {**ANN, "n": [1, 2.5, None, True, {"a": "ü"}], " t": 1}
    assert freeze(contents, serializer) == freeze(contents, serializer.tagging(TAGS))
    assert rewrite(contents, serializer) == rewrite(contents, serializer.tagging(TAGS))


def test_what_other_frameworks_of_the_store_read_is_the_tagged_json() -> None:
    store = SessionStore(SECRET)
    first = visit(store)
    first.create({**ANN, "value": (Money(5),)})
    read = Exchange(store.settings, HeaderRequest(header_of(first))).contents
    assert {**ANN, "value": {" t": [{" m": 5}]}} == read


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": Money(1)}, {"a": Money(1)}, True),
        ({"a": Money(1)}, {"a": Money(2)}, False),
        ({"a": Money(1)}, {"a": {" m": 1}}, False),
        ({"a": (Money(1),)}, {"a": [Money(1)]}, False),
        ({"a": Money(1), "b": 1}, {"a": Money(1), "b": True}, False),
        ({"a": 1j}, {"a": "1j"}, False),
    ],
)
def test_contents_are_compared_by_what_they_are_kept_as(
    one: Any, other: Any, expected: bool
) -> None:
    assert expected is same(one, take_snapshot(one, TAGS), take_snapshot(other, TAGS))


@pytest.mark.parametrize("contents", [{"a": object()}, {"a": Broken()}])
def test_what_has_no_tag_is_odd_and_left_as_it_is(contents: dict[str, Any]) -> None:
    assert is_opaque(take_snapshot(contents, TAGS))
    assert normalize(contents, TAGS)[0] is contents


def test_contents_are_settled_as_they_will_be_read() -> None:
    class Text(str):
        __slots__ = ()

    found, _ = normalize({"a": Text("x"), "b": 1j, "c": Money(1)}, TAGS)
    assert {"a": "x", "b": "1j", "c": Money(1)} == found
    assert [str, str, Money] == [type(value) for value in found.values()]


@SERIALIZERS
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (object(), 'session["x"]: object is not JSON' + OTHERWISE),
        ([1, (Money(1), object())], 'session["x"][1][1]: object is not JSON' + OTHERWISE),
        (Broken(), 'session["x"]: Broken is not JSON' + OTHERWISE),
        ((float("inf"),), 'session["x"][0]: NaN and infinity are not JSON: store None or text'),
        ("\ud800", 'session["x"]: a lone surrogate is not Unicode text: leave it out'),
        ({1: Money(1)}, 'session["x"]: a key is int, and keys are str: store str(key)'),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_own_path(
    value: Any, why: str, serializer: Any
) -> None:
    with pytest.raises(SerializationError) as refused:
        freeze({"x": value}, serializer.tagging(TAGS))
    assert why == str(refused.value)


def test_tags_nested_too_deep_are_refused() -> None:
    value: Any = 1
    for _ in range(40):
        value = (value,)  # two levels each
    with pytest.raises(SerializationError, match="nested deeper than 64 levels"):
        freeze({"x": value}, JSON.tagging(TAGS))


def test_what_says_nothing_of_itself_is_refused_all_the_same() -> None:
    def refuse(value: object) -> object:
        raise ValueError

    with pytest.raises(SerializationError, match="session: it is not JSON"):
        freeze({"x": (1,)}, JSON.tagging(Tags(tag=refuse, untag=refuse)))


def test_a_refusal_carries_no_contents_in_its_frames() -> None:
    store = SessionStore(SECRET)
    exchange = visit(store)
    leaves(
        lambda: exchange.create({**ANN, "token": CANARY, "m": Money(1), "x": object()}),
        SerializationError,
    )


def test_one_too_large_is_told_by_its_keys() -> None:
    exchange = visit(SessionStore(SECRET))
    with pytest.raises(SessionTooLargeError, match=r"'many' \(\d+ bytes\)"):
        exchange.create({**ANN, "many": tuple(Money(10**15 + n) for n in range(500))})


def test_a_tag_that_its_type_cannot_be_made_of_leaves_all_as_it_is() -> None:
    store = SessionStore(SECRET)
    contents = {**ANN, "bad": {" m": "x"}, "good": {" m": 1}}
    header = "; ".join(
        f"{name}={value}" for name, value in session_cookies(store, contents).items()
    )
    exchange = visit(store, header)
    assert contents == exchange.contents
    assert exchange.changed is False


def test_who_the_user_is_may_be_such_a_value() -> None:
    store = SessionStore(SECRET)
    first = visit(store)
    first.create({"user": {"id": (1, 2)}})
    second = visit(store, header_of(first))
    assert second.update({"user": {"id": (1, 2)}, "n": Money(1)}) is True
    assert second.update({"user": {"id": (1, 3)}}) is False
    third = visit(store, header_of(second))
    third.contents["n"] = Money(2)
    assert {"user": {"id": (1, 2)}, "n": Money(2)} == visit(store, header_of(third)).contents


def test_lazy_values_are_read_at_the_response_and_not_again() -> None:
    read: list[int] = []

    class Lazy(Money):
        @property
        def cents(self) -> int:  # type: ignore[override]
            read.append(1)
            return len(read)

        @cents.setter
        def cents(self, value: int) -> None: ...

    heard: list[EventKind] = []
    store = SessionStore(SECRET, on_event=lambda event: heard.append(event.kind))
    exchange = visit(store)
    exchange.create(ANN)
    exchange.contents["price"] = Lazy(0)
    exchange.commit()
    times = len(read)
    exchange.finish()
    assert (times, []) == (len(read), heard)
    assert type(exchange.contents["price"]) is Money


def test_a_serializer_with_tags_of_its_own_wins_over_the_frameworks() -> None:
    own = Tags(
        tag=lambda value: {key: {" own": 1} if item == Money(1) else item for key, item in value.items()},
        untag=lambda value: {key: "own" if item == {" own": 1} else item for key, item in value.items()},
    )  # fmt: skip
    store = SessionStore(SECRET, serializer=JSON.tagging(own))
    first = visit(store)
    first.create({**ANN, "value": Money(1)})
    assert "own" == visit(store, header_of(first)).contents["value"]
    with pytest.raises(SerializationError, match="Money is not JSON"):
        visit(store).create({**ANN, "value": Money(2)})


# ---- who begins the exchange, and what is taken over


@pytest.mark.parametrize("contents", [{"user": {"id": (1,)}, "m": Money(1)}, ANN])
def test_a_gateway_around_that_has_read_the_session_changes_nothing(
    contents: dict[str, Any],
) -> None:
    store = SessionStore(SECRET)
    first = visit(store)
    first.create(contents)
    outer = Exchange(store.settings, HeaderRequest(header_of(first)))
    held = outer.contents
    outer.serve_framework(store.settings.with_framework(KEYS))
    assert contents == outer.contents
    assert (held is outer.contents, outer.changed) == (True, False)
    assert header_of(outer) == ""
    outer = Exchange(store.settings, HeaderRequest(header_of(first)))
    assert outer.contents is not None
    outer.serve_framework(store.settings.with_framework(KEYS))
    outer.contents["n"] = (1,)
    assert {**contents, "n": (1,)} == visit(store, header_of(outer)).contents


def test_what_a_gateway_around_has_written_stays_written() -> None:
    store = SessionStore(SECRET)
    outer = Exchange(store.settings, HeaderRequest(""))
    outer.create({**ANN, "x": object} | {"x": 1})
    outer.contents["odd"] = {1, 2}
    outer.serve_framework(store.settings.with_framework(KEYS))
    outer.contents["odd"] = (1, 2)
    assert {**ANN, "x": 1, "odd": (1, 2)} == visit(store, header_of(outer)).contents


def test_a_session_that_is_taken_over_keeps_its_values() -> None:
    before, after = (
        SessionStore(OLD),
        SessionStore(
            SECRET, accept=[Importer(Native(), secret=OLD, name="__Host-before", until=None)]
        ),
    )
    first = visit(before)
    first.create({**ANN, "value": (Money(5),)})
    header = header_of(first).replace("__Host-session=", "__Host-before=")
    # A token is bound to its cookie's name, so that one is not opened; an own one of the same name is.
    assert {} == visit(after, header).contents
    named = SessionStore(OLD, cookie=CookieSettings(name="__Host-before"))
    first = visit(named)
    first.create({**ANN, "value": (Money(5),)})
    taken = visit(after, header_of(first))
    assert {**ANN, "value": (Money(5),)} == taken.contents
    assert {**ANN, "value": (Money(5),)} == visit(after, header_of(taken)).contents


def test_a_format_of_others_has_tags_in_its_contents() -> None:
    store = SessionStore(SECRET, format=Auth0FastAPI())
    first = visit(store)
    contents = {"user": {"sub": "ann"}, "id_token": None, "refresh_token": None, "token_sets": [], "domain": None,
                "internal": {"sid": "s", "created_at": int(store.settings.clock())}, "value": (Money(5),)}  # fmt: skip
    first.create(contents)
    assert (Money(5),) == visit(store, header_of(first)).contents["value"]


def test_a_gateway_around_may_have_taken_over_what_is_no_plain_json() -> None:
    class Text(str):
        __slots__ = ()

    before = SessionStore(OLD, cookie=CookieSettings(name="__Host-before"))
    source = Importer(
        Native(),
        secret=OLD,
        name="__Host-before",
        until=None,
        convert=lambda found: {**found, "x": Text("x")},
    )
    after = SessionStore(SECRET, accept=[source])
    first = visit(before)
    first.create({**ANN, "value": (Money(5),)})
    outer = Exchange(after.settings, HeaderRequest(header_of(first)))
    assert outer.get() is not None
    outer.serve_framework(after.settings.with_framework(KEYS))
    assert {**ANN, "value": (Money(5),), "x": "x"} == outer.contents
    assert {**ANN, "value": (Money(5),), "x": "x"} == visit(after, header_of(outer)).contents
