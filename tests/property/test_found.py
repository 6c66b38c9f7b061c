"""Faults that the browser of `test_browser.py` found, each in as few steps as it takes."""

from __future__ import annotations

from sessionkit import Lifetime, SessionStore
from sessionkit._exchange.request import HeaderRequest

from .jar import Jar

SECRET = "a secret of the property tests, 0123456789"


class At:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def lines_of(headers: list[tuple[str, str]]) -> list[str]:
    return [value for name, value in headers if name == "Set-Cookie"]


def test_a_logout_is_kept_when_the_login_after_it_expires_before_the_response() -> None:
    clock = At()
    store = SessionStore(SECRET, lifetime=Lifetime(idle=300), clock=clock)
    jar = Jar("www.example.org", clock)
    with store.exchange() as login:
        store.create_session({"user": {"sub": "alice"}})
    for line in lines_of(login.response_headers):
        jar.store(line)
    slow = store.begin(HeaderRequest(jar.header()))
    slow.delete()
    slow.create({"user": {"sub": "bob"}})
    clock.now += 200
    with store.exchange(
        jar.header()
    ) as poll:  # the earlier session is alive, and renewed elsewhere
        store.get_session()
    for line in lines_of(poll.response_headers):
        jar.store(line)
    clock.now += 100
    slow.commit()
    for line in lines_of(slow.response_headers):
        jar.store(line)
    with store.exchange(jar.header()):
        assert store.get_session() is None
