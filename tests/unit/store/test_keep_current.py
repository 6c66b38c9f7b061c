"""Revoke a user's other sessions, and keep that of the request."""

import asyncio
import gc

import pytest

from sessionkit import (
    BackendError,
    ConfigurationError,
    SessionStore,
    create_session,
    delete_session,
    rotate_session,
)
from sessionkit._exchange.unfinished_work import _held

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, OTHER_SECRET, SECRET, START, Clock
from .several_browsers import open_exchange, sign_in


@pytest.fixture
def scene():
    return KeptScene()


def test_keep_current_keeps_the_session_of_the_request(scene):
    mine, other = sign_in(scene, 1), sign_in(scene, 2)
    with open_exchange(scene, mine):
        assert 1 == scene.store.revoke_user(ALICE, keep_current=True)
    assert (1, {}) == (mine.session()["n"], other.session())


def test_keep_current_without_a_request_keeps_nothing(scene):
    browser = sign_in(scene, 1)
    assert 1 == scene.store.revoke_user(ALICE, keep_current=True)
    assert {} == browser.session()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["rotate", "login"])
def test_keep_current_keeps_a_session_that_the_request_begins_or_rotates(scene, how, when):
    mine, other = sign_in(scene, 1), sign_in(scene, 2)

    def begin():
        if how == "rotate":
            rotate_session()
        else:
            create_session({**ALICE, "n": 1})

    with open_exchange(scene, mine) as exchange:
        if when == "before":
            begin()
        assert scene.store.revoke_user(ALICE, keep_current=True) >= 1
        if when == "after":
            begin()
    mine.jar.receive(value for name, value in exchange.response_headers if name == "Set-Cookie")
    assert (1, {}, 1) == (mine.session()["n"], other.session(), scene.alive())


def test_keep_current_does_not_save_a_session_that_was_revoked_before(scene):
    mine = sign_in(scene, 1)
    with open_exchange(scene, mine) as exchange:
        exchange.get()
        scene.store.revoke(scene.store.sessions_of(ALICE)[0].handle)
        scene.store.revoke_user(ALICE, keep_current=True)
        rotate_session()
    assert 0 == scene.alive()


def log_in():
    create_session({**ALICE, "n": 9})


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("order", [("login", "keep"), ("keep", "login"), ("rotate", "keep")])
def test_a_login_in_progress_does_not_slip_through_by_a_revocation_of_its_own(
    scene, order, signed_in
):
    # A site on which a user has one session: each login ends the others. Another request revokes while this one is served.
    mine = sign_in(scene, 1) if signed_in else scene.browser
    acts = {
        "login": log_in,
        "rotate": rotate_session,
        "keep": lambda: scene.store.revoke_user(ALICE, keep_current=True),
    }
    with open_exchange(scene, mine) as exchange:
        exchange.get()
        scene.clock.wait(1)
        scene.store.revoke_user(ALICE)
        scene.clock.wait(1)
        for act in order:
            acts[act]()
    assert 0 == scene.alive()


@pytest.mark.parametrize("act", ["login", "rotate"])
def test_with_several_secrets_no_revocation_slips_in_between_their_names(act):
    scene = KeptScene(secret=[SECRET, OTHER_SECRET])
    mine, of, calls = sign_in(scene, 1), scene.backend.of, []

    def list_beside_another_request(owner):
        calls.append(owner)
        if len(calls) == 2:
            scene.backend.of = of
            scene.clock.wait(1)
            assert 1 == scene.store.revoke_user(ALICE)
            scene.clock.wait(1)
        return of(owner)

    with open_exchange(scene, mine):
        scene.backend.of = list_beside_another_request
        scene.store.revoke_user(ALICE, keep_current=True)
        {"login": log_in, "rotate": rotate_session}[act]()
    assert len(set(calls)) == 2
    assert 0 == scene.alive()


def test_a_login_that_ends_all_others_stays(scene):
    other = sign_in(scene, 1)
    with open_exchange(scene) as exchange:
        log_in()
        assert 1 == scene.store.revoke_user(ALICE, keep_current=True)
    scene.browser.jar.receive(
        value for name, value in exchange.response_headers if name == "Set-Cookie"
    )
    assert (9, {}, 1) == (scene.browser.session()["n"], other.session(), scene.alive())


