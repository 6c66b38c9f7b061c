"""An async backend that performs a write after its task was cancelled, as a database may, around requests that end meanwhile."""

import asyncio
import logging

import pytest

from sessionkit import BackendError, create_session, delete_session, rotate_session
from sessionkit._exchange import drivers, unfinished_work
from sessionkit._exchange.drivers import aload, asettle
from sessionkit._exchange.request import HeaderRequest

from ..backends.awaited import AwaitedMemory
from ..kept import KeptScene
from ..scene import ALICE, BOB, Clock
from ..served import Wire, scope_of


class Late(AwaitedMemory):
    """A backend that performs every write some steps after it was asked to, even if the asking task is cancelled."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.asked = []
        self.steps = 3
        self.tasks = set()

    async def _write(self, name, *arguments):
        self.asked.append(name)

        async def perform():
            for _ in range(self.steps):
                await asyncio.sleep(0)
            return getattr(self.memory, name)(*arguments)

        task = asyncio.ensure_future(perform())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return await asyncio.shield(task)

    async def insert(self, record, since):
        # The first one takes longer than what follows it.
        steps, self.steps = self.steps, 9
        try:
            return await self._write("insert", record, since)
        finally:
            self.steps = steps

    async def replace(self, record, version):
        return await self._write("replace", record, version)

    async def delete(self, key, owner):
        return await self._write("delete", key, owner)

    async def warnings(self):
        return []


def make():
    return KeptScene(Late(clock=Clock()))


async def sign_in(scene):
    exchange = begin(scene)
    exchange.create(ALICE)
    await asettle(exchange)
    changes = exchange.commit()
    scene.browser.jar.receive(value for name, value in changes.add if name == "Set-Cookie")
    scene.backend.asked.clear()


def begin(scene):
    return scene.store.begin(HeaderRequest(scene.browser.jar.header()))


async def come_to_rest(scene):
    while unfinished_work._shielded or scene.backend.tasks:  # noqa: ASYNC110  # each step is one of the request
        await asyncio.sleep(0)


async def until_asked(scene, name):
    while name not in scene.backend.asked:  # noqa: ASYNC110  # each step is one of the request
        await asyncio.sleep(0)


async def log_in(scene):
    """Return a request that logs in, and the task that waits for the backend to add its record."""
    exchange = begin(scene)
    exchange.create(BOB)
    task = asyncio.ensure_future(asettle(exchange))
    await until_asked(scene, "insert")
    return exchange, task


async def cancel(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("times", [1, 2])
def test_a_login_that_the_backend_performs_after_it_was_cancelled_is_taken_back(times):
    scene = make()

    async def run():
        exchange, task = await log_in(scene)
        await cancel(task)
        assert exchange.must_settle
        for _ in range(times):
            task = asyncio.ensure_future(asettle(exchange, 500))
            await asyncio.sleep(0)
            if times > 1:
                await cancel(task)
        await come_to_rest(scene)
        return scene.backend.asked

    assert ["insert", "delete"] == asyncio.run(run())
    assert {} == scene.backend.memory._records


def test_a_rotation_that_is_cancelled_at_its_first_operation_leaves_the_session_under_its_old_id():
    scene = make()

    async def run():
        await sign_in(scene)
        exchange = begin(scene)
        await aload(exchange)
        exchange.rotate()
        task = asyncio.ensure_future(asettle(exchange))
        await until_asked(scene, "insert")
        await cancel(task)
        await asettle(exchange, 500)
        await come_to_rest(scene)
        again = begin(scene)
        await aload(again)
        return again.get()

    assert ALICE == asyncio.run(run())
    assert 1 == len(scene.backend.memory._records)


def test_a_login_whose_request_has_ended_before_the_reply_is_taken_back():
    """Some frameworks handle a request in a task of their own, which goes on when the server cancels the request."""
    scene = make()

    async def run():
        exchange, task = await log_in(scene)
        exchange.finish()
        await task
        return scene.backend.asked

    assert ["insert", "delete"] == asyncio.run(run())
    assert {} == scene.backend.memory._records


def test_a_cancellation_in_the_moment_of_the_reply_loses_no_reply():
    scene = make()

    async def run():
        exchange, task = await log_in(scene)
        shielded = unfinished_work._shielded[exchange]
        shielded.add_done_callback(lambda _: task.cancel())
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not exchange.server._unanswered
        assert exchange.must_settle
        await asettle(exchange, 500)

    asyncio.run(run())
    assert {} == scene.backend.memory._records


def test_a_backend_that_never_answers_a_cancelled_login_is_not_waited_for_long(monkeypatch):
    scene = make()
    monkeypatch.setattr(drivers, "_PATIENCE", 0)
    insert = scene.backend.insert

    async def insert_without_a_reply(record, since):
        await insert(record, since)
        await asyncio.Event().wait()

    scene.backend.insert = insert_without_a_reply

    async def run():
        exchange = begin(scene)
        exchange.create(BOB)
        task = asyncio.ensure_future(asettle(exchange))
        while not scene.backend.memory._records:  # noqa: ASYNC110  # each step is one of the request
            await asyncio.sleep(0)
        await cancel(task)
        await asettle(exchange, 500)

    asyncio.run(run())
    assert {} == scene.backend.memory._records


class Gone(Exception):
    """The server's error: the client has hung up."""


