"""Contents as models, and models as contents: each kind, each type, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar
from uuid import UUID

import msgspec
import pydantic
import pytest
from typing_extensions import NotRequired, Required, TypedDict

from sessionkit import SerializationError
from sessionkit._session.models import MisfitError, dump_model, is_model, load_model

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)
ID = UUID("12345678-1234-5678-1234-567812345678")
Number = NewType("Number", int)


class Colour(Enum):
    RED = "red"


class Person(pydantic.BaseModel):
    sub: str
    born: date | None = None


class Shop(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        strict=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    user: Person
    seen: datetime
    ref: UUID = ID
    price: Decimal = Decimal("1.10")
    key: bytes = b"\xff\x00"
    nick: str = pydantic.Field("?", alias="nickName")

    @pydantic.computed_field
    def label(self) -> str:
        return f"{self.user.sub} {self.price}"


@dataclass
class User:
    sub: str


@dataclass
class Everything:
    user: User
    seen: datetime = NOON
    day: date = date(2026, 11, 26)
    at: time = time(12, 30)
    pause: timedelta = timedelta(seconds=1.5)
    ref: UUID = ID
    price: Decimal = Decimal("1.10")
    key: bytes = b"\xff\xfe"
    colour: Colour = Colour.RED
    kind: Literal["a", 1] = "a"
    number: Number = Number(7)
    ratio: float = 0.5
    yes: bool = True
    nothing: None = None
    note: Annotated[str, "a remark"] | None = None
    old: Optional[int] = None  # noqa: UP045  # both spellings
    tags: set[str] = field(default_factory=lambda: {"b", "a"})
    frozen: frozenset[int] = frozenset({1})
    pair: tuple[int, str] = (1, "a")
    many: tuple[date, ...] = (date(2026, 1, 1),)
    bare: tuple[Any, ...] = ()
    lines: Sequence[User] = field(default_factory=lambda: [User("x")])
    by_name: Mapping[str, User] = field(default_factory=lambda: {"x": User("x")})
    plain: dict[str, Any] = field(default_factory=lambda: {"x": [1]})
    loose: list = field(default_factory=list)
    object: dict = field(default_factory=dict)
    model: Person | None = None
    inside: list[Everything] = field(default_factory=list)
    derived: int = field(default=0, init=False)


class Struct(msgspec.Struct):
    user: dict[str, str]
    seen: datetime = NOON
    key: bytes = b"\xff"


class TypedUser(TypedDict):
    sub: str


class Typed(TypedDict):
    user: TypedUser
    n: NotRequired[int]
    note: Annotated[NotRequired[str], "a remark"]
    theme: Required[str | None]


class Own:
    """A class of the application's own."""

    def __init__(self, sub: str, seen: datetime) -> None:
        self.sub, self.seen = sub, seen

    @classmethod
    def from_session(cls, contents: dict[str, Any]) -> Own:
        seen = contents["seen"].replace("Z", "+00:00")  # Python 3.10 does not read the Z
        return cls(contents.pop("user")["sub"], datetime.fromisoformat(seen))

    def to_session(self) -> dict[str, Any]:
        return {"user": {"sub": self.sub}, "seen": self.seen}


class Timed(Own):
    @classmethod
    def from_session(cls, contents: dict[str, Any]) -> Own:
        return cls("a", datetime.fromtimestamp(contents["seen"], timezone.utc))


@dataclass
class WithOwn:
    own: Own
    struct: Struct | None = None
    typed: Typed | None = None


