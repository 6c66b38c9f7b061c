"""Once a response has started, a session is found in the task groups of the task that serves it, as anyio tells of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary, ref

import pytest

from .test_tasks import REFUSED, START, asked, asked_in_a_task, visit


class Groups:
    """What anyio tells of its task groups: the parents of their tasks."""

    def __init__(self, parents: MutableMapping[Any, Any]) -> None:
        self.parents = parents
        self.lists = 0

    def get_current_task(self) -> Any:
        return self._describe(asyncio.current_task())

    def get_running_tasks(self) -> list[Any]:
        self.lists += 1
        return [self._describe(task) for task in asyncio.all_tasks()]

    def _describe(self, task: Any) -> Any:
        parent = self.parents.get(task)
        return SimpleNamespace(id=id(task), parent_id=None if parent is None else id(parent))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_task_of_a_group_that_the_serving_task_waits_for_is_part_of_it(
    monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    seen: list[Any] = []
    parents: dict[Any, Any] = {}
    monkeypatch.setitem(sys.modules, "anyio", Groups(parents))

    async def stream(parent: Any, levels: int) -> None:
        here: Any = asyncio.current_task()
        parents[here] = parent
        if levels:
            await asyncio.create_task(stream(here, levels - 1))
            return
        seen.append(asked())
        parents.clear()  # it is known by now
        seen.append(asked())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await asyncio.create_task(stream(asyncio.current_task(), depth - 1))
        seen.append(await asyncio.create_task(asked_in_a_task()))

    visit(app)
    assert seen == ["alice", "alice", REFUSED]


def test_a_socket_with_a_task_for_each_message_keeps_none_of_them_and_looks_at_no_other_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client could send messages until the server had no memory or no time left."""
    seen: list[Any] = []
    parents: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
    groups = Groups(parents)
    monkeypatch.setitem(sys.modules, "anyio", groups)

    async def handle(parent: Any) -> None:
        parents[asyncio.current_task()] = parent
        seen.append(asked())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        ended: list[Any] = []
        for _ in range(5):
            task = asyncio.create_task(handle(asyncio.current_task()))
            ended.append(ref(task))
            await task
            del task
        await asyncio.sleep(0)
        seen.append([one() for one in ended])

    visit(app)
    assert seen == [*["alice"] * 5, [None] * 5]
    assert groups.lists == 0


def test_a_task_of_a_group_of_the_whole_application_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        whole = asyncio.create_task(asyncio.sleep(0))
        worker = asyncio.create_task(asked_in_a_task())
        monkeypatch.setitem(sys.modules, "anyio", Groups({worker: whole}))
        await send(START)
        seen.append(await worker)

    visit(app)
    assert seen == [REFUSED]
