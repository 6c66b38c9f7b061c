"""A server that shuts down: what cancelled requests have begun on an async backend is done before the application closes it."""

import asyncio

import pytest

from sessionkit import BackendError, create_session, delete_session
from sessionkit._exchange import unfinished_work
from sessionkit._exchange.drivers import aload
from sessionkit._exchange.exchange import ENDED
from sessionkit._requests.views import ASGIRequest

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, Clock, Scene
from ..served import Wire, answering_async, scope_of


class Slow(AwaitedMemory):
    """A backend that replies to a write when it is let, and not after it was closed."""

    closed = False

    def __init__(self, **settings):
        super().__init__(**settings)
        self.asked = asyncio.Event()
        self.may_reply = asyncio.Event()

    async def _wait(self):
        self.asked.set()
        await self.may_reply.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        if self.closed:
            raise BackendError("the backend is closed")

    async def insert(self, record, since):
        await self._wait()
        return await super().insert(record, since)

    async def delete(self, key, owner):
        await self._wait()
        return await super().delete(key, owner)

    async def revoke(self, owner, at, keep):
        await self._wait()
        return await super().revoke(owner, at, keep)

    async def aclose(self):
        self.closed = True

    async def warnings(self):
        return []


async def shut_down(scene):
    """Tell the application to shut down, which then closes the backend."""

    async def app(scope, receive, send):
        assert {"type": "lifespan.startup"} == await receive()
        assert {"type": "lifespan.shutdown"} == await receive()
        await scene.backend.aclose()

    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return messages.pop(0)

    await scene.store.asgi(app)({"type": "lifespan"}, receive, Wire().send)


async def sign_in(scene):
    scene.backend.may_reply.set()
    wire = Wire()
    app = scene.store.asgi(answering_async(lambda: create_session(ALICE)))
    await app(scope_of(""), wire.receive, wire.send)
    scene.browser.jar.receive(wire.answer.lines)
    scene.backend.may_reply.clear()
    scene.backend.asked.clear()


def logging_out(scene):
    return scene.store.asgi(answering_async(delete_session))


def logging_in(scene):
    return scene.store.asgi(answering_async(lambda: create_session(ALICE)))


def revoking(scene):
    async def app(scope, receive, send):
        await scene.store.arevoke_user(ALICE)

    return scene.store.asgi(app)


@pytest.mark.parametrize("make", [logging_out, logging_in, revoking])
def test_what_cancelled_requests_have_begun_is_done_before_the_application_shuts_down(make):
    async def run():
        scene = KeptScene(Slow(clock=Clock()))
        await sign_in(scene)
        served = make(scene)(scope_of(scene.browser.jar.header()), Wire().receive, Wire().send)
        task = asyncio.ensure_future(served)
        await scene.backend.asked.wait()
        # The server cancels the request, and does not wait for it.
        task.cancel()
        scene.backend.may_reply.set()
        await shut_down(scene)
        await asyncio.wait((task,))
        return scene.backend

    backend = asyncio.run(run())
    assert (True, {}) == (backend.closed, backend.memory._records)


def test_a_request_that_a_callback_ends_is_ended_before_the_application_shuts_down():
    """Frameworks with a server of their own notice in a callback that a request gets no response."""

    async def run():
        scene = KeptScene(Slow(clock=Clock()))
        await sign_in(scene)
        gateway = logging_out(scene)
        exchange, _ = gateway.enter(ASGIRequest(scope_of(scene.browser.jar.header())))
        await aload(exchange)
        exchange.delete()
        gateway.end_soon(exchange)
        scene.backend.may_reply.set()
        await shut_down(scene)
        return scene.backend, exchange.phase

    backend, phase = asyncio.run(run())
    assert (True, {}) == (backend.closed, backend.memory._records)
    assert phase is ENDED


def test_a_shutdown_does_not_wait_for_a_backend_that_never_replies(monkeypatch):
    monkeypatch.setattr(unfinished_work, "_LONGEST", 0.01)

    async def run():
        scene = KeptScene(Slow(clock=Clock()))
        await sign_in(scene)
        app = logging_out(scene)
        served = app(scope_of(scene.browser.jar.header()), Wire().receive, Wire().send)
        task = asyncio.ensure_future(served)
        await scene.backend.asked.wait()
        task.cancel()
        await shut_down(scene)
        return scene.backend

    backend = asyncio.run(run())
    assert (True, 1) == (backend.closed, len(backend.memory._records))


def test_a_gateway_without_a_backend_has_nothing_to_finish():
    scene = Scene()
    asyncio.run(scene.store.asgi(answering_async(delete_session)).finish_requests())


def test_a_shutdown_waits_only_for_work_of_its_own_event_loop():
    async def run(scene):
        other = asyncio.new_event_loop()
        work = other.create_future()
        unfinished_work.hold(work)
        try:
            await asyncio.wait_for(shut_down(scene), 4)
        finally:
            unfinished_work._held.discard(work)
            other.close()

    scene = KeptScene(Slow(clock=Clock()))
    asyncio.run(run(scene))
    assert scene.backend.closed


def test_a_shutdown_does_not_mind_that_the_event_loop_of_another_thread_begins_more_work():
    others, held = asyncio.new_event_loop(), []

    class Elsewhere(asyncio.Future):
        def get_loop(self):
            # As if the other thread ran now.
            held.append(others.create_future())
            unfinished_work.hold(held[-1])
            return others

    async def run(scene):
        held.append(Elsewhere(loop=others))
        unfinished_work.hold(held[0])
        try:
            await shut_down(scene)
        finally:
            unfinished_work._held.difference_update(held)
            others.close()

    scene = KeptScene(Slow(clock=Clock()))
    asyncio.run(run(scene))
    assert scene.backend.closed
