"""Change the session of one request: by verbs, by assignments, by the end of its lifetime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .._session.events import EventKind
from .._session.json import freeze
from .._session.session import (
    ALL,
    Absence,
    Session,
    Stamp,
    drop,
    refill,
    restamp,
    stamp_of,
)
from .._session.snapshot import (
    Restorable,
    is_opaque,
    normalize,
    restore_contents,
    same,
    take_snapshot,
)
from ..errors import SessionTooLargeError
from . import stamps, writing
from .carried_members import find_carried
from .framework_keys import FrameworkKeys
from .loaded_session import LoadedSession
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


class State(LoadedSession):
    """Mutable session state of one request: what the cookies held, and the contents now.

    There is no state machine. Whether the session is unchanged, updated, created or ended is read off these two.
    """

    __slots__ = ()

    # The base class sets these too; a checker of types asks for them here.
    present: bool
    absence: Absence | None
    ended: bool
    touched: bool
    loaded: Restorable
    owner: Owner

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

    def note_own_end(self, now: float) -> None:
        """Note a logout if changed contents have ended the session; otherwise the browser would keep the earlier session.

        Args:
            now: seconds since the epoch.
        """
        is_changed = not self.is_as_loaded(take_snapshot(self.session, self.settings.tags))
        if self.settings.contents_end is not None and is_changed and self._is_over(self.stamp, now):
            self.ended = True

    # ---- changes of the session

    def replace_contents(
        self, contents: dict[str, Any], snapshot: bytes, stamp: Stamp | None = None
    ) -> None:
        """Replace the contents, if the new ones can be kept; the user whom they name becomes the owner.

        Args:
            contents: the new contents.
            snapshot: their snapshot.
            stamp: the new stamp; None for that of the session, with the idle expiry moved.

        Raises:
            SerializationError, SessionTooLargeError: the contents cannot be kept, and nothing has changed.
            TypeError: the framework cannot read when they end the session, and nothing has changed.
        """
        settings = self.settings
        if stamp is None:
            current = cast("Stamp", stamp_of(self.session))
            stamp = stamps.advance_stamp(settings, self.cookies, current, settings.clock())
        if settings.contents_end is not None:
            settings.contents_end(contents, stamp.updated_at)
        plaintext = writing.make_checked_plaintext(settings, contents, stamp, snapshot)
        self._vetted = (snapshot, stamp, plaintext, contents)
        refill(self.session, contents, stamp)
        self._verb_contents = contents
        self.owner = Owner(settings, contents, snapshot)
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
        self.loaded = Restorable(loaded_snapshot)
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
        settings = self.settings
        stamp = stamps.advance_stamp(settings, self.cookies, self.stamp, settings.clock())
        restamp(self.session, stamp)
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

    def normalize(self) -> bytes:
        """Replace values that JSON does not have by those that the next request will read; return the new snapshot.

        A lazy text, above all, is read while the request lasts: later its language may be another.
        """
        contents, snapshot = normalize(dict(self.session), self.settings.tags)
        refill(self.session, contents, self.session.stamp)
        return snapshot

    def serve_framework(self, settings: Settings) -> None:
        """Use the settings for a framework's own session object from here on, for earlier changes of the session too."""
        self.settings = settings
        tags = settings.tags
        if tags is not None and self.present:
            if not is_opaque(self.loaded.snapshot):
                loaded = tags.read(restore_contents(self.loaded.snapshot))
                self.loaded = Restorable(take_snapshot(loaded, tags))
            contents = tags.read(dict(self.session))
            if contents != self.session:
                refill(self.session, contents, self.session.stamp)
        self.owner = self.owner.with_framework(settings, self.session)

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

    # ---- what is kept

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

    def is_vetted(self, snapshot: bytes) -> bool:
        """Return whether the contents equal those that a verb has checked.

        Args:
            snapshot: the snapshot of the contents now.
        """
        vetted = self._vetted
        return vetted is not None and (
            snapshot == vetted[0] or same(self.session, snapshot, vetted[0])
        )

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
        loaded = {} if is_opaque(self.loaded.snapshot) else self.loaded.restore()
        return list_spare_keys(self.settings, self.session, loaded, self._verb_contents)

    def _begin_stamp(self, contents: Mapping[str, Any], lifetime: str | None = None) -> Stamp:
        settings = self.settings
        return stamps.begin_stamp(settings, self.cookies, contents, settings.clock(), lifetime)
