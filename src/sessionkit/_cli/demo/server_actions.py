"""The demo with a backend: sessions on the server, listed and revoked, and a late write that does not come back."""

from __future__ import annotations

from collections.abc import Callable

from ...store import SessionStore
from .journal import Journal
from .messages import Request, Response
from .remarks import ON_SERVER

__all__ = ["ServerActions"]


class ServerActions:
    """The actions of the demo on a session that is kept on the server.

    Args:
        store: the store, with a blocking backend.
        journal: where the explanations go.
    """

    def __init__(self, store: SessionStore, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self.changes: dict[str, Callable[[Request, dict[str, str]], Response | None]] = {
            "/sign-out-one": self._sign_out_one,
            "/sign-out-others": self._sign_out_others,
            "/sign-out-everywhere": self._sign_out_everywhere,
            "/late": self._write_late,
        }

    def _sign_out_one(self, _request: Request, form: dict[str, str]) -> None:
        session, handle = self._store.get_session(), form.get("handle", "")
        # A handle opens nothing, but it revokes: it must be one of the user's own.
        for info in self._store.sessions_of(session) if session is not None else ():
            if info.handle != handle:
                continue
            if info.is_current:
                self._store.delete_session()
                self._journal.remark(ON_SERVER.sign_out)
            else:
                self._store.revoke(handle)
                self._journal.remark(
                    "revoke: that browser keeps its cookie, which now points to nothing."
                )

    def _sign_out_others(self, _request: Request, _form: dict[str, str]) -> None:
        session = self._store.get_session()
        if session is not None:
            ended = self._store.revoke_user(session, keep_current=True)
            self._journal.remark(
                f"revoke_user, keep_current=True: {ended} ended, and this one stays."
            )

    def _sign_out_everywhere(self, _request: Request, _form: dict[str, str]) -> None:
        session = self._store.get_session()
        if session is not None:
            ended = self._store.revoke_user(session)
            # The record is gone. This clears the cookie too.
            self._store.delete_session()
            self._journal.remark(f"revoke_user: {ended} ended, on every device.")

    def _write_late(self, request: Request, _form: dict[str, str]) -> None:
        """Act as a slow request: it has read the session, another request signs out meanwhile, and then it writes."""
        session = self._store.get_session()
        if session is None:
            return
        with self._store.exchange(request.cookie_header, scheme="http"):
            self._store.delete_session()
        self._store.update_session({**session, "note": "written too late"})
        self._journal.remark(
            "A slow request had read the session. Another one signed out. Then the slow one wrote a note: it was dropped."
        )
