"""Identities as bytes, by which the sessions of a user are found on the server."""

from itertools import combinations

import pytest

from sessionkit import ConfigurationError
from sessionkit._session.who import Who, exact, print_identity

VALUES = [
    "", "a", "1", "True", "None", "int1:1", "t1:int1:1", b"", b"a", b"1", 0, 1, -1, 2**70, True, False, 0.0, -0.0, 1.0, 1.5,
    float("inf"), (), ("a",), ("a", "b"), ("ab",), (("a",), "b"), ("a", ("b",)), [], ["a"], ["a", "b"], {}, {"a": "b"},
    {"a": {"b": 1}}, {"a": "b", "c": 1}, {"a": ("b", "c", 1)}, {1: "a"}, {"1": "a"}, {"a"}, {"a", "b"}, frozenset("a"),
    frozenset("ab"), (None,), [None], {"a": None}, ("sub", None, "a"), ("sub", "None", "a"), ("sub", "i", "a"),
    ("id", "7"), ("id", 7), ("uid", 7), "\ud800", "ä", "a\u0308",
]  # fmt: skip


def printed(value):
    return print_identity(Who(exact(value)))


def test_no_two_identities_have_the_same_bytes():
    same = [
        (one, other) for one, other in combinations(VALUES, 2) if printed(one) == printed(other)
    ]
    assert [] == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": {"x": 1, "y": {"c", "d"}}}, {"a": {"y": {"d", "c"}, "x": 1}}),
        ({1, 2, 3}, {3, 2, 1}),
        (frozenset("abc"), frozenset("cba")),
    ],
)
def test_the_order_of_members_makes_no_difference(one, other):
    assert printed(one) == printed(other)


def test_nobody_has_no_bytes():
    assert printed(None) is None


def test_the_bytes_are_those_of_every_process_and_python():
    assert b"t3:str3:subNoneType4:Nonestr1:a" == printed(("sub", None, "a"))
    assert b"d1:str4:userint1:7" == printed({"user": 7})


@pytest.mark.parametrize("value", [object(), lambda: None, [object()]])
def test_an_identity_of_other_types_says_what_it_may_be(value):
    with pytest.raises(ConfigurationError, match="`identity` must return str, int, bool"):
        printed(value)
