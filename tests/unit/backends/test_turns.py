"""Users of something scarce get it in the order in which they ask, or give up in time."""

import asyncio
import os
import threading
import time

import pytest

from sessionkit import BackendError
from sessionkit.backends import _sqlite_write_lock
from sessionkit.backends._sqlite_write_lock import FileTurns
from sessionkit.backends._turns import AsyncTurn, AsyncTurns, Turn, Turns


def wait_for(turns, count):
    while len(turns._waiting) < count:
        threading.Event().wait(0.001)


def test_threads_have_turns_in_the_order_in_which_they_asked():
    turns, order = Turns(1), []

    def take(number):
        assert turns.acquire(5)
        order.append(number)
        turns.release()

    assert turns.acquire(5)
    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        wait_for(turns, count)
    turns.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert turns.acquire(0)


def test_a_thread_that_asks_again_does_not_overtake_one_that_waits():
    turns, ended = Turns(1), []
    assert turns.acquire(0)
    other = threading.Thread(target=lambda: ended.append(turns.acquire(5)))
    other.start()
    wait_for(turns, 1)
    turns.release()
    assert not turns.acquire(0)
    other.join()
    assert ended == [True]


def test_as_many_threads_as_there_are_turns_have_one_at_once():
    turns = Turns(2)
    assert [turns.acquire(0) for _ in range(3)] == [True, True, False]


def test_a_turn_that_does_not_begin_in_time_is_an_error_and_is_no_longer_waited_for():
    turns = Turns(1)
    turn = Turn(turns, lambda: 0.01, "look for what is slow")
    with turn, pytest.raises(BackendError, match="look for what is slow"), turn:
        pass
    with turn:
        pass


def test_a_turn_that_begins_too_late_goes_to_the_next():
    turns = Turns(1)
    assert turns.acquire(0)
    turns._give_up(threading.Lock())  # not among those that wait: its turn has just begun
    assert turns.acquire(0)


class Interrupted(BaseException):
    """What a signal handler raises."""


class Interrupting:
    """A lock of `Turns` that a signal handler interrupts once, just after its release."""

    def __init__(self, turns):
        self.turns, self.lock = turns, turns._changing
        turns._changing = self

    def __enter__(self):
        self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()
        self.turns._changing = self.lock
        raise Interrupted


@pytest.mark.parametrize("is_free", [True, False])
def test_a_thread_that_is_interrupted_while_it_asks_has_no_turn(is_free):
    turns = Turns(1)
    assert is_free or turns.acquire(0)
    Interrupting(turns)
    with pytest.raises(Interrupted):
        turns.acquire(5)
    if not is_free:
        turns.release()
    assert [turns.acquire(0) for _ in range(2)] == [True, False]


def test_a_writer_that_is_interrupted_before_its_turn_leaves_the_file_to_others(monkeypatch):
    turns = FileTurns()

    def interrupt(*_):
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(_sqlite_write_lock, "min", interrupt, raising=False)
        turns.acquire(5)
    assert [turns.acquire(0) for _ in range(2)] == [True, False]


def test_a_writer_that_is_interrupted_at_its_end_leaves_the_file_to_others(monkeypatch):
    turns = FileTurns()
    assert turns.acquire(0)

    def interrupt():
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(time, "monotonic", interrupt)
        turns.release()
    assert [turns.acquire(0) for _ in range(2)] == [True, False]


def test_a_child_process_does_not_wait_for_threads_of_its_parent():
    turns = Turns(1)
    assert turns.acquire(0)
    child = os.fork()
    if child == 0:
        os._exit(0 if turns.acquire(0) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not turns.acquire(0)


def run(main):
    """Run a coroutine function with one turn, which is used."""

    async def use():
        turns = AsyncTurns(1)
        assert await turns.acquire(0)
        await main(turns)

    asyncio.run(use())


async def ask(turns, seconds=5):
    """Begin to wait for a turn in a task."""
    task = asyncio.create_task(turns.acquire(seconds))
    await asyncio.sleep(0)
    return task


def test_tasks_have_turns_in_the_order_in_which_they_asked():
    async def main(turns):
        first, second = await ask(turns), await ask(turns)
        turns.release()
        third = await ask(turns)  # before the first knows that its turn has begun
        assert await first
        assert not second.done()
        turns.release()
        assert await second
        assert not third.done()
        turns.release()
        assert await third
        turns.release()
        assert await turns.acquire(0)

    run(main)


def test_a_task_whose_turn_does_not_begin_in_time_gets_an_error():
    async def main(turns):
        turn = AsyncTurn(turns, lambda: 0.01, "look for what is slow")
        with pytest.raises(BackendError, match="look for what is slow"):
            async with turn:
                pass
        turns.release()
        async with turn:
            pass
        async with turn:
            pass

    run(main)


def test_a_task_that_is_cancelled_while_it_waits_is_left_out():
    async def main(turns):
        first, second = await ask(turns), await ask(turns)
        first.cancel()
        turns.release()
        assert await second
        with pytest.raises(asyncio.CancelledError):
            await first

    run(main)


def test_a_task_that_is_cancelled_when_its_turn_begins_leaves_it_to_the_next():
    async def main(turns):
        first, second = await ask(turns), await ask(turns)
        turns.release()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second

    run(main)


def test_a_task_that_is_cancelled_when_its_time_is_over_ends_no_turn():
    async def main(turns):
        first = await ask(turns)
        turns._waiting[0].set_result(False)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not await turns.acquire(0)

    run(main)
