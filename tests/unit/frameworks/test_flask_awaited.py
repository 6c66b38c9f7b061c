"""Flask's family where a backend is awaited: what Quart asks."""

import asyncio

import pytest

from sessionkit import BackendError, SessionStore, create_session
from sessionkit._exchange.request import HeaderRequest
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._frameworks.flask_session import FlaskFamilySession
from sessionkit.asgi import SessionMiddleware

from ..backends.awaited import AwaitedMemory
from ..scene import ALICE, SECRET, Clock


class Response:
    """What the session is saved into."""

    def __init__(self, status_code=200):
        self.status_code = status_code
        self.headers = []


class Served(FlaskFamilyExtension):
    serializer = json = tags = None

    def _serve(self, app):
        self.front = self.make_gateway(app, app, SessionMiddleware)


class Failing(AwaitedMemory):
    """A backend whose writes fail."""

    async def replace(self, record, version):
        raise BackendError("the session backend is down")


class Application:
    config = {}

    def __init__(self):
        self.extensions = {}


async def never(scope, receive, send):
    """Serve no request."""


async def log_in(store):
    async with store.exchange() as exchange:
        create_session(ALICE)
    return exchange.response_headers[0][1].partition(";")[0]


def make_store(backend=AwaitedMemory):
    clock = Clock()
    return SessionStore(SECRET, backend=backend(clock=clock), clock=clock)


async def save(store, response):
    """Change the session of a signed-in user through the session object, and save it into a response."""
    header = await log_in(store)
    async with store.exchange(header) as exchange:
        session = FlaskFamilySession(exchange)
        session["theme"] = "dark"
        await session.asave_into(response)
    async with store.exchange(header) as exchange:
        return exchange.get().get("theme")


def test_a_session_object_is_saved_where_its_response_is_there():
    assert asyncio.run(save(make_store(), Response())) == "dark"


def test_a_write_that_fails_is_raised_where_the_response_is_there():
    with pytest.raises(BackendError, match="is down"):
        asyncio.run(save(make_store(Failing), Response()))


def test_a_response_that_failed_writes_nothing():
    async def run():
        store = make_store(Failing)
        async with store.exchange(await log_in(store)) as exchange:
            session = FlaskFamilySession(exchange)
            session["theme"] = "dark"
            await session.asave_into(Response(500))
            raise LookupError("the page failed")

    with pytest.raises(LookupError):
        asyncio.run(run())


def test_a_session_in_a_cookie_is_saved_by_the_gateway():
    async def run():
        store = SessionStore(SECRET)
        async with store.exchange() as exchange:
            session = FlaskFamilySession(exchange)
            session["cart"] = 1
            await session.asave_into(Response())
        async with store.exchange(exchange.response_headers[0][1].partition(";")[0]) as exchange:
            return dict(exchange.contents)

    assert asyncio.run(run()) == {"cart": 1}


def test_a_context_of_a_request_has_the_session_of_its_cookies():
    async def run():
        store = make_store()
        header = await log_in(store)
        app = Application()
        extension = Served(app, store=store)
        exchange = await extension.aopen_exchange(app, HeaderRequest(header))
        return exchange.get()

    assert asyncio.run(run()) == ALICE


def test_a_context_without_a_backend_reads_the_cookie():
    async def run():
        app = Application()
        extension = Served(app, store=SessionStore(SECRET))
        return (await extension.aopen_exchange(app, HeaderRequest(""))).get()

    assert asyncio.run(run()) is None


def test_an_excluded_path_has_no_exchange():
    async def run():
        app, request = Application(), HeaderRequest("", path="/static/a")
        extension = Served(app, store=make_store(), exclude="/static/*")
        app.extensions["sessionkit"].current.leave_out(request)
        return await extension.aopen_exchange(app, request)

    assert asyncio.run(run()) is None


def test_a_response_that_has_started_leaves_nothing_to_save():
    async def run():
        store = make_store(Failing)
        async with store.exchange(await log_in(store)) as exchange:
            session = FlaskFamilySession(exchange)
            exchange.commit()
            await session.asave_into(Response())
            return exchange.get()

    assert asyncio.run(run()) == ALICE


def test_a_request_whose_response_has_started_leaves_nothing_to_end():
    async def run():
        store = make_store()
        header = await log_in(store)
        async with store.exchange(header) as exchange:
            exchange.get()
            exchange.commit()
            await SessionMiddleware(never, store).end_unanswered(exchange)
        async with store.exchange(header) as exchange:
            return exchange.get()

    assert asyncio.run(run()) == ALICE
