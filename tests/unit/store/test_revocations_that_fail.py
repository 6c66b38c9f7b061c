"""Revoke a session while the backend fails, and while another request ends or rotates it."""

import asyncio

import pytest

from sessionkit import BackendError, SessionStore

from ..backends.awaited import AwaitedMemory
from ..interleaving import ACTIONS, Revoking, run_faults, run_orders
from ..kept import KeptScene
from ..scene import ALICE, SECRET, Clock


@pytest.fixture
def scene():
    scene = KeptScene()
    scene.browser.login({**ALICE, "n": 1})
    return scene


def find_handle(scene):
    return scene.store.sessions_of(ALICE)[-1].handle


def rotate(browser):
    visit = browser.visit()
    visit.exchange.rotate()
    visit.arrive()


def fail_at(scene, name, *, before=None, performed=True, times=1):
    """Let the operation fail some times; `before` is called once, just before it is performed."""
    operation, left = getattr(scene.backend, name), [times]

    def fail(*arguments):
        nonlocal before
        if before is not None:
            before, now = None, before
            now()
        if not left[0]:
            return operation(*arguments)
        left[0] -= 1
        if performed:
            operation(*arguments)
        raise BackendError("the backend is down")

    setattr(scene.backend, name, fail)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_revocation_beside_a_request_ends_the_session_in_any_order(action):
    world = Revoking()
    world.fault = (-1, -1)
    outcomes = [(world.told, outcome.revived) for outcome in run_orders(world, (action, "revoke"))]
    assert len(outcomes) >= 3
    assert all(told in ([True], [False]) and revived == 0 for told, revived in outcomes)


@pytest.mark.parametrize("performed", [False, True])
def test_a_revocation_beside_a_rotation_ends_the_session_though_one_of_its_replies_is_lost(
    performed,
):
    world = Revoking()
    runs = run_faults(world, ("rotate", "revoke"), 1, performed, None)
    outcomes = [(world.told[-1], outcome.revived) for outcome in runs]
    assert len(outcomes) >= 12
    assert {(True, 0)} == {*outcomes}


@pytest.mark.parametrize("performed", [False, True])
def test_a_revocation_succeeds_though_the_reply_to_the_deletion_is_lost(scene, performed):
    handle = find_handle(scene)
    fail_at(scene, "delete", performed=performed)
    assert (True, 0) == (scene.store.revoke(handle), scene.alive())


def test_so_does_one_that_is_awaited():
    async def run():
        clock = Clock()
        backend = AwaitedMemory(clock=clock)
        store = SessionStore(SECRET, clock=clock, backend=backend)
        async with store.exchange() as exchange:
            exchange.create(ALICE)
        (info,) = await store.asessions_of(ALICE)
        delete = backend.delete

        async def lose(*arguments):
            backend.delete = delete
            await delete(*arguments)
            raise BackendError("the backend is down")

        backend.delete = lose
        return await store.arevoke(info.handle), await store.asessions_of(ALICE)

    assert (True, []) == asyncio.run(run())


@pytest.mark.parametrize("times", [0, 1])
def test_a_session_that_is_rotated_in_the_middle_of_a_revocation_ends(scene, times):
    handle = find_handle(scene)
    fail_at(scene, "delete", before=lambda: rotate(scene.browser), times=times)
    assert (True, {}, 0) == (scene.store.revoke(handle), scene.browser.session(), scene.alive())


def test_a_session_that_ends_in_the_middle_of_a_revocation_is_not_counted(scene):
    handle, delete = find_handle(scene), scene.backend.delete

    def log_out(*arguments):
        scene.backend.delete = delete
        scene.browser.logout()
        return delete(*arguments)

    scene.backend.delete = log_out
    assert (False, 0) == (scene.store.revoke(handle), scene.alive())


def test_another_session_of_the_same_second_stays_if_the_deletion_was_not_performed(scene):
    other = scene.another_browser()
    other.login({**ALICE, "n": 2})
    handle = next(one.handle for one in scene.store.sessions_of(ALICE) if one.contents["n"] == 1)
    fail_at(scene, "delete", performed=False)
    assert (True, {}, 2) == (
        scene.store.revoke(handle),
        scene.browser.session(),
        other.session()["n"],
    )


@pytest.mark.parametrize("performed", [False, True])
@pytest.mark.parametrize("name", ["load", "delete"])
def test_after_an_outage_the_same_call_ends_a_session_that_was_rotated(scene, name, performed):
    handle = find_handle(scene)
    rotate(scene.browser)
    of = scene.backend.of
    fail_at(scene, name, performed=performed)
    fail_at(scene, "of", performed=False)
    with pytest.raises(BackendError):
        scene.store.revoke(handle)
    scene.backend.of = of
    ended_before = name == "delete" and performed
    assert (not ended_before, {}) == (scene.store.revoke(handle), scene.browser.session())


def test_a_revocation_whose_deletion_fails_again_is_an_error(scene):
    handle = find_handle(scene)
    fail_at(scene, "delete", performed=False, times=2)
    with pytest.raises(BackendError, match="the backend is down"):
        scene.store.revoke(handle)
    assert scene.store.revoke(handle) is True
