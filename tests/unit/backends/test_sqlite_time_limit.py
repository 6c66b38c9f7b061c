"""The time limit of SQLiteBackend holds for an operation in all, whatever it waits for."""

import threading

import pytest

from sessionkit import BackendError
from sessionkit.backends import SQLiteBackend, _time_limits
from sessionkit.backends._fair_semaphores import FairSemaphore

from .sqlite_files import NOW, locked, record


class Clock:
    """A clock that goes on by two seconds at each wait; `left` is how long each wait may take."""

    def __init__(self):
        self.now, self.left = 100.0, []

    def wait(self, seconds):
        self.left.append(round(seconds, 3))
        self.now += 2


class Opening:
    """A lock that a thread holds while it opens the file; the next one waits for it."""

    def __init__(self, clock):
        self.clock = clock

    def acquire(self, timeout):
        self.clock.wait(timeout)
        return True

    def release(self):
        pass


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(_time_limits, "monotonic", lambda: made.now)
    return made


def test_what_an_operation_has_waited_for_other_threads_is_left_out_of_its_other_waits(
    tmp_path, monkeypatch, clock
):
    backend = SQLiteBackend(tmp_path / "sessions.db", timeout=5, clock=lambda: NOW)
    process = backend._connections._process
    monkeypatch.setattr(process, "opening", Opening(clock))
    acquire = FairSemaphore.acquire

    def wait(semaphore, seconds):
        clock.wait(seconds)
        return acquire(semaphore, seconds)

    monkeypatch.setattr(FairSemaphore, "acquire", wait)
    statements = []

    def limit():
        statements.append(round(_time_limits.time_left(), 3))
        return 1

    assert backend.insert(record(), NOW)
    with backend._connections.use() as connection:
        monkeypatch.setattr(type(connection), "limit", staticmethod(limit))
    assert backend.insert(record("other"), NOW)
    monkeypatch.undo()
    backend.close()
    assert clock.left == [5, 3, 5]
    assert set(statements) == {3}


def test_an_operation_whose_time_is_over_does_not_wait_for_another_process(tmp_path, clock):
    path = tmp_path / "sessions.db"
    backend = SQLiteBackend(path, timeout=5, clock=lambda: NOW)
    assert backend.insert(record(), NOW)
    other = locked(path, "BEGIN IMMEDIATE")
    lock = backend._connections._process.write_lock
    semaphore, acquire = lock._semaphore, lock._semaphore.acquire

    def wait(seconds):
        clock.now += 6
        return acquire(seconds)

    semaphore.acquire = wait
    try:
        with pytest.raises(BackendError, match="database is locked"):
            backend.insert(record("other"), NOW)
    finally:
        del semaphore.acquire
        other.close()
        backend.close()


def test_a_thread_that_waits_for_another_one_which_waits_for_a_process_is_told_of_both(tmp_path):
    path, errors = tmp_path / "sessions.db", []
    backend = SQLiteBackend(path, timeout=0.3, clock=lambda: NOW)
    assert backend.insert(record(), NOW)
    other = locked(path, "BEGIN IMMEDIATE")

    def write():
        with pytest.raises(BackendError) as caught:
            backend.touch("canary-key", "canary-owner", NOW, NOW)
        errors.append(str(caught.value))

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    backend.close()
    assert len(errors) == 6
    assert all("another process" in error and "that keeps" in error for error in errors)
