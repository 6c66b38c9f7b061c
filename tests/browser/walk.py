"""The walk of a visitor through an application: what Chromium keeps, and what the server makes of it.

A module about a framework (`test_<framework>.py`) brings the application, in the framework's own habits, and its server:

    @pytest.fixture
    def url(clock: Clock, gate: Gate, sent: Sent) -> Iterator[str]:
        store = SessionStore(SECRET, clock=clock)
        …                                    # serve on a free port of 127.0.0.1, and yield http://127.0.0.1:<port>

    class TestFlask(Walk): ...

| route | does |
|---|---|
| `GET /` | answers `page(get_session())`, HTML |
| `POST /login` | `create_session({"user": {"sub": <form field name>}})`, then 303 to `/` |
| `POST /write` | `update_session` with `note` as in the form, then 303 to `/` |
| `POST /logout` | `delete_session()`, then 303 to `/` |
| `GET /slow` | `get_session()`; `gate.passed()` in a thread of its own (or the request's); `update_session` with `"late": True`; answers what that returned, as text |

The cookies are at their defaults: Chromium takes `__Host-` cookies from a loopback address over plain http.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from html import escape
from typing import Any

from engines import PATIENCE, Tab, Window

SECRET = "the walk of a browser: 0123456789abcdefghijklmnopqrstuvwxyz"
LONGEST_LINE = 4096  # RFC 6265bis, section 5.6


class Clock:
    """Stands still until a test moves it on."""

    def __init__(self) -> None:
        self.ahead = 0
        self.started = time.time()

    def __call__(self) -> float:
        return self.started + self.ahead


class Gate:
    """Where the slow request waits until the test lets it go."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._open = threading.Event()

    def passed(self) -> None:
        """Arrive, and wait; called by the application."""
        self._arrived.set()
        assert self._open.wait(PATIENCE), "nobody opened the gate"

    def arrived(self) -> None:
        """Wait until a request is there."""
        assert self._arrived.wait(PATIENCE), "no request arrived at the gate"

    def open(self) -> None:
        """Let it go."""
        self._open.set()


def page(session: Mapping[str, Any] | None) -> str:
    """The one page of the application."""
    if session is None:
        said = '<p id="user">nobody</p>'
    else:
        note = session.get("note", "")
        said = f'<p id="user">{escape(session["user"]["sub"])}</p><p id="note">{escape(note)}</p><p id="late">{session.get("late", False)}</p>'
    return f"""<!doctype html><html lang="en"><title>A walk</title><link rel="icon" href="data:,">{said}
        <form method="post" action="/login"><input name="name"><button>Sign in</button></form>
        <form method="post" action="/write"><textarea name="note"></textarea><button>Write</button></form>
        <form method="post" action="/logout"><button>Sign out</button></form></html>"""


class Sent:
    """Records the Set-Cookie lines that a server sends: one layer around the application."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def wsgi(self, app: Any) -> Any:
        """Record those of a WSGI application."""

        def recording(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                self._lines += [value for name, value in headers if name.lower() == "set-cookie"]
                return start_response(status, headers, *rest)

            return app(environ, start)

        return recording

    def asgi(self, app: Any) -> Any:
        """Record those of an ASGI application."""

        async def recording(scope: Any, receive: Any, send: Any) -> None:
            async def record(message: Any) -> None:
                headers = message.get("headers", ())
                self._lines += [value.decode() for name, value in headers if name == b"set-cookie"]
                await send(message)

            await app(scope, receive, record)

        return recording

    def lines(self) -> list[str]:
        """Return the lines since they were last asked for."""
        lines, self._lines = self._lines, []
        return lines


class Visitor:
    """Somebody with a browser."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.tab = window.open_tab()

    def look(self) -> str:
        """Return who is signed in, as the page says."""
        self.tab.goto("/")
        return self.tab.text("#user")

    def sign_in(self, name: str) -> None:
        self.tab.fill("[name=name]", name)
        self.tab.press("[action='/login'] button")

    def write(self, note: str) -> None:
        self.tab.fill("[name=note]", note)
        self.tab.press("[action='/write'] button")

    def sign_out(self) -> None:
        self.tab.press("[action='/logout'] button")

    @property
    def jar(self) -> dict[str, str]:
        """Names and values of the cookies that the browser keeps."""
        return {cookie["name"]: cookie["value"] for cookie in self.window.cookies()}

    def ask_slowly(self) -> Tab:
        """Return a second tab, whose script has sent a request that will wait at the gate."""
        tab = self.window.open_tab()
        tab.goto("/")
        tab.evaluate("void (window.answer = fetch('/slow').then(response => response.text()))")
        return tab


def answer(tab: Tab) -> str:
    """Return the body of the slow request's response; the browser has stored its cookies by then."""
    return tab.evaluate("window.answer")


