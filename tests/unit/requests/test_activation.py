"""`with` and `async with store.exchange()`, with backends of both kinds."""

import asyncio
import logging

import pytest

from sessionkit import (
    BackendError,
    ConfigurationError,
    SerializationError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    rotate_session,
    update_session,
)
from sessionkit.backends import MemoryBackend

from ..backends.awaited import AwaitedMemory
from ..scene import ALICE, BOB, SECRET, Clock


class Down:
    """What fails once it is told to."""

    down = False

    def check(self):
        if self.down:
            raise BackendError("the session backend is down")


class FailingMemory(MemoryBackend, Down):
    def insert(self, record, since):
        self.check()
        return super().insert(record, since)

    def delete(self, key, owner):
        self.check()
        return super().delete(key, owner)


class FailingAwaited(AwaitedMemory, Down):
    async def insert(self, record, since):
        self.check()
        return await super().insert(record, since)

    async def delete(self, key, owner):
        self.check()
        return await super().delete(key, owner)


class Script:
    """A script that serves one request after another, by the kind of block that its backend needs."""

    def __init__(self, backend):
        self.backend = backend
        clock = Clock()
        self.store = SessionStore(SECRET, backend=backend and backend(clock=clock), clock=clock)
        self.header = ""
        self.is_async = backend is FailingAwaited or backend is None

    def run(self, act):
        if self.is_async:
            return asyncio.run(self._run_async(act))
        with self.store.exchange(self.header) as exchange:
            act()
        return self._receive(exchange)

    async def _run_async(self, act):
        async with self.store.exchange(self.header) as exchange:
            act()
        return self._receive(exchange)

    def _receive(self, exchange):
        lines = [value for name, value in exchange.response_headers if name == "Set-Cookie"]
        if lines:
            self.header = lines[0].partition(";")[0]
        return lines


@pytest.fixture(params=[FailingMemory, FailingAwaited, None], ids=["blocking", "awaited", "none"])
def script(request):
    return Script(request.param)


@pytest.fixture(params=[FailingMemory, FailingAwaited], ids=["blocking", "awaited"])
def kept(request):
    made = Script(request.param)
    made.run(lambda: create_session(ALICE))
    return made


def test_a_script_reads_and_writes_sessions(script):
    script.run(lambda: create_session({**ALICE, "n": 1}))
    script.run(lambda: update_session(lambda session: {**session, "n": session["n"] + 1}))
    seen = []
    script.run(lambda: seen.append(get_session()["n"]))
    assert [2] == seen
    assert script.run(delete_session)
    script.run(lambda: seen.append(get_session()))
    assert [2, None] == seen


def test_a_store_without_a_backend_takes_both_blocks():
    store = SessionStore(SECRET)
    with store.exchange():
        assert get_session() is None


def test_the_wrong_block_says_which_is_right():
    clock = Clock()
    with (
        pytest.raises(ConfigurationError, match="AwaitedMemory is awaited: use `async with"),
        SessionStore(SECRET, backend=AwaitedMemory(clock=clock)).exchange(),
    ):
        pass

    async def run():
        async with SessionStore(SECRET, backend=MemoryBackend()).exchange():
            pass

    with pytest.raises(ConfigurationError, match="MemoryBackend is not awaited: use `with"):
        asyncio.run(run())


def raise_after(act, error):
    def run():
        act()
        raise error

    return run


def test_a_block_that_raises_saves_nothing_and_keeps_a_logout(kept):
    with pytest.raises(KeyError):
        kept.run(raise_after(lambda: update_session({**ALICE, "n": 1}), KeyError("x")))
    seen = []
    kept.run(lambda: seen.append(dict(get_session())))
    assert [ALICE] == seen
    with pytest.raises(KeyError):
        kept.run(raise_after(delete_session, KeyError("x")))
    kept.run(lambda: seen.append(get_session()))
    assert [ALICE, None] == seen


