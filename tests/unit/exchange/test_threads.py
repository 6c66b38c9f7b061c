"""In an event loop, a blocking backend runs in threads: writes that wait for one another leave a thread to reads and to the application."""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from sessionkit import BackendError
from sessionkit._exchange import threads
from sessionkit._exchange.operations import List, Load, Touch
from sessionkit._exchange.performing import perform
from sessionkit._exchange.unfinished_work import afinish
from sessionkit.backends import SQLiteBackend

WRITE = Touch("key", "owner", 1, 2)


@pytest.fixture
def backend(tmp_path):
    one = SQLiteBackend(tmp_path / "sessions.db")
    assert one.load("key", "owner") is None
    yield one
    one.close()


def lock(tmp_path):
    other = sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def use(size):
    """Have the running event loop use so many threads; return the number of them."""
    if size is None:
        return min(32, (os.cpu_count() or 1) + 4)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(size))
    return size


@pytest.mark.parametrize("size", [None, 2, 50])
def test_reads_do_not_wait_for_writes_that_wait(backend, tmp_path, size):
    async def main():
        other = lock(tmp_path)
        writes = [asyncio.create_task(perform(WRITE, backend)) for _ in range(use(size))]
        await asyncio.sleep(0)
        assert await perform(Load("key", "owner"), backend) is None
        assert await perform(List("owner"), backend) == []
        assert await asyncio.to_thread(int) == 0
        assert not any(one.done() for one in writes)
        other.execute("ROLLBACK")
        other.close()
        assert await asyncio.gather(*writes) == [False] * len(writes)

    asyncio.run(main())


def test_writes_whose_clients_have_hung_up_leave_a_thread_too(backend, tmp_path):
    async def main():
        other, most = lock(tmp_path), use(3)
        for _ in range(most):
            writes = [asyncio.create_task(perform(WRITE, backend)) for _ in range(most)]
            await asyncio.sleep(0.01)
            for one in writes:
                one.cancel()
            await asyncio.wait(writes)
        read = asyncio.create_task(perform(Load("key", "owner"), backend))
        assert await asyncio.wait_for(read, 2) is None
        other.execute("ROLLBACK")
        other.close()
        await afinish()

    asyncio.run(main())


def test_a_write_does_not_wait_for_a_thread_for_ever(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "_PATIENCE", 0.01)

    async def main():
        other = lock(tmp_path)
        use(2)
        first = asyncio.create_task(perform(WRITE, backend))
        await asyncio.sleep(0)
        with pytest.raises(BackendError, match=r"busy: .* for 0\.01 seconds"):
            await perform(WRITE, backend)
        other.execute("ROLLBACK")
        other.close()
        assert await first is False
        assert await perform(WRITE, backend) is False

    asyncio.run(main())


def test_a_single_thread_reads_and_writes(backend):
    async def main():
        use(1)
        assert await perform(WRITE, backend) is False
        assert await perform(Load("key", "owner"), backend) is None

    asyncio.run(main())
