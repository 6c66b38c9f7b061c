"""A gateway of ASGI around the application, for example one that mounts it: the two share the session of a request."""

from __future__ import annotations

from typing import Any

import pytest
from sanic import response

from sessionkit import CookieSettings, SessionStore, delete_session, get_session
from sessionkit.backends import MemoryBackend
from sessionkit.testing import read_cookies, session_cookies
from sessionkit_sanic import SessionKit

from .asgi_visits import ask_asgi
from .visitor import ANN, SECRET, application

# Sanic imports sanic_testing when it starts, and that the old client of websockets.
pytestmark = pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning")

NAME = "__Host-session"


@pytest.fixture(params=["cookie", "memory"])
def store(request) -> SessionStore:
    return SessionStore(SECRET, backend=MemoryBackend() if request.param == "memory" else None)


def counting(store: SessionStore, app: Any) -> Any:
    """Return the application inside a gateway and a middleware that counts the requests in the session."""

    async def count(scope, receive, send):
        if scope["type"] == "http":
            contents = store.get_exchange(scope).contents
            contents["n"] = contents.get("n", 0) + 1
        await app(scope, receive, send)

    return store.asgi(count)


def ask(app: Any, path: str, cookies: dict[str, str]) -> tuple[int, list[str]]:
    """Return the status of a response, and the values of its Set-Cookie fields."""
    pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
    scope = {"type": "http", "scheme": "https", "path": path}
    headers = [(b"host", b"localhost"), (b"cookie", pairs.encode())]
    [messages] = ask_asgi(app, {**scope, "headers": headers})
    lines = [value.decode() for name, value in messages[0]["headers"] if name == b"set-cookie"]
    return messages[0]["status"], lines


def test_a_login_in_the_application_keeps_what_was_written_around_it(store):
    status, lines = ask(counting(store, application(store)), "/login", {})
    assert (status, [line for line in lines if line.startswith(f"{NAME}=")]) == (204, lines[:1])
    assert read_cookies(store, lines, {}) == ANN


@pytest.mark.parametrize("put", [False, True], ids=["changed", "replaced"])
def test_a_change_in_the_application_and_one_around_it_are_both_saved(store, put):
    app, found = application(store), []

    @app.get("/change")
    async def change(request):
        found.append(request.ctx.session["n"])
        if put:
            request.ctx.session = {**request.ctx.session, "inner": True}
        else:
            request.ctx.session["inner"] = True
        return response.empty()

    cookies = session_cookies(store, ANN)
    status, lines = ask(counting(store, app), "/change", cookies)
    assert (status, found) == (204, [1])
    assert read_cookies(store, lines, cookies) == {**ANN, "n": 1, "inner": True}


@pytest.mark.parametrize("clears", [False, True])
def test_a_logout_in_the_application_is_one_also_if_its_response_fails(store, clears):
    app = application(store)

    @app.get("/logout")
    async def logout(request):
        if clears:
            request.ctx.session.clear()
        else:
            delete_session()
        raise RuntimeError

    cookies = session_cookies(store, ANN)
    status, lines = ask(counting(store, app), "/logout", cookies)
    assert (status, read_cookies(store, lines, cookies)) == (500, None)


def test_two_extensions_of_the_store_show_one_session(store):
    app, found = application(store), []
    SessionKit(app, store=store)

    @app.get("/show")
    async def show(request):
        found.append(dict(request.ctx.session))
        return response.empty()

    assert ask(counting(store, app), "/show", session_cookies(store, ANN))[0] == 204
    assert found == [{**ANN, "n": 1}]


def test_a_store_of_another_cookie_around_it_is_found_beside_its_own(store):
    outer, found = SessionStore(SECRET, cookie=CookieSettings(name="__Host-outer")), []
    app = application(store)

    @app.get("/both")
    async def both(request):
        found.append((outer.get_session(request), store.get_session(request)))
        with pytest.raises(TypeError, match="__Host-outer"):
            get_session()
        return response.empty()

    cookies = {**session_cookies(outer, {"user": {"sub": "bob"}}), **session_cookies(store, ANN)}
    assert ask(counting(outer, app), "/both", cookies)[0] == 204
    assert found == [({"user": {"sub": "bob"}, "n": 1}, ANN)]


def test_a_stricter_store_of_the_same_cookie_in_it_is_an_error(store):
    app = application(SessionStore(SECRET, guard=lambda session: bool(session.get("admin"))))
    assert ask(counting(store, app), "/me", session_cookies(store, ANN))[0] == 500
