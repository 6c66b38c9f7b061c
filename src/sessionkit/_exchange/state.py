"""The state of one request's session: what its cookies held, and the contents now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from typing import Any, cast

from .._cookies.caching import UNCHANGED, HeaderChanges
from .._session.events import EventKind, Ignored, tell
from .._session.json import freeze
from .._session.session import (
    ALL,
    Absence,
    Session,
    Stamp,
    Watcher,
    drop,
    refill,
    restamp,
    stamp_of,
)
from .._session.snapshot import (
    OPAQUE,
    are_equal,
    is_opaque,
    normalize,
    restore_contents,
    same,
    take_snapshot,
)
from ..errors import SessionTooLargeError
from . import stamps, writing
from .carried_members import Carried, find_carried
from .expiry import judge_stamp
from .framework_keys import FrameworkKeys
from .hidden_sessions import may_be_hidden, may_be_overwritten, may_be_unnamed
from .reading import RequestCookies
from .request import RequestInfo
from .settings import Settings
from .spare_keys import list_spare_keys
from .update_guard import Owner

__all__ = ["State"]

OVER = frozenset(
    {
        Absence.ABSOLUTE,
        Absence.EXPIRED,
        Absence.IDLE,
        Absence.UNKNOWN_RECORD,
        Absence.LOGGED_OUT,
        Absence.REVOKED,
    }
)
"""The reasons by which an authentic session is known to be over."""


class State:
    """Mutable session state of one request: what the cookies held, and the contents now.

    There is no state machine. Whether the session is unchanged, updated, created or ended is read off these two.

    Attributes:
        settings: the store's settings.
        cookies: the request's cookies.
        session: the live session; empty if there is no session.
        present: whether there is a session.
        absence: the reason why there is no session.
        ended: whether a login or a logout ended the sessions that came. Nothing later in the request takes that back.
        deleted: whether a logout did.
        touched: whether the idle expiry moves in any case.
        loaded_snapshot: the snapshot of the contents in the cookies.
        owner: the owner of the session, who guards it against updates.
        final_snapshot: the snapshot of the contents that the response was computed from.
        is_valid_as_read: whether there was a session, and only its times, which were judged as it was read, can end it.
        saved: whether the backend has been told of a change.
        changes: the header changes of the response, once the exchange is committed.
    """

    __slots__ = (
        "_assigned", "_carried", "_equal", "_loaded", "_owner_intact", "_told", "_verb_contents", "_vetted", "absence", "changes",
        "cookies", "deleted", "ended", "final_snapshot", "is_valid_as_read", "loaded_snapshot", "owner", "present", "saved",
        "session", "settings", "touched",
    )  # fmt: skip

    def __init__(
        self,
        settings: Settings,
        cookies: RequestCookies,
        watcher: Watcher,
        fill: Callable[..., Session] = Session,
    ) -> None:
        token = cookies.token
        contents = {} if token is None else token.contents
        self.settings: Settings = settings
        self.cookies: RequestCookies = cookies
        self.session: Session = fill(contents, stamp=cookies.stamp, watcher=watcher)
        self.present: bool = token is not None
        self.absence: Absence | None = cookies.absence
        self.ended: bool = False
        self.deleted: bool = False
        self.touched: bool = False
        self.saved: bool = False
        self.is_valid_as_read: bool = self.present and settings.contents_end is None
        self._told: tuple[EventKind, ...] = ()
        self.changes: HeaderChanges = UNCHANGED
        snapshot = take_snapshot(contents, settings.tags)
        self.loaded_snapshot: bytes = snapshot
        self.final_snapshot: bytes = snapshot
        # Two unlike snapshots of equal contents: a value that the application holds too is written otherwise.
        self._equal: tuple[bytes, bytes] = (b"", b"")
        # The members that an update of this session cannot change.
        self._carried: Carried | None = None
        if settings.carried:
            self._carried = find_carried(settings.carried, contents)
        self.owner: Owner = Owner(settings, contents, snapshot)
        # It restores the loaded contents once for everybody.
        self._loaded = self.owner
        # Whether the session still belonged to its owner before the current assignment.
        self._owner_intact: bool = True
        # The key of the current assignment, or `ALL`; None for several.
        self._assigned: object = None
        # The contents that a verb was given.
        self._verb_contents: Mapping[str, Any] = {}
        # The snapshot, stamp and plaintext that a verb has checked, and the contents themselves. The contents are held so
        # that each value is referred to as often at the commit: then marshal writes the same bytes again.
        self._vetted: tuple[bytes, Stamp, bytes, dict[str, Any]] | None = None

    # ---- questions about the session

    def find_valid(self, *, may_forget: bool) -> Session | None:
        """Return the session, anonymous ones included; None if there is none, or if it has expired by now.

        The clock is asked at each call, because a websocket outlives its session.

        Args:
            may_forget: whether an expired session is dropped, which is possible until the response starts.
        """
        if not self.present:
            return None
        now = self.settings.clock()
        reason = self.judge_expiry(cast("Stamp", stamp_of(self.session)), now)
        if reason is None:
            return self.session
        if may_forget:
            if not self.is_as_loaded(take_snapshot(self.session, self.settings.tags)):
                self.tell_once(EventKind.EXPIRED_UNSAVED)
            self.note_own_end(now)
            self.forget(reason)
        self.absence = reason
        return None

    @property
    def stamp(self) -> Stamp:
        """The stamp of a session that is present."""
        return cast("Stamp", stamp_of(self.session))

    @property
    def is_fresh(self) -> bool:
        """Whether this request created or rotated the session."""
        loaded = self.cookies.stamp
        stamp = stamp_of(self.session)
        return self.present and (
            loaded is None or stamp is None or (stamp is not loaded and stamp.id != loaded.id)
        )

    @property
    def changed(self) -> bool:
        """Whether the session was created, rotated, changed or ended in this request."""
        gone = not self.present and self.cookies.stamp is not None
        return (
            gone
            or self.saved
            or self.is_fresh
            or not self.is_as_loaded(take_snapshot(self.session, self.settings.tags))
        )

    def must_end(self, request: RequestInfo) -> bool:
        """Return whether a session was ended, which even a failed response must say."""
        return self.ended and (
            self.deleted
            or self.cookies.may_hold_session(self.settings)
            or self.may_be_hidden(request)
        )

    def may_be_hidden(self, request: RequestInfo) -> bool:
        """Return whether a login or logout ended sessions that may be in cookies which the request does not show."""
        return self.ended and may_be_hidden(self.settings, self.cookies, request)

    def may_be_unmarked(self, request: RequestInfo) -> bool:
        """Return whether a login or logout ended sessions that may have no mark, so that only a barrier ends them."""
        return self.may_be_hidden(request) or (
            self.ended
            and (may_be_unnamed(self.cookies) or may_be_overwritten(self.settings, self.cookies))
        )

    @property
    def is_final(self) -> bool:
        """Whether the contents are those that the response was computed from."""
        return self.is_as_final(take_snapshot(self.session, self.settings.tags))

    def is_as_final(self, snapshot: bytes) -> bool:
        """Return whether the contents equal those that the response was computed from.

        Args:
            snapshot: the snapshot of the contents now.
        """
        final = self.final_snapshot
        if final is self.loaded_snapshot:
            return self.is_as_loaded(snapshot)
        return snapshot == final or same(self.session, snapshot, final)

    def normalize(self) -> bytes:
        """Replace values that JSON does not have by those that the next request will read; return the new snapshot.

        A lazy text, above all, is read while the request lasts: later its language may be another.
        """
        contents, snapshot = normalize(dict(self.session), self.settings.tags)
        refill(self.session, contents, self.session.stamp)
        return snapshot

    def is_as_loaded(self, snapshot: bytes) -> bool:
        """Return whether the contents equal those in the cookies.

        Args:
            snapshot: the snapshot of the contents now.
        """
        loaded = self.loaded_snapshot
        if snapshot == loaded or (loaded, snapshot) == self._equal:
            return True
        if snapshot.startswith(OPAQUE) or loaded.startswith(OPAQUE):
            return False
        if not are_equal(self.session, self._restore_loaded()):
            return False
        self._equal = (loaded, snapshot)
        return True

    def _restore_loaded(self) -> dict[str, Any]:
        """Return the contents of `loaded_snapshot`, which is not opaque; they are not to be changed."""
        loaded = self._loaded
        if loaded.snapshot is self.loaded_snapshot:
            return loaded.restore()
        return restore_contents(self.loaded_snapshot)

    def is_vetted(self, snapshot: bytes) -> bool:
        """Return whether the contents equal those that a verb has checked.

        Args:
            snapshot: the snapshot of the contents now.
        """
        vetted = self._vetted
        return vetted is not None and (
            snapshot == vetted[0] or same(self.session, snapshot, vetted[0])
        )

    def is_renewal_due(self, now: float) -> bool:
        """Return whether activity now should move the idle expiry."""
        stamp = self.cookies.stamp
        if stamp is None or (stamp.ends_at is not None and stamp.expires_at >= stamp.ends_at):
            # A session that lives until the end that its contents set has no expiry to move.
            return False
        lifetime = self.settings.find_lifetime(stamp.lifetime)
        return lifetime.due(stamp.created_at, stamp.updated_at, now)

    def judge_expiry(self, stamp: Stamp, now: float) -> Absence | None:
        """Return the reason why the session has expired, or None if it is valid.

        Args:
            stamp: the session's stamp. Its `expires_at` is within the limits of the settings already.
            now: seconds since the epoch.
        """
        settings = self.settings
        if settings.contents_end is not None and self._is_over(stamp, now):
            return Absence.EXPIRED
        if now < stamp.expires_at and (stamp.ends_at is None or now < stamp.ends_at):
            # The commonest case. A record that was loaded again may promise more than the end that no activity moves.
            return None
        verdict = judge_stamp(settings, stamp, now)
        return verdict if isinstance(verdict, Absence) else None

    def _is_over(self, stamp: Stamp, now: float) -> bool:
        """Return whether the contents have ended the session. A change in place is activity, so its end counts from now.

        Args:
            stamp: the session's stamp.
            now: seconds since the epoch.
        """
        judged = now - self.settings.tolerance
        if judged < self.find_contents_end(stamp):
            return False
        if self.is_as_loaded(take_snapshot(self.session, self.settings.tags)):
            return True
        return judged >= self.find_contents_end(replace(stamp, updated_at=int(now)))

    def note_own_end(self, now: float) -> None:
        """Note that a change of this request ends the session if it does, as a logout: else the browser would keep the earlier one.

        Args:
            now: seconds since the epoch.
        """
        is_changed = not self.is_as_loaded(take_snapshot(self.session, self.settings.tags))
        if self.settings.contents_end is not None and is_changed and self._is_over(self.stamp, now):
            self.ended = True

    def find_contents_end(self, stamp: Stamp) -> float:
        """Return the moment when the contents themselves end the session; infinity if they do not.

        Args:
            stamp: the stamp with the time of the last activity.
        """
        contents_end = self.settings.contents_end
        if contents_end is None:
            return inf
        try:
            return contents_end(self.session, stamp.updated_at)
        except TypeError:
            if self.is_as_loaded(take_snapshot(self.session, self.settings.tags)):
                # A cookie raises no error, and the session may have ended.
                return -inf
            raise

    def accepts_update(self, contents: dict[str, Any]) -> bool:
        """Return whether an update that is replayed may replace the contents by these; report the reason if not.

        The verb has returned True already, so nothing else says that the update is dropped.

        Args:
            contents: the result of the update's function.

        Raises:
            SerializationError: the contents are not JSON.
        """
        settings = self.settings
        contents, snapshot = normalize(contents, settings.tags)
        ignored = self.owner.judge_update(contents, present=self.present)
        if ignored is not None:
            self.tell_ignored(ignored, contents)
            return False
        freeze(contents, settings.serializer, settings.largest_integer, snapshot)
        return True

    def snapshot_of(self, contents: dict[str, Any]) -> bytes:
        """Return the snapshot of contents by the settings of this session."""
        return take_snapshot(contents, self.settings.tags)

    # ---- changes of the session

    def replace_contents(self, contents: dict[str, Any], snapshot: bytes, stamp: Stamp) -> None:
        """Replace the contents, if the new ones can be kept; the user whom they name becomes the owner.

        Args:
            contents: the new contents.
            snapshot: their snapshot.
            stamp: the new stamp.

        Raises:
            SerializationError, SessionTooLargeError: the contents cannot be kept, and nothing has changed.
            TypeError: the framework cannot read when they end the session, and nothing has changed.
        """
        if self.settings.contents_end is not None:
            self.settings.contents_end(contents, stamp.updated_at)
        plaintext = writing.make_checked_plaintext(self.settings, contents, stamp, snapshot)
        self._vetted = (snapshot, stamp, plaintext, contents)
        refill(self.session, contents, stamp)
        self._verb_contents = contents
        self.owner = Owner(self.settings, contents, snapshot)
        self.present = True

    def begin(self, contents: dict[str, Any], snapshot: bytes, lifetime: str | None = None) -> None:
        """Begin a session with these contents, which ends the sessions that came.

        Args:
            contents: the contents.
            snapshot: their snapshot.
            lifetime: the name of the session's lifetime; None for the default one.

        Raises:
            SerializationError, SessionTooLargeError: as for `replace_contents`.
        """
        self.replace_contents(contents, snapshot, self._begin_stamp(contents, lifetime))
        if self.settings.carried:
            self._carried = find_carried(self.settings.carried, self.session)
        self.ended = True

    def merge_carried(self, contents: dict[str, Any]) -> dict[str, Any]:
        """Return contents with the carried members of the loaded session."""
        return contents if self._carried is None else self._carried.merge_into(contents)

    def restore_carried(self) -> bool:
        """Undo changes in place of carried members; return whether there were any."""
        if self._carried is None or self._carried.are_in(self.session):
            return False
        refill(self.session, self.merge_carried(dict(self.session)), self.session.stamp)
        return True

    def rotate(self) -> None:
        """Give the session a new id."""
        settings = self.settings
        restamp(
            self.session,
            stamps.rotate_stamp(settings, self.cookies, self.session, self.stamp, settings.clock()),
        )

    def rebase(self, contents: dict[str, Any], loaded_snapshot: bytes) -> None:
        """Replace the contents by those of a merge.

        Args:
            contents: the merged contents.
            loaded_snapshot: the snapshot of the contents that the backend has.
        """
        refill(self.session, contents, self.session.stamp)
        self.loaded_snapshot = loaded_snapshot
        self._vetted = None

    def restamp(self, stamp: Stamp) -> None:
        """Replace the stamp of the session by that of its record.

        Args:
            stamp: the new stamp, with the same id.
        """
        fresh = self.is_fresh
        restamp(self.session, stamp)
        if not fresh:
            self.cookies.stamp = stamp

    def touch(self) -> None:
        """Move the idle expiry."""
        restamp(self.session, self.advance_stamp())
        self.touched = True

    def forget(self, reason: Absence) -> None:
        """Drop the session, so that there is none from here on.

        Args:
            reason: the reason why there is none.
        """
        refill(self.session, {}, None)
        self.present = self.touched = False
        self._vetted = self._carried = None
        self._verb_contents = {}
        self.owner = Owner(self.settings, {}, take_snapshot({}))
        self.absence = reason

    # ---- assignments to the live session, and logins through a framework's own session object

    def before_assignment(self, key: object) -> bool:
        """Prepare for an assignment: note whether a change in place has already given the session to another user.

        The assignment does not make such a change a login.

        Args:
            key: the key that is assigned to; `ALL`, or None for several.

        Returns:
            Whether the assignment can begin a session, or give it to another user.
        """
        settings, session = self.settings, self.session
        if settings.framework is None:
            return not self.present
        keys = settings.owner_keys
        if (
            self.present
            and keys is not None
            and key.__class__ is str
            and key not in keys
            and settings.guard(session)
        ):
            # The commonest assignment is to a key that says nothing about the owner.
            return False
        self._owner_intact = self.owner.owns(session)
        self._assigned = key
        return True

    def after_assignment(self) -> None:
        """Notice an assignment: it begins a session where there is none, and in a framework's own object it may be a login."""
        session, framework = self.session, self.settings.framework
        if not self.present:
            if framework is not None and self._is_logout_of_unread(framework):
                self.ended = True
            if not session:
                return
            self.present = True
            restamp(session, self._begin_stamp(session))
        if framework is None:
            return
        if not session or self._is_login():
            drop(session, [key for key in session if framework.drops(key)])
            if self._carried is not None and self._carried.are_in(session):
                # The carried members belong to the earlier user's sign-in.
                drop(session, self.settings.carried)
            self._carried = None
            self.owner = Owner(self.settings, session, take_snapshot(session, self.settings.tags))
            self._vetted = None
            self._verb_contents = {}
            self.ended = True
            restamp(session, self._begin_stamp(session))

    def _is_logout_of_unread(self, framework: FrameworkKeys) -> bool:
        """Return whether the assignment, made while there is no session, logs out a user whose cookies could not be read."""
        if self.absence in OVER:
            # A clearing line that arrives late would end the login after it.
            return False
        key, session = self._assigned, self.session
        is_dropped = isinstance(key, str) and key in framework.noticed
        return (
            (is_dropped and self.owner.is_nobodys(session)) or (key is ALL and not session)
        ) and self.cookies.may_hold_session(self.settings)

    def _is_login(self) -> bool:
        """Return whether the assignment has just given the session to another user, or to nobody."""
        owner, session = self.owner, self.session
        return not owner.owns(session) and (self._owner_intact or owner.is_nobodys(session))

    def serve_framework(self, settings: Settings) -> None:
        """Use the settings for a framework's own session object from here on, for earlier changes of the session too."""
        self.settings = settings
        tags = settings.tags
        if tags is not None and self.present:
            if not is_opaque(self.loaded_snapshot):
                loaded = tags.read(restore_contents(self.loaded_snapshot))
                self.loaded_snapshot = take_snapshot(loaded, tags)
            contents = tags.read(dict(self.session))
            if contents != self.session:
                refill(self.session, contents, self.session.stamp)
        self.owner = self.owner.with_framework(settings, self.session)

    # ---- the plaintext

    def make_plaintext(self, stamp: Stamp, *, vetted: bool, as_loaded: bool = False) -> bytes:
        """Return the plaintext to seal; contents that a verb has checked are not checked again.

        If the session does not fit, the oldest keys that may be dropped are dropped from it, and an event reports it.

        Args:
            stamp: the stamp to seal with.
            vetted: whether a verb has checked the contents.
            as_loaded: whether the contents equal those in the cookies.

        Raises:
            SerializationError, SessionTooLargeError: the contents cannot be kept.
        """
        checked = self._vetted
        if vetted and checked is not None and (checked[1] is stamp or checked[1] == stamp):
            return checked[2]
        contents, snapshot, spare_keys = dict(self.session), self.final_snapshot, None
        while True:
            try:
                plaintext = writing.make_checked_plaintext(
                    self.settings, contents, stamp, snapshot, as_loaded=as_loaded
                )
            except SessionTooLargeError:
                spare_keys = self._list_spare_keys() if spare_keys is None else spare_keys
                if not spare_keys:
                    raise
                del contents[spare_keys.pop(0)]
                snapshot = take_snapshot(contents, self.settings.tags)
            else:
                break
        self._vetted = (snapshot, stamp, plaintext, contents)
        if spare_keys is not None:
            refill(self.session, contents, self.session.stamp)
            self.final_snapshot = snapshot
            self.tell_once(EventKind.MADE_ROOM)
        return plaintext

    def _list_spare_keys(self) -> list[str]:
        """Return the keys that may be dropped; those that this request gave to a verb are kept."""
        loaded = {} if is_opaque(self.loaded_snapshot) else self._restore_loaded()
        return list_spare_keys(self.settings, self.session, loaded, self._verb_contents)

    def advance_stamp(self) -> Stamp:
        """Return the session's stamp with the idle expiry moved."""
        settings, stamp = self.settings, cast("Stamp", stamp_of(self.session))
        return stamps.advance_stamp(settings, self.cookies, stamp, settings.clock())

    def _begin_stamp(self, contents: Mapping[str, Any], lifetime: str | None = None) -> Stamp:
        settings = self.settings
        return stamps.begin_stamp(settings, self.cookies, contents, settings.clock(), lifetime)

    def tell_ignored(self, reason: Ignored, contents: Mapping[str, Any] | None = None) -> None:
        """Report that an update does nothing; if it names another user, by which claim.

        Args:
            reason: the reason.
            contents: the contents that the update was given, if it is not refused without a look at them.
        """
        claim = None
        if contents is not None and reason is Ignored.OTHER_USER:
            claim = self.owner.find_differing_claim(contents)
        tell(self.settings.on_event, EventKind.UPDATE_IGNORED, reason, claim)

    def tell_once(self, kind: EventKind, reason: Absence | None = None) -> None:
        """Report an event once for each request, however often a verb or the response comes across it."""
        is_told = kind is EventKind.ROLLED_BACK and EventKind.UNANSWERED in self._told
        if kind not in self._told and not is_told:
            self._told = (*self._told, kind)
            tell(self.settings.on_event, kind, reason)
