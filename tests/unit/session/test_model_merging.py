"""A model merged into contents: what it changed, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sessionkit._session import model_merging
from sessionkit._session.model_merging import make_merge
from sessionkit._session.models import dump_model, load_model

from .test_models import NOON, Everything, Own, Shop, Struct, Unknown, User


def merge(model: Any, contents: dict[str, Any], *others: dict[str, Any]) -> Any:
    function = make_merge(model)
    return [function(one) for one in (contents, *others)][-1]


def test_a_model_that_did_not_change_changes_nothing() -> None:
    contents = {"user": {"sub": "a", "iss": "i"}, "seen": "2026-11-26T12:00:00Z", "more": {"x": [1]}}  # fmt: skip
    for model in (Everything, Shop, Own, Struct):
        assert merge(load_model(model, contents), contents) == contents


def test_a_change_keeps_what_the_model_does_not_know() -> None:
    contents = {"user": {"sub": "a", "iss": "i"}, "seen": "2026-11-26T12:00:00Z", "more": 1}
    model = load_model(Shop, contents)
    model.user.born, model.price = date(2000, 1, 1), Decimal(2)
    assert merge(model, contents) == {
        **contents, "user": {"sub": "a", "iss": "i", "born": "2000-01-01"}, "price": "2"
    }  # fmt: skip


def test_none_is_written_as_null_and_a_key_that_is_gone_is_removed() -> None:
    contents = {"user": {"sub": "a"}, "note": "x", "plain": {"a": 1, "b": 2}, "more": 1}
    model = load_model(Everything, contents)
    model.note = None
    del model.plain["a"]
    assert merge(model, contents) == {**contents, "note": None, "plain": {"b": 2}}


def test_a_key_that_the_model_no_longer_writes_is_removed() -> None:
    class Sparse(Own):
        @classmethod
        def from_session(cls, contents: dict[str, Any]) -> Own:
            return cls(contents["user"]["sub"], contents.get("seen"))  # type: ignore[arg-type]  # as it was

        def to_session(self) -> dict[str, Any]:
            return {"user": {"sub": self.sub}, **({"seen": self.seen} if self.seen else {})}

    contents = {"user": {"sub": "a"}, "seen": NOON.isoformat(), "more": 1}
    model = load_model(Sparse, contents)
    model.seen = None
    assert merge(model, contents) == {"user": {"sub": "a"}, "more": 1}


def test_the_items_of_a_list_that_did_not_change_keep_what_the_model_does_not_know() -> None:
    contents = {"user": {"sub": "a"}, "lines": [{"sub": "x", "n": 1}, {"sub": "y", "n": 2}, {"sub": "z", "n": 3}]}  # fmt: skip
    model = load_model(Everything, contents)
    model.lines = [model.lines[2], User("new"), model.lines[0]]
    assert merge(model, contents)["lines"] == [{"sub": "z", "n": 3}, {"sub": "new"}, {"sub": "x", "n": 1}]  # fmt: skip


def test_types_of_numbers_are_told_apart() -> None:
    contents = {"user": {"sub": "a"}, "plain": {"n": 1}}
    model = load_model(Everything, contents)
    model.plain["n"] = True
    assert merge(model, contents)["plain"]["n"] is True


def test_contents_that_do_not_fit_are_repaired() -> None:
    assert merge(User("a"), {"sub": 1, "more": 2}) == {"sub": "a", "more": 2}
    broken = {"user": {"sub": "a"}, "struct": 1}
    assert merge(Struct({"sub": "b"}), broken)["user"] == {"sub": "b"}


def test_a_second_call_makes_the_same_change_over_what_another_request_wrote() -> None:
    contents = {"user": {"sub": "a"}, "note": "x", "tags": ["a"]}
    model = load_model(Everything, contents)
    model.note = "mine"
    theirs = {"user": {"sub": "a"}, "note": "theirs", "tags": ["a", "b"], "new": 1}
    assert merge(model, contents, theirs) == {**theirs, "note": "mine"}


def test_a_dict_is_merged_and_each_of_its_keys_is_a_change() -> None:
    contents = {"user": {"sub": "a", "iss": "i"}, "list": [1], "more": 1}
    assert merge({"user": {"name": "A"}, "list": [2]}, contents) == {
        "user": {"sub": "a", "iss": "i", "name": "A"}, "list": [2], "more": 1
    }  # fmt: skip


def test_what_is_merged_is_a_copy() -> None:
    change = {"list": [1]}
    merged = merge(change, {})
    change["list"].append(2)
    assert merged == {"list": [1]}


def test_a_value_that_is_not_json_is_left_to_the_check_of_the_session() -> None:
    assert merge({"a": {1, 2}}, {"a": {1, 2}}) == {"a": {1, 2}}
    unknown = Unknown()
    assert dump_model(Everything(User("a"), plain={"x": [unknown]}))["plain"]["x"] != []


def test_a_value_that_is_not_json_counts_as_changed() -> None:
    contents = {"user": {"sub": "a"}, "plain": {"x": 1}}
    model = load_model(Everything, contents)
    unknown = model.plain["x"] = Unknown()
    assert type(merge(model, contents)["plain"]["x"]) is type(unknown)


def test_a_long_list_in_another_order_is_merged_in_time_that_grows_with_its_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[int] = []
    write = model_merging._write
    monkeypatch.setattr(model_merging, "_write", lambda value: written.append(1) or write(value))
    contents = {"user": {"sub": "a"}, "plain": {"list": list(range(500))}}
    model = load_model(Everything, contents)
    model.plain["list"].reverse()
    assert merge(model, contents)["plain"]["list"] == list(range(499, -1, -1))
    assert len(written) < 2_000


def test_equal_items_are_taken_in_their_order() -> None:
    contents = {"user": {"sub": "a"}, "lines": [{"sub": "x", "n": 1}, {"sub": "x", "n": 2}]}
    model = load_model(Everything, contents)
    model.lines.append(User("x"))
    assert merge(model, contents)["lines"] == [{"sub": "x", "n": 1}, {"sub": "x", "n": 2}, {"sub": "x"}]  # fmt: skip


def test_an_item_is_removed_by_its_value_whatever_order_another_request_has_made() -> None:
    contents = {"user": {"sub": "a"}, "lines": [{"sub": "x", "n": 1}, {"sub": "y", "n": 2}]}
    model = load_model(Everything, contents)
    del model.lines[1]
    theirs = {**contents, "lines": [{"sub": "y", "n": 2}, {"sub": "x", "n": 1}]}
    assert merge(model, contents, theirs)["lines"] == [{"sub": "x", "n": 1}]
