"""The table of what engines do differently (`engines/habits.py`), asked of each engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from engines import Engine, Window
from engines.habits import HABITS, Habits
from tls import tls

from sessionkit import (
    CookieSettings,
    SessionStore,
    create_session,
    delete_session,
    get_session,
    update_session,
)


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a browser keeps connections open


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on a free port of this machine."""
    with make_server("127.0.0.1", 0, app, Server, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
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


SECRET = "the habits of engines: 0123456789abcdefghijklmnopqrstuvwxyz"
LONG = 800  # days


class Site:
    """An application.

    `/login` and `/logout` redirect to `/`, which says who is signed in, as `/page` does; `/late` sends what a slow request
    of before the logout would send; `/frame` has an iframe of another site.

    Args:
        settings: arguments of the store.
        page: header fields of `/page`.
        logout: header fields of `/logout`.
    """

    def __init__(
        self,
        page: list[tuple[str, str]] | None = None,
        logout: list[tuple[str, str]] | None = None,
        **settings: Any,
    ) -> None:
        self._page, self._logout = page or [], logout or []
        self.seen: list[str] = []
        self.late: list[tuple[str, str]] = []
        self._store = SessionStore(SECRET, **settings)
        self.app = self._store.wsgi(self._handle)

    def _handle(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path, home = environ["PATH_INFO"], [("Location", "/")]
        if path == "/login":
            create_session({"user": {"sub": "ada"}})
            start_response("303 See Other", home)
        elif path == "/logout":
            # A request that answers after this one:
            with self._store.exchange(environ["HTTP_COOKIE"]) as slow:
                update_session({**(get_session() or {}), "late": True})
            self.late = [one for one in slow.response_headers if one[0] == "Set-Cookie"]
            delete_session()
            start_response("303 See Other", [*home, *self._logout])
        elif path == "/late":
            start_response("303 See Other", [*home, *self.late])
        elif path == "/frame":
            host = environ["HTTP_HOST"].replace("localhost", "127.0.0.1")
            start_response("200 OK", [("Content-Type", "text/html")])
            return [f'<iframe src="https://{host}/login"></iframe>'.encode()]
        elif path == "/long":
            days = 86_400 * LONG
            start_response("303 See Other", [*home, ("Set-Cookie", f"long=1; Max-Age={days}")])
        elif path in ("/", "/page"):
            self.seen.append("nobody" if get_session() is None else "ada")
            fields = self._page if path == "/page" else [("Cache-Control", "no-store")]
            start_response("200 OK", [("Content-Type", "text/html"), *fields])
            return [self.seen[-1].encode()]
        else:
            start_response("404 Not Found", [])
        return []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_secure_cookie_over_plain_http_on_this_machine(
    habits: Habits, open_window: Callable[[str], Window], host: str
) -> None:
    with served(Site().app) as url:
        tab = open_window(url.replace("127.0.0.1", host)).open_tab()
        tab.goto("/login")
        assert tab.text("body") == ("ada" if habits.secure_over_http else "nobody")


def test_without_secure_every_engine_keeps_the_cookie_over_plain_http(
    open_window: Callable[[str], Window],
) -> None:
    with served(Site(cookie=CookieSettings(secure=False)).app) as url:
        tab = open_window(url).open_tab()
        tab.goto("/login")
        assert tab.text("body") == "ada"


def test_over_https_every_engine_keeps_the_default_cookie(
    open_window: Callable[[str], Window], tmp_path: Path
) -> None:
    with served(Site().app) as url, tls(url, tmp_path) as secure:
        tab = open_window(secure).open_tab()
        tab.goto("/login")
        assert tab.text("body") == "ada"


def test_a_max_age_of_more_than_400_days(
    habits: Habits, open_window: Callable[[str], Window]
) -> None:
    with served(Site().app) as url:
        window = open_window(url)
        window.open_tab().goto("/long")
        (cookie,) = window.cookies()
        expiry = cookie.get("expiry") or cookie["expires"]
        assert round((expiry - time.time()) / 86_400) == (habits.longest_days or LONG)


def test_clear_site_data_cookies_takes_the_fence_away_and_lets_a_late_write_sign_in_again(
    habits: Habits, open_window: Callable[[str], Window], tmp_path: Path
) -> None:
    site = Site(logout=[("Clear-Site-Data", '"cookies"')])
    with served(site.app) as url, tls(url, tmp_path) as secure:
        window = open_window(secure)
        tab = window.open_tab()
        tab.goto("/login")
        tab.goto("/logout")
        assert tab.text("body") == "nobody"
        kept = [cookie["name"] for cookie in window.cookies()]
        assert kept == ([] if habits.clears_cookies else ["__Host-out.session"])
        tab.goto("/late")
        assert tab.text("body") == ("ada" if habits.clears_cookies else "nobody")


PRIVATE = [("Cache-Control", "private")]
NO_STORE = [("Cache-Control", "no-store")]
CLEAR = [("Clear-Site-Data", '"cache"')]


@pytest.mark.parametrize(
    ("page", "logout"),
    [
        pytest.param(PRIVATE, [], id="private"),
        pytest.param(PRIVATE, CLEAR, id="private, and the logout clears the cache"),
        pytest.param(NO_STORE, [], id="no-store"),
    ],
)
def test_after_a_logout_going_back_shows_the_page_as_it_was_unless_it_is_no_store(
    engine: Engine,
    habits: Habits,
    open_window: Callable[[str], Window],
    tmp_path: Path,
    page: list[tuple[str, str]],
    logout: list[tuple[str, str]],
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(served(Site(page=page, logout=logout).app))
        if not habits.secure_over_http:
            url = stack.enter_context(tls(url, tmp_path))
        tab = open_window(url).open_tab()
        tab.goto("/login")
        tab.goto("/page")
        assert tab.text("body") == "ada"
        tab.goto("/logout")
        assert tab.text("body") == "nobody"
        tab.back()
        kept = habits.keeps_pages and page is PRIVATE
        assert tab.text("body") == ("ada" if kept else "nobody")


def test_a_partitioned_cookie_in_an_iframe_of_another_site(
    habits: Habits, open_window: Callable[[str], Window], tmp_path: Path
) -> None:
    site = Site(cookie=CookieSettings(same_site="None", partitioned=True))
    with served(site.app) as url, tls(url, tmp_path) as secure:
        tab = open_window(secure.replace("127.0.0.1", "localhost")).open_tab()
        tab.goto("/frame")
        assert site.seen == ["ada" if habits.partitions else "nobody"]


PAGE = Path(__file__).parents[2] / "docs/explanation/browsers.md"
SAID: list[tuple[str, str, dict[object, str]]] = [
    ("the default cookie (Secure)", "secure_over_http", {True: "kept", False: "**dropped**"}),
    ("`Clear-Site", "clears_cookies", {True: "removes the cookies", False: "does nothing"}),
    ("the same with `Part", "partitions", {True: "a jar of its own", False: "refused"}),
    ("a `Max-Age`", "longest_days", {400: "cut to 400 days", None: "kept"}),
]


@pytest.mark.parametrize(("row", "habit", "words"), SAID)
def test_the_documentation_says_what_the_table_says(
    row: str, habit: str, words: dict[object, str]
) -> None:
    (line,) = (line for line in PAGE.read_text().splitlines() if line.startswith(f"| {row}"))
    said = [cell.strip() for cell in line.strip("|").split(" | ")][1:]
    assert said == [words[getattr(HABITS[engine], habit)] for engine in HABITS]