@pytest.mark.parametrize("gateways", [1, 2])
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("error", [Gone(), asyncio.CancelledError()], ids=["error", "cancelled"])
@pytest.mark.parametrize("was_signed_in", [False, True])
def test_a_login_whose_response_cannot_be_sent_leaves_no_session_and_is_told(
    was_signed_in, error, kind, gateways, caplog
):
    scene = make()

    async def app(scope, receive, send):
        create_session(BOB)
        type_ = "http.response.start" if kind == "http" else "websocket.accept"
        await send({"type": type_, **({"status": 200} if kind == "http" else {})})

    async def send(message):
        raise error

    async def run():
        if was_signed_in:
            await sign_in(scene)
        served = app
        for _ in range(gateways):
            served = scene.store.asgi(served)
        scope = scope_of(scene.browser.jar.header(), type=kind)
        with pytest.raises(type(error)):
            await served(scope, Wire().receive, send)

    with caplog.at_level(logging.DEBUG, "sessionkit"):
        asyncio.run(run())
    assert {} == scene.backend.memory._records
    told = [one.getMessage() for one in caplog.records]
    assert ["the response failed, and changes of the session were dropped"] == told


@pytest.mark.parametrize(("act", "left"), [(rotate_session, 2), (delete_session, 0)])
def test_what_else_a_response_has_saved_that_cannot_be_sent_stays(act, left, caplog):
    scene = make()

    async def app(scope, receive, send):
        act()
        await send({"type": "http.response.start", "status": 200})

    async def send(message):
        raise Gone

    async def run():
        await sign_in(scene)
        scope = scope_of(scene.browser.jar.header())
        with pytest.raises(Gone):
            await scene.store.asgi(app)(scope, Wire().receive, send)

    asyncio.run(run())
    assert left == len(scene.backend.memory._records)
    assert [] == caplog.records


def test_an_application_that_answers_after_a_failed_send_sends_the_session_again():
    scene = make()
    sent = []

    async def app(scope, receive, send):
        create_session(BOB)
        start = {"type": "http.response.start", "status": 200}
        try:
            await send(start)
        except Gone:
            await send(start)

    async def send(message):
        sent.append(message)
        if len(sent) == 1:
            raise Gone

    asyncio.run(scene.store.asgi(app)(scope_of(""), Wire().receive, send))
    scene.browser.jar.receive(
        value.decode() for name, value in sent[1]["headers"] if name == b"set-cookie"
    )

    async def read():
        exchange = begin(scene)
        await aload(exchange)
        return exchange.get()

    assert BOB == asyncio.run(read())
    assert ["insert", "delete", "insert"] == scene.backend.asked


def test_the_warnings_of_a_backend_whose_request_was_cancelled_are_logged_by_the_next_request(
    caplog,
):
    scene = make()
    waits = [True]

    async def warnings():
        if waits.pop():
            waits.append(False)
            await asyncio.Event().wait()
        return ["the disk is full"]

    scene.backend.warnings = warnings

    async def run():
        exchange = begin(scene)
        exchange.create(ALICE)
        task = asyncio.ensure_future(asettle(exchange))
        await asyncio.sleep(0)
        await cancel(task)
        await sign_in(scene)

    with caplog.at_level(logging.WARNING, "sessionkit"):
        asyncio.run(run())
    assert ["the disk is full"] == caplog.messages


REPORT = "sessions may not be revoked: "


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(BackendError("the backend is down"), "the backend is down", id="ours"),
        pytest.param(KeyError("a secret of the driver's"), "KeyError", id="another"),
        pytest.param(None, None, id="none"),
    ],
)
def test_a_revocation_that_fails_after_its_caller_was_cancelled_is_an_error_in_the_log(
    error, text, caplog
):
    scene = make()

    async def revoke(owner, at, keep):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return 0

    scene.backend.revoke = revoke

    async def run():
        task = asyncio.ensure_future(scene.store.arevoke_user(ALICE))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await cancel(task)
        for _ in range(9):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert ([] if error is None else [REPORT + text]) == caplog.messages


def test_a_revocation_that_the_end_of_the_event_loop_takes_with_it_is_an_error_in_the_log(caplog):
    scene = make()

    async def revoke(owner, at, keep):
        await asyncio.Event().wait()

    scene.backend.revoke = revoke

    async def run():
        task = asyncio.ensure_future(scene.store.arevoke_user(ALICE))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await cancel(task)

    asyncio.run(run())
    assert [REPORT + "the event loop has ended before the backend answered"] == caplog.messages
