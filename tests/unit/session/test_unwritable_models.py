"""Models that cannot be written as JSON: one error, with no value in it and no frames that show one."""

from __future__ import annotations

from dataclasses import dataclass, field
from traceback import walk_tb
from typing import Any

import msgspec
import pydantic
import pytest

from sessionkit import SerializationError
from sessionkit._session.model_merging import make_merge
from sessionkit._session.models import dump_model


@dataclass
class Part:
    items: list[Any] = field(default_factory=list)


class Struct(msgspec.Struct):
    items: Any = None


class Account(pydantic.BaseModel):
    items: Any = None


class Refusing(pydantic.BaseModel):
    name: str

    @pydantic.field_serializer("name")
    def write(self, value: str) -> str:
        raise ValueError(f"no: {value}: never")


def nest(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def inside_itself() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize("items", [inside_itself(), nest(20_000)], ids=["inside itself", "deep"])
@pytest.mark.parametrize("model", [Part, Struct, Account])
def test_what_is_nested_without_end_is_one_short_error(model: Any, items: list[Any]) -> None:
    with pytest.raises(SerializationError, match="cannot be written as JSON") as caught:
        dump_model(model(items=items))
    assert caught.value.__context__ is None
    assert len(list(walk_tb(caught.value.__traceback__))) < 5


def test_a_dict_that_is_nested_without_end_is_one_short_error() -> None:
    with pytest.raises(SerializationError, match="nested too deep") as caught:
        make_merge({"items": nest(20_000)})({})
    assert caught.value.__context__ is None
    assert len(list(walk_tb(caught.value.__traceback__))) < 5


def test_a_type_that_msgspec_does_not_write_is_named() -> None:
    with pytest.raises(SerializationError, match="Struct cannot .* type object is unsupported"):
        dump_model(Struct(object()))


def test_the_error_of_a_serializer_keeps_its_text_for_itself() -> None:
    with pytest.raises(SerializationError, match="function `write`: ValueError") as caught:
        dump_model(Refusing(name="a secret"))
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
