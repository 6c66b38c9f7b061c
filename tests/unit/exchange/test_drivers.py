"""The loops that perform what an exchange decides: a blocking one and an async one."""

import asyncio
import threading

import pytest

from sessionkit import BackendError
from sessionkit._exchange import drivers, unfinished_work
from sessionkit._exchange.drivers import BlockingDriver, aload, asettle
from sessionkit._exchange.operations import Purge
from sessionkit._exchange.performing import perform
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, BOB, Clock


class Threaded(MemoryBackend):
    """A blocking backend that notes the threads it is called in."""

    waits = True

    def __init__(self, **settings):
        super().__init__(**settings)
        self.threads = set()

    def load(self, key, owner):
        self.threads.add(threading.get_ident())
        return super().load(key, owner)


class Failing(AwaitedMemory):
    """A backend that fails once it is told to."""

    down = False

    async def load(self, key, owner):
        if self.down:
            raise BackendError("the session backend is down")
        return await super().load(key, owner)

    async def insert(self, record, since):
        if self.down:
            raise BackendError("the session backend is down")
        return await super().insert(record, since)


class Slow(AwaitedMemory):
    """A backend of which each operation lets others run first."""

    async def delete(self, key, owner):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await super().delete(key, owner)


def make(kind):
    return KeptScene(kind(clock=Clock()))


def begin(scene):
    return scene.store.begin(HeaderRequest(scene.browser.jar.header()))


async def sign_in(scene):
    exchange = begin(scene)
    exchange.create(ALICE)
    await asettle(exchange)
    changes = exchange.commit()
    scene.browser.jar.receive(value for name, value in changes.add if name == "Set-Cookie")


@pytest.mark.parametrize("kind", [AwaitedMemory, MemoryBackend, Threaded])
def test_a_session_is_loaded_and_settled_on_backends_of_both_kinds(kind):
    scene = make(kind)

    async def run():
        await sign_in(scene)
        exchange = begin(scene)
        await aload(exchange)
        assert ALICE == exchange.get()
        exchange.contents["n"] = 1
        await asettle(exchange)
        again = begin(scene)
        await aload(again)
        await aload(again)
        return again.get()["n"]

    assert 1 == asyncio.run(run())


def test_a_blocking_backend_runs_in_a_thread_unless_it_never_waits():
    scene = make(Threaded)

    async def run():
        await sign_in(scene)
        await aload(begin(scene))

    asyncio.run(run())
    assert threading.get_ident() not in scene.backend.threads
    assert len(scene.backend.threads) == 1


def test_a_failed_load_is_raised_where_the_session_is_asked_for():
    scene = make(Failing)

    async def run():
        await sign_in(scene)
        scene.backend.down = True
        exchange = begin(scene)
        await aload(exchange)
        return exchange

    exchange = asyncio.run(run())
    with pytest.raises(BackendError, match="is down"):
        exchange.get()


def test_a_failed_operation_is_raised_by_asettle():
    scene = make(Failing)

    async def run():
        scene.backend.down = True
        await sign_in(scene)

    with pytest.raises(BackendError, match="is down"):
        asyncio.run(run())


def test_a_client_that_hangs_up_does_not_undo_its_logout():
    scene = make(Slow)

    async def run():
        await sign_in(scene)
        exchange = begin(scene)
        await aload(exchange)
        exchange.delete()
        task = asyncio.ensure_future(asettle(exchange))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.gather(*unfinished_work._shielded.values(), return_exceptions=True)
        return scene.backend.memory._records

    assert {} == asyncio.run(run())


@pytest.mark.parametrize("cancellations", [1, 2, 3])
def test_a_session_that_no_browser_knows_is_removed_however_often_the_task_is_cancelled(
    cancellations,
):
    scene = make(Slow)

    async def run():
        await sign_in(scene)
        exchange = begin(scene)
        await aload(exchange)
        exchange.create(BOB)
        for status in [200, *[500] * cancellations]:
            task = asyncio.ensure_future(asettle(exchange, status))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        while unfinished_work._shielded:
            await asyncio.wait([*unfinished_work._shielded.values()])
        return scene.backend.memory._records

    assert {} == asyncio.run(run())


