"""The warnings of a backend: they are logged once for each store, and a server that is down fails nothing."""

import asyncio
import logging

import pytest

from sessionkit import SessionStore
from sessionkit.backends import MemoryBackend
from sessionkit.errors import BackendError

from ..backends.awaited import AwaitedMemory
from ..scene import ALICE, SECRET, START

WARNING = "the server may forget a logout"


class Evicting(MemoryBackend):
    """A backend with a warning, which counts how often it was asked."""

    asked = 0

    def warnings(self):
        self.asked += 1
        return [WARNING]


class Down(Evicting):
    def warnings(self):
        self.asked += 1
        raise BackendError("the session backend cannot be reached")


class AwaitedEvicting(AwaitedMemory):
    """The same, awaited."""

    def __init__(self, backend):
        super().__init__(clock=lambda: START)
        self.memory = backend


@pytest.fixture
def warned(caplog):
    caplog.set_level(logging.WARNING, logger="sessionkit")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "sessionkit"]


def make_store(backend):
    return SessionStore(SECRET, backend=backend, clock=lambda: START)


def cookie_header_of(store):
    """Sign in by a backend that is awaited, outside of every gateway."""

    async def sign_in():
        async with store.exchange() as exchange:
            store.create_session(ALICE)
        return exchange.response_headers

    (line,) = [value for name, value in asyncio.run(sign_in()) if name == "Set-Cookie"]
    return line.partition(";")[0]


def serve(app, *cookie_headers):
    async def run():
        for header in cookie_headers:
            scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"cookie", header.encode())]}  # fmt: skip
            await app(scope, None, send)

    async def send(message):
        pass

    asyncio.run(run())


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("gateway", ["wsgi", "asgi"])
def test_a_blocking_backend_warns_when_a_gateway_is_built(warned, gateway):
    store = make_store(Evicting())
    assert warned() == []
    getattr(store, gateway)(hello)
    assert warned() == [WARNING]


def test_two_gateways_of_a_store_and_its_audiences_warn_once(warned):
    backend = Evicting()
    store = make_store(backend)
    for one in (store, store, store.for_audience("tenant")):
        one.wsgi(hello)
    assert (warned(), backend.asked) == ([WARNING], 1)


def test_each_store_warns(warned):
    for backend in (Evicting(), Evicting()):
        make_store(backend).wsgi(hello)
    assert warned() == [WARNING, WARNING]


def test_a_gateway_is_built_while_the_server_is_down(warned):
    make_store(Down()).wsgi(hello)
    assert warned() == [
        "the settings of the session backend could not be checked: the session backend cannot be reached"
    ]


def test_an_awaited_backend_warns_at_the_first_request_that_needs_it(warned):
    evicting = Evicting()
    store = make_store(AwaitedEvicting(evicting))
    app = store.asgi(hello)
    header = cookie_header_of(store)
    store.settings.advice.due, evicting.asked = True, 0
    serve(app, "", "__Host-session=forged")
    assert evicting.asked == 0
    serve(app, header, header)
    assert evicting.asked == 1


def test_a_login_is_the_first_request_that_needs_an_awaited_backend(warned):
    store = make_store(AwaitedEvicting(Evicting()))
    assert warned() == []
    cookie_header_of(store)
    assert warned() == [WARNING]


def test_a_request_is_served_while_the_settings_cannot_be_checked(warned):
    cookie_header_of(make_store(AwaitedEvicting(Down())))
    assert warned() == [
        "the settings of the session backend could not be checked: the session backend cannot be reached"
    ]


def test_a_store_without_a_backend_warns_of_nothing(warned):
    SessionStore(SECRET).wsgi(hello)
    assert warned() == []


def test_memory_warns_that_no_other_process_sees_its_sessions(warned):
    make_store(MemoryBackend()).wsgi(hello)
    (warning,) = warned()
    assert "in this process only" in warning
