"""The gateways with a backend: when they load, when they save, and what they answer if the backend fails."""

import asyncio
import logging

import pytest

from sessionkit import (
    BackendError,
    ConfigurationError,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    rotate_session,
    update_session,
)
from sessionkit.backends import MemoryBackend

from ..backends.awaited import AwaitedMemory
from ..kept import NAME
from ..scene import ALICE, SECRET, Clock, names
from ..served import (
    Wire,
    answering,
    answering_async,
    environ_of,
    scope_of,
    serve_asgi,
    serve_wsgi,
)


class Counting(MemoryBackend):
    """A backend that counts its operations, and fails once it is told to."""

    down = False

    def __init__(self, **settings):
        super().__init__(**settings)
        self.memory = MemoryBackend(**settings)
        self.calls = []


class CountingAwaited(AwaitedMemory):
    down = False

    def __init__(self, **settings):
        super().__init__(**settings)
        self.calls = []


def _count(kind, name, is_async):
    original = getattr(kind.__mro__[1], name)

    def check(self):
        self.calls.append(name)
        if self.down:
            raise BackendError("the session backend is down")

    def call(self, *args):
        check(self)
        return original(self.memory, *args)

    async def acall(self, *args):
        check(self)
        return await original(self, *args)

    setattr(kind, name, acall if is_async else call)


for _name in ("load", "insert", "replace", "touch", "delete"):
    _count(Counting, _name, False)
    _count(CountingAwaited, _name, True)


class Site:
    """An application behind a gateway, and a browser's cookie."""

    def __init__(self, how):
        self.how = how
        self.clock = Clock()
        self.backend = (CountingAwaited if how == "asgi, awaited" else Counting)(clock=self.clock)
        self.store = SessionStore(SECRET, backend=self.backend, clock=self.clock)
        self.header = ""

    def serve(self, view, status=200, headers=()):
        if self.how == "wsgi":
            app = self.store.wsgi(answering(view, status, headers))
            answer = serve_wsgi(app, self.header)
        else:
            raw = [(name.encode(), value.encode()) for name, value in headers]
            app = self.store.asgi(answering_async(view, status, iter(raw)))
            answer = serve_asgi(app, self.header).answer
        for line in answer.lines:
            if line.startswith(f"{NAME}="):
                self.header = line.partition(";")[0]
        return answer

    def take_calls(self):
        calls, self.backend.calls = self.backend.calls, []
        return calls


@pytest.fixture(params=["wsgi", "asgi", "asgi, awaited"])
def site(request):
    made = Site(request.param)
    made.serve(lambda: create_session({**ALICE, "n": 0}))
    assert made.take_calls() == ["insert"]
    return made


def test_a_page_reads_writes_and_ends_a_session_with_one_operation_each(site):
    assert b"'n': 0" in site.serve(lambda: dict(get_session())).body
    assert ["load"] == site.take_calls()
    answer = site.serve(lambda: update_session({**ALICE, "n": 1}))
    assert (["load", "replace"], []) == (site.take_calls(), answer.lines)
    site.clock.wait(3600)
    answer = site.serve(lambda: dict(get_session()))
    assert (["load", "touch"], []) == (site.take_calls(), answer.lines)
    assert NAME in names(site.serve(rotate_session).lines)
    assert ["load", "insert", "replace"] == site.take_calls()
    answer = site.serve(delete_session)
    assert (["load", "delete"], f"-{NAME}") == (site.take_calls(), names(answer.lines)[0])


def test_a_request_without_a_genuine_pointer_costs_no_operation(site):
    genuine = site.header
    for site.header in ("", f"{NAME}=forged", genuine[:-1] + "x", "other=1"):
        site.serve(get_session)
    assert [] == site.take_calls()


def test_a_page_that_does_not_look_costs_nothing_under_wsgi():
    site = Site("wsgi")
    site.serve(lambda: create_session(ALICE))
    site.take_calls()
    site.serve(lambda: None)
    assert [] == site.take_calls()


