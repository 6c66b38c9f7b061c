"""One request's session: what came, what it becomes, and what the response must say. No I/O."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any, NoReturn

from . import fence, outgoing
from .caching import UNCHANGED, HeaderChanges, header_changes, is_shared
from .errors import IdentityChangedError, ResponseStartedError
from .events import EventKind, Ignored, tell
from .fingerprint import fingerprint, same
from .identity import Who, same_user, who_is
from .importing import read
from .incoming import Incoming
from .request import HOLDER, RequestInfo, is_loopback
from .session import Absence, Session, Stamp, drop, refill, restamp
from .settings import Settings

__all__ = ["COMMITTED", "ENDED", "OPEN", "Exchange", "Phase"]


class Phase(IntEnum):
    """How far a request has come."""

    OPEN = 0
    COMMITTED = 1
    ENDED = 2


# Python 3.11 looks a member up through the class in 0.1 µs, and every request does so several times.
OPEN, COMMITTED, ENDED = Phase


class Exchange:
    """The session of one request: a Cookie header goes in, header lines come out.

    Nothing is read before a verb asks. The verbs change what the session is *now*; what that means for the
    response is decided once, at `commit`, from what came and what is there at the end.

    Attributes:
        settings: the store's.
        request: the view of the request.
        owned: whether somebody will answer the request with what `commit` says.
        phase: open, committed (reading only) or ended.
        outer: the exchange, or the exclusion, of a gateway of another store around this one's.
        reachable: when not None, says whether the calling task may find the exchange implicitly.
        sent: the header fields that an earlier call added to a response nobody else will write.
        taken: the application's header fields that such a call took away.
    """

    __slots__ = (
        "__weakref__", "_absence", "_changes", "_deleted", "_ended", "_final", "_frozen", "_incoming", "_live", "_present",
        "_print", "_touched", "_who", "outer", "owned", "phase", "reachable", "request", "sent", "settings", "taken",
    )  # fmt: skip

    taken: tuple[tuple[str, str], ...]
    # Set when the request is looked at, and not before: a request that nobody asks for its session must cost nothing.
    _absence: Absence | None
    _changes: HeaderChanges
    _deleted: bool
    _ended: bool
    _final: bytes
    _frozen: tuple[bytes, Stamp, bytes] | None
    _live: Session
    _present: bool
    _print: bytes
    _touched: bool
    _who: Who | None

    def __init__(self, settings: Settings, request: RequestInfo, *, owned: bool = True) -> None:
        self.settings: Settings = settings
        self.request: RequestInfo = request
        self.owned: bool = owned
        self.phase: Phase = OPEN
        self.outer: object = None
        self.reachable: Callable[[], bool] | None = None
        self.sent: tuple[tuple[str, str], ...] = ()
        self._incoming: Incoming | None = None

    # ---- the verbs

    def get(self) -> Session | None:
        """The live session of an authenticated user, or None (then `absence` says why)."""
        session = self._valid()
        if session is not None and not self.settings.guard(session):
            self._absence = Absence.ANONYMOUS
            return None
        return session

    @property
    def contents(self) -> Session:
        """The live contents, of an anonymous session too; what a framework's own session object shows.

        Empty when there is no session; the first assignment begins an anonymous one.
        """
        self._valid()
        return self._live

    @property
    def absence(self) -> Absence | None:
        """Why `get` gives None, or None while it gives a session."""
        return self._absence if self.get() is None else None

    def update(self, session: Mapping[str, Any] | None = None) -> bool:
        """Replace the contents of an authenticated user's session; returns whether it did.

        Args:
            session: the contents that it shall have; with None nothing happens.

        Raises:
            SerializationError: it is not JSON.
            SessionTooLargeError: it does not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        self._writable("update_session")
        current = self._valid()
        ignored = self._ignored(session)
        if ignored is not None or current is None or session is None:
            tell(self.settings.on_event, EventKind.UPDATE_IGNORED, ignored)
            return False
        self._put(dict(session), self._moved(_stamp(current)))
        return True

    def touch(self) -> bool:
        """Move the idle expiry, now, and change nothing else; returns whether there was one.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        self._writable("touch_session")
        current = self._valid()
        if current is None or self.settings.lifetime.idle is None:
            return False
        restamp(current, self._moved(_stamp(current)))
        self._touched = True
        return True

    def create(self, session: Mapping[str, Any]) -> Session:
        """Begin a session with exactly these contents; whatever came with the request is dead from here on.

        Args:
            session: the contents.

        Returns:
            The live session.

        Raises:
            ValueError: the contents do not pass the guard.
            SerializationError: they are not JSON.
            SessionTooLargeError: they do not fit in `max_bytes`.
            ResponseStartedError: the exchange is committed.
        """
        self._writable("create_session")
        if not self.settings.guard(session):
            raise ValueError("create_session was given a session that does not pass the guard: by default it needs a user")
        self._valid()
        contents = dict(session)
        self._put(contents, self._new_stamp(contents))
        self._who = self._identify(contents)
        self._ended = True
        return self._live

    def rotate(self) -> bool:
        """Give the session a new id, so that the earlier one is dead; returns whether there was one.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        self._writable("rotate_session")
        current = self._valid()
        if current is None:
            return False
        restamp(current, self._unfenced(current, replace(self._moved(_stamp(current)), id=_new_id())))
        return True

    def delete(self) -> bool:
        """End the session, and whatever else came with the request; returns whether there was one.

        Raises:
            ResponseStartedError: the exchange is committed.
        """
        self._writable("delete_session")
        existed = self._valid() is not None
        self._forget(Absence.LOGGED_OUT)
        self._ended = self._deleted = True
        return existed

    # ---- the response

    def commit(self, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> HeaderChanges:
        """Decide what the response says, and close.

        It may be asked again with another status until the first byte is out.

        Args:
            status: the response's status; at 500 or more changes are dropped and ends are kept.
            headers: those of the application.

        Raises:
            IdentityChangedError: the session was changed in place into somebody else's.
            SerializationError, SessionTooLargeError: it was changed in place into what cannot be kept.
        """
        if self._incoming is None:
            self.phase = COMMITTED
            return UNCHANGED
        self._changes = self.answer(status, headers)
        self.phase = COMMITTED
        return self._changes

    def close_unread(self) -> bool:
        """Close, if nobody has asked for the session: the response then has nothing to say; returns whether it did."""
        if self._incoming is not None:
            return False
        self.phase = COMMITTED
        return True

    def answer(self, status: int, headers: Sequence[tuple[str, str]]) -> HeaderChanges:
        """What the response must say if it went out now; closes nothing.

        Args:
            status: the response's status.
            headers: those of the application.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError: as for `commit`.
        """
        incoming = self._incoming
        if incoming is None:
            return UNCHANGED
        lines = self._lines(incoming, status, shy=status == 304 or is_shared(headers))
        if lines:
            self._warn_if_dropped()
        return header_changes(headers, lines, present=incoming.opened is not None or self._present)

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """The headers that the response needs, once the exchange is committed."""
        return list(self._changes.add) if self._incoming is not None and self.phase is not OPEN else []

    @property
    def looked_at(self) -> bool:
        """Whether anything asked for the session yet; to ask this reads nothing."""
        return self._incoming is not None

    @property
    def changed(self) -> bool:
        """Whether the session is now another, or holds something else, than what came; to ask this reads nothing."""
        incoming = self._incoming
        if incoming is None:
            return False
        came = None if incoming.stamp is None else incoming.stamp.id
        now = None if self._live.stamp is None else self._live.stamp.id
        return came != now or not self._is_like(self._print)

    @property
    def must_end(self) -> bool:
        """Whether a session was ended, which even a failed response must say."""
        return self._incoming is not None and self._ended and bool(self._deleted or self._incoming.came)

    def finish(self) -> None:
        """The request is over: report what was changed too late or never answered, and be found no more."""
        if self._incoming is not None:
            if self.phase is COMMITTED and not self._is_like(self._final):
                tell(self.settings.on_event, EventKind.LATE_CHANGE)
            elif self.phase is OPEN and self.changed:
                tell(self.settings.on_event, EventKind.ROLLED_BACK)
        self.phase = ENDED
        holder = self.request.holder
        if holder.get(HOLDER) is self:
            if self.outer is None:
                del holder[HOLDER]  # no cycle is left for the collector
            else:
                holder[HOLDER] = self.outer

    def serve_natively(self, settings: Settings) -> None:
        """A gateway inside the one that made this exchange serves a framework's own session object.

        From here on a login through that object is one, whoever put the outer gateway around the framework.
        """
        if self.settings.native is not None or settings.native is None:
            return
        whose = self._incoming is not None and self._present and self._is_same_user()
        self.settings = settings
        if whose:  # what somebody made of the session before is still judged by who it was
            self._who = self._identify(self._live)

    # ---- what a live session tells (session.Watcher)

    def writing(self) -> None:
        """A live session is about to be assigned to."""
        self._writable("an assignment to the session")

    def written(self) -> None:
        """A live session has been assigned to."""
        live = self._live
        if not self._present:
            if not live:
                return
            self._present = True
            restamp(live, self._new_stamp(live))
            if self.settings.guard(live) and self.settings.identity(live) is None:
                self._who = self._identify(live)  # a site without users: to begin a session of nobody is no login
        if self.settings.native is not None and not self._is_same_user():
            # Through a framework's own session object a change of who the user is, is a login or a logout.
            drop(live, [key for key in live if self.settings.native.drops(key)])
            self._who = self._identify(live)
            self._frozen = None
            self._ended = True
            restamp(live, self._new_stamp(live))

    # ---- reading

    def _load(self) -> Incoming:
        if self._incoming is not None:
            return self._incoming
        settings = self.settings
        incoming = read(settings, self.request.cookie_header, settings.clock())
        self._ended = self._deleted = self._touched = False
        self._frozen = None
        self._changes = UNCHANGED
        self._absence = incoming.absence
        self._present = incoming.opened is not None
        contents = incoming.opened.contents if incoming.opened is not None else {}
        self._live = Session(contents, stamp=incoming.stamp, watcher=self)
        self._print = self._final = fingerprint(self._live)
        self._who = self._identify(contents) if self._present else None
        self._incoming = incoming
        if incoming.absence not in (None, Absence.NO_COOKIE):
            tell(settings.on_event, EventKind.REFUSED, incoming.absence)
        return incoming

    def _is_like(self, print_: bytes) -> bool:
        return same(fingerprint(self._live), print_)

    def _valid(self) -> Session | None:
        """The live session, anonymous or not; the clock is asked each time, since a websocket outlives its session."""
        self._load()
        if not self._present:
            return None
        why = self._over()
        if why is None:
            return self._live
        if self.phase is OPEN:
            if not self._is_like(self._print):
                tell(self.settings.on_event, EventKind.EXPIRED_UNSAVED)
            self._forget(why)
        self._absence = why
        return None

    def _over(self) -> Absence | None:
        stamp, settings = _stamp(self._live), self.settings
        return settings.lifetime.absence(stamp.created_at, stamp.updated_at, stamp.expires_at, settings.clock() - settings.tolerance)

    def _identify(self, session: Mapping[str, Any]) -> Who | None:
        return who_is(self.settings.guard, self.settings.identity, session)

    def _is_same_user(self) -> bool:
        return same_user(self.settings.guard, self.settings.identity, self._live, self._who)

    def _ignored(self, session: Mapping[str, Any] | None) -> Ignored | None:
        settings = self.settings
        if session is None:
            return Ignored.NO_SESSION
        if not settings.guard(session):
            return Ignored.NO_USER
        if not self._present or self._who is None:
            return Ignored.NOT_AUTHENTICATED
        return None if same_user(settings.guard, settings.identity, session, self._who) else Ignored.OTHER_USER

    # ---- writing

    def _writable(self, what: str) -> None:
        if self.phase is not OPEN:
            raise ResponseStartedError(
                f"{what} came too late: the response's headers have gone out. Write the session before the response starts "
                "(before the first byte of a stream, before a websocket is accepted, not in a background task)"
            )

    def _put(self, contents: dict[str, Any], stamp: Stamp) -> None:
        """Make these the live contents, if they can be kept."""
        self._freeze(contents, fingerprint(contents), stamp)
        refill(self._live, contents, stamp)
        self._present = True

    def _forget(self, why: Absence) -> None:
        refill(self._live, {}, None)
        self._present = self._touched = False
        self._who = self._frozen = None
        self._absence = why

    def _moved(self, stamp: Stamp) -> Stamp:
        updated = max(stamp.updated_at, int(self.settings.clock()))  # no write moves it back
        created = stamp.created_at
        return Stamp(id=stamp.id, created_at=created, updated_at=updated, expires_at=self.settings.lifetime.expires_at(created, updated))

    def _new_stamp(self, contents: Mapping[str, Any]) -> Stamp:
        now = int(self.settings.clock())
        expires = self.settings.lifetime.expires_at(now, now)
        return self._unfenced(contents, Stamp(id=_new_id(), created_at=now, updated_at=now, expires_at=expires))

    def _unfenced(self, contents: Mapping[str, Any], stamp: Stamp) -> Stamp:
        """The stamp, moved on until no mark in the fence, or about to be put there, is that of the new session.

        In a format without an id of ours the same user's next sign-in in the same second would be refused.
        """
        settings, incoming = self.settings, self._load()
        known = {*incoming.fence, *incoming.marks(settings)}
        while known and fence.mark(settings.name, settings.codec.mark_id(contents, stamp)) in known:
            created = stamp.created_at + 1
            updated = max(created, stamp.updated_at)
            expires = settings.lifetime.expires_at(created, updated)
            stamp = replace(stamp, created_at=created, updated_at=updated, expires_at=expires)
        return stamp

    def _freeze(self, contents: dict[str, Any], print_: bytes, stamp: Stamp) -> bytes:
        """The plaintext, checked; what a verb has checked is not done again at commit."""
        frozen = self._frozen
        if frozen is None or frozen[1] != stamp or not same(frozen[0], print_):
            frozen = self._frozen = (print_, stamp, outgoing.payload(self.settings, contents, stamp))
        return frozen[2]

    # ---- deciding

    def _lines(self, incoming: Incoming, status: int, *, shy: bool) -> list[str]:
        """The Set-Cookie lines, from what came, what is there now, and the status."""
        settings, live, stamp = self.settings, self._live, self._live.stamp
        fresh = stamp is not None and (incoming.stamp is None or stamp.id != incoming.stamp.id)
        self._final = fingerprint(live)
        changed = self._present and (fresh or not same(self._final, self._print))
        if status >= 500:
            if changed:
                tell(settings.on_event, EventKind.ROLLED_BACK)
            return outgoing.ending_lines(settings, incoming) if self.must_end else []
        if not self._present or stamp is None:
            return outgoing.ending_lines(settings, incoming) if self.must_end else []
        if self._over() is not None:
            if changed:
                tell(settings.on_event, EventKind.EXPIRED_UNSAVED)
            return outgoing.ending_lines(settings, incoming) if self.must_end else []
        if changed and (self._frozen is None or not same(self._frozen[0], self._final)):
            self._check_identity()  # what a verb has put there is vetted, and what is unchanged cannot be another's
        if not live and (settings.native is not None or not settings.guard(live)):
            # Whoever empties an anonymous session wants to be rid of it.
            return outgoing.ending_lines(settings, incoming) if incoming.came else []
        # What was imported becomes ours; that is worth no cache entry either, but does not depend on `renews`.
        if changed or (incoming.imported is not None and (self._touched or not shy)):
            moved = self._moved(stamp)
            # Others may write more than our budget: to keep what they wrote is not ours to refuse.
            frozen = self._freeze(live, self._final, moved) if changed else settings.codec.kept(live, moved)
            lines = outgoing.sealed_lines(settings.suited(live), incoming, frozen, moved, begun=self._ended)
            if self._ended or (fresh and (incoming.stamp is not None or incoming.absence is Absence.AMBIGUOUS)):
                lines += outgoing.fence_lines(settings, incoming)
            return lines
        if self._touched or (not shy and self._due(incoming) and settings.renews(self.request)):
            moved = self._moved(stamp)
            resealed = settings.codec.kept(live, moved) if settings.codec.seen is None else None
            return outgoing.renewed_lines(settings.suited(live), incoming, resealed, moved)
        return []

    def _due(self, incoming: Incoming) -> bool:
        stamp, settings = incoming.stamp, self.settings
        return stamp is not None and settings.lifetime.due(stamp.created_at, stamp.updated_at, settings.clock())

    def _check_identity(self) -> None:
        if not self._is_same_user():
            raise IdentityChangedError(
                "the session was changed in place into another user's (or nobody's), and nothing of it was saved: "
                "call create_session to log in, delete_session to log out"
            )

    def _warn_if_dropped(self) -> None:
        request = self.request
        if self.settings.cookie.secure and request.scheme in ("http", "ws") and not is_loopback(request.header("host")):
            self.settings.warn_once(EventKind.INSECURE)

    # ---- an exchange belongs to one request

    def __repr__(self) -> str:
        return f"<Exchange {self.phase.name.lower()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Exchange belongs to one request and does not pickle")

    def __deepcopy__(self, memo: dict[int, Any]) -> Exchange:
        return self


def _new_id() -> str:
    return secrets.token_urlsafe(16)  # 128 bits (OWASP ASVS 5.0, 7.2.3), 22 characters


def _stamp(session: Session) -> Stamp:
    stamp = session.stamp
    assert stamp is not None  # noqa: S101  # every session that is present has one
    return stamp
