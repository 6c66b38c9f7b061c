import base64
import json
import math
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from uuid import UUID

import orjson  # of the extra `speed`, which these tests need
import pybase64
import pytest

from sessionkit import JSON, ConfigurationError, SerializationError, Serializer, fast_json
from sessionkit._session.json import SAFE_INTEGER, check, freeze
from sessionkit._session.json_errors import DEEPEST, INT_MAX
from sessionkit._session.snapshot import take_snapshot

BOTH = pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["json", "fast_json"])

OTHERWISE = ": store its values as text, numbers, lists and dicts, or save a model (session_of, save_session)"
"""The way out for a value of any other class."""

VALUES = [
    {},
    {
        "a": None,
        "b": True,
        "c": False,
        "d": 0,
        "e": -1,
        "f": 1.5,
        "g": -0.0,
        "h": "",
        "i": [],
        "j": {},
    },
    {"text": 'é ü 漢 😀 \x00 \x1f \x7f \u2028 " \\ /'},
    {"deep": [[[{"a": [{"b": []}]}]]]},
    {"big": INT_MAX, "small": -(2**63)},
    {"float": [1e300, 5e-324, 0.1, 1e16]},
    {"": {"": ""}},
]


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def text_of(contents, largest=INT_MAX):
    with pytest.raises(SerializationError) as caught:
        freeze(contents, JSON, largest)
    return str(caught.value)


@BOTH
@pytest.mark.parametrize("value", VALUES)
def test_json_comes_back_as_it_went_types_included(serializer, value):
    back = serializer.loads(freeze(value, serializer))
    assert repr(value) == repr(back)


@pytest.mark.parametrize("value", VALUES)
def test_the_two_serializers_read_each_other(value):
    assert (
        repr(value)
        == repr(fast_json().loads(JSON.dumps(value)))
        == repr(JSON.loads(fast_json().dumps(value)))
    )


def test_the_payload_is_compact_utf8():
    assert freeze({"a": [1, "é"], "b": {}}, JSON) == '{"a":[1,"é"],"b":{}}'.encode()


@BOTH
@pytest.mark.parametrize("size", range(30))
def test_both_write_the_same_base64url(serializer, size):
    data = bytes(range(size, size * 2))
    assert JSON.b64encode(data) == serializer.b64encode(data)
    assert data == serializer.b64decode(serializer.b64encode(data))


def test_a_serializer_that_decodes_what_is_not_canonical_is_refused_when_it_is_made():
    def lenient(text):
        return base64.urlsafe_b64decode(text + b"==")

    with pytest.raises(ConfigurationError, match=r"b64decode of the serializer accepts b'\+AAA'"):
        Serializer(dumps=JSON.dumps, loads=JSON.loads, b64decode=lenient)

    def without_spare_bits(text):
        if set(text) & set(b"+/="):
            raise ValueError
        return base64.b64decode(text + b"==="[: -len(text) % 4], b"-_", validate=True)

    with pytest.raises(ConfigurationError, match="accepts b'AB'"):
        Serializer(dumps=JSON.dumps, loads=JSON.loads, b64decode=without_spare_bits)


def test_fast_json_is_what_the_extra_installs():
    assert (fast_json().dumps, fast_json().strict) == (orjson.dumps, True)
    assert pybase64.b64encode(b"x") == b"eA=="


@pytest.mark.parametrize("missing", ["orjson", "pybase64"])
def test_fast_json_without_its_extra_says_what_to_install(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sessionkit-core\[speed\]'"):
        fast_json()


@BOTH
@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"{}x", b"{} ", b"\xff{}", b"[1,]", b"nul", b'{"a":1}{"b":2}', b"\xef\xbb\xbf{}"],
)
def test_what_is_not_json_is_a_value_error(serializer, payload):
    if serializer is not JSON and payload == b"{} ":
        assert (
            serializer.loads(payload) == {}
        )  # white space at the end is JSON; ours never writes it
        return
    with pytest.raises(ValueError):
        serializer.loads(payload)


