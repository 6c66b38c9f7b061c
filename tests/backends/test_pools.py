"""Operations that wait for a connection of a backend's pool get it in the order in which they ask."""

import asyncio
import threading

import pytest
from sql_clients import ASYNC, BLOCKING, SERVERS

from sessionkit import BackendError
from sessionkit.backends import AsyncRedisBackend, AsyncSQLBackend, RedisBackend, SQLBackend

ROUNDS = 40


def make(kind, redis_one, size, **options):
    """Return a backend of this kind with a pool of this size."""
    if kind == "redis":
        return RedisBackend(redis_one.url, max_connections=size, **options)
    if kind == "redis async":
        return AsyncRedisBackend(redis_one.url, max_connections=size, **options)
    database, *_, driver = kind.split()
    sql = AsyncSQLBackend if "async" in kind else SQLBackend
    return sql(SERVERS[database]().url(driver), pool_size=size, **options)


@pytest.mark.parametrize("kind", ["redis async", *ASYNC])
def test_tasks_that_ask_without_a_pause_do_not_overtake_others(kind, redis_one):
    backend, order = make(kind, redis_one, 1), []

    async def use(name):
        for _ in range(ROUNDS):
            await backend.warnings()
            order.append(name)

    async def main():
        await backend.warnings()
        await asyncio.gather(*map(use, "abcd"))
        await backend.aclose()

    asyncio.run(main())
    assert "".join(order) == "abcd" * ROUNDS


@pytest.mark.parametrize("kind", ["redis", *BLOCKING])
def test_a_thread_that_asks_in_the_moment_of_a_release_does_not_overtake_others(kind, redis_one):
    backend, order = make(kind, redis_one, 1), []

    def use(name):
        backend.warnings()
        order.append(name)

    backend.warnings()
    threads = [threading.Thread(target=use, args=(name,)) for name in "abc"]
    with backend._permit:
        for count, one in enumerate(threads, 1):
            one.start()
            while len(backend._permit._semaphore._waiting) < count:
                threading.Event().wait(0.001)
    use("late")
    for one in threads:
        one.join()
    backend.close()
    # A thread notes its name only after it has handed the connection to the next one.
    assert order.index("late") >= 2


@pytest.mark.parametrize("kind", ["redis", "redis async", *BLOCKING, *ASYNC])
def test_an_operation_that_gets_no_connection_in_time_says_so(kind, redis_one):
    backend, too_late = (
        make(kind, redis_one, 1, timeout=0.9),
        "no connection of the session backend's pool",
    )

    async def ask():
        await backend.warnings()
        async with backend._permit() if kind == "redis async" else backend._pool().permit:
            with pytest.raises(BackendError, match=too_late):
                await backend.warnings()
        await backend.warnings()
        await backend.aclose()

    if hasattr(backend, "aclose"):
        asyncio.run(ask())
        return
    backend.warnings()
    with backend._permit, pytest.raises(BackendError, match=too_late):
        backend.warnings()
    backend.warnings()
    backend.close()
