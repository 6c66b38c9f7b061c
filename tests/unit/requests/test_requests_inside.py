"""What is current again once a request made inside another one has been answered."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any

import pytest

from sessionkit import CookieSettings, SessionStore
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._requests.current import admit_task, get_last_current, set_current
from sessionkit._requests.entry import Entry, find_waiting, make_current
from sessionkit._requests.gateway import Gateway
from sessionkit._requests.lookup import Exclusion

STORE = SessionStore("requests inside: 0123456789abcdefghijklmnopqrstuvwxyz")


def exchange(*, owned: bool = True) -> Exchange:
    return STORE.begin(HeaderRequest(""), owned=owned)


@pytest.fixture(autouse=True)
def _nothing_around() -> Any:
    set_current(None)
    yield
    set_current(None)


def test_a_request_that_is_still_open_waits():
    outer = exchange()
    set_current(outer)
    assert find_waiting() is outer


def test_one_that_is_answered_or_excluded_does_not_wait_for_the_next_of_its_thread():
    answered, ended = exchange(), exchange()
    answered.commit()
    ended.finish()
    for left in (None, answered, ended, Exclusion(STORE.settings)):
        set_current(left)
        assert find_waiting() is None


def test_one_around_an_excluded_path_waits():
    excluded = Exclusion(STORE.settings, "", exchange())
    set_current(excluded)
    assert find_waiting() is excluded


def test_the_stream_of_a_task_waits_for_what_it_asks():
    async def stream() -> None:
        outer = exchange()
        admit_task(outer)
        outer.commit()
        set_current(outer)
        assert find_waiting() is outer

        async def next_of_a_connection() -> object:
            return find_waiting()

        assert await asyncio.create_task(next_of_a_connection()) is None

    asyncio.run(stream())


def test_what_waited_is_current_again():
    outer, inner = exchange(), exchange()
    set_current(inner)
    Entry(inner, inner, outer).leave()
    assert get_last_current() is outer


def test_the_last_gateway_of_one_request_stays_current_and_so_does_a_request_of_a_server():
    outer, inner = exchange(), exchange()
    inner.outer = outer
    for before in (outer, None):
        set_current(inner)
        Entry(inner, inner, before).leave()
        assert get_last_current() is inner


def test_a_context_that_is_pushed_is_current_until_it_ends():
    outer, inner = exchange(), exchange(owned=False)
    set_current(outer)
    entry = make_current(inner)
    assert (get_last_current(), entry.exchange) == (inner, inner)
    copy_context().run(entry.leave)
    assert get_last_current() is inner
    entry.leave()
    assert get_last_current() is outer


def test_a_context_is_current_no_more_where_nothing_was_current_before():
    entry = make_current(exchange(owned=False))
    entry.leave()
    assert get_last_current() is None


def test_a_gateway_begins_a_request_inside_another_one():
    gateway, outer = Gateway(None, STORE), exchange()
    set_current(outer)
    entry = gateway.begin_inside(HeaderRequest(""))
    assert get_last_current() is entry.exchange is not outer
    entry.leave()
    assert get_last_current() is outer


def test_what_has_become_current_since_stays_current():
    outer, inner, other = exchange(), exchange(), exchange()
    set_current(other)
    Entry(inner, inner, outer).leave()
    assert get_last_current() is other


def test_a_request_with_two_gateways_inside_another_one_is_left_by_both():
    names = ("one", "two")
    first, second = (
        Gateway(None, SessionStore(f"requests inside {name}: 0123456789abcdefghijklmnopqrstuvwxyz",
                                   cookie=CookieSettings(name=f"__Host-{name}"))) for name in names
    )  # fmt: skip
    outer, inside = HeaderRequest(""), HeaderRequest("")
    first.begin_inside(outer)
    innermost = second.begin_inside(outer).exchange
    assert get_last_current() is innermost
    entries = [first.begin_inside(inside), second.begin_inside(inside)]
    assert get_last_current() is entries[1].exchange
    for entry in reversed(entries):
        entry.leave()
    assert get_last_current() is innermost


# ---- request contexts of Flask and Quart


class Kit(FlaskFamilyExtension[Any]):
    def _serve(self, app: Any) -> None: ...


def opened(view: HeaderRequest, request: object) -> Exchange | None:
    gateway = SimpleNamespace(settings=STORE.settings)
    app = SimpleNamespace(extensions={"sessionkit": SimpleNamespace(current=gateway)})
    return Kit().open_exchange(app, view, entered=request)


def test_a_request_context_that_is_pushed_is_current_until_it_ends():
    outer, view, request = exchange(), HeaderRequest(""), SimpleNamespace()
    set_current(outer)
    inner = opened(view, request)
    assert get_last_current() is inner is not outer
    opened(view, request)  # opened again: what was current before stays known
    copy_context().run(Kit.leave_context, request)
    assert get_last_current() is inner
    Kit.leave_context(request)
    assert get_last_current() is outer


def test_a_request_context_that_a_gateway_answers_changes_nothing():
    view, request = HeaderRequest(""), SimpleNamespace()
    served = view.holder[HOLDER] = STORE.begin(view)
    assert opened(view, request) is served
    Kit.leave_context(request)
    assert get_last_current() is None


# ---- the stream of a request made inside another one


def parts_of(seen: list[Any]) -> Any:
    try:
        while True:
            seen.append(get_last_current())
            yield len(seen)
    finally:
        seen.append(get_last_current())


async def aparts_of(seen: list[Any]) -> Any:
    try:
        while True:
            seen.append(get_last_current())
            yield len(seen)
    finally:
        seen.append(get_last_current())


def test_each_part_of_a_stream_and_its_end_find_their_own_request():
    outer, inner, seen = exchange(), exchange(), []
    set_current(inner)
    entry = Entry(inner, inner, outer)
    entry.leave()
    stream = iter(entry.iterate(parts_of(seen)))
    for number in (1, 2):
        assert next(stream) == number
        assert get_last_current() is outer
    stream.close()
    assert seen == [inner, inner, inner]
    assert get_last_current() is outer
    assert list(entry.iterate([1, 2])) == [1, 2]


def test_each_part_of_an_async_stream_and_its_end_find_their_own_request():
    async def run() -> None:
        outer, inner, seen = exchange(), exchange(), []
        set_current(inner)
        entry = Entry(inner, inner, outer)
        entry.leave()
        stream = entry.aiterate(aparts_of(seen))
        for number in (1, 2):
            assert await anext(stream) == number
            assert get_last_current() is outer
        await stream.aclose()
        assert seen == [inner, inner, inner]
        assert get_last_current() is outer
        assert [one async for one in entry.aiterate(Counted())] == [1, 2]

    asyncio.run(run())


class Counted:
    """An async iterator that has nothing to close."""

    def __init__(self) -> None:
        self.left = [1, 2]

    def __aiter__(self) -> Counted:
        return self

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


def test_the_stream_of_a_request_of_a_server_is_left_as_it_is():
    inner = exchange()
    entry, parts, aparts = Entry(inner, inner, None), iter([1]), Counted()
    assert not entry.is_inside
    assert entry.iterate(parts) is parts
    assert entry.aiterate(aparts) is aparts


def test_a_stream_that_fails_leaves_the_other_request_current():
    outer, inner = exchange(), exchange()
    set_current(outer)

    def fails() -> Any:
        yield 1
        raise KeyError

    stream = iter(Entry(inner, inner, outer).iterate(fails()))
    assert next(stream) == 1
    with pytest.raises(KeyError):
        next(stream)
    assert get_last_current() is outer
