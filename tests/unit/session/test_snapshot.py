from collections import OrderedDict

import pytest

from sessionkit import JSON, fast_json
from sessionkit._session.session import Session
from sessionkit._session.snapshot import plain, take_snapshot
from sessionkit._session.snapshot import same as is_same


class Text(str):
    __slots__ = ()


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")


def same(one, other):
    return is_same(one, take_snapshot(one), take_snapshot(other))


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
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}),
        ({"a": "é"}, {"a": "e\u0301"}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_sessions_that_differ_in_a_value_its_type_or_the_order_are_not_the_same(one, other):
    assert same(one, other) is False
    assert same(other, one) is False


def test_it_matters_not_whether_equal_values_are_one_object():
    shared = ["x" * 30]
    assert same({"a": shared, "b": shared}, {"a": ["x" * 30], "b": ["x" * 30]}) is True


@pytest.mark.parametrize(
    "contents",
    [
        {},
        {"a": [1, 2.5, None, True, {"b": "é 😀"}], "": {}},
        {"a": -0.0, "b": 2**63 - 1, "c": "x" * 300},
    ],
)
def test_a_session_that_went_through_json_is_the_same(contents):
    for other in (JSON, fast_json()):
        assert same(contents, other.loads(other.dumps(contents))) is True


def test_holding_on_to_a_nested_value_changes_nothing():
    contents = JSON.loads(b'{"user":{"sub":"alice","name":"alice"},"list":[1,2]}')
    before = take_snapshot(contents)
    held = [contents["user"], contents["list"], contents["user"]["sub"]]
    assert is_same(contents, take_snapshot(contents), before) is True
    assert len(held) == 3


@pytest.mark.parametrize("kind", [OrderedDict, Session])
def test_of_a_subclass_of_dict_the_contents_count(kind):
    assert same(kind({"a": 1}), {"a": 1}) is True


@pytest.mark.parametrize("value", [object(), Unprintable(), {1, 2}])
def test_what_is_not_json_is_never_the_same_as_what_was_loaded(value):
    assert same({"a": value}, {"a": None}) is False


def test_a_subclass_of_str_counts_as_changed_and_by_its_value():
    assert same({"a": Text("a")}, {"a": "a"}) is False
    assert same({"a": Text("a")}, {"a": Text("b")}) is False
    assert same({"a": Text("a")}, {"a": Text("a")}) is True


def test_a_session_inside_itself_has_a_snapshot_and_is_another():
    endless = {"a": 1}
    endless["list"] = [endless]
    assert same(endless, {"a": 1}) is False


def test_a_tree_whose_branches_know_their_parents_is_another_and_comes_to_an_end():
    # Three branches a level, and back up again: written out without references it would never end.
    root = {"name": "root", "children": []}
    root["children"] = [{"parent": root, "pair": (root, [root])} for _ in range(3)]
    assert same({"tree": root}, {"tree": None}) is False
    assert same({"tree": None}, {"tree": root}) is False


def test_a_session_nested_beyond_all_limits_has_a_snapshot_and_is_another():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert same({"a": deep}, {"a": []}) is False


class Number(int):
    __slots__ = ()


class Fraction(float):
    __slots__ = ()


def types(value):
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    return [types(item) for item in value] if isinstance(value, (list, tuple)) else type(value)


def test_subclasses_become_the_types_they_are_written_as():
    given = OrderedDict(
        a=Text("x"), b=Number(1), c=Fraction(-0.0), d=Session({"e": [True, None]}), f=(Text("y"),)
    )
    made = plain({Text("given"): given})
    assert made == {"given": {"a": "x", "b": 1, "c": 0.0, "d": {"e": [True, None]}, "f": ("y",)}}
    assert types(made["given"]) == {
        "a": str,
        "b": int,
        "c": float,
        "d": {"e": [bool, type(None)]},
        "f": [str],
    }
    assert [type(made["given"]), type(made["given"]["d"]), type(next(iter(made)))] == [
        dict,
        dict,
        str,
    ]


def test_what_is_inside_itself_or_no_json_is_left_as_it_is():
    thing, round_ = object(), {}
    round_["again"] = round_
    assert plain({"thing": thing})["thing"] is thing
    assert plain(round_)["again"] is round_


def test_a_session_that_hides_its_values_from_its_repr_is_compared_by_them():
    assert same({"before": Session({"a": 1})}, {"before": Session({"a": 2})}) is False
    assert same({"before": Session({"a": 1})}, {"before": Session({"a": 1})}) is True


def test_two_lists_inside_themselves_in_different_ways_are_not_the_same():
    one, other = [], []
    one.append(one)
    other.append([other])
    assert same({"a": one}, {"a": other}) is False


def test_two_sessions_inside_themselves_are_never_the_same():
    one, other = {"list": ["x" * 3]}, {"list": ["x" * 3]}
    one["again"], other["again"] = one, other
    held = [other["list"]]  # so that the bytes differ, and the contents are looked at
    assert take_snapshot(one) != take_snapshot(other)
    assert same(one, other) is False
    assert len(held) == 1
