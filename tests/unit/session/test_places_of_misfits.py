"""The place of a value that does not fit a model: names of fields, and never what the session holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic
import pytest
from typing_extensions import TypedDict

from sessionkit._session.models import MisfitError, load_model


class Address(pydantic.BaseModel):
    zip: int = pydantic.Field(default=0, alias="ZIP")
    more: list[Address] = []


class Extra(TypedDict):
    n: int


@dataclass
class Part:
    n: int


class Account(pydantic.BaseModel):
    by_mail: dict[str, Address] = {}
    extra: Extra = {"n": 0}
    part: Part | None = None
    either: int | Address = 0
    first: int = pydantic.Field(default=0, validation_alias=pydantic.AliasChoices("a", "b"))
    deep: int = pydantic.Field(default=0, validation_alias=pydantic.AliasPath("list", 1, "n"))
    kind: Literal["x"] = "x"


class Closed(pydantic.BaseModel, extra="forbid"):
    pass


@pytest.mark.parametrize(
    ("model", "contents", "path"),
    [
        (Account, {"by_mail": {"ann@example.org": {"ZIP": "?"}}}, "by_mail.*.ZIP"),
        (Account, {"by_mail": {"ann": {"more": [{}, {"ZIP": "?"}]}}}, "by_mail.*.more.1.ZIP"),
        (Account, {"extra": {"n": "?"}}, "extra.n"),
        (Account, {"part": {"n": "?"}}, "part.n"),
        (Account, {"either": {"ZIP": "?"}}, "either.*"),
        (Account, {"b": "?"}, "b"),
        (Account, {"list": [0, {"n": "?"}]}, "list.1.n"),
        (Account, {"kind": "secret"}, "kind"),
        (Closed, {"ann@example.org": 1}, "*"),
    ],
)
def test_a_key_of_the_session_has_no_place_in_the_path(
    model: type, contents: dict[str, Any], path: str
) -> None:
    with pytest.raises(MisfitError) as caught:
        load_model(model, contents)
    assert caught.value.path == path


@dataclass
class Loose:
    tags: set[Any] = field(default_factory=set)
    frozen: frozenset[Any] = frozenset()
    ratio: float = 0


@pytest.mark.parametrize(
    ("contents", "path"),
    [({"tags": [[1]]}, "tags"), ({"frozen": [{}]}, "frozen"), ({"ratio": 10**400}, "ratio")],
)
def test_json_that_python_cannot_hold_so_does_not_fit(contents: dict[str, Any], path: str) -> None:
    with pytest.raises(MisfitError) as caught:
        load_model(Loose, contents)
    assert caught.value.path == path
