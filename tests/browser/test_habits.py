"""The table of what engines do differently (`engines/habits.py`), asked of each engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from engines import Engine, Window
from engines.habits import HABITS, Habits
from tls import tls

from sessionkit import CookieSettings, SessionStore, create_session, get_session


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on a free port of this machine."""
    with make_server("127.0.0.1", 0, app, WSGIServer, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def habits(engine: Engine) -> Habits:
    return HABITS[engine.name]


@pytest.fixture
def open_window(engine: Engine) -> Iterator[Callable[[str], Window]]:
    windows = []

    def open_one(url: str) -> Window:
        windows.append(engine.open_window(url))
        return windows[-1]

    yield open_one
    for window in windows:
        window.close()


def signing_in(cookie: CookieSettings) -> Any:
    """Return an application: /login signs in and redirects to /, which says who is signed in."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/login":
            create_session({"user": {"sub": "ada"}})
            start_response("303 See Other", [("Location", "/")])
            return []
        session = get_session()
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"nobody" if session is None else b"ada"]

    return SessionStore("0123456789abcdefghijklmnopqrstuvwxyz012345", cookie=cookie).wsgi(app)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_secure_cookie_over_plain_http_on_this_machine(
    habits: Habits, open_window: Callable[[str], Window], host: str
) -> None:
    with served(signing_in(CookieSettings())) as url:
        tab = open_window(url.replace("127.0.0.1", host)).open_tab()
        tab.goto("/login")
        assert tab.text("body") == ("ada" if habits.secure_over_http else "nobody")


def test_without_secure_every_engine_keeps_the_cookie_over_plain_http(
    open_window: Callable[[str], Window],
) -> None:
    with served(signing_in(CookieSettings(secure=False))) as url:
        tab = open_window(url).open_tab()
        tab.goto("/login")
        assert tab.text("body") == "ada"


def test_over_https_every_engine_keeps_the_default_cookie(
    open_window: Callable[[str], Window], tmp_path: Path
) -> None:
    with served(signing_in(CookieSettings())) as url, tls(url, tmp_path) as secure:
        tab = open_window(secure).open_tab()
        tab.goto("/login")
        assert tab.text("body") == "ada"
