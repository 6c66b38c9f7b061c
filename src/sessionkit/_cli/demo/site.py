"""The site of the demo: one page, and a form for each thing that can happen to a session."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

from ..._cookies.header import pairs
from ..._cookies.settings import CookieSettings
from ..._exchange.reading import read_cookies
from ..._exchange.settings import Clock
from ..._session.base64url import ALPHABET
from ..._session.lifetime import Lifetime
from ..._session.session import Session
from ...backends import AnyBackend
from ...errors import BackendError, SessionTooLargeError
from ...store import SessionStore
from .journal import Journal
from .messages import Request, Response, make_plain, refuse
from .page import Sight, render
from .remarks import IN_COOKIES, ON_SERVER, UNCHANGED
from .server_actions import ServerActions

__all__ = ["Site"]

IDLE, ABSOLUTE, RENEW_AFTER = 120, 900, 10
"""Seconds, short enough to watch."""

LONGEST_FIELD = 200


class Site:
    """The demo: a store with a secret of its own, and the handlers.

    Args:
        listening: the address that the demo listens on.
        clock: returns the seconds since the epoch.
        backend: a blocking backend for the sessions; None keeps them in cookies.
    """

    def __init__(
        self,
        listening: str = "127.0.0.1",
        *,
        clock: Clock = time.time,
        backend: AnyBackend | None = None,
    ) -> None:
        self.listening = listening
        self._remarks = IN_COOKIES if backend is None else ON_SERVER
        self.journal: Journal = Journal()
        self.store: SessionStore = SessionStore(
            secrets.token_urlsafe(32),  # in memory only, for this run
            lifetime=Lifetime(idle=IDLE, absolute=ABSOLUTE, renew_after=RENEW_AFTER),
            # All ports of localhost share their cookies: the name `session` would overwrite the cookie of the developer's own site.
            cookie=CookieSettings(name="sessionkit-demo", secure=False),
            on_event=self.journal.note_event,
            clock=clock,
            backend=backend,
        )
        self._changes: dict[str, Callable[[Request, dict[str, str]], Response | None]] = {
            "/sign-in": self._sign_in,
            "/note": self._note,
            "/grow": self._grow,
            "/shrink": self._shrink,
            "/touch": self._touch,
            "/rotate": self._rotate,
            "/tamper": self._tamper,
            "/sign-out": self._sign_out,
        }
        if backend is not None:
            self._changes |= ServerActions(self.store, self.journal).changes

    def respond(self, request: Request) -> Response:
        """Respond to one request; the gateway has made its session the current one."""
        try:
            return self._respond(request)
        except BackendError:
            # Nobody is signed out by an outage.
            return make_plain(
                503, "The backend of the demo does not reply. Your session is still there."
            )

    def _respond(self, request: Request) -> Response:
        refused = refuse(request, self.listening)
        if refused is not None:
            return refused
        if request.method != "POST":
            return self._show_page(request) if request.path == "/" else _respond_not_found()
        change = self._changes.get(request.path)
        if change is None:
            return _respond_not_found()
        try:
            fields = parse_qs(
                (request.body or b"").decode("utf-8", "replace"),
                keep_blank_values=True,
                max_num_fields=16,
            )
        except ValueError:
            return make_plain(400, "This is not a form of the demo.")
        form = {name: values[0][:LONGEST_FIELD] for name, values in fields.items()}
        return change(request, form) or _redirect_back()

    # ---- what can happen to a session

    def _sign_in(self, _request: Request, form: dict[str, str]) -> None:
        name = form.get("name", "").strip() or "Ada"
        self.store.create_session(
            {"user": {"sub": f"demo|{name.lower()}", "name": name}, "note": "nothing yet"}
        )
        self.journal.remark(self._remarks.sign_in)

    def _note(self, _request: Request, form: dict[str, str]) -> None:
        self._update({"note": form.get("note", "")}, remark=self._remarks.note)

    def _grow(self, _request: Request, _form: dict[str, str]) -> None:
        session = self.store.get_session()
        ballast = str(session.get("ballast", "")) if session is not None else ""
        try:
            self._update(
                {"ballast": ballast + secrets.token_hex(self._remarks.step // 2)},
                remark=self._remarks.grow,
                on_chunks=self._remarks.chunks,
            )
        except SessionTooLargeError as error:
            self.journal.remark(f"SessionTooLargeError: {error}. The session stays as it was.")

    def _shrink(self, _request: Request, _form: dict[str, str]) -> None:
        self._update(
            {}, without="ballast", remark=self._remarks.shrink, on_chunks=self._remarks.unchunk
        )

    def _touch(self, _request: Request, _form: dict[str, str]) -> None:
        if self.store.touch_session():
            self.journal.remark(self._remarks.touch)

    def _rotate(self, _request: Request, _form: dict[str, str]) -> None:
        if self.store.rotate_session():
            self.journal.remark(self._remarks.rotate)

    def _tamper(self, request: Request, _form: dict[str, str]) -> Response | None:
        settings = self.store.settings
        names = read_cookies(settings, request.cookie_header, settings.clock()).list_names(settings)
        if not names:
            return None
        name, value = next(
            pair for pair in pairs(request.cookie_header, names[-1]) if pair[0] == names[-1]
        )
        self.journal.remark(
            "One character of the cookie was changed, as a forger would. The next request shows the result."
        )
        response = _redirect_back()
        response.headers.append(
            (
                "Set-Cookie",
                settings.cookie.line(name, _with_wrong_tag(value), settings.lifetime.absolute),
            )
        )
        return response

    def _sign_out(self, _request: Request, _form: dict[str, str]) -> None:
        if self.store.delete_session():
            self.journal.remark(self._remarks.sign_out)

    def _update(
        self, changes: dict[str, str], *, without: str = "", remark: str, on_chunks: str = ""
    ) -> None:
        """Update the session with changes, and explain it; without a signed-in visitor this does nothing."""
        before: Session | dict[str, object] = self.store.get_session() or {}
        contents = {k: value for k, value in {**before, **changes}.items() if k != without}
        if contents == before:
            remark, on_chunks = UNCHANGED, ""
        if self.store.update_session(contents):
            self.journal.remark(remark, on_chunks=on_chunks)

    # ---- the page

    def _show_page(self, request: Request) -> Response:
        settings = self.store.settings
        session = self.store.get_session()
        sight = Sight.of(
            settings, session, pairs(request.cookie_header, settings.stem), self.journal
        )
        if session is not None and settings.backend is not None:
            sight = replace(sight, sessions=self.store.sessions_of(session))
        headers = [("Content-Type", "text/html; charset=utf-8")]
        if sight.left is not None:
            # The page has no JavaScript: the browser loads it again when the session has ended.
            headers.append(("Refresh", f"{sight.left + 1}; url=/"))
        return Response(status=200, body=render(sight).encode(), headers=headers)


def _with_wrong_tag(value: str) -> str:
    """Return a value whose token has another tag: one character of it is changed."""
    place = max(0, len(value) - 22)
    at = ALPHABET.find(value[place : place + 1].encode())
    return f"{value[:place]}{chr(ALPHABET[(at + 1) % 64])}{value[place + 1 :]}"


def _redirect_back() -> Response:
    """Redirect to the page, by GET (RFC 9110 section 15.4.4), so that a reload repeats nothing."""
    return make_plain(303, "Back to /", ("Location", "/"))


def _respond_not_found() -> Response:
    return make_plain(404, "There is one page: /")