class Walk:
    """What holds in a real browser, whatever the framework."""

    def test_a_login_is_seen_and_no_script_reads_its_cookie(self, visitor: Visitor) -> None:
        assert visitor.look() == "nobody"
        assert visitor.jar == {}
        visitor.sign_in("Ada")
        assert visitor.look() == "Ada"
        (cookie,) = visitor.window.cookies()
        kept = {
            name: cookie[name]
            for name in ("name", "path", "domain", "secure", "httpOnly", "sameSite")
        }  # type: ignore[literal-required]
        assert kept == {
            "name": "__Host-session",
            "path": "/",
            "domain": "127.0.0.1",
            "secure": True,
            "httpOnly": True,
            "sameSite": "Lax",
        }
        assert visitor.tab.evaluate("document.cookie") == ""

    def test_a_session_grows_into_chunks_and_shrinks_into_one_cookie_again(
        self, visitor: Visitor, sent: Sent
    ) -> None:
        visitor.look()
        visitor.sign_in("Ada")
        sent.lines()
        long = "".join(f"{number:05}" for number in range(900))

        visitor.write(long)
        assert visitor.tab.text("#note") == long
        chunks = visitor.jar
        assert sorted(chunks) == ["__Host-session.0", "__Host-session.1"]
        lines = sent.lines()
        assert sorted(
            line.partition("=")[0] for line in lines if "Max-Age=0;" not in f"{line};"
        ) == sorted(chunks)
        assert max(map(len, lines)) <= LONGEST_LINE
        assert sum(map(len, chunks.values())) > LONGEST_LINE

        visitor.write("short")
        assert sorted(visitor.jar) == ["__Host-session"]
        assert visitor.tab.text("#note") == "short"
        assert visitor.look() == "Ada"

    def test_a_logout_leaves_nothing_but_its_mark(self, visitor: Visitor) -> None:
        visitor.look()
        visitor.sign_in("Ada")
        visitor.write("x" * 4500)
        visitor.sign_out()
        assert visitor.tab.text("#user") == "nobody"
        assert sorted(visitor.jar) == ["__Host-out.session"]
        visitor.sign_in("Grace")
        assert visitor.look() == "Grace"

    def test_a_request_that_answers_after_the_logout_does_not_bring_the_session_back(
        self, visitor: Visitor, gate: Gate
    ) -> None:
        visitor.look()
        visitor.sign_in("Ada")
        slow = visitor.ask_slowly()
        gate.arrived()
        visitor.sign_out()
        assert sorted(visitor.jar) == ["__Host-out.session"]
        gate.open()
        assert answer(slow) == "True"
        # The browser took the late cookie: it is the server that must not.
        assert sorted(visitor.jar) == ["__Host-out.session", "__Host-session"]
        assert visitor.look() == "nobody"
        visitor.sign_in("Ada")
        assert visitor.look() == "Ada"
        assert visitor.tab.text("#late") == "False"

    def test_a_request_that_answers_after_the_next_login_does_not_bring_the_earlier_session_back(
        self, visitor: Visitor, gate: Gate
    ) -> None:
        visitor.look()
        visitor.sign_in("Ada")
        slow = visitor.ask_slowly()
        gate.arrived()
        visitor.sign_out()
        visitor.sign_in("Grace")
        grace = visitor.jar["__Host-session"]
        gate.open()
        assert answer(slow) == "True"
        # There is one place for the cookie: the late one costs Grace her session, and is refused itself.
        assert visitor.jar["__Host-session"] != grace
        assert visitor.look() == "nobody"

    def test_a_request_that_answers_before_the_logout_is_kept(
        self, visitor: Visitor, gate: Gate
    ) -> None:
        visitor.look()
        visitor.sign_in("Ada")
        slow = visitor.ask_slowly()
        gate.arrived()
        gate.open()
        assert answer(slow) == "True"
        assert visitor.look() == "Ada"
        assert visitor.tab.text("#late") == "True"

    def test_a_session_in_use_is_renewed_by_a_line_of_its_own_and_an_idle_one_ends(
        self, visitor: Visitor, sent: Sent, clock: Clock
    ) -> None:
        visitor.look()
        visitor.sign_in("Ada")
        token = visitor.jar["__Host-session"]
        sent.lines()
        clock.ahead = 59
        assert visitor.look() == "Ada"
        assert sent.lines() == []
        clock.ahead = 60
        assert visitor.look() == "Ada"
        (line,) = sent.lines()
        assert re.fullmatch(
            r"__Host-seen\.session=[^;]{1,90}; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High",
            line,
        )
        assert sorted(visitor.jar) == ["__Host-seen.session", "__Host-session"]
        assert visitor.jar["__Host-session"] == token
        clock.ahead += 86_399
        assert visitor.look() == "Ada"
        clock.ahead += 86_400
        assert visitor.look() == "nobody"
