from collections import OrderedDict

import pytest

from sessionkit import fast_json
from sessionkit.fingerprint import BY_MARSHAL
from sessionkit.serializer import JSON

BOTH = pytest.mark.parametrize("prints", [BY_MARSHAL, fast_json().fingerprints], ids=["marshal", "encoder"])
VALUES = [{}, {"a": [1, 2.5, None, True, "é🐴", {"b": []}]}, {"a": -0.0, "b": 2**63 - 1, "c": "x" * 300}]


class Text(str):
    __slots__ = ()


def are_same(prints, one, other):
    return prints.same(prints.of(one), prints.of(other))


@BOTH
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 0.0}, {"a": -0.0}),
        ({"a": None}, {}),
        ({"a": []}, {"a": {}}),
        ({"a": [1]}, {"a": [1, 1]}),
        ({"a": "é"}, {"a": "e\u0301"}),
        ({"a": Text("a")}, {"a": Text("b")}),
    ],
)
def test_sessions_that_differ_in_a_value_or_its_type_have_different_fingerprints(prints, one, other):
    assert are_same(prints, one, other) is False


@BOTH
def test_equal_sessions_have_equal_fingerprints_whether_their_values_are_shared_or_not(prints):
    shared = ["x" * 30]
    assert are_same(prints, {"a": shared, "b": shared}, {"a": ["x" * 30], "b": ["x" * 30]}) is True


@BOTH
@pytest.mark.parametrize("value", VALUES)
def test_a_session_that_went_through_json_has_the_fingerprint_that_it_had(prints, value):
    assert are_same(prints, value, JSON.loads(JSON.dumps(value))) is True


@BOTH
def test_a_fingerprint_does_not_change_when_somebody_looks_at_a_value(prints):
    session = JSON.loads(b'{"user":{"sub":"abcdefghijklmnop","roles":["one role or other"]}}')
    before = prints.of(session)
    held = [session["user"], session["user"]["sub"], session["user"]["roles"][0]]
    assert (prints.same(before, prints.of(session)), len(held)) == (True, 3)


def test_what_was_never_json_has_a_fingerprint_that_no_loaded_session_has():
    assert are_same(BY_MARSHAL, {"a": Text("a")}, {"a": "a"}) is False


@BOTH
def test_a_session_inside_itself_has_a_fingerprint_that_no_loaded_session_has(prints):
    endless = {"a": Text("a")}
    endless["b"] = endless
    assert are_same(prints, endless, {"a": "a"}) is False


@BOTH
def test_what_nobody_can_write_still_has_a_fingerprint(prints):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert are_same(prints, {"a": deep}, {"a": []}) is False


@BOTH
def test_the_fingerprint_of_a_subclass_is_that_of_the_dict(prints):
    assert are_same(prints, OrderedDict(a=1), {"a": 1}) is True