def test_a_failed_response_takes_such_a_login_back(scene):
    def fail():
        with open_exchange(scene):
            log_in()
            scene.store.revoke_user(ALICE, keep_current=True)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert 0 == scene.alive()


def test_an_awaited_backend_keeps_such_a_login_and_refuses_one_that_was_revoked():
    clock = Clock()
    store = SessionStore(SECRET, clock=clock, backend=AwaitedMemory(clock=clock))

    async def visit(*, is_revoked):
        async with store.exchange():
            clock.wait(1)
            if is_revoked:
                await store.arevoke_user(ALICE)
                clock.wait(1)
            log_in()
            with pytest.raises(ConfigurationError, match="await the method with an `a`"):
                store.revoke_user(ALICE, keep_current=True)
            await store.arevoke_user(ALICE, keep_current=True)
        return [info.contents["n"] for info in await store.asessions_of(ALICE)]

    assert [9] == asyncio.run(visit(is_revoked=False))
    assert [] == asyncio.run(visit(is_revoked=True))


class SlowMemory(AwaitedMemory):
    """A backend that takes a moment, in which its caller may be cancelled."""

    async def insert(self, record, since):
        await asyncio.sleep(0)
        return await super().insert(record, since)

    async def of(self, owner):
        await asyncio.sleep(0)
        return await super().of(owner)

    async def delete(self, key, owner):
        await asyncio.sleep(0)
        return await super().delete(key, owner)

    async def revoke(self, owner, at, keep):
        await asyncio.sleep(0)
        if at < START:
            raise BackendError("down")
        return await super().revoke(owner, at, keep)


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("how", ["user", "session"])
def test_a_client_that_hangs_up_does_not_undo_a_revocation(how, steps):
    clock = Clock()
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def hang_up():
        async with store.exchange():
            log_in()
        clock.wait(1)
        (info,) = await store.asessions_of(ALICE)
        call = store.arevoke_user(ALICE) if how == "user" else store.arevoke(info.handle)
        task = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        for _ in range(9):
            await asyncio.sleep(0)
        return await store.asessions_of(ALICE)

    assert [] == asyncio.run(hang_up())


@pytest.mark.parametrize("steps", range(5))
def test_a_client_that_hangs_up_does_not_undo_the_revocation_of_the_other_sessions(steps):
    clock = Clock()
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def log_in_and_hang_up():
        async with store.exchange():
            log_in()
            await store.arevoke_user(ALICE, keep_current=True)

    async def run():
        async with store.exchange():
            log_in()
        (other,) = await store.asessions_of(ALICE)
        clock.wait(1)
        task = asyncio.ensure_future(log_in_and_hang_up())
        await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        for _ in range(30):
            await asyncio.sleep(0)
        return other.handle in [session.handle for session in await store.asessions_of(ALICE)]

    assert asyncio.run(run()) is False


@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_revocation_that_fails_is_an_error_of_who_waits_for_it(hangs_up):
    clock, unheard = Clock(), []
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def revoke():
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
        clock.wait(-9)
        task = asyncio.ensure_future(store.arevoke_user(ALICE))
        await asyncio.sleep(0)
        if hangs_up:
            task.cancel()
        await asyncio.wait([task])
        for _ in range(9):
            await asyncio.sleep(0)
        return None if task.cancelled() else type(task.exception())

    assert (None if hangs_up else BackendError) is asyncio.run(revoke())
    gc.collect()
    assert [] == unheard


def test_a_revocation_ends_with_its_event_loop_at_the_latest():
    clock, unheard = Clock(), []
    store = SessionStore(SECRET, clock=clock, backend=SlowMemory(clock=clock))

    async def leave():
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
        task = asyncio.ensure_future(store.arevoke_user(ALICE))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    assert ([], set()) == (unheard, _held)


def test_a_logout_after_keep_current_ends_the_session(scene):
    mine = sign_in(scene, 1)
    with open_exchange(scene, mine):
        scene.store.revoke_user(ALICE, keep_current=True)
        delete_session()
    assert 0 == scene.alive()
