"""A Redis server that fails, is slow, full, or started again; tasks that are cancelled; a pool that is too small."""

import asyncio
import socket
import threading
import time

import pytest
from redis_servers import redis_server
from stopwatch import Stopwatch
from tcp_proxy import deaf_port, proxy
from tracebacks import frames_of_ours, held

from sessionkit import BackendError
from sessionkit.backends import AsyncRedisBackend, Record, RedisBackend

LATER = 4_000_000_000
NAMES = {"key": "canary-key", "owner": "canary-owner"}
RECORD = Record(**NAMES, generation=0, created_at=1, updated_at=2, expires_at=LATER, version=b"1" * 12, sealed=b"canary-payload")  # fmt: skip
CHANGED = RECORD._replace(version=b"2" * 12, sealed=b"canary-changed")

OPERATIONS = {
    "load": (RECORD.key, RECORD.owner),
    "insert": (RECORD, 1.0),
    "replace": (CHANGED, RECORD.version),
    "touch": (RECORD.key, RECORD.owner, 3, LATER + 1),
    "delete": (RECORD.key, RECORD.owner),
    "of": (RECORD.owner,),
    "revoke": (RECORD.owner, 1.0, RECORD.key),
    "purge": (1, 10),
    "warnings": (),
}


class Blocking:
    """A blocking backend, used as the async one is."""

    def __init__(self, *arguments, **named):
        self._backend = RedisBackend(*arguments, **named)

    async def aclose(self):
        self._backend.close()

    def __getattr__(self, name):
        async def call(*arguments):
            return getattr(self._backend, name)(*arguments)

        return call


@pytest.fixture(params=[Blocking, AsyncRedisBackend], ids=["blocking", "async"])
def kind(request):
    return request.param


@pytest.fixture
def server():
    with redis_server() as one:
        yield one


def run(kind, use, *arguments, **named):
    """Run a coroutine function with a backend."""

    async def main():
        backend = kind(*arguments, **named)
        try:
            return await use(backend)
        finally:
            await backend.aclose()

    return asyncio.run(main())


async def failing(call, within=3.0):
    """Return the BackendError of a call, which must come in time."""
    with Stopwatch() as watch, pytest.raises(BackendError) as raised:
        await call
    assert watch.seconds < within
    return raised.value


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_a_name_server_that_does_not_answer_costs_less_than_three_seconds(
    kind, scheme, monkeypatch
):
    look_up, answers = socket.getaddrinfo, threading.Event()

    def look_up_slowly(*arguments, **named):
        answers.wait(10)
        return look_up(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
    try:
        run(kind, lambda one: failing(one.load("key", "owner")), f"{scheme}://localhost:1")
    finally:
        answers.set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_server_that_takes_no_connection_fails_a_call_within_two_seconds(kind, name):
    async def use(backend):
        await failing(getattr(backend, name)(*OPERATIONS[name]), within=2)

    with deaf_port() as port:
        run(kind, use, f"redis://127.0.0.1:{port}")


def test_a_server_that_stops_answering_fails_a_call_and_answers_the_next_one_later(kind, server):
    async def use(backend):
        assert await backend.insert(RECORD, 1.0) is True
        server.pause()
        await failing(backend.load(*NAMES.values()))
        server.resume()
        assert await backend.load(*NAMES.values()) == RECORD

    run(kind, use, server.url)


def test_a_slow_server_is_waited_for(kind, server):
    async def use(backend):
        start = time.monotonic()
        assert await backend.insert(RECORD, 1.0) is True
        assert await backend.of(RECORD.owner) == [RECORD]
        assert time.monotonic() - start > 0.8

    with proxy(server.port) as slow:
        slow.delay = 0.2
        run(kind, use, f"redis://127.0.0.1:{slow.port}")


@pytest.mark.parametrize("name", set(OPERATIONS) - {"warnings"})
def test_a_call_with_a_broken_reply_is_sent_once_and_the_next_one_is_answered(kind, name, server):
    async def use(backend):
        assert await backend.insert(RECORD, 1.0) is True
        assert await backend.load(*NAMES.values()) == RECORD
        before = len(broken.requests)
        broken.cut_after = 1
        await failing(getattr(backend, name)(*OPERATIONS[name]))
        assert len(broken.requests) == before + 1
        other = RECORD._replace(owner="other")
        assert await backend.insert(other, 1.0) is True
        assert await backend.load(other.key, other.owner) == other

    with proxy(server.port) as broken:
        run(kind, use, f"redis://127.0.0.1:{broken.port}")


def test_a_write_whose_reply_was_lost_is_repeated_without_harm(kind, server):
    async def use(backend):
        broken.cut_after = 1
        await failing(backend.insert(RECORD, 1.0))
        assert await backend.insert(RECORD, 1.0) is True
        await backend.touch(*NAMES.values(), 2, LATER)  # the script is known
        await backend.replace(RECORD, RECORD.version)
        broken.cut_after = 1
        await failing(backend.replace(CHANGED, RECORD.version))
        assert await backend.replace(CHANGED, RECORD.version) is True
        assert await backend.load(*NAMES.values()) == CHANGED

    with proxy(server.port) as broken:
        run(kind, use, f"redis://127.0.0.1:{broken.port}")


def test_a_crash_undoes_nothing_if_every_write_is_synced(kind):
    async def use(backend):
        kept, ended = RECORD, RECORD._replace(key="ended")
        assert await backend.insert(kept, 1.0) is True
        assert await backend.insert(ended, 1.0) is True
        assert await backend.revoke(kept.owner, 5.0, kept.key) == 1
        assert await backend.replace(CHANGED, kept.version) is True
        server.kill()
        await failing(backend.load(*NAMES.values()), within=2)
        server.start()
        assert await backend.load(*NAMES.values()) == CHANGED._replace(generation=1)
        assert await backend.load(ended.key, ended.owner) is None
        assert await backend.insert(ended, 5.0) is False

    with redis_server("--appendonly", "yes", "--appendfsync", "always") as server:
        run(kind, use, server.url)


def test_a_server_that_has_forgotten_the_scripts_is_given_them_again(kind, server):
    async def use(backend):
        assert await backend.insert(RECORD, 1.0) is True
        with server.client() as client:
            client.script_flush()
        assert await backend.replace(CHANGED, RECORD.version) is True
        assert await backend.load(*NAMES.values()) == CHANGED

    run(kind, use, server.url)


def test_a_full_server_refuses_new_sessions_and_still_ends_them(kind, server):
    async def use(backend):
        other = RECORD._replace(key="other")
        assert await backend.insert(RECORD, 1.0) is True
        assert await backend.insert(other, 1.0) is True
        with server.client() as client:
            client.config_set("maxmemory", 1)
        await failing(backend.insert(RECORD._replace(key="new"), 1.0))
        await failing(backend.replace(CHANGED, RECORD.version))
        assert await backend.load(*NAMES.values()) == RECORD
        assert await backend.delete(other.key, other.owner) == other
        assert await backend.revoke(RECORD.owner, 5.0, None) == 1
        assert await backend.load(*NAMES.values()) is None
        with server.client() as client:
            client.config_set("maxmemory", 0)
        assert await backend.insert(RECORD, 5.0) is False

    run(kind, use, server.url)


def test_threads_wait_for_a_free_connection(redis_one):
    backend = RedisBackend(redis_one.url, max_connections=2)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(backend.of("nobody"))) for _ in range(50)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    backend.close()
    assert found == [[]] * 50