def test_a_renewal_leaves_a_page_for_shared_caches_as_it_is(site):
    site.clock.wait(3600)
    answer = site.serve(lambda: dict(get_session()), headers=[("Cache-Control", "public")])
    assert (["public"], []) == (answer.values("cache-control"), answer.lines)
    assert ["load", "touch"] == site.take_calls()


def fails(site, view):
    """The errors that a view sees while the backend is down, and the answer."""
    site.backend.down = True
    seen = []

    def run():
        try:
            return view()
        except BackendError as error:
            seen.append(str(error))
        return None

    try:
        return seen, site.serve(run)
    finally:
        site.backend.down = False


def test_an_outage_is_raised_where_the_session_is_asked_for_and_signs_nobody_out(site):
    seen, answer = fails(site, get_session)
    assert (["the session backend is down"], []) == (seen, answer.lines)
    seen, answer = fails(site, lambda: "no session")
    assert ([], b"'no session'") == (seen, answer.body)
    assert b"'n': 0" in site.serve(lambda: dict(get_session())).body


def test_a_save_that_fails_is_an_error_of_the_response_and_sets_no_cookie(site):
    site.backend.down = True
    site.header = ""
    if site.how == "wsgi":
        answer = site.serve(lambda: create_session(ALICE))
        assert (500, []) == (answer.status, answer.lines)
    else:
        with pytest.raises(BackendError):
            site.serve(lambda: create_session(ALICE))


def test_a_logout_that_fails_clears_no_cookie(site):
    def view():
        get_session()
        site.backend.down = True
        delete_session()

    if site.how == "wsgi":
        answer = site.serve(view)
        assert (500, []) == (answer.status, answer.lines)
    else:
        with pytest.raises(BackendError):
            site.serve(view)
    site.backend.down = False
    assert b"'n': 0" in site.serve(lambda: dict(get_session())).body


@pytest.mark.parametrize("down", [False, True])
def test_a_page_that_raises_after_a_logout_answers_with_the_end_or_with_an_error(
    site, down, caplog
):
    def view():
        delete_session()
        site.backend.down = down
        raise KeyError("broken")

    lines = []
    if site.how == "wsgi":
        with caplog.at_level(logging.ERROR):
            answer = site.serve(view)
        assert 500 == answer.status
        lines = answer.lines
    else:
        wire = Wire()
        with pytest.raises(KeyError):
            serve_asgi(site.store.asgi(answering_async(view)), site.header, wire=wire)
        lines = wire.answer.lines if wire.sent else []
    if down:
        assert [] == lines
        assert "the session could not be ended" in caplog.text
    else:
        assert f"-{NAME}" in names(lines)
        assert [] == list(site.backend.memory._records)


def test_a_synchronous_gateway_refuses_a_backend_that_is_awaited():
    store = SessionStore(SECRET, backend=AwaitedMemory(clock=Clock()))
    with pytest.raises(ConfigurationError, match="AwaitedMemory is awaited, and this gateway"):
        store.wsgi(answering(lambda: None))


def test_nested_gateways_of_one_store_load_and_save_once(site):
    view = lambda: update_session({**ALICE, "n": 5})  # noqa: E731  # one line says it
    if site.how == "wsgi":
        serve_wsgi(site.store.wsgi(site.store.wsgi(answering(view))), site.header)
    else:
        serve_asgi(site.store.asgi(site.store.asgi(answering_async(view))), site.header)
    assert ["load", "replace"] == site.take_calls()


def test_a_verb_with_a_response_needs_the_gateway():
    store = SessionStore(SECRET, backend=MemoryBackend())
    with pytest.raises(ConfigurationError, match="leave the response out"):
        store.create_session(environ_of(), [], ALICE)


