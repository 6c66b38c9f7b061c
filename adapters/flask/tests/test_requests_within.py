"""A request inside a request: each is served by its own Cookie header."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request, session

from sessionkit import SessionStore, get_session
from sessionkit.testing import session_cookies
from sessionkit_flask import SessionKit

SECRET = "flask tests: 0123456789abcdefghijklmnopqrstuvwxyz"
STORE = SessionStore(SECRET)


def header(user: str) -> str:
    cookies = session_cookies(STORE, {"user": {"sub": user}})
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def who(found: Any) -> Any:
    return found["user"]["sub"] if found else None


@pytest.mark.parametrize("user", ["ann", "bob", None])
@pytest.mark.parametrize("served", [False, True])
def test_a_copied_environ_with_another_cookie_header_is_another_request(user, served):
    app = Flask(__name__)
    SessionKit(app, store=STORE)
    found: list[Any] = []

    def look() -> None:
        found.append((who(session), who(get_session(request))))

    @app.get("/inner")
    def inner() -> str:
        look()
        return ""

    @app.get("/")
    def outer() -> str:
        ann = who(session)
        environ = {**request.environ, "PATH_INFO": "/inner"}
        del environ["HTTP_COOKIE"]
        if user:
            environ["HTTP_COOKIE"] = request.headers["Cookie"] if user == ann else header(user)
        if served:
            list(app(environ, lambda *_: print))
        else:
            with app.request_context(environ):
                look()
        return f"{who(session)} {who(get_session())}"

    client = app.test_client(use_cookies=False)
    answer = client.get("/", headers={"Cookie": header("ann")}, base_url="https://localhost")
    assert found == [(user, user)]
    assert answer.text == "ann ann"
