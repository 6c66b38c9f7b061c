"""A signal handler raises an exception in the middle of a call (KeyboardInterrupt, Celery's soft time limit); the next call succeeds."""

import threading

import pytest

from sessionkit.backends import SQLiteBackend, _sqlite_connections, _sqlite_forks
from sessionkit.backends._sqlite_connections import Connection, Transaction

from .sqlite_files import NOW, record


class Interrupted(BaseException):
    """What the signal handler raises."""


def interrupt(monkeypatch, place, name, call, *, after):
    """Call something, and interrupt it before or after a function."""
    function = getattr(place, name)

    def cut_off(*arguments):
        if after:
            function(*arguments)
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(place, name, cut_off)
        call()


def end_in_time(function):
    """Call a function in a thread of its own, and return its result unless it hangs."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return results[0]


@pytest.mark.parametrize(
    ("place", "name", "after"),
    [
        (_sqlite_connections, "find_file", True),  # before the call
        (Transaction, "__enter__", True),
        (Transaction, "__exit__", False),
        (Connection, "__exit__", False),
    ],
)
def test_a_call_that_is_interrupted_neither_locks_the_file_nor_makes_the_next_call_hang(
    tmp_path, monkeypatch, place, name, after
):
    path, first, second = tmp_path / "sessions.db", record(), record("other-key")
    backend = SQLiteBackend(path, clock=lambda: NOW, timeout=0.2)

    def visit():
        backend.insert(first, 0)
        interrupt(monkeypatch, place, name, lambda: backend.insert(second, 0), after=after)
        later = first._replace(version=b"another one.")
        assert backend.replace(later, first.version) is True
        other = SQLiteBackend(path, clock=lambda: NOW, timeout=0.2)
        assert later == other.load(first.key, first.owner)
        other.delete(first.key, first.owner)
        return backend.load(first.key, first.owner)

    assert end_in_time(visit) is None


def test_a_fork_that_is_interrupted_does_not_make_the_next_call_hang(tmp_path, monkeypatch):
    backend, first = SQLiteBackend(tmp_path / "sessions.db", clock=lambda: NOW), record()

    def visit():
        backend.insert(first, 0)
        interrupt(monkeypatch, Connection, "close", backend._connections.suspend, after=True)
        return backend.load(first.key, first.owner)

    assert first == end_in_time(visit)


def test_a_fork_whose_wait_for_another_is_interrupted_leaves_the_file_closed_for_the_other(
    tmp_path,
):
    backend = SQLiteBackend(tmp_path / "sessions.db", clock=lambda: NOW)
    opening = backend._connections._process.opening
    _sqlite_forks._suspend_all()
    try:
        # Python runs this after the fork, also if the thread was interrupted before it had the lock of forks.
        end_in_time(_sqlite_forks._resume_all)
        assert opening.locked()
        assert not end_in_time(lambda: _sqlite_forks._forking.acquire(blocking=False))
    finally:
        _sqlite_forks._resume_all()
    assert backend.insert(record(), 0)