MODELS = [
    Shop(user=Person(sub="ann", born=date(1990, 1, 2)), seen=NOON, nickName="A"),
    Everything(User("ann"), inside=[Everything(User("bob"))], model=Person(sub="p")),
    Struct({"sub": "ann"}),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_model_comes_back_as_it_was(model: Any) -> None:
    assert load_model(type(model), dump_model(model)) == model


def test_models_within_a_dataclass_come_back() -> None:
    given = WithOwn(
        Own("ann", NOON), Struct({"sub": "bob"}), {"user": {"sub": "cat"}, "theme": None}
    )
    read = load_model(WithOwn, dump_model(given))
    assert (read.own.sub, read.own.seen, read.struct, read.typed) == (
        "ann", NOON, given.struct, given.typed,
    )  # fmt: skip


def test_values_are_json() -> None:
    assert dump_model(MODELS[0]) == {
        "user": {"sub": "ann", "born": "1990-01-02"},
        "seen": "2026-11-26T12:00:00Z",
        "ref": str(ID),
        "price": "1.10",
        "key": "_wA=",
        "nickName": "A",
    }
    everything = dump_model(Everything(User("ann")))
    assert everything["seen"] == "2026-11-26T12:00:00+00:00"
    assert (everything["pause"], everything["key"], everything["tags"]) == (1.5, "//4=", ["a", "b"])
    assert "derived" not in everything


def test_keys_that_a_dataclass_does_not_know_are_ignored() -> None:
    assert load_model(User, {"sub": "ann", "more": 1}) == User("ann")


def test_a_dataclass_takes_the_spellings_of_other_writers() -> None:
    read = load_model(Everything, {"user": {"sub": "a"}, "seen": "2026-11-26T12:00:00Z", "key": "__4=", "ratio": 1})  # fmt: skip
    assert (read.seen, read.key, read.ratio) == (NOON, b"\xff\xfe", 1.0)


def test_values_that_a_frameworks_session_keeps_as_they_are_are_taken_as_they_are() -> None:
    live = {"user": {"sub": "a"}, "seen": NOON, "ref": ID, "pause": timedelta(2), "colour": Colour.RED, "inside": [Everything(User("b"))]}  # fmt: skip
    read = load_model(Everything, live)
    assert (read.seen, read.ref, read.pause, read.inside) == (NOON, ID, timedelta(2), live["inside"])  # fmt: skip
    read = load_model(Person, {"sub": "a", "born": date(2026, 1, 1)})
    assert read.born == date(2026, 1, 1)


def test_a_session_that_javascript_cut_in_half_is_read() -> None:
    assert load_model(Person, {"sub": "a", "other": "\ud800"}) == Person(sub="a")


@pytest.mark.parametrize("model", [Everything, Struct, Own])
def test_a_model_shares_no_value_with_the_contents(model: type) -> None:
    contents = {"user": {"sub": "a"}, "plain": {"x": [1]}, "seen": NOON.isoformat()}
    read = load_model(model, contents)
    if isinstance(read, Everything):
        read.plain["x"].append(2)
    elif isinstance(read, Struct):
        read.user["sub"] = "b"
    assert contents == {"user": {"sub": "a"}, "plain": {"x": [1]}, "seen": NOON.isoformat()}


def test_a_typed_dict_is_the_contents_themselves() -> None:
    contents = {"user": {"sub": "a"}, "theme": None, "more": 1}
    assert load_model(Typed, contents) is contents


@dataclass
class Picky:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("a secret")


MISFITS: list[tuple[type, dict[str, Any], str]] = [
    (Person, {"sub": 1}, "sub"),
    (Shop, {"user": {}, "seen": "2026-11-26T12:00:00Z"}, "user.sub"),
    (Struct, {"user": {"sub": "a"}, "seen": "secret"}, "seen"),
    (Struct, {}, ""),
    (Own, {"user": {}}, ""),
    (Own, {"user": {"sub": "a"}, "seen": "secret"}, ""),
    (Timed, {"seen": 1e300}, ""),
    (User, {}, "sub"),
    (Typed, {"user": {"sub": "a"}, "theme": None, "n": True}, "n"),
    (Typed, {"user": {"sub": "a"}}, "theme"),
    (Typed, {"user": "secret"}, "user"),
    (Typed, {}, "user"),
    (Picky, {"n": -1}, ""),
    (WithOwn, {"own": {"user": {}}}, "own"),
    (WithOwn, {"own": Own("a", NOON).to_session(), "struct": {"user": 1}}, "own"),
    *(
        (Everything, {"user": {"sub": "a"}, key: value}, f"{key}{at}")
        for key, value, at in [
            ("seen", "yesterday", ""), ("seen", 7, ""), ("day", "2026-13-01", ""), ("at", "25:00", ""), ("pause", "1", ""),
            ("pause", 1e300, ""), ("pause", float("nan"), ""), ("ref", "?", ""), ("price", "1.x", ""), ("key", "?", ""), ("colour", "blue", ""),
            ("kind", True, ""), ("number", 1.0, ""), ("ratio", True, ""), ("ratio", "1", ""), ("yes", 1, ""), ("nothing", 0, ""),
            ("note", 1, ""), ("tags", "ab", ""), ("tags", [1], ".0"), ("pair", [1], ""), ("pair", [1, 1], ".1"), ("pair", "ab", ""),
            ("many", ["x"], ".0"), ("lines", [{"sub": 1}], ".0.sub"), ("by_name", [1], ""), ("by_name", {"x": {}}, ".*.sub"),
            ("plain", [], ""), ("loose", {}, ""), ("user", [], ""), ("inside", [{}], ".0.user"),
        ]
    ),
]  # fmt: skip


@pytest.mark.parametrize(("model", "contents", "path"), MISFITS, ids=range(len(MISFITS)))
def test_what_does_not_fit_is_named_by_its_path_alone(
    model: type, contents: dict[str, Any], path: str
) -> None:
    with pytest.raises(MisfitError) as caught:
        load_model(model, contents)
    if model is not WithOwn:
        assert caught.value.path == path
    assert "secret" not in str(caught.value)


class Unknown:
    pass


@dataclass
class Unsupported:
    where: Unknown


@dataclass
class Undefined:
    where: Missing  # noqa: F821  # the point


@dataclass
class NumbersAsKeys:
    where: dict[int, str]


T = TypeVar("T")


@dataclass
class Open(Generic[T]):
    where: T


class WithDate(TypedDict):
    at: datetime


class WithSet(TypedDict):
    at: set[str]


class WithPair(TypedDict):
    at: tuple[int, str]


class WithRecord(TypedDict):
    at: User


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Unsupported, r"Unsupported\.where: Unknown is not supported in a dataclass: take a pydantic model"),
        (NumbersAsKeys, r"NumbersAsKeys\.where: .* is not supported in a dataclass"),
        (Open, r"Open\.where: T is not supported in a dataclass"),
        (Undefined, "the name 'Missing' is not defined in its module"),
        (WithDate, r"WithDate\.at: datetime is not a type of JSON, .*: make it a dataclass"),
        (WithSet, "is not a type of JSON"),
        (WithPair, "is not a type of JSON"),
        (WithRecord, "is not a type of JSON"),
        (int, "session_of was given int: give the class of a model first"),
        (User("a"), "session_of was given an object of User: give the class"),
        (dict[str, Any], "give the class"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_be_a_model_is_an_error(model: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        load_model(model, {})


def test_what_is_a_model() -> None:
    assert [is_model(one) for one in (*MODELS, Own("a", NOON))] == [True] * 4
    assert [is_model(one) for one in ({}, 1, User, None, Unknown())] == [False] * 5


# ---- writing


class Listed(pydantic.RootModel[list[int]]):
    pass


class Binary(pydantic.BaseModel):
    key: bytes


def test_a_model_that_is_no_object_is_an_error() -> None:
    with pytest.raises(TypeError, match="Listed is not written as a JSON object"):
        dump_model(Listed([1]))
    with pytest.raises(TypeError, match="dict is not a model"):
        dump_model({})


def test_bytes_that_pydantic_cannot_write_say_how() -> None:
    with pytest.raises(SerializationError, match="set ser_json_bytes and val_json_bytes"):
        dump_model(Binary(key=b"\xff"))


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Person.model_construct(sub=1), "sub"),
        (Everything(User(1)), "user.sub"),  # type: ignore[arg-type]  # the point
        (Struct({"sub": 1}), r"user\[...\]"),  # type: ignore[dict-item]  # the point
        (Own(1, NOON), None),  # type: ignore[arg-type]  # the point
    ],
)
def test_a_model_that_could_not_be_read_again_is_not_written(model: Any, path: str | None) -> None:
    if path is None:
        assert dump_model(model)["user"] == {"sub": 1}  # its class takes it
        return
    # A warning would be an error here: pydantic's show values.
    with pytest.raises(SerializationError, match=f"could not be read again: .* {path} does not"):
        dump_model(model)
