"""The session of a request as it is now: what came, what has been made of it, and the lines that this needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import fence, outgoing
from .base64url import encode
from .caching import is_shared
from .errors import IdentityChangedError
from .events import EventKind, Ignored, tell
from .fingerprint import contents_of, fingerprint, is_odd, plain, same
from .identity import Who, same_user, who_is
from .incoming import Incoming
from .request import RequestInfo
from .session import Absence, Session, Stamp, Watcher, drop, refill, restamp
from .settings import Settings

__all__ = ["Live"]


class Live:
    """What came, and what is there now. No state machine: what has happened is read off the two.

    Attributes:
        settings: the store's.
        incoming: what came.
        session: the live session; empty where there is none.
        present: whether there is one.
        absence: why there is none.
        ended: whether a login or a logout ended what came; it stays so whatever follows.
        deleted: whether a logout did.
        touched: whether the idle expiry is to be moved in any case.
        final: the fingerprint of what the response was computed from.
    """

    __slots__ = (
        "_came_print", "_frozen", "_told", "_vetted", "_who", "absence", "deleted", "ended", "final", "incoming", "present", "session",
        "settings", "touched",
    )  # fmt: skip

    def __init__(self, settings: Settings, incoming: Incoming, watcher: Watcher, fill: Callable[..., Session] = Session) -> None:
        opened = incoming.opened
        contents = {} if opened is None else opened.contents
        self.settings: Settings = settings
        self.incoming: Incoming = incoming
        self.session: Session = fill(contents, stamp=incoming.stamp, watcher=watcher)
        self.present: bool = opened is not None
        self.absence: Absence | None = incoming.absence
        self.ended: bool = False
        self.deleted: bool = False
        self.touched: bool = False
        self._told: tuple[EventKind, ...] = ()
        self.final: bytes = fingerprint(contents)
        self._came_print = self.final
        # Whose it is: by its fingerprint until it matters, then who that is. What is odd cannot be read from a fingerprint.
        self._who: Who | None = None
        self._vetted: bytes | None = None
        if opened is not None:
            self._vetted = self.final
            if is_odd(self.final):
                self._own(contents)
        # What a verb has vetted and serialised: its fingerprint, stamp and plaintext, and the contents themselves, which
        # are held so that each value is referred to as often at the commit: marshal's fingerprints then have the same bytes.
        self._frozen: tuple[bytes, Stamp, bytes, dict[str, Any]] | None = None

    # ---- what is there

    def valid(self, *, may_forget: bool) -> Session | None:
        """The session, anonymous or not; the clock is asked each time, since a websocket outlives its session."""
        if not self.present:
            return None
        why = self._over(self.stamp, self.settings.clock())
        if why is None:
            return self.session
        if may_forget:
            if not self.is_like(self._came_print):
                self.tell_once(EventKind.EXPIRED_UNSAVED)
            self.forget(why)
        self.absence = why
        return None

    @property
    def stamp(self) -> Stamp:
        """The times of a session that is present."""
        stamp = self.session.stamp
        assert stamp is not None  # noqa: S101  # every session that is present has one
        return stamp

    @property
    def is_fresh(self) -> bool:
        """Whether the session is another than the one that came: begun here, or rotated."""
        stamp, came = self.session.stamp, self.incoming.stamp
        return stamp is not None and (came is None or stamp.id != came.id)

    @property
    def changed(self) -> bool:
        """Whether it is another, holds something else than what came, or is there no more."""
        gone = self.session.stamp is None and self.incoming.stamp is not None
        return gone or self.is_fresh or not self.is_like(self._came_print)

    @property
    def must_end(self) -> bool:
        """Whether a session was ended, which even a failed response must say."""
        return self.ended and (self.deleted or self.incoming.came(self.settings))

    def is_like(self, print_: bytes) -> bool:
        """Whether the contents are those of a fingerprint."""
        return same(self.session, fingerprint(self.session), print_)

    def ignored(self, session: Mapping[str, Any] | None) -> Ignored | None:
        """Why an update with these contents does nothing, or None."""
        if session is None:
            return Ignored.NO_SESSION
        if not self.settings.guard(session):
            return Ignored.NO_USER
        if not self.present or self._owner() is None:
            return Ignored.NOT_AUTHENTICATED
        return None if self._is_owners(session) else Ignored.OTHER_USER

    def _over(self, stamp: Stamp, now: float) -> Absence | None:
        """Why it is over; a stamp never outlives today's settings, so that one comparison tells whether it is."""
        settings = self.settings
        now -= settings.tolerance
        if settings.native is not None and settings.native.ends is not None and now >= settings.native.ends(self.session, stamp.updated_at):
            return Absence.EXPIRED
        if now < stamp.expires_at:
            return None
        return settings.lifetime.absence(stamp.created_at, stamp.updated_at, stamp.expires_at, now)

    # ---- whose it is

    def _own(self, contents: Mapping[str, Any]) -> None:
        self._who, self._vetted = who_is(self.settings.guard, self.settings.identity, contents), None

    def _owner(self) -> Who | None:
        """Who the session belonged to when a verb, or the cookie, put it there."""
        if self._vetted is not None:
            self._own(contents_of(self._vetted))
        return self._who

    def _is_owners(self, session: Mapping[str, Any]) -> bool:
        return same_user(self.settings.guard, self.settings.identity, session, self._owner())

    # ---- what is made of it

    def put(self, contents: dict[str, Any], stamp: Stamp) -> bytes:
        """Make these the contents, if they can be kept; gives their fingerprint, which is not odd then."""
        print_ = fingerprint(contents)
        if is_odd(print_):
            # Another session, or this very one, may be in it: what is live must not be inside itself.
            contents = plain(contents)
            print_ = fingerprint(contents)
        self._freeze(contents, print_, stamp)
        refill(self.session, contents, stamp)
        self.present = True
        return print_

    def begin(self, contents: dict[str, Any]) -> None:
        """Begin a session with these contents, in the place of what came."""
        self._vetted = self.put(contents, self._new_stamp(contents))
        self.ended = True

    def rotate(self) -> None:
        """Give it a new id."""
        restamp(self.session, self._unfenced(self.session, replace(self.moved(), id=_new_id())))

    def touch(self) -> None:
        """Move the idle expiry."""
        restamp(self.session, self.moved())
        self.touched = True

    def forget(self, why: Absence) -> None:
        """There is no session any more."""
        refill(self.session, {}, None)
        self.present = self.touched = False
        self._who = self._vetted = self._frozen = None
        self.absence = why

    def assigned(self) -> None:
        """The session has been assigned to: an empty one begins by it, and a framework's own may be a login."""
        session, settings = self.session, self.settings
        if not self.present:
            if not session:
                return
            self.present = True
            restamp(session, self._new_stamp(session))
            if settings.guard(session) and settings.identity(session) is None:
                self._own(session)  # a site without users: to begin a session of nobody is no login
        if settings.native is not None and not self._is_owners(session):
            # Through a framework's own session object a change of who the user is, is a login or a logout.
            drop(session, [key for key in session if settings.native.drops(key)])
            self._own(session)
            self._frozen = None
            self.ended = True
            restamp(session, self._new_stamp(session))

    def serve_natively(self, settings: Settings) -> None:
        """From here on a login through a framework's own session object is one."""
        whose = self.present and self._vetted is None and self._is_owners(self.session)
        self.settings = settings
        if whose:  # what somebody made of the session before is still judged by who it was
            self._own(self.session)

    def moved(self) -> Stamp:
        """The stamp of a session that is used now; no write moves it back."""
        return self._moved(self.stamp, self.settings.clock())

    def _moved(self, stamp: Stamp, now: float) -> Stamp:
        updated = max(stamp.updated_at, int(now))
        if updated == stamp.updated_at and stamp is not self.incoming.stamp:
            return stamp  # of this request, by today's settings
        expires = self.settings.lifetime.expires_at(stamp.created_at, updated)
        return Stamp(id=stamp.id, created_at=stamp.created_at, updated_at=updated, expires_at=expires)

    def _new_stamp(self, contents: Mapping[str, Any]) -> Stamp:
        now = int(self.settings.clock())
        stamp = Stamp(id=_new_id(), created_at=now, updated_at=now, expires_at=self.settings.lifetime.expires_at(now, now))
        return self._unfenced(contents, stamp) if self.incoming.cookies or self.settings.accepted else stamp  # else nothing came

    def _unfenced(self, contents: Mapping[str, Any], stamp: Stamp) -> Stamp:
        """The stamp, moved on until no mark in the fence, or about to be put there, is that of the new session.

        In a format without an id of ours the same user's next sign-in in the same second would be refused.
        """
        settings, incoming = self.settings, self.incoming
        known = {*incoming.fence, *incoming.marks(settings)}
        while fence.mark(settings.name, settings.codec.mark_id(contents, stamp)) in known:
            created = stamp.created_at + 1
            updated = max(created, stamp.updated_at)
            expires = settings.lifetime.expires_at(created, updated)
            stamp = replace(stamp, created_at=created, updated_at=updated, expires_at=expires)
        return stamp

    def _freeze(self, contents: dict[str, Any], print_: bytes, stamp: Stamp) -> bytes:
        """The plaintext, checked."""
        self._frozen = (print_, stamp, outgoing.payload(self.settings, contents, stamp, print_), contents)
        return self._frozen[2]

    # ---- what the response needs

    def lines(self, status: int, headers: Sequence[tuple[str, str]], request: RequestInfo) -> list[str]:
        """The Set-Cookie lines.

        Args:
            status: the response's; at 500 or more ends are kept and all else is dropped.
            headers: the application's.
            request: what is answered.
        """
        settings, session, incoming = self.settings, self.session, self.incoming
        self.final = fingerprint(session)
        changed = self.present and (self.is_fresh or not same(session, self.final, self._came_print))
        if status >= 500:
            return self._ending(EventKind.ROLLED_BACK if changed else None)
        if not self.present:
            return self._ending(None)
        stamp, now = self.stamp, settings.clock()
        if self._over(stamp, now) is not None:
            return self._ending(EventKind.EXPIRED_UNSAVED if changed else None)
        if changed and (self._frozen is None or not same(session, self.final, self._frozen[0])) and not self._is_owners(session):
            # What a verb has put there is vetted, and what is unchanged cannot be another's.
            raise IdentityChangedError(
                "the session was changed in place into another user's (or nobody's), and nothing of it was saved: "
                "call create_session to log in, delete_session to log out"
            )
        if not session and (settings.native is not None or not settings.guard(session)):
            # Whoever empties an anonymous session wants to be rid of it.
            return outgoing.ending_lines(settings, incoming) if self.deleted or incoming.came(settings) else []
        # What was imported becomes ours; that is worth no cache entry either, but does not depend on `renews`.
        if changed or (incoming.imported is not None and (self.touched or not _is_shy(status, headers))):
            return self._sealed(self._moved(stamp, now), changed=changed)
        if self.touched or (self._is_due(now) and not _is_shy(status, headers) and settings.renews(request)):
            moved = self._moved(stamp, now)
            resealed = settings.codec.kept(session, moved) if settings.codec.seen is None else None
            return outgoing.renewed_lines(settings.suited(session), incoming, resealed, moved)
        return []

    def _ending(self, dropped: EventKind | None) -> list[str]:
        """What is left to say when nothing is kept: the end, if there was one."""
        if dropped is not None:
            self.tell_once(dropped)
        return outgoing.ending_lines(self.settings, self.incoming) if self.must_end else []

    def tell_once(self, kind: EventKind, reason: Absence | None = None) -> None:
        """Tell of something once a request, however often it is asked for or its response begun anew."""
        if kind not in self._told:
            self._told = (*self._told, kind)
            tell(self.settings.on_event, kind, reason)

    def _sealed(self, moved: Stamp, *, changed: bool) -> list[str]:
        settings, session, incoming, frozen = self.settings, self.session, self.incoming, self._frozen
        if not changed:
            plaintext = settings.codec.kept(session, moved)  # others may write more than our budget: what they wrote is not ours to refuse
        elif frozen is not None and (frozen[1] is moved or frozen[1] == moved) and same(session, self.final, frozen[0]):
            plaintext = frozen[2]  # what a verb has checked is not done again
        else:
            plaintext = self._freeze(dict(session), self.final, moved)
        lines = outgoing.sealed_lines(settings.suited(session), incoming, plaintext, moved, begun=self.ended)
        if self.ended or (self.is_fresh and (incoming.stamp is not None or incoming.absence is Absence.AMBIGUOUS)):
            lines += outgoing.fence_lines(settings, incoming)
        return lines

    def _is_due(self, now: float) -> bool:
        stamp = self.incoming.stamp
        return stamp is not None and self.settings.lifetime.due(stamp.created_at, stamp.updated_at, now)


def _is_shy(status: int, headers: Sequence[tuple[str, str]]) -> bool:
    """Whether a response is not worth a renewal: it only confirms what a cache has, or is meant for one."""
    return status == 304 or is_shared(headers)


def _new_id() -> str:
    return encode(os.urandom(16)).decode()  # 128 bits (OWASP ASVS 5.0, 7.2.3), 22 characters; never pooled
