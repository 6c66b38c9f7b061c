"""The gateways with a backend of which one reply is lost, around an application that does not catch the error."""

import asyncio

import pytest

from sessionkit import BackendError, create_session, get_session, rotate_session, update_session
from sessionkit.asgi import SessionMiddleware as AsgiMiddleware
from sessionkit.backends import MemoryBackend
from sessionkit.wsgi import SessionMiddleware

from ..kept import KeptScene
from ..scene import ALICE, BOB, START


class Cut(Exception):
    """No error of a backend's."""


class Losing(MemoryBackend):
    """A backend that performs a write, and loses the reply."""

    lost = None

    def _answer(self, name, reply):
        if self.lost is not None and name == self.lost[0]:
            error, self.lost = self.lost[1], None
            raise error
        return reply

    def insert(self, record, since):
        return self._answer("insert", super().insert(record, since))

    def replace(self, record, version):
        return self._answer("replace", super().replace(record, version))


ERRORS = [BackendError("down"), Cut(), asyncio.CancelledError()]


def serve(scene, act, *, asynchronous):
    """Serve a request; the browser takes the answer, if the gateway gives one."""
    header, lines = scene.browser.jar.header(), []

    def wsgi(environ, start_response):
        act()
        start_response("200 OK", [])
        return []

    async def asgi(scope, receive, send):
        act()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        lines.extend(v.decode() for k, v in message.get("headers", []) if k == b"set-cookie")

    def start(status, headers, exc_info=None):
        lines.extend(value for name, value in headers if name == "Set-Cookie")

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": [(b"cookie", header.encode())]}  # fmt: skip
    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "HTTP_COOKIE": header}
    raised = None
    try:
        if asynchronous:
            asyncio.run(AsgiMiddleware(asgi, scene.store)(scope, None, send))
        else:
            SessionMiddleware(wsgi, scene.store)(environ, start)
    except BaseException as error:
        raised = type(error)
    scene.browser.jar.receive(lines)
    return raised


def rotate_and_update():
    rotate_session()
    update_session({**get_session(), "n": 1})


def log_in():
    create_session(BOB)


CASES = [
    pytest.param(log_in, "insert", False, id="first login, insert"),
    pytest.param(log_in, "insert", True, id="login, insert"),
    pytest.param(rotate_session, "insert", True, id="rotate, insert"),
    pytest.param(rotate_session, "replace", True, id="rotate, replace"),
    pytest.param(rotate_and_update, "insert", True, id="rotate and update, insert"),
    pytest.param(rotate_and_update, "replace", True, id="rotate and update, replace"),
]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("act", "lost", "is_signed_in"), CASES)
def test_no_session_is_left_of_which_the_browser_does_not_know(
    act, lost, is_signed_in, error, asynchronous
):
    scene = KeptScene(Losing(clock=lambda: START))
    if is_signed_in:
        scene.browser.login({**ALICE, "n": 0})
    scene.backend.lost = lost, error
    raised = serve(scene, act, asynchronous=asynchronous)
    assert raised in (type(error), None)
    shown = scene.browser.session()
    there = [info.contents for user in (ALICE, BOB) for info in scene.store.sessions_of(user)]
    if isinstance(error, asyncio.CancelledError) and lost == "replace":
        # The rotation is done, and nobody is there to be told.
        assert [ALICE["user"]] == [contents["user"] for contents in there]
        return
    assert ([shown] if shown else []) == there
    if act is not log_in:
        assert shown["user"] == ALICE["user"]


class FailingTwice(MemoryBackend):
    """A backend that fails two replacements in a row, each before or after it is performed."""

    fails = ()

    def replace(self, record, version):
        if not self.fails:
            return super().replace(record, version)
        is_performed, *self.fails = self.fails
        if is_performed:
            super().replace(record, version)
        raise BackendError("down")


@pytest.mark.parametrize("asynchronous", [False, True], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("act", [rotate_session, rotate_and_update])
@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_a_rotation_whose_replies_are_lost_twice_leaves_the_visitor_signed_in_under_the_new_id(
    first, second, act, asynchronous, caplog
):
    scene = KeptScene(FailingTwice(clock=lambda: START))
    scene.browser.login({**ALICE, "n": 0})
    before = scene.browser.visit().exchange.get().stamp.id
    scene.backend.fails = [first, second]
    raised = serve(scene, act, asynchronous=asynchronous)
    assert raised in (BackendError, None)
    after = scene.browser.visit().exchange.get()
    assert after["user"] == ALICE["user"]
    assert after.stamp.id != before
    there = scene.store.sessions_of(ALICE)
    assert len(there) == (1 if first or second else 2)
    assert "the session could not be ended: down" in caplog.messages
