"""A backend whose reply is lost: cancelled, cut short, or late, while the application answers all the same."""

import asyncio
import time
from contextlib import suppress

import pytest

from sessionkit import BackendError, ConflictError
from sessionkit._exchange.drivers import aload, asettle
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend

from ..backends.awaited import AwaitedMemory
from ..kept import NAME, KeptScene
from ..scene import ALICE, BOB, Clock, names


class Cut(Exception):
    """No error of a backend's."""


class Losing(AwaitedMemory):
    """A backend that performs a write, and loses the reply; or that takes its time."""

    lost = None
    late = None

    async def _answer(self, name, reply):
        if name == self.late:
            await asyncio.sleep(0.02)
        if self.lost is not None and name == self.lost[0]:
            error, self.lost = self.lost[1], None
            raise error
        return reply

    async def insert(self, record, since):
        return await self._answer("insert", await super().insert(record, since))

    async def replace(self, record, version):
        return await self._answer("replace", await super().replace(record, version))

    async def delete(self, key, owner):
        return await self._answer("delete", await super().delete(key, owner))


ERRORS = [BackendError("down"), Cut(), TimeoutError(), asyncio.CancelledError()]
every_error = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


def count(session):
    return {**session, "n": session["n"] + 1}


async def begin(scene):
    exchange = scene.store.begin(HeaderRequest(scene.browser.jar.header()))
    await aload(exchange)
    return exchange


async def answer(scene, exchange, status=200):
    await asettle(exchange, status)
    changes = exchange.commit(status)
    lines = [value for name, value in changes.add if name == "Set-Cookie"]
    scene.browser.jar.receive(lines)
    return names(lines)


async def signed_in():
    scene = KeptScene(Losing(clock=Clock()))
    exchange = await begin(scene)
    exchange.create({**ALICE, "n": 0})
    await answer(scene, exchange)
    return scene


async def alive(scene):
    return [info.contents for user in (ALICE, BOB) for info in await scene.store.asessions_of(user)]


async def shown(scene):
    return (await begin(scene)).get()


@every_error
@pytest.mark.parametrize("others", [False, True])
def test_an_answer_of_500_takes_back_a_login_whose_reply_was_lost(error, others):
    async def run():
        scene = await signed_in() if others else KeptScene(Losing(clock=Clock()))
        exchange = await begin(scene)
        exchange.create({**BOB, "n": 0})
        scene.backend.lost = "insert", error
        with pytest.raises(type(error)):
            await asettle(exchange)
        await answer(scene, exchange, 500)
        return await alive(scene), await shown(scene)

    assert ([], None) == asyncio.run(run())


@every_error
def test_a_function_is_not_counted_twice_when_the_reply_was_lost_and_another_request_writes(error):
    async def run():
        scene = await signed_in()
        exchange, other = await begin(scene), await begin(scene)
        exchange.update(count)
        scene.backend.lost = "replace", error
        with pytest.raises(type(error)):
            await asettle(exchange)
        other.contents["theirs"] = 1
        await answer(scene, other)
        with pytest.raises(ConflictError, match="it is not known whether"):
            await asettle(exchange)
        return (await shown(scene))["n"]

    assert 1 == asyncio.run(run())


@every_error
def test_an_answer_of_500_keeps_a_session_whose_rotation_lost_its_last_reply(error):
    async def run():
        scene = await signed_in()
        exchange = await begin(scene)
        exchange.rotate()
        scene.backend.lost = "replace", error
        with pytest.raises(type(error)):
            await asettle(exchange)
        assert [NAME] == await answer(scene, exchange, 500)
        return await alive(scene), await shown(scene)

    contents = {**ALICE, "n": 0}
    assert ([contents], contents) == asyncio.run(run())


CHANGES = {
    "rotate": lambda exchange: exchange.rotate(),
    "rotate, update": lambda exchange: (exchange.rotate(), exchange.update(count)),
    "login": lambda exchange: exchange.create({**ALICE, "n": 0}),
    "login as bob": lambda exchange: exchange.create({**BOB, "n": 0}),
    "delete": lambda exchange: exchange.delete(),
}


