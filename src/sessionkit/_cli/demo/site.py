"""The story: one page, and a form for each thing that can happen to a session."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from ..._cookies.header import pairs
from ..._cookies.settings import CookieSettings
from ..._exchange.config import Clock
from ..._exchange.reading import read
from ..._session.base64url import ALPHABET
from ..._session.lifetime import Lifetime
from ..._session.session import Session
from ...errors import SessionTooLargeError
from ...store import SessionStore
from .asked import Answer, Asked, plain, refusal
from .journal import Journal
from .page import Sight, render

__all__ = ["Site"]

IDLE, ABSOLUTE, RENEW_AFTER = 120, 900, 10
"""Seconds: short enough to watch."""

BALLAST = 1600
"""Characters that a session grows by: the second makes it larger than one cookie, the fourth too large for all."""

LONGEST_FIELD = 200


class Site:
    """The demo: a store with a secret of its own, and the handlers.

    Args:
        listening: the address that it listens on.
        clock: seconds since the epoch.
    """

    def __init__(self, listening: str = "127.0.0.1", *, clock: Clock = time.time) -> None:
        self.listening = listening
        self.journal: Journal = Journal()
        self.store: SessionStore = SessionStore(
            secrets.token_urlsafe(32),  # in memory only, for this run
            lifetime=Lifetime(idle=IDLE, absolute=ABSOLUTE, renew_after=RENEW_AFTER),
            # Cookies of localhost are shared by all its ports: a plain `session` would overwrite that of the developer's own site.
            cookie=CookieSettings(name="sessionkit-demo", secure=False),
            on_event=self.journal.heard,
            clock=clock,
        )
        self._changes: dict[str, Callable[[Asked, dict[str, str]], Answer | None]] = {
            "/sign-in": self._sign_in,
            "/note": self._note,
            "/grow": self._grow,
            "/shrink": self._shrink,
            "/touch": self._touch,
            "/rotate": self._rotate,
            "/tamper": self._tamper,
            "/sign-out": self._sign_out,
        }

    def answer(self, asked: Asked) -> Answer:
        """Answer one request; the gateway has made its session the current one."""
        refused = refusal(asked, self.listening)
        if refused is not None:
            return refused
        if asked.method != "POST":
            return self._page(asked) if asked.path == "/" else _not_found()
        change = self._changes.get(asked.path)
        if change is None:
            return _not_found()
        try:
            fields = parse_qs(
                (asked.body or b"").decode("utf-8", "replace"),
                keep_blank_values=True,
                max_num_fields=16,
            )
        except ValueError:
            return plain(400, "This is not a form of the demo.")
        form = {name: values[0][:LONGEST_FIELD] for name, values in fields.items()}
        return change(asked, form) or _back()

    # ---- what can happen to a session

    def _sign_in(self, _asked: Asked, form: dict[str, str]) -> None:
        name = form.get("name", "").strip() or "Ada"
        self.store.create_session(
            {"user": {"sub": f"demo|{name.lower()}", "name": name}, "note": "nothing yet"}
        )
        self.journal.remark(
            "create_session: a new id, a new creation time, exactly these contents."
        )

    def _note(self, _asked: Asked, form: dict[str, str]) -> None:
        if self._update({"note": form.get("note", "")}):
            self.journal.remark("update_session: new contents, sealed anew under the same id.")

    def _grow(self, _asked: Asked, _form: dict[str, str]) -> None:
        session = self.store.get_session()
        ballast = str(session.get("ballast", "")) if session is not None else ""
        try:
            if self._update({"ballast": ballast + secrets.token_hex(BALLAST // 2)}):
                self.journal.remark(
                    "update_session: what is too long for one cookie lies in numbered chunks."
                )
        except SessionTooLargeError as error:
            self.journal.remark(f"SessionTooLargeError: {error}. The session stays as it was.")

    def _shrink(self, _asked: Asked, _form: dict[str, str]) -> None:
        if self._update({}, without="ballast"):
            self.journal.remark("update_session: the chunks that are no longer needed are cleared.")

    def _touch(self, _asked: Asked, _form: dict[str, str]) -> None:
        if self.store.touch_session():
            self.journal.remark(
                "touch_session: one small cookie moves the idle expiry; the session itself is not sent."
            )

    def _rotate(self, _asked: Asked, _form: dict[str, str]) -> None:
        if self.store.rotate_session():
            self.journal.remark(
                "rotate_session: the same contents under a new id; the mark of the old one is in the fence."
            )

    def _tamper(self, asked: Asked, _form: dict[str, str]) -> Answer | None:
        settings = self.store.settings
        names = read(settings, asked.cookie_header, settings.clock()).names(settings)
        if not names:
            return None
        name, value = next(
            pair for pair in pairs(asked.cookie_header, names[-1]) if pair[0] == names[-1]
        )
        self.journal.remark(
            "One character of the cookie was changed, as a forger would. The next request shows what comes of it."
        )
        answer = _back()
        answer.headers.append(
            (
                "Set-Cookie",
                settings.cookie.line(name, _with_wrong_tag(value), settings.lifetime.absolute),
            )
        )
        return answer

    def _sign_out(self, _asked: Asked, _form: dict[str, str]) -> None:
        if self.store.delete_session():
            self.journal.remark(
                "delete_session: every cookie of it is cleared, and a late response cannot bring it back."
            )

    def _update(self, changes: dict[str, str], without: str = "") -> bool:
        """`update_session` with the current contents and these; it does nothing for a visitor who is not signed in."""
        contents: Session | dict[str, object] = self.store.get_session() or {}
        return self.store.update_session(
            {key: value for key, value in {**contents, **changes}.items() if key != without}
        )

    # ---- the page

    def _page(self, asked: Asked) -> Answer:
        settings = self.store.settings
        session = self.store.get_session()
        sight = Sight.of(settings, session, pairs(asked.cookie_header, settings.stem), self.journal)
        headers = [("Content-Type", "text/html; charset=utf-8")]
        if sight.left is not None:
            # Without JavaScript the browser itself comes back, to see that the session has ended.
            headers.append(("Refresh", f"{sight.left + 1}; url=/"))
        return Answer(status=200, body=render(sight).encode(), headers=headers)


def _with_wrong_tag(value: str) -> str:
    """The value with the first character of the token's tag changed, or its own first when the tag begins earlier."""
    place = max(0, len(value) - 22)
    at = ALPHABET.find(value[place : place + 1].encode())
    return f"{value[:place]}{chr(ALPHABET[(at + 1) % 64])}{value[place + 1 :]}"


def _back() -> Answer:
    """To the page, by GET (RFC 9110 section 15.4.4): a reload repeats nothing."""
    return plain(303, "Back to /", ("Location", "/"))


def _not_found() -> Answer:
    return plain(404, "There is one page: /")
