"""The conformance suite itself: its cases, and what it is told of a backend. `test_broken.py` has the backends it refuses."""

import re
import subprocess
import sys
import time
import unittest
from functools import partial

import pytest

from sessionkit.backends import MemoryBackend
from sessionkit.testing import backend_conformance


def numbers(suite):
    return [int(name[5:7]) for name in dir(suite) if name.startswith("test_")]


def run(suite, number):
    (name,) = (name for name in dir(suite) if name.startswith(f"test_{number:02}_"))
    getattr(suite(), name)()


class Eager(MemoryBackend):
    """Sound: an expired record is gone."""

    def load(self, key, owner):
        found = super().load(key, owner)
        return found if found is not None and found.expires_at > self._clock() else None


class Lazy(MemoryBackend):
    """Sound: the server removes expired records by itself, some time."""

    def purge(self, now, limit):
        return 0


TestEager = backend_conformance(Eager, in_process=True, expires_by_itself=True)
TestLazy = backend_conformance(Lazy, in_process=True, expires_by_itself=True)
TestWithoutClock = backend_conformance(
    lambda path="sessions.db": MemoryBackend(clock=time.time), in_process=True
)


def test_the_cases_are_numbered_from_1_to_70():
    assert numbers(backend_conformance(MemoryBackend)) == list(range(1, 71))


def test_every_case_states_its_rule_in_a_sentence():
    suite = backend_conformance(MemoryBackend)
    rules = [getattr(suite, name).__doc__ for name in vars(suite) if name.startswith("test_")]
    assert all(re.fullmatch(r"[A-Z].{30,}\.", rule) for rule in rules)
    assert len(set(rules)) == 70


def test_a_backend_without_server_has_no_cases_of_a_failing_one():
    left = backend_conformance(MemoryBackend, in_process=True)
    assert set(range(1, 71)) - set(numbers(left)) == {64, 65}


def test_a_server_that_expires_records_has_no_cases_that_count_the_purged():
    left = backend_conformance(MemoryBackend, expires_by_itself=True)
    assert set(range(1, 71)) - set(numbers(left)) == {61, 62}


@pytest.mark.parametrize("number", [64, 65])
def test_a_case_that_lacks_a_server_is_reported_as_skipped(number):
    with pytest.raises(unittest.SkipTest, match=r"make_at= and server=.*in_process=True"):
        run(backend_conformance(MemoryBackend), number)


@pytest.mark.parametrize(
    "told",
    [
        {"server": ("localhost", 1)},
        {"make_at": MemoryBackend},
        {"in_process": True, "server": ("localhost", 1), "make_at": MemoryBackend},
    ],
)
def test_half_of_what_a_failing_server_needs_is_an_error(told):
    with pytest.raises(TypeError, match="give both make_at= and server="):
        backend_conformance(MemoryBackend, **told)


@pytest.mark.parametrize(
    "make",
    [
        MemoryBackend,
        lambda clock: MemoryBackend(clock=clock),
        lambda now, /: MemoryBackend(clock=now),
        lambda *, clock: MemoryBackend(clock=clock),
        lambda path="sessions.db", *, clock: MemoryBackend(clock=clock),
        partial(MemoryBackend),
    ],
)
def test_the_clock_is_given_by_name_or_as_what_the_factory_lacks(make):
    class Still(MemoryBackend):
        """Broken: it has a clock of its own, and lists what has expired by the clock of the test."""

        def __init__(self, **_):
            super().__init__()

    run(backend_conformance(make), 51)
    with pytest.raises(AssertionError):
        run(backend_conformance(lambda clock: Still(clock=clock)), 51)


def test_a_failure_begins_with_the_rule():
    class Upserting(MemoryBackend):
        def touch(self, *_):
            return True

    with pytest.raises(AssertionError) as failure:
        run(backend_conformance(Upserting), 37)
    assert str(failure.value).startswith("Touch returns False when there is no such record")
    assert str(failure.value).endswith("expected False, got True")


def test_the_suite_needs_no_pytest():
    code = "import sys, sessionkit.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
