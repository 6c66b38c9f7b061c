"""A session that the backend cannot end: an error, of which no cookie says that it was an end."""

import asyncio

import pytest

from sessionkit import BackendError, delete_session
from sessionkit.asgi import SessionMiddleware as AsgiMiddleware
from sessionkit.backends import MemoryBackend
from sessionkit.wsgi import SessionMiddleware

from ..kept import KeptScene
from ..scene import START


class Undeletable(MemoryBackend):
    """A backend that deletes nothing."""

    def delete(self, key, owner):
        raise BackendError("the session backend is down")


@pytest.fixture
def scene():
    made = KeptScene(Undeletable(clock=lambda: START))
    made.browser.login()
    return made


def serve(scene, handle, *, asynchronous):
    """Serve a request, and return the status, the Set-Cookie lines and what the gateway raised."""
    header, answers, raised = scene.browser.jar.header(), [], []

    def wsgi(environ, start_response):
        start_response(handle(), [])
        return []

    async def asgi(scope, receive, send):
        await send({"type": "http.response.start", "status": int(handle()[:3]), "headers": []})

    async def send(message):
        fields = [(name.decode(), value.decode()) for name, value in message.get("headers", [])]
        answers.append((str(message.get("status")), fields))

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "https", "headers": [(b"cookie", header.encode())]}  # fmt: skip
    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "HTTP_COOKIE": header}
    try:
        if asynchronous:
            asyncio.run(AsgiMiddleware(asgi, scene.store)(scope, None, send))
        else:
            gateway = SessionMiddleware(wsgi, scene.store)
            gateway(environ, lambda *start: answers.append((start[0][:3], start[1])))
    except Exception as error:
        raised.append(type(error))
    lines = [value for _, fields in answers for name, value in fields if name.lower() == "set-cookie"]  # fmt: skip
    return [status for status, _ in answers], lines, raised


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["wsgi", "asgi"])


@both
def test_a_logout_that_fails_is_raised_where_the_response_starts(scene, asynchronous):
    def handle():
        delete_session()
        return "200 OK"

    assert serve(scene, handle, asynchronous=asynchronous) == ([], [], [BackendError])
    assert scene.alive() == 1


@both
def test_the_error_page_of_the_application_goes_out_without_a_cookie(scene, asynchronous, caplog):
    def handle():
        delete_session()
        return "503 Service Unavailable"

    assert serve(scene, handle, asynchronous=asynchronous) == (["503"], [], [])
    assert "the session could not be ended" in caplog.text
    assert scene.alive() == 1


@both
def test_the_server_answers_an_exception_after_a_logout_that_fails(scene, asynchronous):
    def handle():
        delete_session()
        raise ZeroDivisionError

    assert serve(scene, handle, asynchronous=asynchronous) == ([], [], [ZeroDivisionError])
    assert scene.alive() == 1


def test_the_end_is_tried_again_if_the_response_has_not_failed_after_all(scene):
    visit = scene.browser.visit()
    visit.exchange.delete()
    visit.step(500, lost=False)
    assert visit.step(500) is None
    assert not visit.exchange.must_end
    with pytest.raises(BackendError):
        visit.step(200, lost=False)
