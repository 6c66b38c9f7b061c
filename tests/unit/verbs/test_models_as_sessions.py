"""`session_of` and `save_session` in every call form, with sessions in cookies and on the server."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from typing_extensions import TypedDict

import sessionkit
from sessionkit import (
    EventKind,
    Ignored,
    NoActiveRequestError,
    SessionStore,
    contents_of,
    create_session,
    get_session,
    save_session,
    session_of,
)
from sessionkit.backends import MemoryBackend

from ..kept import KeptScene
from ..scene import ALICE, SECRET
from ..served import environ_of, scope_of
from .conftest import FORMS, GATEWAYS
from .forms import Caller, begin_anonymous


@dataclass
class User:
    sub: str


@dataclass
class Account:
    user: User
    cart: list[str] = field(default_factory=list)
    note: str | None = None


class Live(TypedDict):
    user: dict[str, Any]


VERBS = {"method": lambda scene: scene.store, "function": lambda scene: sessionkit}


class Named:
    """The verbs with the names that the callers of these tests use."""

    def __init__(self, verbs: Any) -> None:
        self.verbs = verbs

    def read_session(self, *request: Any) -> Any:
        return self.verbs.session_of(Account, *request)

    def save_session(self, *args: Any) -> Any:
        return self.verbs.save_session(*args)

    def get_session(self, *args: Any) -> Any:
        return self.verbs.get_session(*args)


@pytest.fixture
def typed(caller: Caller) -> Caller:
    """The caller, whose acts know `read` and `save`."""
    return Caller(caller.scene, caller.run, Named(caller.verbs))


def add(call: Any) -> Any:
    account = call("read")
    account.cart.append("tea")
    return call("save", account)


def test_a_model_is_read_changed_and_saved(typed: Caller) -> None:
    typed.scene.browser.login({**ALICE, "theme": "dark"})
    assert typed(add) is True
    assert typed.scene.browser.session() == {**ALICE, "theme": "dark", "cart": ["tea"]}


def test_nobody_has_no_model_and_saves_none(typed: Caller) -> None:
    begin_anonymous(typed.scene)
    assert typed(lambda call: call("read")) is None
    assert typed(lambda call: call("save", Account(User("mallory")))) is False
    reasons = [one.reason for one in typed.scene.events if one.kind is EventKind.UPDATE_IGNORED]
    assert reasons == [Ignored.NOT_AUTHENTICATED]


def test_a_model_of_another_user_is_refused(typed: Caller) -> None:
    typed.scene.browser.login()
    assert typed(lambda call: call("save", Account(User("bob"), ["tea"]))) is False
    assert typed.scene.browser.session() == ALICE


def test_a_dict_is_merged(typed: Caller) -> None:
    typed.scene.browser.login({**ALICE, "theme": {"a": 1}})
    assert typed(lambda call: call("save", {"theme": {"b": 2}})) is True
    assert typed.scene.browser.session() == {**ALICE, "theme": {"a": 1, "b": 2}}


def test_every_form_is_tried() -> None:
    assert {*GATEWAYS} < {*FORMS}


@pytest.fixture(params=[None, MemoryBackend], ids=["cookie", "backend"])
def store(request: pytest.FixtureRequest) -> SessionStore:
    return SessionStore(SECRET, backend=request.param and request.param())


def test_a_model_that_did_not_change_leaves_the_session_alone(store: SessionStore) -> None:
    with store.exchange() as exchange:
        create_session({**ALICE, "cart": ["tea"]})
        assert save_session(session_of(Account)) is True
        assert get_session() == {**ALICE, "cart": ["tea"]}
    assert exchange.response_headers != []


def test_a_typed_dict_is_the_live_session(store: SessionStore) -> None:
    with store.exchange():
        create_session(ALICE)
        live = session_of(Live)
        assert live is get_session()
        assert save_session(live) is True


def test_contents_of_a_model_begin_a_session(store: SessionStore) -> None:
    with store.exchange():
        create_session(contents_of(Account(User("ann"), ["tea"])))
        assert session_of(Account) == Account(User("ann"), ["tea"])


def test_a_session_that_does_not_fit_is_none_and_a_warning_names_the_place(
    store: SessionStore, caplog: pytest.LogCaptureFixture
) -> None:
    with store.exchange(), caplog.at_level(logging.WARNING, "sessionkit"):
        create_session({**ALICE, "cart": "a secret"})
        assert session_of(Account) is None
        assert get_session() is not None
        create_session({"user": "a secret"})
        assert session_of(User) is None
    assert [one for one in caplog.messages if "fit" in one] == [
        "a session does not fit Account at cart: session_of returns None, as if its visitor was not signed in",
        "a session does not fit User at sub: session_of returns None, as if its visitor was not signed in",
    ]


def test_parallel_requests_each_keep_what_the_other_saved() -> None:
    scene = KeptScene()
    scene.browser.login()
    slow, quick = scene.browser.visit(), scene.browser.visit()
    for visit, change in ((slow, {"note": "slow"}), (quick, {"cart": ["tea"]})):
        account = Account(User(ALICE["user"]["sub"]), **change)
        visit.exchange.update(sessionkit._session.model_merging.make_merge(account))
    quick.commit()
    slow.commit()
    assert scene.browser.session() == {**ALICE, "note": "slow", "cart": ["tea"]}


# ---- wrong calls


@pytest.mark.parametrize(
    "args",
    [(), (1,), (User,), (environ_of(""), None), ("a",)],
    ids=["nothing", "number", "class", "None", "text"],
)
def test_a_save_without_a_model_lists_the_calls(store: SessionStore, args: Any) -> None:
    with pytest.raises(TypeError, match=r"save_session needs a model as its last argument, not .*: valid are save_session\(model\)"):  # fmt: skip
        store.save_session(*args)


@pytest.mark.parametrize("request_", [environ_of(""), scope_of("")], ids=["environ", "scope"])
def test_a_request_is_no_model(store: SessionStore, request_: Any) -> None:
    with pytest.raises(TypeError, match=r"save_session\(dict\) is not a valid call"):
        store.save_session(request_)


def test_the_model_comes_last(store: SessionStore) -> None:
    with pytest.raises(TypeError, match="is not a valid call"):
        store.save_session(Account(User("a")), {})


def test_the_class_comes_first(store: SessionStore) -> None:
    with pytest.raises(TypeError, match="give the class of a model first, and then the request"):
        store.session_of(environ_of(""), Account)  # type: ignore[call-overload]  # the point


def test_without_a_gateway_a_save_needs_the_response(store: SessionStore) -> None:
    with pytest.raises(NoActiveRequestError, match="save_session: no gateway serves this request"):
        store.save_session(environ_of(""), Account(User("a")))
