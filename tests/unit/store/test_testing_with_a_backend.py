"""The cookies of `sessionkit.testing` with a store that keeps its sessions on the server."""

import asyncio

import pytest

from sessionkit import ConfigurationError, Lifetime, SessionStore, SessionTooLargeError
from sessionkit.backends import MemoryBackend
from sessionkit.testing import aread_cookies, asession_cookies, read_cookies, session_cookies

from ..backends.awaited import AwaitedMemory
from ..scene import SECRET, START, Clock

ADA = {"user": {"sub": "ada", "iss": "https://issuer.example"}, "theme": "dark"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return make_store(clock)


@pytest.fixture
def awaited(clock):
    return make_store(clock, AwaitedMemory(clock=clock))


def make_store(clock, backend=None):
    return SessionStore(
        SECRET,
        backend=backend or MemoryBackend(clock=clock),
        lifetime=Lifetime(idle=3600, absolute=86_400, renew_after=60),
        clock=clock,
    )


def header(cookies):
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def lines(exchange):
    return [value for name, value in exchange.response_headers if name == "Set-Cookie"]


def test_the_cookie_points_to_a_record_and_gives_the_session(store):
    cookies = session_cookies(store, ADA)
    (info,) = store.sessions_of(ADA)
    assert (list(cookies), info.contents) == (["__Host-session"], ADA)
    with store.exchange(header(cookies)):
        assert store.get_session() == ADA


def test_a_session_may_be_as_large_as_a_record_and_still_has_one_cookie(store):
    cookies = session_cookies(store, {**ADA, "ballast": "x" * 60_000})
    assert sum(map(len, cookies.values())) < 400
    with pytest.raises(SessionTooLargeError, match="max_record allows 65536"):
        session_cookies(store, {**ADA, "ballast": "x" * 66_000})


def test_an_anonymous_session_is_in_the_cookie(store):
    cookies = session_cookies(store, {"cart": ["x" * 500]})
    assert sum(map(len, cookies.values())) > 500
    assert read_cookies(store, [], cookies) == {"cart": ["x" * 500]}


def test_times_in_the_past_make_a_session_that_idled(store):
    cookies = session_cookies(store, ADA, created_at=START - 5000, updated_at=START - 3600)
    assert read_cookies(store, [], cookies) is None
    cookies = session_cookies(store, ADA, created_at=START - 5000, updated_at=START - 3599)
    assert read_cookies(store, [], cookies) == ADA


def test_a_session_is_made_in_the_second_of_a_revocation(store):
    store.revoke_user(ADA)
    assert read_cookies(store, [], session_cookies(store, ADA)) == ADA


def test_what_a_response_leaves_is_read_from_the_backend(store):
    cookies = session_cookies(store, ADA)
    with store.exchange(header(cookies)) as exchange:
        store.update_session({**ADA, "theme": "light"})
    assert lines(exchange) == []
    assert read_cookies(store, [], cookies) == {**ADA, "theme": "light"}
    with store.exchange(header(cookies)) as exchange:
        store.delete_session()
    assert read_cookies(store, lines(exchange), cookies) is None
    assert read_cookies(store, [], cookies) is None


def test_an_awaited_backend_needs_the_functions_that_are_awaited(awaited):
    with pytest.raises(ConfigurationError, match=r"AwaitedMemory is awaited: use `await asession_"):
        session_cookies(awaited, ADA)
    with pytest.raises(ConfigurationError, match=r"AwaitedMemory is awaited: use `await aread_"):
        read_cookies(awaited, [])


def test_an_awaited_backend_keeps_and_gives_the_session(awaited):
    async def run():
        cookies = await asession_cookies(awaited, ADA)
        await awaited.arevoke_user(ADA)
        gone = await aread_cookies(awaited, [], cookies)
        return gone, await aread_cookies(awaited, [], await asession_cookies(awaited, ADA))

    assert asyncio.run(run()) == (None, ADA)


@pytest.mark.parametrize("backend", [True, False])
def test_the_awaited_functions_serve_other_stores_too(store, clock, backend):
    one = store if backend else SessionStore(SECRET, clock=clock)

    async def run():
        return await aread_cookies(one, [], await asession_cookies(one, ADA))

    assert asyncio.run(run()) == ADA
