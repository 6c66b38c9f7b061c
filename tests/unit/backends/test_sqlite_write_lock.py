"""The threads of a process write to an SQLite file one by one, in the order in which they ask."""

import threading

import pytest

from sessionkit import BackendError
from sessionkit.backends import SQLiteBackend
from sessionkit.backends._sqlite_write_lock import FairLock

from .sqlite_files import NOW, record


def wait_for(lock, count):
    while len(lock._waiting) < count:
        threading.Event().wait(0.001)


def test_the_lock_goes_to_threads_in_the_order_in_which_they_asked():
    lock, order = FairLock(), []

    def take(number):
        lock.acquire(5)
        order.append(number)
        lock.release()

    lock.acquire(5)
    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        wait_for(lock, count)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    lock.acquire(0)


def test_a_lock_that_is_not_free_in_time_is_an_error_and_is_no_longer_waited_for():
    lock = FairLock()
    lock.acquire(5)
    with pytest.raises(BackendError, match="other threads of this process"):
        lock.acquire(0.01)
    lock.release()
    lock.acquire(0)


def test_a_lock_that_is_handed_over_too_late_goes_to_the_next():
    lock = FairLock()
    ticket = threading.Lock()
    lock._is_held = True
    lock._give_up(ticket)  # not among those that wait: it has just been called
    lock.acquire(0)


def test_a_thread_that_writes_all_the_time_lets_another_write(tmp_path):
    path = tmp_path / "sessions.db"
    backends = [SQLiteBackend(path, timeout=2, clock=lambda: NOW) for _ in range(2)]
    wrote = threading.Event()

    def write_on():
        while not wrote.is_set():
            backends[0].touch("canary-key", "canary-owner", NOW, NOW)

    backends[0].insert(record(), NOW)
    threads = [threading.Thread(target=write_on) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        assert all(backends[1].insert(record(str(n)), NOW) for n in range(20))
    finally:
        wrote.set()
        for thread in threads:
            thread.join()
    for backend in backends:
        backend.close()
