"""Users of something scarce get it in the order in which they ask, or give up in time."""

import asyncio
import os
import threading
import time

import pytest

from sessionkit import BackendError
from sessionkit.backends import _sqlite_write_lock
from sessionkit.backends._fair_semaphores import (
    AsyncFairSemaphore,
    AsyncPermit,
    FairSemaphore,
    Permit,
)
from sessionkit.backends._sqlite_write_lock import WriteLock


def wait_for(semaphore, count):
    while len(semaphore._waiting) < count:
        threading.Event().wait(0.001)


def test_threads_have_turns_in_the_order_in_which_they_asked():
    semaphore, order = FairSemaphore(1), []

    def take(number):
        assert semaphore.acquire(5)
        order.append(number)
        semaphore.release()

    assert semaphore.acquire(5)
    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        wait_for(semaphore, count)
    semaphore.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert semaphore.acquire(0)


def test_a_thread_that_asks_again_does_not_overtake_one_that_waits():
    semaphore, ended = FairSemaphore(1), []
    assert semaphore.acquire(0)
    other = threading.Thread(target=lambda: ended.append(semaphore.acquire(5)))
    other.start()
    wait_for(semaphore, 1)
    semaphore.release()
    assert not semaphore.acquire(0)
    other.join()
    assert ended == [True]


def test_as_many_threads_as_there_are_turns_have_one_at_once():
    semaphore = FairSemaphore(2)
    assert [semaphore.acquire(0) for _ in range(3)] == [True, True, False]


def test_a_turn_that_does_not_begin_in_time_is_an_error_and_is_no_longer_waited_for():
    semaphore = FairSemaphore(1)
    permit = Permit(semaphore, lambda: 0.01, "look for what is slow")
    with permit, pytest.raises(BackendError, match="look for what is slow"), permit:
        pass
    with permit:
        pass


def test_a_turn_that_begins_too_late_goes_to_the_next():
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(0)
    semaphore._give_up(
        threading.Lock()
    )  # not among those that wait: it has just been handed its permit
    assert semaphore.acquire(0)


class Interrupted(BaseException):
    """What a signal handler raises."""


class Interrupting:
    """A lock of `FairSemaphore` that a signal handler interrupts once, just after its release."""

    def __init__(self, semaphore):
        self.semaphore, self.lock = semaphore, semaphore._changing
        semaphore._changing = self

    def __enter__(self):
        self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()
        self.semaphore._changing = self.lock
        raise Interrupted


class InterruptedAtOnce:
    """A lock that a signal handler interrupts before it is acquired."""

    def __enter__(self):
        raise Interrupted

    def __exit__(self, *_):
        raise AssertionError


@pytest.mark.parametrize("is_free", [True, False])
def test_a_thread_that_is_interrupted_while_it_asks_has_no_turn(is_free):
    semaphore = FairSemaphore(1)
    assert is_free or semaphore.acquire(0)
    Interrupting(semaphore)
    with pytest.raises(Interrupted):
        semaphore.acquire(5)
    if not is_free:
        semaphore.release()
    assert [semaphore.acquire(0) for _ in range(2)] == [True, False]


def test_a_thread_that_is_interrupted_before_it_asks_takes_no_permit():
    semaphore = FairSemaphore(1)
    lock, semaphore._changing = semaphore._changing, InterruptedAtOnce()
    with pytest.raises(Interrupted):
        semaphore.acquire(5)
    semaphore._changing = lock
    assert [semaphore.acquire(0) for _ in range(2)] == [True, False]


def test_a_writer_that_is_interrupted_before_its_turn_leaves_the_file_to_others(monkeypatch):
    semaphore = WriteLock()

    def interrupt(*_):
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(_sqlite_write_lock, "min", interrupt, raising=False)
        semaphore.acquire(5)
    assert [semaphore.acquire(0) for _ in range(2)] == [True, False]


def test_a_writer_that_is_interrupted_at_its_end_leaves_the_file_to_others(monkeypatch):
    semaphore = WriteLock()
    assert semaphore.acquire(0)

    def interrupt():
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(time, "monotonic", interrupt)
        semaphore.release()
    assert [semaphore.acquire(0) for _ in range(2)] == [True, False]


def test_a_child_process_does_not_wait_for_threads_of_its_parent():
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(0)
    child = os.fork()
    if child == 0:
        os._exit(0 if semaphore.acquire(0) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not semaphore.acquire(0)


def run(main):
    """Run a coroutine function with one permit, which is used."""

    async def use():
        semaphore = AsyncFairSemaphore(1)
        assert await semaphore.acquire(0)
        await main(semaphore)

    asyncio.run(use())


async def ask(semaphore, seconds=5):
    """Begin to wait for a permit in a task."""
    task = asyncio.create_task(semaphore.acquire(seconds))
    await asyncio.sleep(0)
    return task


def test_tasks_have_turns_in_the_order_in_which_they_asked():
    async def main(semaphore):
        first, second = await ask(semaphore), await ask(semaphore)
        semaphore.release()
        third = await ask(semaphore)  # before the first knows that it has the permit
        assert await first
        assert not second.done()
        semaphore.release()
        assert await second
        assert not third.done()
        semaphore.release()
        assert await third
        semaphore.release()
        assert await semaphore.acquire(0)

    run(main)


def test_a_task_whose_turn_does_not_begin_in_time_gets_an_error():
    async def main(semaphore):
        permit = AsyncPermit(semaphore, lambda: 0.01, "look for what is slow")
        with pytest.raises(BackendError, match="look for what is slow"):
            async with permit:
                pass
        semaphore.release()
        async with permit:
            pass
        async with permit:
            pass

    run(main)


def test_a_task_that_is_cancelled_while_it_waits_is_left_out():
    async def main(semaphore):
        first, second = await ask(semaphore), await ask(semaphore)
        first.cancel()
        semaphore.release()
        assert await second
        with pytest.raises(asyncio.CancelledError):
            await first

    run(main)


def test_a_task_that_is_cancelled_when_its_turn_begins_leaves_it_to_the_next():
    async def main(semaphore):
        first, second = await ask(semaphore), await ask(semaphore)
        semaphore.release()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second

    run(main)


def test_a_task_that_is_cancelled_when_its_time_is_over_ends_no_turn():
    async def main(semaphore):
        first = await ask(semaphore)
        semaphore._waiting[0].set_result(False)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not await semaphore.acquire(0)

    run(main)