@pytest.mark.parametrize("status", [200, 304, 504])
@pytest.mark.parametrize("late", ["insert", "replace", "delete"])
@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_after_a_timeout_of_the_application_waits_for_work_that_goes_on(
    change, late, status
):
    async def run():
        scene = await signed_in()
        exchange = await begin(scene)
        CHANGES[change](exchange)
        scene.backend.late = late
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asettle(exchange), 0.005)
        await answer(scene, exchange, status)
        scene.backend.late = None
        await asyncio.sleep(0.05)
        return await alive(scene), await shown(scene), exchange.get()

    there, seen, told = asyncio.run(run())
    assert ([] if seen is None else [seen]) == there
    assert told == seen or status == 504
    if change.startswith("rotate"):
        assert seen["user"] == ALICE["user"]


@pytest.mark.parametrize("error", [Cut(), TimeoutError(), KeyboardInterrupt()], ids=repr)
def test_a_blocking_backend_that_is_cut_short_leaves_no_session_behind_a_500(error):
    scene = KeptScene()
    insert = scene.backend.insert

    def cut(record, since):
        insert(record, since)
        raise error

    exchange = scene.open("")
    exchange.create(ALICE)
    scene.backend.insert = cut
    with pytest.raises(type(error)):
        exchange.commit()
    exchange.commit(500)
    assert scene.alive() == 0


BEFORE = {
    "login": (lambda exchange: exchange.create(BOB), ["Delete"], 0),
    "logout": (lambda exchange: exchange.delete(), [], 0),
    "rotate": (lambda exchange: exchange.rotate(), ["Insert"], 1),
}


@pytest.mark.parametrize("change", BEFORE)
def test_a_request_that_ends_before_the_backend_fails_has_another_try(change):
    """The task may be cancelled once more, and end the request, while the operation goes on."""
    act, earlier, left = BEFORE[change]
    scene = KeptScene()
    scene.browser.login(ALICE)
    visit = scene.browser.visit()
    act(visit.exchange)
    assert earlier == [type(visit.step()).__name__ for _ in earlier]
    operation, _ = visit.exchange.decide(200)
    operation.on(scene.backend)
    visit.exchange.finish()
    visit.exchange.decide(500)
    with pytest.raises(BackendError):
        visit.exchange.took(operation, BackendError("down"))
    assert visit.settle(500)
    assert left == scene.alive()


def test_an_answer_that_takes_the_place_of_a_failed_one_tries_everything_again():
    scene = KeptScene()
    scene.browser.login(ALICE)
    visit = scene.browser.visit()
    visit.exchange.create(BOB)
    visit.step(500, lost=True)
    assert visit.exchange.server.gave_up
    assert ["Delete", "List", "Insert"] == visit.settle(200)
    assert ["Delete"] == visit.settle(500)
    assert 0 == scene.alive()


class InThread(MemoryBackend):
    """A blocking backend that is slow, and is called in a thread."""

    waits = True

    def insert(self, record, since):
        time.sleep(0.02)
        return super().insert(record, since)

    def replace(self, record, version):
        time.sleep(0.02)
        return super().replace(record, version)


@pytest.mark.parametrize("status", [200, 504])
@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_waits_for_a_thread_that_no_timeout_can_stop(change, status):
    async def run():
        scene = KeptScene(InThread(clock=Clock()))
        if not change.startswith("login"):
            scene.browser.login({**ALICE, "n": 0})
        exchange = await begin(scene)
        CHANGES[change](exchange)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asettle(exchange), 0.005)
        await answer(scene, exchange, status)
        await asyncio.sleep(0.05)
        return await alive(scene), await shown(scene)

    there, seen = asyncio.run(run())
    assert ([] if seen is None else [seen]) == there


@pytest.mark.parametrize("is_served", [True, False])
def test_work_that_is_shielded_is_done_by_a_task_of_the_request(is_served):
    async def run():
        scene, found = await signed_in(), []
        exchange = await begin(scene)
        exchange.delete()
        exchange.tasks = (asyncio.current_task(),) if is_served else None
        delete = scene.backend.delete

        async def look(key, owner):
            found.append(exchange.tasks is None or asyncio.current_task() in exchange.tasks)
            return await delete(key, owner)

        scene.backend.delete = look
        await asettle(exchange)
        return found, exchange.tasks is None

    assert ([True], not is_served) == asyncio.run(run())
