"""What is current again once a request made inside another one has been answered."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any

import pytest

from sessionkit import SessionStore
from sessionkit.context import activate, admit, held_now, resume, waiting
from sessionkit.conventions import enter, leave
from sessionkit.exchange import Exchange
from sessionkit.request import HeaderRequest
from sessionkit.which import Excluded

STORE = SessionStore("requests inside: 0123456789abcdefghijklmnopqrstuvwxyz")


def exchange(*, owned: bool = True) -> Exchange:
    return STORE.begin(HeaderRequest(""), owned=owned)


@pytest.fixture(autouse=True)
def _nothing_around() -> Any:
    activate(None)
    yield
    activate(None)


def test_a_request_that_is_still_open_waits():
    outer = exchange()
    activate(outer)
    assert waiting() is outer


def test_one_that_is_answered_or_excluded_does_not_wait_for_the_next_of_its_thread():
    answered, ended = exchange(), exchange()
    answered.commit()
    ended.finish()
    for left in (None, answered, ended, Excluded(STORE.settings)):
        activate(left)
        assert waiting() is None


def test_one_around_an_excluded_path_waits():
    excluded = Excluded(STORE.settings, "", exchange())
    activate(excluded)
    assert waiting() is excluded


def test_the_stream_of_a_task_waits_for_what_it_asks():
    async def stream() -> None:
        outer = exchange()
        admit(outer)
        outer.commit()
        activate(outer)
        assert waiting() is outer

        async def next_of_a_connection() -> object:
            return waiting()

        assert await asyncio.create_task(next_of_a_connection()) is None

    asyncio.run(stream())


def test_what_waited_is_current_again():
    outer, inner = exchange(), exchange()
    activate(inner)
    resume(inner, outer)
    assert held_now() is outer


def test_the_last_gateway_of_one_request_stays_current_and_so_does_a_request_of_a_server():
    outer, inner = exchange(), exchange()
    inner.outer = outer
    for before in (outer, None):
        activate(inner)
        resume(inner, before)
        assert held_now() is inner


def test_a_context_that_is_pushed_is_current_until_it_ends():
    outer, inner, request = exchange(), exchange(owned=False), SimpleNamespace()
    activate(outer)
    enter(inner, request)
    assert held_now() is inner
    enter(inner, request)  # opened again: what was current before stays known
    copy_context().run(leave, request)
    assert held_now() is inner
    leave(request)
    assert held_now() is outer


def test_a_context_that_a_gateway_answers_changes_nothing():
    outer, request = exchange(), SimpleNamespace()
    enter(outer, request)
    leave(request)
    assert held_now() is None