def test_a_request_without_a_gateway_can_be_read_with_a_blocking_backend():
    site = Site("wsgi")
    site.serve(lambda: create_session(ALICE))
    assert ALICE == site.store.get_session(environ_of(site.header))


def test_a_websocket_loads_and_saves_when_it_is_accepted_and_looks_again_later():
    site = Site("asgi, awaited")
    site.serve(lambda: create_session(ALICE))
    seen = []

    async def app(scope, receive, send):
        update_session({**ALICE, "socket": 1})
        await send({"type": "websocket.accept"})
        seen.append(await site.store.astill_valid(scope))
        await site.store.arevoke_user(ALICE)
        seen.append(await site.store.astill_valid(scope))
        seen.append(get_session())

    serve_asgi(site.store.asgi(app), site.header, type="websocket")
    assert [True, False, None] == seen


def test_a_task_that_is_cancelled_while_it_logs_out_has_logged_out():
    site = Site("asgi, awaited")
    site.serve(lambda: create_session(ALICE))
    original = site.backend.delete

    async def slow(key, owner):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await original(key, owner)

    site.backend.delete = slow

    async def run():
        wire = Wire()
        app = site.store.asgi(answering_async(delete_session))
        task = asyncio.ensure_future(app(scope_of(site.header), wire.receive, wire.send))
        while "load" not in site.backend.calls:  # noqa: ASYNC110  # each step is one of the request
            await asyncio.sleep(0)  # each step of the loop is one of the request
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert {} == site.backend.memory._records


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_handler_that_is_cancelled_after_a_logout_has_logged_out(kind, again):
    """Some frameworks cancel again at each `await` of a handler that is being cancelled."""
    site = Site("asgi, awaited")
    site.serve(lambda: create_session(ALICE))

    async def app(scope, receive, send):
        delete_session()
        if again:
            asyncio.current_task().cancel()
        raise asyncio.CancelledError

    async def run():
        wire = Wire()
        served = site.store.asgi(app)(scope_of(site.header, type=kind), wire.receive, wire.send)
        task = asyncio.ensure_future(served)
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(5):
            await asyncio.sleep(0)
        return wire.sent

    assert ([], {}) == (asyncio.run(run()), site.backend.memory._records)


def test_a_handler_that_is_cancelled_without_a_logout_keeps_the_session():
    site = Site("asgi, awaited")
    site.serve(lambda: create_session(ALICE))

    async def app(scope, receive, send):
        update_session({**ALICE, "theme": "dark"})
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        serve_asgi(site.store.asgi(app), site.header)
    seen = []
    site.serve(lambda: seen.append(dict(get_session())))
    assert [ALICE] == seen


@pytest.mark.parametrize("how", ["asgi", "asgi, awaited"])
@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="nothing"),
        pytest.param([{"type": "websocket.close", "code": 1008}], id="a refusal"),
    ],
)
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(delete_session, id="logout"),
        pytest.param(lambda: create_session({"user": {"sub": "bob"}}), id="login"),
    ],
)
def test_a_session_that_was_ended_on_a_socket_which_is_never_accepted_is_over(how, messages, end):
    site = Site(how)
    site.serve(lambda: create_session(ALICE))

    async def app(scope, receive, send):
        end()
        for message in messages:
            await send(message)

    wire = serve_asgi(site.store.asgi(app), site.header, type="websocket", scheme="wss")
    seen = []
    site.serve(lambda: seen.append(get_session()))
    assert (messages, [None]) == (wire.sent, seen)


def test_a_socket_that_is_refused_and_cannot_end_its_session_is_an_error_in_the_log(caplog):
    site = Site("asgi")
    site.serve(lambda: create_session(ALICE))

    async def app(scope, receive, send):
        delete_session()
        site.backend.down = True

    with caplog.at_level(logging.ERROR, "sessionkit"):
        serve_asgi(site.store.asgi(app), site.header, type="websocket", scheme="wss")
    errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert ["the session could not be ended: the session backend is down"] == errors
