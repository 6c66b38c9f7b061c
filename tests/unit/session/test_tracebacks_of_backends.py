"""A backend or a callback that fails leaves no contents, cookie or field of the application in a frame of ours."""

from __future__ import annotations

import asyncio
import time
from typing import Any

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
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit.testing import aread_cookies, asession_cookies, read_cookies, session_cookies

from ..backends.awaited import AwaitedMemory
from ..leaving import ADA, CANARY, leaves
from ..scene import SECRET
from ..served import Wire, environ_of, scope_of


class Failing(MemoryBackend):
    """A backend whose operations fail as the test says."""

    error: BaseException | None = None


class FailingAwaited(AwaitedMemory):
    error: BaseException | None = None


def _let_fail(name: str) -> None:
    plain, awaited = getattr(MemoryBackend, name), getattr(AwaitedMemory, name)

    def call(self: Failing, *args: Any) -> Any:
        if self.error is not None:
            raise self.error
        return plain(self, *args)

    async def acall(self: FailingAwaited, *args: Any) -> Any:
        if self.error is not None:
            raise self.error
        return await awaited(self, *args)

    setattr(Failing, name, call)
    setattr(FailingAwaited, name, acall)


for _name in ("insert", "replace", "delete", "of", "revoke"):
    _let_fail(_name)

ERRORS = pytest.mark.parametrize("error", [BackendError("down"), RuntimeError("broken")])
ACTS = pytest.mark.parametrize(
    "act",
    [
        lambda: update_session({**ADA, "more": CANARY}),
        lambda: create_session(ADA),
        rotate_session,
        delete_session,
    ],
    ids=["update", "create", "rotate", "delete"],
)


def signed_in(backend: Any) -> tuple[SessionStore, str]:
    """A store, and a Cookie header in which the canary stands too."""
    store = SessionStore(SECRET, backend=backend)

    async def begin() -> Any:
        if isinstance(backend, MemoryBackend):
            with store.exchange() as exchange:
                exchange.create(ADA)
        else:
            async with store.exchange() as exchange:
                exchange.create(ADA)
        return exchange.response_headers

    line = next(line for _, line in asyncio.run(begin()) if line.startswith("__Host-session="))
    return store, f"{line.partition(';')[0]}; own={CANARY}"


@ERRORS
@ACTS
def test_a_save_that_fails_under_wsgi(act: Any, error: BaseException) -> None:
    backend = Failing()
    store, header = signed_in(backend)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        act()
        backend.error = error
        start_response("200 OK", [("X-Own", CANARY)])
        return [b""]

    leaves(lambda: store.wsgi(app)(environ_of(header), lambda *_: None), type(error))


@ERRORS
@ACTS
@pytest.mark.parametrize("kind", [Failing, FailingAwaited])
def test_a_save_that_fails_under_asgi(kind: Any, act: Any, error: BaseException) -> None:
    backend = kind(clock=time.time)
    store, header = signed_in(backend)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        act()
        backend.error = error
        headers = [(b"x-own", CANARY.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    wire = Wire()
    leaves(
        lambda: asyncio.run(store.asgi(app)(scope_of(header), wire.receive, wire.send)), type(error)
    )


def test_a_save_by_hand_that_fails() -> None:
    backend = Failing()
    store, header = signed_in(backend)
    exchange = store.begin(HeaderRequest(header))
    exchange.drive()
    exchange.update({**ADA, "more": CANARY})
    backend.error = BackendError("down")
    leaves(lambda: exchange.answer(200, [("X-Own", CANARY)]), BackendError)


def test_cookies_for_a_test_that_cannot_be_made() -> None:
    backend, awaited = Failing(), FailingAwaited(clock=time.time)
    store, other = SessionStore(SECRET, backend=backend), SessionStore(SECRET, backend=awaited)
    unwritable = {**ADA, "more": {CANARY}}
    leaves(lambda: session_cookies(store, unwritable), SerializationError)
    leaves(lambda: asyncio.run(asession_cookies(other, unwritable)), SerializationError)
    backend.error = awaited.error = BackendError("down")
    leaves(lambda: session_cookies(store, ADA), BackendError)
    leaves(lambda: asyncio.run(asession_cookies(other, ADA)), BackendError)


def test_cookies_of_a_test_that_cannot_be_read() -> None:
    def guard(session: Any) -> bool:
        raise RuntimeError("broken")

    lines = [f"own={CANARY}; Path=/"]
    backend = Failing()
    store = SessionStore(SECRET, backend=backend, guard=guard)
    awaited = SessionStore(SECRET, backend=FailingAwaited(clock=time.time), guard=guard)
    for one in (store, awaited):
        sealing = SessionStore(SECRET)
        sent = {**session_cookies(sealing, ADA), "own": CANARY}
        leaves(lambda: asyncio.run(aread_cookies(one, lines, sent)), RuntimeError)  # noqa: B023  # called at once
    leaves(lambda: read_cookies(store, lines, sent), RuntimeError)


@pytest.mark.parametrize("user", [ADA, {"token": CANARY}], ids=["a user", "nobody"])
def test_sessions_of_a_user_that_cannot_be_listed_or_ended(user: Any) -> None:
    backend, awaited = Failing(), FailingAwaited(clock=time.time)
    store, other = SessionStore(SECRET, backend=backend), SessionStore(SECRET, backend=awaited)
    backend.error = awaited.error = BackendError("down")
    expected = (BackendError, ValueError)
    leaves(lambda: store.sessions_of(user), expected)
    leaves(lambda: store.revoke_user(user), expected)
    leaves(lambda: asyncio.run(other.asessions_of(user)), expected)
    leaves(lambda: asyncio.run(other.arevoke_user(user)), expected)


def test_a_store_without_a_backend_that_is_asked_for_sessions() -> None:
    store = SessionStore(SECRET)
    for ask in (store.sessions_of, store.revoke_user, store.revoke):
        leaves(lambda ask=ask: ask(CANARY), ConfigurationError)  # type: ignore[misc]
    for wait in (store.asessions_of, store.arevoke_user, store.arevoke):
        leaves(lambda wait=wait: asyncio.run(wait(CANARY)), ConfigurationError)  # type: ignore[misc]
    leaves(lambda: store.still_valid(CANARY), TypeError)
    leaves(lambda: asyncio.run(store.astill_valid(CANARY)), TypeError)


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_clock_that_fails(calls: int) -> None:
    """It fails before the request begins, where the session is read, or again at the 500."""
    left = [1_000_000]

    def clock() -> float:
        left[0] -= 1
        if left[0] < 0:
            raise ZeroDivisionError
        return time.time()

    store = SessionStore(SECRET, backend=MemoryBackend(), clock=clock)
    with store.exchange() as exchange:
        exchange.create(ADA)
    header = f"{exchange.response_headers[0][1].partition(';')[0]}; own={CANARY}"

    def app(environ: Any, start_response: Any) -> list[bytes]:
        get_session()
        delete_session()
        start_response("200 OK", [])
        return [b""]

    async def awaited(scope: Any, receive: Any, send: Any) -> None:
        get_session()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    left[0] = calls
    leaves(lambda: store.wsgi(app)(environ_of(header), lambda *_: None), ZeroDivisionError)
    left[0], wire = calls, Wire()
    leaves(
        lambda: asyncio.run(store.asgi(awaited)(scope_of(header), wire.receive, wire.send)),
        ZeroDivisionError,
    )