def test_tasks_wait_for_a_free_connection(redis_one):
    async def use(backend):
        found = await asyncio.gather(*(backend.of("nobody") for _ in range(300)))
        assert found == [[]] * 300

    run(AsyncRedisBackend, use, redis_one.url, max_connections=2)


def test_who_waits_too_long_for_a_connection_gets_an_error(server):
    async def use(backend):
        await backend.load(*NAMES.values())
        server.pause()
        waiting = [failing(backend.load(*NAMES.values())) for _ in range(10)]
        await asyncio.gather(*waiting)
        server.resume()
        assert await backend.load(*NAMES.values()) is None

    run(AsyncRedisBackend, use, server.url, max_connections=2)


def test_a_cancelled_call_leaves_its_reply_to_nobody(server):
    async def use(backend):
        other = RECORD._replace(owner="other")
        assert await backend.insert(RECORD, 1.0) is True
        assert await backend.insert(other, 1.0) is True
        slow.delay = 0.5
        for _ in range(3):
            task = asyncio.create_task(backend.load(*NAMES.values()))
            await asyncio.sleep(0.02)  # the command has been sent, and its reply is on the way
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await backend.load(other.key, other.owner) == other

    with proxy(server.port) as slow:
        run(AsyncRedisBackend, use, f"redis://127.0.0.1:{slow.port}", max_connections=1)


def test_the_client_of_a_closed_event_loop_is_forgotten(redis_one):
    backend = AsyncRedisBackend(redis_one.url)

    async def use():
        assert await backend.of("nobody") == []
        client = backend._clients[asyncio.get_running_loop()].client
        await client.aclose()  # no connection is left open, and the backend does not know

    for _ in range(3):
        asyncio.run(use())
        assert len(backend._clients) == 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_frame_of_ours_shows_what_was_sent_to_a_server_that_fails(kind, name, server):
    async def use(backend):
        server.kill()
        error = await failing(getattr(backend, name)(*OPERATIONS[name]))
        assert error.__context__ is None
        assert error.__cause__ is None
        shown = []
        trace = error.__traceback__
        while trace is not None:
            if "sessionkit" in trace.tb_frame.f_globals["__name__"]:
                shown += map(repr, trace.tb_frame.f_locals.values())
            trace = trace.tb_next
        assert shown != []
        assert [one for one in shown if "canary" in one] == []
        assert "canary" not in str(error)

    run(kind, use, server.url)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_frame_of_ours_shows_what_a_call_that_is_given_up_has_sent(name, server):
    async def use(backend):
        server.pause()
        with pytest.raises(asyncio.TimeoutError) as raised:
            await asyncio.wait_for(getattr(backend, name)(*OPERATIONS[name]), timeout=0.05)
        server.resume()
        assert frames_of_ours(raised.value) > 0
        assert held(raised.value, "canary") == []

    run(AsyncRedisBackend, use, server.url)
