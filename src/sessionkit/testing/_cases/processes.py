"""Cases 66 to 69: a backend in other processes, threads, event loops, and beside cancelled tasks."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

from ..._exchange.performing import is_async
from ...backends import AsyncBackend, Backend, Record
from .._bench import Bench, equal, expect, same
from .._clients import blocking, in_new_loop

_TURNS = 20


def test_66_a_fork_leaves_parent_and_child_right(bench: Bench) -> None:
    """After a fork, parent and child use the backend at the same time, and each gets the replies to its own calls."""
    records = [bench.add() for _ in range(_TURNS)]
    record, from_child = bench.add(), bench.new()
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of other threads. This is what happens in servers that load the application first.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not see the end of this process
        _run_child(bench, records[::-1], from_child, writer)
    os.close(writer)
    too_late = threading.Timer(3, os.kill, (child, signal.SIGKILL))
    too_late.start()
    try:
        _use(bench.first, records, record)
    finally:
        with os.fdopen(reader, encoding="utf-8") as pipe:
            told = pipe.read()
        too_late.cancel()
        os.waitpid(child, 0)
    expect(told == "right", f"the child process failed: {told or 'no reply'}")
    found = bench.first.load(from_child.key, from_child.owner)
    if found is not None or getattr(bench.backend, "waits", True):
        same(found, from_child)
    later = bench.changed(record)
    equal(bench.first.replace(later, record.version), True)
    same(bench.second.load(record.key, record.owner), later)


def _run_child(  # pragma: no cover - coverage does not see the end of this process
    bench: Bench, records: list[Record], own: Record, writer: int
) -> None:
    told = ""
    try:
        client = blocking(bench.backend, asyncio.new_event_loop())
        equal(client.insert(own, bench.now), True)
        _use(client, records, own)
        told = "right"
    except BaseException:  # noqa: BLE001 - the parent tells it
        told = traceback.format_exc()
    finally:
        os.write(writer, told.encode())
        os._exit(0)  # nothing of the parent is cleaned up here


def _use(client: Backend, records: list[Record], own: Record) -> None:
    for record in records:
        same(client.load(record.key, record.owner), record)
        same(client.load(own.key, own.owner), own)


def test_67_event_loops_share_a_backend(bench: Bench) -> None:
    """One backend serves several event loops, one after the other and at the same time; a blocking one in threads."""
    record = bench.add()

    async def use(backend: AsyncBackend) -> None:
        for _ in range(_TURNS):
            own = bench.new()
            equal(await backend.insert(own, bench.now), True)
            pair = ((own.key, own.owner), (record.key, record.owner))
            found = await asyncio.gather(*(backend.load(*place) for place in pair))
            same(found[0], own)
            same(found[1], record)

    for _ in range(2):
        in_new_loop(bench.backend, use)
    _in_threads(2, lambda: in_new_loop(bench.backend, use))
    same(bench.first.load(record.key, record.owner), record)


def test_68_eight_threads_share_a_backend(bench: Bench) -> None:
    """Eight threads use one backend at the same time, an async one with a loop each, and get their own replies."""
    shared = bench.add()

    def use(backend: Backend) -> None:
        for _ in range(_TURNS):
            own = bench.new()
            equal(backend.insert(own, bench.now), True)
            same(backend.load(shared.key, shared.owner), shared)
            later = bench.changed(own)
            equal(backend.replace(later, own.version), True)
            same(backend.load(own.key, own.owner), later)
            same(backend.delete(own.key, own.owner), later)

    def run() -> None:
        with closing(asyncio.new_event_loop()) as loop:
            client = blocking(bench.backend, loop)
            use(client)
            if is_async(bench.backend):
                client.close()

    _in_threads(8, run)


def test_69_a_cancelled_task_leaves_no_reply_behind(bench: Bench) -> None:
    """After a task is cancelled, at any moment of a call, the next call gets its own reply."""
    cancelled, other = bench.add(), bench.add()

    async def use(backend: AsyncBackend) -> None:
        same(await backend.load(other.key, other.owner), other)
        for turn in range(_TURNS):
            task = asyncio.ensure_future(backend.load(cancelled.key, cancelled.owner))
            for _ in range(turn % 10):
                await asyncio.sleep(0 if turn < _TURNS / 2 else 0.0001)
            task.cancel()
            with suppress(asyncio.CancelledError):
                same(await task, cancelled)
            same(await backend.load(other.key, other.owner), other)
            equal(await backend.load(other.owner, other.key), None)

    in_new_loop(bench.backend, use)


def _in_threads(count: int, run: Callable[[], None]) -> None:
    """Call a function in several new threads at the same time; raise what one of them raises."""
    with ThreadPoolExecutor(count) as threads:
        for future in [threads.submit(run) for _ in range(count)]:
            future.result()
