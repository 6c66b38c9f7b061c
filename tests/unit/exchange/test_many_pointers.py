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


def test_an_answer_says_what_a_response_would_say_now_and_closes_nothing(store):
    with store.exchange() as exchange:
        create_session({"user": {"sub": "ada"}})
        fields = exchange.answer(200, []).add
        assert fields[0][1].startswith("__Host-session=")
        exchange.contents["theme"] = "dark"
    with store.exchange(fields[0][1].partition(";")[0]) as exchange:
        assert exchange.get()["theme"] == "dark"


def test_a_visitor_who_is_not_signed_in_has_none_of_the_listed_sessions(store):
    log_in(store)
    with store.exchange():
        assert [False] == [info.is_current for info in store.sessions_of({"user": {"sub": "ada"}})]