class Number(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [(1, 2), OrderedDict(a=1), Number.ONE, Text("a"), {Text("a"): 1}, ("a", ["b"])]
)
def test_what_json_writes_as_json_is_taken(value):
    assert freeze({"a": value}, JSON) == JSON.dumps({"a": value})


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (
            {"user": {"joined": datetime(2020, 1, 1)}},
            'session["user"]["joined"]: datetime is not JSON: store value.isoformat(), or save a model (session_of, save_session)',
        ),
        ({"a": [1, {2}]}, 'session["a"][1]: set is not JSON: store a list'),
        (
            {"a": b"x"},
            'session["a"]: bytes is not JSON: store text, base64.b64encode(value).decode()',
        ),
        (
            {"a": UUID(int=1)},
            'session["a"]: UUID is not JSON: store str(value), or save a model (session_of, save_session)',
        ),
        ({"a": 1j}, 'session["a"]: complex is not JSON' + OTHERWISE),
        ({"a": ({"b": object()},)}, 'session["a"][0]["b"]: object is not JSON' + OTHERWISE),
        ({"a": float("nan")}, 'session["a"]: NaN and infinity are not JSON: store None or text'),
        (
            {"a": [float("-inf")]},
            'session["a"][0]: NaN and infinity are not JSON: store None or text',
        ),
        ({1: "a"}, "session: a key is int, and keys are str: store str(key)"),
        (
            {"a": {"b": {None: 1}}},
            'session["a"]["b"]: a key is NoneType, and keys are str: store str(key)',
        ),
        ({1: "a", "1": "b"}, "session: a key is int, and keys are str: store str(key)"),
        ({"a": "\ud800"}, 'session["a"]: a lone surrogate is not Unicode text: leave it out'),
        (
            {"a": {"\udfff": 1}},
            'session["a"]: a key with a lone surrogate is not Unicode text: leave it out',
        ),
        (
            {"a": 2**63},
            f'session["a"]: an integer beyond {INT_MAX} is not portable JSON: store it as a string',
        ),
        (
            {"a": -(2**63) - 1},
            f'session["a"]: an integer beyond {INT_MAX} is not portable JSON: store it as a string',
        ),
        ({'quote"d': {1}}, 'session["quote\\"d"]: set is not JSON: store a list'),
        (OrderedDict(a={1}), 'session["a"]: set is not JSON: store a list'),
    ],
)
def test_what_is_not_json_is_refused_with_the_path_of_the_culprit(contents, message):
    assert message == text_of(contents)


@pytest.mark.parametrize("number", [SAFE_INTEGER + 1, -SAFE_INTEGER - 1])
def test_what_javascript_reads_too_has_integers_that_it_does_not_round(number):
    assert f'session["id"]: an integer beyond {SAFE_INTEGER}' in text_of(
        {"id": number}, SAFE_INTEGER
    )
    check({"id": number - (number > 0) + (number < 0)}, largest=SAFE_INTEGER)


def test_sixty_four_levels_are_the_deepest_the_session_the_first():
    check(nested(DEEPEST))
    assert text_of(nested(DEEPEST + 1)).endswith(
        ": nested deeper than 64 levels (or inside itself): store only a part of it"
    )


@pytest.mark.parametrize("inner", [[], {}, ()])
def test_an_empty_container_is_a_level_too(inner):
    contents = nested(DEEPEST)
    deepest = contents
    while deepest:
        deepest = deepest["a"]
    deepest["a"] = inner
    assert "nested deeper" in text_of(contents)


def test_a_session_inside_itself_is_refused():
    contents = {"a": []}
    contents["a"].append(contents)
    assert "or inside itself" in text_of(contents)


@pytest.mark.parametrize("error", [TypeError, ValueError, RecursionError])
def test_an_encoder_of_ones_own_that_refuses_says_so_as_any_other(error):
    def dumps(value):
        raise error("canary")

    with pytest.raises(SerializationError, match=r"\Asession: it is not JSON\Z") as caught:
        freeze({"a": 1}, Serializer(dumps=dumps, loads=JSON.loads))
    assert caught.value.__suppress_context__ is True


@pytest.mark.parametrize("contents", [{"a": 1}, {"a": IntEnum("Level", "LOW").LOW}])
def test_a_strict_encoder_that_refuses_what_was_checked_is_believed(contents):
    def dumps(value):
        raise TypeError("canary")

    with pytest.raises(SerializationError, match=r"\Asession: it is not JSON\Z"):
        freeze(contents, Serializer(dumps=dumps, loads=JSON.loads, strict=True))


class Wide(float):
    pass


class Labelled(int, Enum):
    ONE = 1

    def __init__(self, number):
        self._value_ = "orjson would write this"


@pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["json", "fast"])
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Wide(1), b"1.0"),
        (IntEnum("Level", "LOW").LOW, b"1"),
        (Labelled.ONE, b"1"),
        ({"": (1, [2])}, b'{"":[1,[2]]}'),
    ],
    ids=str,
)
def test_both_write_what_a_subclass_is(serializer, value, kept):
    assert freeze({"a": value}, serializer) == b'{"a":' + kept + b"}"


@pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["json", "fast"])
def test_both_take_nested_keys_of_a_subclass_of_str(serializer):
    contents = {StrangeText("a"): [{StrangeText("dark"): StrangeText("yes")}]}
    assert freeze(contents, serializer) == b'{"a":[{"dark":"yes"}]}'


@pytest.mark.parametrize("serializer", [JSON, fast_json()], ids=["json", "fast"])
@pytest.mark.parametrize("key", [True, None, 1, 1.5, IntEnum("Level", "LOW").LOW], ids=repr)
def test_both_refuse_other_keys_with_the_same_words(serializer, key):
    kind = type(key).__name__
    message = rf'\Asession\["prefs"\]: a key is {kind}, and keys are str: store str\(key\)\Z'
    with pytest.raises(SerializationError, match=message):
        freeze({"prefs": {key: 1}}, serializer)


class Colour(Enum):
    RED = "red"


class StrangeText(str):
    __slots__ = ()


@dataclass
class Point:
    x: int = 1


def wrapped(levels, make):
    value = make(None)
    for _ in range(levels - 2):
        value = make(value)
    return {"a": value}


@BOTH
@pytest.mark.parametrize(
    "value",
    [
        UUID(int=1), Colour.RED, date(2026, 1, 1), datetime(2026, 1, 1), time(1), Point(), b"x", {1}, 1j, ..., Decimal(1), {1: 2}, {None: 1}, {("a",): 1},
        float("nan"), float("inf"), float("-inf"), math.copysign(float("nan"), -1), 2**63, 2**64 - 1, -(2**63) - 1, 10**30, "\ud800", {"\udfff": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_json_is_refused_wherever_it_stands(serializer, value):
    for contents in (
        {"a": value},
        {"a": [None, value]},
        {"a": {"b": (value,)}},
        {"pad": list(range(200)), "a": value},
    ):
        with pytest.raises(SerializationError, match="session"):
            freeze(contents, serializer, snapshot=take_snapshot(contents))


@BOTH
@pytest.mark.parametrize(
    "make",
    [lambda inner: [inner], lambda inner: {"b": inner}, lambda inner: (inner, 1)],
    ids=["list", "dict", "tuple"],
)
def test_sixty_four_levels_are_kept_and_one_more_is_not(serializer, make):
    kept, refused = wrapped(64, make), wrapped(65, make)
    assert serializer.loads(freeze(kept, serializer, snapshot=take_snapshot(kept))) == json.loads(
        json.dumps(kept)
    )
    with pytest.raises(SerializationError, match="nested deeper than 64 levels"):
        freeze(refused, serializer, snapshot=take_snapshot(refused))


@BOTH
@pytest.mark.parametrize(
    "value",
    [
        "1" * 40,
        "\x7f" * 3,
        "\x7f" * 200,
        127,
        -1,
        5,
        [1] * 5,
        "é\xff",
        2**63 - 1,
        -(2**63),
        9007199254740993,
        [[]] * 100,
        ("a", 1),
        OrderedDict(b=1),
        StrangeText("x"),
        {"k" * 127: "v" * 255},
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_only_looks_odd_is_kept(serializer, value):
    contents = {"a": value, "b": -1.5, "many": [{}] * 100}
    assert serializer.loads(
        freeze(contents, serializer, snapshot=take_snapshot(contents))
    ) == json.loads(json.dumps(contents))


@pytest.mark.parametrize(
    "text", ["},{" * 70, "{" * 70, "]" * 70], ids=["both", "opening", "closing"]
)
@pytest.mark.parametrize("levels", [64, 65])
def test_brackets_in_texts_hide_no_level(text, levels):
    contents = {**wrapped(levels, lambda inner: {text: inner}), "text": text, "more": [{}] * 100}
    if levels == 64:
        assert (
            fast_json().loads(freeze(contents, fast_json(), snapshot=take_snapshot(contents)))
            == contents
        )
        return
    with pytest.raises(SerializationError, match="nested deeper than 64 levels"):
        freeze(contents, fast_json(), snapshot=take_snapshot(contents))


@BOTH
def test_half_a_surrogate_pair_is_read(serializer):
    assert serializer.loads(b'{"name":"\\ud83d"}') == {"name": "\ud83d"}


@BOTH
def test_what_is_no_json_is_a_value_error(serializer):
    with pytest.raises(ValueError, match="."):
        serializer.loads(b'{"a":}')