def test_a_logout_that_fails_after_the_client_has_hung_up_is_nobodys_error():
    scene = make(Slow)

    async def fail(key, owner):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise BackendError("the session backend is down")

    async def run():
        await sign_in(scene)
        exchange = begin(scene)
        await aload(exchange)
        exchange.delete()
        scene.backend.delete = fail
        task = asyncio.ensure_future(asettle(exchange))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.gather(*unfinished_work._shielded.values(), return_exceptions=True)
        return len(scene.backend.memory._records)

    assert 1 == asyncio.run(run())


def test_the_loop_that_ends_with_the_process_takes_a_shielded_logout_with_it():
    scene = make(Slow)

    async def forever(key, owner):
        await asyncio.Event().wait()

    async def run():
        await sign_in(scene)
        exchange = begin(scene)
        await aload(exchange)
        exchange.delete()
        scene.backend.delete = forever
        task = asyncio.ensure_future(asettle(exchange))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(run())
    assert not unfinished_work._shielded


@pytest.mark.parametrize("kind", [AwaitedMemory, MemoryBackend])
def test_a_conflict_is_followed_by_a_pause(kind, monkeypatch):
    scene, pauses = make(kind), []

    async def run():
        await sign_in(scene)
        one, other = begin(scene), begin(scene)
        for number, exchange in enumerate((one, other)):
            await aload(exchange)
            exchange.contents[f"k{number}"] = number
        await asettle(one)
        real = asyncio.sleep

        async def sleep(seconds):
            pauses.append(seconds)
            await real(0)

        monkeypatch.setattr(drivers.asyncio, "sleep", sleep)
        await asettle(other)
        return other.get()

    assert {**ALICE, "k0": 0, "k1": 1} == asyncio.run(run())
    assert [True] == [0 < pause <= 0.064 for pause in pauses]


def test_a_blocking_conflict_is_followed_by_a_pause(monkeypatch):
    scene, pauses = make(MemoryBackend), []
    monkeypatch.setattr(drivers.time, "sleep", pauses.append)
    exchange = begin(scene)
    exchange.create(ALICE)
    changes = BlockingDriver(scene.backend).run(exchange, 200, ())
    scene.browser.jar.receive(value for name, value in changes.add if name == "Set-Cookie")
    one, other = begin(scene), begin(scene)
    for number, each in enumerate((one, other)):
        each.drive()
        each.contents[f"k{number}"] = number
    one.commit()
    other.commit()
    assert [True] == [0 < pause <= 0.064 for pause in pauses]


def test_one_operation_is_performed_on_either_kind():
    backends = (AwaitedMemory(clock=Clock()), MemoryBackend(clock=Clock()))

    async def run():
        return [await perform(Purge(0, 1), backend) for backend in backends]

    assert [0, 0] == asyncio.run(run())


def test_threads_that_load_one_session_at_once_agree_on_it():
    scene = KeptScene()
    scene.browser.login()
    exchange = begin(scene)
    barrier, found = threading.Barrier(8), []

    def load(wanted):
        barrier.wait()
        return scene.backend.load(*wanted)

    exchange.loader = load
    threads = [threading.Thread(target=lambda: found.append(exchange.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ALICE] * 8 == found
    assert 1 == len({id(session) for session in found})


def test_a_slower_thread_takes_the_record_that_the_first_has_loaded():
    scene = KeptScene()
    scene.browser.login()
    exchange = begin(scene)
    (wanted,) = exchange.wanted
    first = scene.backend.load(*wanted)
    scene.browser.update(n=1)
    exchange.supply([first])
    exchange.supply([scene.backend.load(*wanted)])
    assert ALICE == exchange.get()
    assert first == exchange.server.current


def test_a_store_without_a_backend_has_nothing_to_drive():
    from ..scene import Scene

    scene = Scene()
    exchange = begin(scene)
    exchange.drive()
    exchange.loader = scene.clock
    exchange.supply([])
    assert ((), None, 0) == (exchange.wanted, exchange.loader, exchange.pause)
    exchange.create(ALICE)
    operation, changes = exchange.decide()
    assert operation is None
    assert ["Set-Cookie"] == [name for name, _ in changes.add if name == "Set-Cookie"]
    exchange.took(Purge(0, 1), 0)
    assert exchange.refresh(None) is False


def test_an_exchange_that_nobody_used_has_nothing_to_settle():
    scene = KeptScene()
    scene.browser.login()
    exchange = begin(scene)
    operation, changes = exchange.decide()
    assert (None, []) == (operation, list(changes.add))
    assert [] == list(exchange.close(BlockingDriver(scene.backend).run(exchange, 200, ())).add)
    assert exchange.looked_at is False
