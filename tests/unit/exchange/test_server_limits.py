"""The arguments for sessions on the server, and the number and size of a user's sessions."""

import pytest

from sessionkit import (
    BackendError,
    ConfigurationError,
    SessionStore,
    SessionTooLargeError,
    anyone,
)
from sessionkit.backends import MemoryBackend
from sessionkit.formats import NextAuthV4

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, BOB, OTHER_SECRET, SECRET


class Unfinished:
    """A backend of which some methods have not been written yet."""

    load = insert = replace = touch = delete = revoke = print


class Half(MemoryBackend):
    """A blocking backend with a method that is awaited."""

    async def insert(self, record, since):
        return True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"backend": MemoryBackend},
            r"^backend=MemoryBackend is a class: give an object of it, MemoryBackend\(",
        ),
        ({"backend": 7}, r"^int is not a backend: give an object of sessionkit.backends"),
        (
            {"backend": Unfinished()},
            r"^Unfinished is not a backend: it has no of, purge, close, warnings. Add what is missing$",
        ),
        (
            {"backend": Half()},
            r"^Half is not a backend: insert is a coroutine function and load is not",
        ),
        ({"max_record": 0}, r"^max_record must be a whole number"),
        ({"max_record": True}, r"^max_record must be a whole number"),
        ({"max_record": None}, r"^max_record must be a whole number"),
        ({"max_sessions": 1.5}, r"^max_sessions must be a whole number"),
        ({"max_sessions": 2}, r"^max_sessions needs a backend"),
        ({"max_record": 9000}, r"^max_record needs a backend: .*max_bytes"),
        ({"backend": MemoryBackend(), "format": NextAuthV4()}, "a backend needs the native format"),
    ],
)
def test_an_argument_that_cannot_work_is_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        SessionStore(SECRET, **arguments)


def test_backends_of_both_kinds_are_taken():
    assert SessionStore(SECRET, backend=MemoryBackend()).settings.driver is not None
    assert SessionStore(SECRET, backend=AwaitedMemory(clock=int)).settings.driver is None


def test_a_store_for_another_audience_shares_the_backend_and_no_session():
    scene = KeptScene(audience="a")
    scene.browser.login()
    other = scene.store.for_audience("b")
    with other.exchange(scene.browser.jar.header()) as exchange:
        assert exchange.get() is None
    assert ([], 0) == (other.sessions_of(ALICE), other.revoke_user(ALICE))
    assert 1 == scene.alive()


def test_a_login_beyond_max_sessions_ends_the_oldest():
    scene = KeptScene(max_sessions=2)
    browsers = [scene.another_browser() for _ in range(4)]
    for number, browser in enumerate(browsers):
        browser.login({**ALICE, "n": number})
        scene.clock.wait(1)
    assert [{}, {}] == [browser.session() for browser in browsers[:2]]
    assert [2, 3] == [browser.session()["n"] for browser in browsers[2:]]
    browsers[2].login(BOB)
    assert (1, 1) == (scene.alive(ALICE), scene.alive(BOB))


def test_sessions_under_an_older_secret_count_too():
    old = KeptScene(secret=OTHER_SECRET)
    old.browser.login()
    new = KeptScene(old.backend, secret=[SECRET, OTHER_SECRET], max_sessions=1)
    new.clock.wait(1)
    new.browser.login()
    assert (1, {}) == (new.alive(), old.browser.session())


def test_a_rotation_is_no_further_session():
    scene = KeptScene(max_sessions=1)
    scene.browser.login()
    visit = scene.browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    visit = scene.browser.visit()
    visit.exchange.rotate()
    visit.arrive()
    assert (ALICE, 1) == (scene.browser.session(), scene.alive())


def test_a_list_that_fails_is_an_error_and_the_login_is_taken_back():
    scene = KeptScene(max_sessions=2)
    visit = scene.browser.visit()
    visit.exchange.create(ALICE)
    visit.step()
    with pytest.raises(BackendError):
        visit.step(lost=False)
    visit.arrive(500)
    assert 0 == scene.alive()


def test_a_session_larger_than_max_record_is_refused_at_the_call_and_stays_as_it_was():
    scene = KeptScene(max_record=200)
    scene.browser.login()
    visit = scene.browser.visit()
    with pytest.raises(
        SessionTooLargeError, match=r"max_record allows 200; .*'large' \(310 bytes\)"
    ):
        visit.exchange.update({**ALICE, "large": "x" * 300})
    assert ALICE == visit.exchange.get()


def test_a_session_larger_than_cookies_is_kept():
    scene = KeptScene()
    scene.browser.login({**ALICE, "large": "x" * 60_000})
    assert 60_000 == len(scene.browser.session()["large"])


def test_with_the_guard_anyone_anonymous_sessions_are_on_the_server():
    scene = KeptScene(guard=anyone)
    scene.browser.login({"cart": [1]})
    other = scene.another_browser()
    visit = other.visit()
    visit.exchange.contents["cart"] = [2]
    assert ["Insert"] == visit.settle()
    visit.arrive()
    assert ({"cart": [1]}, {"cart": [2]}) == (scene.browser.session(), other.session())
    twice = scene.open(f"{other.jar.header()}; {other.jar.header()}")
    assert {"cart": [2]} == twice.get()
    visit = other.visit()
    visit.exchange.contents.clear()
    visit.arrive()
    assert {} == other.session()
