"""Compare the session of one request with what its cookies held: is it changed, new, over?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from typing import Any, cast

from .._cookies.caching import UNCHANGED, HeaderChanges
from .._session.events import EventKind, Ignored, tell
from .._session.session import Absence, Session, Stamp, Watcher, stamp_of
from .._session.snapshot import OPAQUE, Restorable, are_equal, same, take_snapshot
from .carried_members import Carried, find_carried
from .expiry import judge_stamp
from .hidden_sessions import may_be_hidden, may_be_overwritten, may_be_unnamed
from .reading import RequestCookies
from .request import RequestInfo
from .settings import Settings
from .update_guard import Owner

__all__ = ["LoadedSession"]


class LoadedSession:
    """The session of one request beside what its cookies held: the base of `State`, which has its attributes and changes it.

    Attributes:
        settings: the store's settings.
        cookies: the request's cookies.
        session: the live session; empty if there is no session.
        present: whether there is a session.
        absence: the reason why there is no session.
        ended: whether a login or a logout ended the sessions that came. Nothing later in the request takes that back.
        deleted: whether a logout did.
        touched: whether the idle expiry moves in any case.
        loaded: the contents in the cookies, or those that the backend has.
        owner: the owner of the session, who guards it against updates.
        final_snapshot: the snapshot of the contents that the response was computed from.
        is_valid_as_read: whether there was a session, and only its times, which were judged as it was read, can end it.
        saved: whether the backend has been told of a change.
        changes: the header changes of the response, once the exchange is committed.
    """

    __slots__ = (
        "_assigned", "_carried", "_equal", "_owner_intact", "_told", "_verb_contents", "_vetted", "absence", "changes",
        "cookies", "deleted", "ended", "final_snapshot", "is_valid_as_read", "loaded", "owner", "present", "saved",
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
        self.final_snapshot: bytes = snapshot
        # Two different snapshots of equal contents: marshal writes a value in another way if the application refers to it too.
        self._equal: tuple[bytes, bytes] = (b"", b"")
        # The members that an update of this session cannot change.
        self._carried: Carried | None = None
        if settings.carried:
            self._carried = find_carried(settings.carried, contents)
        self.owner: Owner = Owner(settings, contents, snapshot)
        self.loaded: Restorable = self.owner
        # Whether the session still belonged to its owner before the current assignment.
        self._owner_intact: bool = True
        # The key of the current assignment, or `ALL`; None for several.
        self._assigned: object = None
        # The contents that a verb was given.
        self._verb_contents: Mapping[str, Any] = {}
        # The snapshot, stamp and plaintext that a verb has checked, and the contents themselves. The contents are held so
        # that each value is referred to as often at the commit: then marshal writes the same bytes again.
        self._vetted: tuple[bytes, Stamp, bytes, dict[str, Any]] | None = None

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
        if final is self.loaded.snapshot:
            return self.is_as_loaded(snapshot)
        return snapshot == final or same(self.session, snapshot, final)

    def is_as_loaded(self, snapshot: bytes) -> bool:
        """Return whether the contents equal those in the cookies.

        Args:
            snapshot: the snapshot of the contents now.
        """
        loaded = self.loaded.snapshot
        if snapshot == loaded or (loaded, snapshot) == self._equal:
            return True
        if snapshot.startswith(OPAQUE) or loaded.startswith(OPAQUE):
            return False
        if not are_equal(self.session, self.loaded.restore()):
            return False
        self._equal = (loaded, snapshot)
        return True

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

    def snapshot_of(self, contents: dict[str, Any]) -> bytes:
        """Return the snapshot of contents by the settings of this session."""
        return take_snapshot(contents, self.settings.tags)

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
