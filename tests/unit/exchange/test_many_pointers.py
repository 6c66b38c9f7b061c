import pytest

from sessionkit import SessionStore, create_session, delete_session
from sessionkit.backends import MemoryBackend


@pytest.fixture
def store():
    return SessionStore("0f1e2d3c4b5a69788796a5b4c3d2e1f0", backend=MemoryBackend())


def log_in(store, header=""):
    with store.exchange(header) as exchange:
        create_session({"user": {"sub": "ada"}})
    return exchange.response_headers[0][1].partition(";")[0]


def test_a_logout_ends_the_sessions_that_it_knows_of_though_the_cookies_are_too_many(store):
    pointers = [log_in(store) for _ in range(6)]
    with store.exchange("; ".join(pointers)) as exchange:
        assert exchange.get() is None
        delete_session()
    assert len(store.sessions_of({"user": {"sub": "ada"}})) == 2
