"""The session of a request as it is now: what came, and what has been made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, cast

from .._cookies.caching import UNCHANGED, HeaderChanges
from .._session.events import EventKind, Ignored, tell
from .._session.identity import differing, who_is
from .._session.session import Absence, Session, Stamp, Watcher, drop, refill, restamp, stamp_of
from .._session.snapshot import ODD, contents_of, fingerprint, is_odd, same, settle
from ..errors import SessionTooLargeError
from . import stamps
from . import writing as outgoing
from .config import Settings
from .framework_keys import FrameworkKeys
from .owner import Owner
from .reading import Incoming
from .request import RequestInfo
from .unseen import may_be_hidden, may_be_unnamed

__all__ = ["State"]


class State:
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
        came_print: the fingerprint of the contents that came.
        final: the fingerprint of what the response was computed from.
        is_valid_as_read: whether there was a session, and nothing but its times, which were judged as it was read, can end it.
        changes: what the response was told when the exchange was committed.
    """

    __slots__ = (
        "_carried", "_frozen", "_given", "_intact", "_owner", "_told", "absence", "came_print", "changes", "deleted",
        "ended", "final", "incoming", "is_valid_as_read", "present", "session", "settings", "touched",
    )  # fmt: skip

    def __init__(
        self,
        settings: Settings,
        incoming: Incoming,
        watcher: Watcher,
        fill: Callable[..., Session] = Session,
    ) -> None:
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
        self.is_valid_as_read: bool = self.present and settings.ends is None
        self._told: tuple[EventKind, ...] = ()
        self.changes: HeaderChanges = UNCHANGED
        print_ = fingerprint(contents, settings.tags)
        self.came_print: bytes = print_
        self.final: bytes = print_
        # The fingerprint of the members that an update of this session cannot change.
        self._carried: bytes | None = self._members(contents) if settings.carried else None
        self._owner = Owner(settings, contents, print_)
        # Whether nothing had been changed in place into another user's, when the assignment that goes on now began.
        self._intact: bool = True
        # What a verb was given for the contents, whole.
        self._given: Mapping[str, Any] = {}
        # What a verb has vetted and serialised: its fingerprint, stamp and plaintext, and the contents themselves, which
        # are held so that each value is referred to as often at the commit: marshal's fingerprints then have the same bytes.
        self._frozen: tuple[bytes, Stamp, bytes, dict[str, Any]] | None = None

    # ---- what is there

    def valid(self, *, may_forget: bool) -> Session | None:
        """The session, anonymous or not; the clock is asked each time, since a websocket outlives its session."""
        if not self.present:
            return None
        why = self.over(cast("Stamp", stamp_of(self.session)), self.settings.clock())
        if why is None:
            return self.session
        if may_forget:
            if not self.is_as_it_came(fingerprint(self.session, self.settings.tags)):
                self.tell_once(EventKind.EXPIRED_UNSAVED)
            self.forget(why)
        self.absence = why
        return None

    @property
    def stamp(self) -> Stamp:
        """The times of a session that is present."""
        return cast("Stamp", stamp_of(self.session))

    @property
    def is_fresh(self) -> bool:
        """Whether the session is another than the one that came: begun here, or rotated."""
        came = self.incoming.stamp
        stamp = stamp_of(self.session)
        return self.present and (
            came is None or stamp is None or (stamp is not came and stamp.id != came.id)
        )

    def is_left_alone(self, print_: bytes) -> bool:
        """Return whether the session is the one that came, was not touched, and holds, by its fingerprint, exactly what came."""
        return (
            print_ == self.came_print
            and stamp_of(self.session) is self.incoming.stamp
            and bool(self.session)
            and self.incoming.imported is None
            and not (self.ended or self.touched or print_.startswith(ODD))
        )

    @property
    def changed(self) -> bool:
        """Whether it is another, holds something else than what came, or is there no more."""
        gone = not self.present and self.incoming.stamp is not None
        return (
            gone
            or self.is_fresh
            or not self.is_as_it_came(fingerprint(self.session, self.settings.tags))
        )

    def must_end(self, request: RequestInfo) -> bool:
        """Whether a session was ended, which even a failed response must say."""
        return self.ended and (
            self.deleted or self.incoming.came(self.settings) or self.may_be_hidden(request)
        )

    def may_be_hidden(self, request: RequestInfo) -> bool:
        """Whether a login or a logout ended sessions of which some may be in cookies that the request does not show."""
        return self.ended and may_be_hidden(self.settings, self.incoming, request)

    def is_blind(self, request: RequestInfo) -> bool:
        """Whether a login or a logout ended sessions of which some may have no mark."""
        return self.may_be_hidden(request) or (self.ended and may_be_unnamed(self.incoming))

    @property
    def is_final(self) -> bool:
        """Whether the contents are those that the response was computed from."""
        print_ = fingerprint(self.session, self.settings.tags)
        return print_ == self.final or same(self.session, print_, self.final)

    def settle(self, print_: bytes) -> bytes:
        """Make values that JSON has not what the next request will read, and return the fingerprint of the contents.

        A lazy text, above all, is read while the request lasts: later its language may be another.

        Args:
            print_: the fingerprint of the contents as they are.
        """
        if self.settings.tags is not None and is_odd(print_):
            contents, print_ = settle(dict(self.session), self.settings.tags)
            refill(self.session, contents, self.session.stamp)
        self.final = print_
        return print_

    def is_as_it_came(self, print_: bytes) -> bool:
        """Whether the contents, of which this is the fingerprint, are those that came."""
        if print_ != self.came_print:
            if not same(self.session, print_, self.came_print):
                return False
            self.came_print = print_  # of equal contents, and quicker to compare with the next time
        return True

    def is_vetted(self, print_: bytes) -> bool:
        """Whether the contents, of which this is the fingerprint, are those that a verb put there."""
        frozen = self._frozen
        return frozen is not None and (print_ == frozen[0] or same(self.session, print_, frozen[0]))

    def is_due(self, now: float) -> bool:
        """Whether activity now should move the idle expiry."""
        stamp = self.incoming.stamp
        if stamp is None or (stamp.ends_at is not None and stamp.expires_at >= stamp.ends_at):
            return False  # of a session that expires at its end nothing can be moved
        return self.settings.lifetime.due(stamp.created_at, stamp.updated_at, now)

    def ignored(self, session: Mapping[str, Any] | None) -> Ignored | None:
        """Return why an update with these contents does nothing, or None."""
        if session is None:
            return Ignored.NO_SESSION
        who = who_is(self.settings.guard, self.settings.identity, session)
        if who is None:
            return Ignored.NO_USER
        owner = self._owner.who if self.present else None
        if owner is None:
            return Ignored.NOT_AUTHENTICATED
        return None if who == owner else Ignored.OTHER_USER

    def differing_claim(self, session: Mapping[str, Any]) -> str | None:
        """Return the name of the claim by which contents belong to another user; never its value."""
        settings = self.settings
        who = who_is(settings.guard, settings.identity, session)
        return differing(self._owner.who, who, settings.login_keys)

    def over(self, stamp: Stamp, now: float) -> Absence | None:
        """Why it is over; a stamp never outlives today's settings, so that one comparison tells whether it is."""
        settings = self.settings
        if stamp.ends_at is not None and now >= stamp.ends_at:
            return Absence.EXPIRED
        now -= settings.tolerance
        if settings.ends is not None and now >= self.until(stamp):
            return Absence.EXPIRED
        if now < stamp.expires_at:
            return None
        return settings.lifetime.absence(stamp.created_at, stamp.updated_at, stamp.expires_at, now)

    def until(self, stamp: Stamp) -> float:
        """Return the moment at which the contents themselves end the session; infinity if they do not.

        Args:
            stamp: the times to count from.
        """
        ends = self.settings.ends
        return inf if ends is None else ends(self.session, stamp.updated_at)

    # ---- whose it is

    def _own(self, contents: Mapping[str, Any], print_: bytes) -> None:
        """Record the owner that these contents name."""
        self._owner = Owner(self.settings, contents, print_)

    def is_owners(self, session: Mapping[str, Any]) -> bool:
        """Whether contents belong to the owner."""
        return self._owner.owns(session)

    # ---- what is made of it

    def put(self, contents: dict[str, Any], print_: bytes, stamp: Stamp) -> None:
        """Make these the contents, if they can be kept; whoever they name is the owner from here on."""
        self._freeze(contents, print_, stamp)
        refill(self.session, contents, stamp)
        self._given = contents
        self._owner = Owner(self.settings, contents, print_)
        self.present = True

    def begin(self, contents: dict[str, Any], print_: bytes) -> None:
        """Begin a session with these contents, in the place of what came."""
        self.put(contents, print_, self._begun(contents))
        if self.settings.carried:
            self._carried = self._members(self.session)
        self.ended = True

    def with_carried(self, contents: dict[str, Any]) -> dict[str, Any]:
        """Return contents with the members of the loaded session that no update changes, instead of their own."""
        return contents if self._carried is None else contents | contents_of(self._carried)

    def restore_carried(self) -> bool:
        """Undo what was changed in place in members that no update changes; return whether something was."""
        if self._carried is None or self._has_carried(self._carried):
            return False
        refill(self.session, self.with_carried(dict(self.session)), self.session.stamp)
        return True

    def _members(self, contents: Mapping[str, Any]) -> bytes | None:
        """Return the fingerprint of the members that an update cannot change, or None where there are none."""
        found = {key: contents[key] for key in self.settings.carried if key in contents}
        print_ = fingerprint(found, self.settings.tags)
        return print_ if found and not is_odd(print_) else None

    def _has_carried(self, carried: bytes) -> bool:
        """Return whether these members are still in the session as they were."""
        found = {key: self.session[key] for key in contents_of(carried) if key in self.session}
        return same(found, fingerprint(found, self.settings.tags), carried)

    def rotate(self) -> None:
        """Give it a new id."""
        settings = self.settings
        restamp(
            self.session,
            stamps.rotate_stamp(
                settings, self.incoming, self.session, self.stamp, settings.clock()
            ),
        )

    def touch(self) -> None:
        """Move the idle expiry."""
        restamp(self.session, self.moved())
        self.touched = True

    def forget(self, why: Absence) -> None:
        """There is no session any more."""
        refill(self.session, {}, None)
        self.present = self.touched = False
        self._frozen = self._carried = None
        self._given = {}
        self._own({}, fingerprint({}))
        self.absence = why

    def assigning(self, key: object) -> bool:
        """Notice what was changed in place before an assignment, which the assignment does not make a login.

        Args:
            key: the key that is assigned to; None for several, or all.

        Returns:
            Whether the assignment can begin a session, or make it another user's.
        """
        settings, session = self.settings, self.session
        if settings.framework is None:
            return not self.present
        keys = settings.owner_keys
        if (
            keys is not None
            and key.__class__ is str
            and key not in keys
            and settings.guard(session)
        ):
            return False  # the owner cannot be read off this key: the commonest assignment
        self._intact = self.is_owners(session)
        return True

    def assigned(self) -> None:
        """The session has been assigned to: an empty one begins by it, and a framework's own may be a login."""
        session, framework = self.session, self.settings.framework
        if not self.present:
            if not session:
                return
            self.present = True
            restamp(session, self._begun(session))
        if framework is None:
            return
        if not session or self._is_login():
            # Through a framework's own session object a change of who the user is, is a login or a logout.
            drop(session, [key for key in session if framework.drops(key)])
            if self._carried is not None and self._has_carried(self._carried):
                drop(session, self.settings.carried)  # they are of the earlier user's sign-in
            self._carried = None
            self._own(session, fingerprint(session, self.settings.tags))
            self._frozen = None
            self._given = {}
            self.ended = True
            restamp(session, self._begun(session))

    def _is_login(self) -> bool:
        """Return whether the assignment has just made the session another user's, or nobody's."""
        owner, session = self._owner, self.session
        return not owner.owns(session) and (self._intact or owner.is_nobodys(session))

    def serve_framework(self, settings: Settings) -> None:
        """From here on a login through a framework's own session object is one; what was made of the session before is judged so too."""
        self.settings = settings
        tags = settings.tags
        if tags is not None and self.present:
            if not is_odd(self.came_print):
                came = tags.read(contents_of(self.came_print))
                self.came_print = fingerprint(came, tags)
            contents = tags.read(dict(self.session))
            if contents != self.session:
                refill(self.session, contents, self.session.stamp)
        self._owner = self._owner.under(settings, self.session)

    def plaintext(self, stamp: Stamp, *, vetted: bool) -> bytes:
        """Return what is to be sealed of the contents; what a verb has checked is not checked again.

        Where it does not fit, the oldest of what may be spared is dropped from the session, with an event.
        """
        frozen = self._frozen
        if vetted and frozen is not None and (frozen[1] is stamp or frozen[1] == stamp):
            return frozen[2]
        contents, print_, spare = dict(self.session), self.final, None
        while True:
            try:
                plaintext = self._freeze(contents, print_, stamp)
            except SessionTooLargeError:
                spare = self._spare() if spare is None else spare
                if not spare:
                    raise
                del contents[spare.pop(0)]
                print_ = fingerprint(contents, self.settings.tags)
            else:
                break
        if spare is not None:
            refill(self.session, contents, self.session.stamp)
            self.final = print_
            self.tell_once(EventKind.MADE_ROOM)
        return plaintext

    def _spare(self) -> list[str]:
        """Return the keys that may go where the session does not fit, the first to go first.

        Those that must not cross a login; of a signed-in user only the sign-ins in progress. The oldest go first, what
        this request wrote goes last, and what it wrote last, or gave to a verb, stays.
        """
        session, settings = self.session, self.settings
        keys = settings.framework or FrameworkKeys()
        drops = keys.begins_sign_in if settings.guard(session) else keys.drops
        came = {} if is_odd(self.came_print) else contents_of(self.came_print)
        pool = [key for key in session if drops(key) and key not in self._given]
        written = [key for key in pool if key not in came or came[key] != session[key]]
        return [key for key in pool if key not in written] + written[:-1]

    def moved(self) -> Stamp:
        """The stamp of a session that is used now."""
        settings, stamp = self.settings, cast("Stamp", stamp_of(self.session))
        return stamps.advance_stamp(settings, self.incoming, stamp, settings.clock())

    def _begun(self, contents: Mapping[str, Any]) -> Stamp:
        return stamps.begin_stamp(self.settings, self.incoming, contents, self.settings.clock())

    def _freeze(self, contents: dict[str, Any], print_: bytes, stamp: Stamp) -> bytes:
        """The plaintext, checked."""
        self._frozen = (
            print_,
            stamp,
            outgoing.payload(self.settings, contents, stamp, print_),
            contents,
        )
        return self._frozen[2]

    def tell_once(self, kind: EventKind, reason: Absence | None = None) -> None:
        """Tell of something once a request, however often it is asked for or its response begun anew."""
        if kind not in self._told:
            self._told = (*self._told, kind)
            tell(self.settings.on_event, kind, reason)