def test_a_block_whose_changes_cannot_be_kept_keeps_its_logout(kept):
    def act():
        delete_session()
        create_session({**ALICE, "list": []})["list"].append(object())

    with pytest.raises(SerializationError):
        kept.run(act)
    seen = []
    kept.run(lambda: seen.append(get_session()))
    assert [None] == seen


def test_a_backend_that_fails_at_the_end_of_a_block_raises(kept):
    kept.store.settings.backend.down = True
    with pytest.raises(BackendError, match="is down"):
        kept.run(delete_session)
    kept.store.settings.backend.down = False
    seen = []
    kept.run(lambda: seen.append(dict(get_session())))
    assert [ALICE] == seen


class Losing(MemoryBackend):
    """A backend that performs one operation, and loses its reply."""

    lost = ""

    def _answer(self, name, reply):
        if name == self.lost:
            self.lost = ""
            raise BackendError("the reply is lost")
        return reply

    def insert(self, record, since):
        return self._answer("insert", super().insert(record, since))

    def replace(self, record, version):
        return self._answer("replace", super().replace(record, version))

    def delete(self, key, owner):
        return self._answer("delete", super().delete(key, owner))


class AwaitedLosing(AwaitedMemory):
    def __init__(self):
        self.memory = Losing()


def run_with(backend, act, cookies):
    """Run a block whose error is expected; return the cookies that a browser has then."""
    store = SessionStore(SECRET, backend=backend)

    exchanges = []

    def do():
        exchanges.append(store.get_exchange())
        act()

    try:
        if isinstance(backend, AwaitedLosing):

            async def run():
                async with store.exchange(cookies):
                    do()

            asyncio.run(run())
        else:
            with store.exchange(cookies):
                do()
    except BackendError as error:
        assert str(error) == "the reply is lost"
    lines = [value for name, value in exchanges[0].response_headers if name == "Set-Cookie"]
    for line in lines:
        name, _, value = line.partition(";")[0].partition("=")
        cookies = {**cookies, name: value}
    return cookies


@pytest.mark.parametrize("backend", [Losing, AwaitedLosing])
@pytest.mark.parametrize(
    ("act", "lost", "left"),
    [
        (lambda: create_session(BOB), "insert", []),
        (lambda: create_session(BOB), "delete", []),
        (delete_session, "delete", []),
        (rotate_session, "insert", [ALICE]),
        (rotate_session, "replace", [ALICE]),
    ],
    ids=["login, insert", "login, delete", "logout, delete", "rotate, insert", "rotate, replace"],
)
def test_a_block_whose_backend_loses_a_reply_leaves_what_a_failed_response_leaves(
    backend, act, lost, left
):
    kept = backend()
    memory = kept.memory if isinstance(kept, AwaitedLosing) else kept
    cookies = run_with(kept, lambda: create_session(ALICE), {})
    memory.lost = lost
    cookies = run_with(kept, act, cookies)
    store = SessionStore(SECRET, backend=memory)
    there = [info.contents for user in (ALICE, BOB) for info in store.sessions_of(user)]
    with store.exchange(cookies):
        shown = get_session()
    assert (there, [] if shown is None else [shown]) == (left, left)


def test_the_error_of_the_block_is_told_before_that_of_the_backend(kept, caplog):
    kept.store.settings.backend.down = True
    with caplog.at_level(logging.ERROR), pytest.raises(KeyError):
        kept.run(raise_after(delete_session, KeyError("x")))
    assert ["the session could not be ended: the session backend is down"] == [
        record.getMessage() for record in caplog.records if record.name == "sessionkit"
    ]


def test_a_session_that_was_read_in_a_block_can_be_read_after_it(kept):
    seen = []
    exchanges = []

    def act():
        exchanges.append(kept.store.get_exchange())
        seen.append(get_session())

    kept.run(act)
    assert ALICE == seen[0]
    assert ALICE == exchanges[0].get()
