"""A backend of the application's own that breaks the contract: the error names the method, and no session is lost without a word."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sessionkit import (
    SessionStore,
    create_session,
    delete_session,
    get_session,
    rotate_session,
    update_session,
)
from sessionkit.backends import MemoryBackend
from sessionkit.testing import session_cookies

from ..backends.awaited import AwaitedMemory
from ..scene import ALICE, BOB, SECRET


def with_reply(method: str, change: Any) -> Any:
    """A backend one of whose methods returns something else."""

    class Wrong(MemoryBackend):
        pass

    def call(self: Any, *args: Any) -> Any:
        return change(getattr(super(Wrong, self), method)(*args))

    setattr(Wrong, method, call)
    return Wrong()


class Awaited(AwaitedMemory):
    def __init__(self, memory: MemoryBackend) -> None:
        self.memory = memory


def changing(**values: Any) -> Any:
    return lambda record: (
        record
        and record._replace(
            **{name: change(getattr(record, name)) for name, change in values.items()}
        )
    )


def drop(_: Any) -> None:
    """Forget to return anything."""


MOVES: dict[str, Any] = {
    "load": get_session,
    "insert": lambda: create_session(BOB),
    "replace": lambda: update_session({**ALICE, "n": 1}),
    "touch": lambda: None,
    "delete": delete_session,
}
CASES = [
    ("load", lambda record: record and tuple(record), "returned tuple: it must return a Record or None"),
    ("load", lambda record: record and record._asdict(), "returned dict: it must return a Record or None"),
    ("load", changing(created_at=str), "a Record whose created_at is str: it must return one whose created_at is int"),
    ("load", changing(sealed=lambda sealed: sealed.hex()), "whose sealed is str: it must return one whose sealed is bytes"),
    ("load", changing(key=str.upper), "a Record with another key or owner"),
    ("load", changing(owner=str.upper), "a Record with another key or owner"),
    ("insert", drop, "returned NoneType: it must return True or False"),
    ("insert", int, "returned int: it must return True or False"),
    ("replace", drop, "returned NoneType: it must return True, False or the Record that is there"),
    ("replace", int, "returned int: it must return True, False"),
    ("delete", bool, "returned bool: it must return the Record that was there, or None"),
]  # fmt: skip


@pytest.mark.parametrize("is_awaited", [False, True])
@pytest.mark.parametrize(("method", "change", "told"), CASES)
def test_a_reply_that_the_contract_does_not_know_is_an_error_that_names_the_method(
    method: str, change: Any, told: str, is_awaited: bool
) -> None:
    memory = MemoryBackend()
    cookies = session_cookies(SessionStore(SECRET, backend=memory), ALICE)
    wrong = with_reply(method, change)
    wrong.__dict__.update(memory.__dict__)
    store = SessionStore(SECRET, backend=Awaited(wrong) if is_awaited else wrong)

    async def run() -> None:
        async with store.exchange(cookies):
            MOVES[method]()

    with pytest.raises(
        TypeError, match=f"{method} {told}" if told.startswith("returned") else told
    ):
        if is_awaited:
            asyncio.run(run())
        else:
            with store.exchange(cookies):
                MOVES[method]()


@pytest.mark.parametrize(
    ("method", "change", "told"),
    [
        ("of", drop, "of returned NoneType: it must return a list of Records"),
        ("of", lambda records: [tuple(one) for one in records], "a tuple among the records"),
        ("of", lambda records: [one._replace(owner="x") for one in records], "another key or owner"),
        ("revoke", drop, "revoke returned NoneType: it must return the number of records"),
        ("purge", drop, "purge returned NoneType: it must return the number of records"),
    ],
)  # fmt: skip
def test_so_it_is_for_the_verbs_of_the_server(method: str, change: Any, told: str) -> None:
    store = SessionStore(SECRET, backend=with_reply(method, change))
    session_cookies(store, ALICE)
    with pytest.raises(TypeError, match=told):
        if method == "purge":
            store.purge()
        elif method == "revoke":
            store.revoke_user(ALICE)
        else:
            store.sessions_of(ALICE)


def test_a_login_whose_insert_says_nothing_leaves_no_session_behind() -> None:
    store = SessionStore(SECRET, backend=with_reply("insert", drop))
    with pytest.raises(TypeError), store.exchange():
        create_session(ALICE)
    assert store.sessions_of(ALICE) == []


def test_bytes_of_any_kind_and_records_from_a_generator_will_do() -> None:
    convert = changing(sealed=memoryview, version=bytearray)
    store = SessionStore(SECRET, backend=with_reply("load", convert))
    with store.exchange(session_cookies(store, ALICE)):
        rotate_session()
        assert get_session() == ALICE
    store = SessionStore(SECRET, backend=with_reply("of", iter))
    session_cookies(store, ALICE)
    assert [ALICE] == [info.contents for info in store.sessions_of(ALICE)]
