"""An explicit save stays though the response fails; what comes after it in the request does not."""

import pytest

from sessionkit import SessionStore
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend

from ..scene import ALICE, BOB, SECRET


@pytest.fixture
def store():
    return SessionStore(SECRET, backend=MemoryBackend())


@pytest.fixture
def exchange(store):
    """A request that has logged a user in, and saved the session."""
    exchange = store.begin(HeaderRequest())
    exchange.drive()
    exchange.create(ALICE)
    exchange.check()
    exchange.server.keep()
    return exchange


def test_a_login_that_was_saved_stays_though_the_response_fails(store, exchange):
    changes = exchange.commit(500)
    assert [name for name, _ in changes.add].count("Set-Cookie") == 1
    assert len(store.sessions_of(ALICE)) == 1


def test_another_login_after_the_save_does_not(store, exchange):
    exchange.create(BOB)
    exchange.check()
    exchange.commit(500)
    assert (store.sessions_of(ALICE), store.sessions_of(BOB)) == ([], [])


def test_a_login_that_was_not_saved_explicitly_does_not_either(store):
    exchange = store.begin(HeaderRequest())
    exchange.drive()
    exchange.create(ALICE)
    exchange.check()
    exchange.commit(500)
    assert store.sessions_of(ALICE) == []
