"""Decide the next operation on the backend, from the operations so far, the cookies and the session now. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .._cookies.caching import UNCHANGED, HeaderChanges, is_shared
from .._session.events import EventKind
from .._session.session import Absence, Stamp
from ..backends._protocols import Record
from . import stamps, writing
from .deciding import (
    END,
    NOTHING,
    RENEW,
    Decision,
    Seal,
    collect_lines,
    collect_pointer_lines,
    decide,
    finish_answer,
)
from .drivers import BlockingDriver
from .loading import Loading
from .merging import Step
from .operations import Delete, Insert, List, Load, Operation, Replace, Touch
from .record_owners import derive_owners_of
from .request import RequestInfo
from .settings import Settings
from .state import State

__all__ = ["Planning"]

FORWARD_LIFE = 60
"""Seconds for which a forward record stays in the place of a record that was rotated."""


class Planning(Loading):
    """The records of one request's sessions, as far as the backend's replies tell.

    Args:
        settings: the store's settings.
        since: when the request began, in seconds since the epoch.

    Attributes:
        outlasts: whether the session of this request stays, though the request has revoked the sessions of its user.
        driver: performs operations on a blocking backend; None if an async driver does so beforehand.
        pause: seconds to wait before the next operation.
        settled_at: when no operation was left the last time, in seconds since the epoch; None before.
        is_kept: whether an explicit save, or a rotation, has written what a failed response must not take back.
        gave_up: whether a session could not be ended, and the response that should say so had failed in any case.
    """

    __slots__ = (
        "_created", "_doomed", "_forward", "_gone", "_has_failed", "_is_import", "_is_renewed", "_is_unclear",
        "_last", "_last_try", "_listed", "_others", "_pointer_due", "_proposal", "_renewal_failed", "_replaced", "_sent", "_sought",
        "_steps", "_surplus", "_tries", "_unanswered", "_unsure", "driver", "gave_up", "is_kept", "outlasts", "pause",
        "settled_at", "since",
    )  # fmt: skip

    def __init__(self, settings: Settings, since: float) -> None:
        super().__init__(settings)
        self.since: float = since
        self.outlasts: bool = False
        self.driver: BlockingDriver | None = None
        self.pause: float = 0
        self.settled_at: float | None = None
        self.is_kept: bool = False
        self.gave_up: bool = False
        # The records that must be deleted whatever the response says, and those that are gone.
        self._doomed: dict[str, str] = {}
        self._gone: set[str] = set()
        # The records whose deletion had no reply, and the owners whose records must be searched for what became of them.
        self._unsure: set[str] = set()
        self._sought: list[str] = []
        # The record that this request inserted, and the one that it rotates.
        self._created: Record | None = None
        self._replaced: Record | None = None
        # The forward record of this rotation: a repeated decision gives the same one.
        self._forward: Record | None = None
        # The write whose reply was lost, so that it is not known whether it was performed.
        self._unanswered: Insert | Replace | None = None
        self._pointer_due: bool = False
        # Whether it is unclear which record is there, so that it must be loaded.
        self._is_unclear: bool = False
        # Whether the session was imported, and its record was added, or found, before it was used.
        self._is_import: bool = False
        # How many of the user's marks, one for each secret, were asked for their sessions.
        self._listed: int = 0
        self._others: list[Record] = []
        # The user's oldest sessions beyond `max_sessions`, which end once the new one is there.
        self._surplus: dict[str, str] = {}
        self._renewal_failed: bool = False
        # With `renew_after=0` a renewal is due at any time, and one in a request is enough.
        self._is_renewed: bool = False
        self._has_failed: bool = False
        # The operation that was decided for a failed response: nobody tries it again. One that was decided before, and has no reply
        # yet, is another object.
        self._last_try: Operation | None = None
        # The record that was sealed last, and its contents: a repeated decision gives the same one, with the same nonce.
        self._proposal: tuple[bytes, Record] | None = None
        # The versions of all records that this request has made, and how many steps were in each. One whose reply was lost
        # may be there all the same.
        self._sent: dict[bytes, int] = {}
        # The steps, and the contents after the last of them.
        self._steps: list[Step] = []
        self._last: bytes | None = None
        self._tries: int = 0

    def decide(
        self,
        state: State,
        status: int,
        headers: Sequence[tuple[str, str]],
        request: RequestInfo,
        *,
        owned: bool,
        now: float | None = None,
    ) -> tuple[Operation | None, HeaderChanges]:
        """Return the next operation; or None, and the changes to the headers of the response.

        Args:
            state: the session's state.
            status: the response's status.
            headers: the application's header fields.
            request: the request that is answered.
            owned: whether a gateway answers.
            now: the time to judge by, in seconds since the epoch; None for the clock's.

        Raises:
            IdentityChangedError, SerializationError, SessionTooLargeError, ConfigurationError: as for `Exchange.commit`.
        """
        self._has_failed = status >= 500
        self.gave_up &= self._has_failed
        if self.gave_up:
            lines = self._collect_pointer_lines(state, request) if self.owes_pointer else []
            return None, finish_answer(state, lines, status, headers, request, owned=owned)
        now = self.settings.clock() if now is None else now
        decision = decide(state, status, request, now)
        if decision is NOTHING and self._has_nothing_left(state):
            # The commonest case: the backend has the session as it is.
            self.settled_at = now
            return None, finish_answer(state, [], status, headers, request, owned=owned)
        # What an explicit save has begun stays, though the response failed.
        stays = status >= 500 and self.is_kept and self._created is not None and not state.deleted
        lives = state.present and (stays or decision is not END) and self._lives_on_server(state)
        key = self._derive_key(state) if lives else None
        operation = self._find_list(state, status, decision, key)
        operation = operation or self._find_end(state, status, decision, key)
        if operation is None and lives:
            if status < 500:
                # An import is not worth the entry of a cache, nor is a renewal that sets the pointer anew.
                skips = not state.touched and (status == 304 or is_shared(headers))
                sets_pointer = self.settings.contents_end is not None
                renews = (
                    decision is RENEW
                    and not (skips and sets_pointer)
                    and self.settings.renews(request)
                )
                operation = self._find_write(
                    state, decision, cast("str", key), now, imports=not skips, renews=renews
                )
            elif isinstance(self._unanswered, Replace) and self._unanswered.forwards:
                # The old record may be gone already. Then the session would be lost with the new one.
                operation = self._unanswered
        if operation is not None:
            return self._note_last_try(operation), UNCHANGED
        self.settled_at = now
        lines = []
        if not lives and self._is_rotated and isinstance(decision, Seal):
            # An anonymous session would take the place of the rotated one.
            state.tell_once(EventKind.LATE_WRITE)
        elif not lives:
            lines = collect_lines(state, decision, (status, headers), request, now)
        elif self.owes_pointer or (
            status < 500
            and self._pointer_due
            and self._known is None
            and not (self._is_mere_import(state) and (status == 304 or is_shared(headers)))
        ):
            lines = self._collect_pointer_lines(state, request)
        return None, finish_answer(state, lines, status, headers, request, owned=owned)

    def _note_last_try(self, operation: Operation) -> Operation:
        """Return the operation; for a failed response, the same object however often it is decided."""
        last = self._last_try
        if not self._has_failed:
            return operation
        if last is None or operation != last:
            last = self._last_try = operation
        return last

    def _collect_pointer_lines(self, state: State, request: RequestInfo) -> list[str]:
        """Return the lines that tell the browser of the record that holds the session."""
        return collect_pointer_lines(state, request, cast("Record", self.current).owner)

    def _is_mere_import(self, state: State) -> bool:
        """Return whether the session was imported and not changed. A response that caches may store then stays without a cookie."""
        return self._is_import and not (state.changed or state.touched or self._is_renewed)

    def _has_nothing_left(self, state: State) -> bool:
        """Return whether the session is in a record, and nothing that this request has done needs another operation or a cookie."""
        return (
            self.current is not None
            and state.present
            and not (state.ended or self._pointer_due or self._is_unclear or self._doomed)
            and (self._created or self._replaced or self._unanswered) is None
        )

    def keep(self) -> None:
        """Note that a record must stay: an explicit save succeeded, or the browser has been sent the pointer to it."""
        self.is_kept = self._created is not None

    @property
    def is_unfinished(self) -> bool:
        """Whether a write had no reply, or a record was created for a response that has not gone out, or one must be deleted."""
        has_begun = (self._unanswered or self._created) is not None
        return (bool(self._doomed) or (has_begun and not self.is_kept)) and not self.gave_up

    @property
    def owes_pointer(self) -> bool:
        """Whether a record stays though the response fails, and the browser must be told of it."""
        return self.is_kept and self._pointer_due and self._known is None

    def needs_cookie(self, state: State) -> bool:
        """Return whether a change is lost unless a response carries a cookie: a session that begins, is rotated, or is in a cookie.

        Args:
            state: the session's state, which has changed.
        """
        if not (state.present and state.session):
            # The record of a session that was ended or emptied is deleted, and its pointer leads nowhere.
            return not state.cookies.pointers
        current = self.current
        return current is None or state.ended or current.key != self._derive_key(state)

    def name_record(self, state: State) -> tuple[str, str] | None:
        """Return the key and the owner of the record that keeps the session, or will keep it; None for one in a cookie.

        Args:
            state: the session's state.
        """
        if not (state.present and self._lives_on_server(state)):
            return None
        key, current = self._derive_key(state), self.current
        if current is not None and (current.key == key or not state.ended):
            return key, current.owner
        return key, self._make_owner(state, key)

    def _derive_key(self, state: State) -> str:
        """Return the key of the record of the session that is present."""
        session_id = state.stamp.id
        return session_id if session_id == self._known else self._codec.derive_key(session_id)

    def find_key(self, state: State) -> str | None:
        """Return the key of the record that holds the session now.

        Args:
            state: the session's state.

        Returns:
            None for a session in a cookie, and for one that this request begins and the backend does not have yet.
        """
        if self.current is None or (
            state.ended and (self._created is None or self._created.key != self.current.key)
        ):
            return None
        return self.current.key

    def _lives_on_server(self, state: State) -> bool:
        """Return whether the session that is present is kept in the backend."""
        if state.ended or self.current is None:
            return self.settings.is_for_server(state.session)
        return True

    def _find_end(
        self, state: State, status: int, decision: Decision | Seal, key: str | None
    ) -> Operation | None:
        """Return the next deletion, if a session must end.

        Args:
            state: the session's state.
            status: the response's status.
            decision: the decision.
            key: the key of the session that is present.
        """
        ending: dict[str, str] = {**self._doomed}
        created = self._created
        if created is None and isinstance(self._unanswered, Insert):
            created = self._unanswered.record
        drops_created = status >= 500 and created is not None and not self.is_kept
        if isinstance(self._unanswered, Replace) and self._unanswered.forwards:
            drops_created = False
        if not drops_created and (self._created is not None or self._is_import):
            ending.update(self._surplus)
        ambiguous = state.cookies.absence is Absence.AMBIGUOUS
        if state.ended or decision is END or (ambiguous and state.is_fresh):
            ending.update(self._came)
        elif state.is_fresh and self._created is not None and not drops_created:
            # A rotation. The record with the old id becomes a forward record.
            ending.update(self._came)
            if self._replaced is not None:
                ending.pop(self._replaced.key, None)
        if drops_created and created is not None:
            ending[created.key] = created.owner
        elif key is not None:
            ending.pop(key, None)
        return next((Delete(one, owner) for one, owner in ending.items()), None)

    def _find_write(
        self,
        state: State,
        decision: Decision | Seal,
        key: str,
        now: float,
        *,
        imports: bool,
        renews: bool,
    ) -> Operation | None:
        """Return the operation that keeps the session, if there is something to keep.

        Args:
            state: the session's state.
            decision: the decision.
            key: the key of the session's record.
            now: seconds since the epoch.
            imports: whether the response may carry an imported session that is unchanged.
            renews: whether the request counts as activity, so that it may renew the session.
        """
        current = self.current
        if self._is_unclear:
            return Load(key, self._make_owner(state, key))
        if current is None or current.key != key:
            if isinstance(decision, Seal):
                return self._find_insert(state, decision, key, now, imports=imports)
            try:
                return self._find_insert(state, decision, key, now, imports=imports)
            except RecursionError:
                # The stack is too deep to write nested JSON here. Another request will import the session.
                return None
        if isinstance(decision, Seal):
            if not state.is_as_loaded(state.final_snapshot):
                record = self._make_record(
                    decision.plaintext, decision.stamp, key, current.owner, now
                )
                return Replace(record, current.version)
        elif (
            decision is RENEW
            and not self._renewal_failed
            and (
                state.touched
                or (
                    renews
                    and not self._is_renewed
                    and now >= current.updated_at + 1
                    and state.is_renewal_due(now)
                )
            )
        ):
            stamp = stamps.advance_stamp(self.settings, state.cookies, state.stamp, now)
            return Touch(key, current.owner, stamp.updated_at, stamp.expires_at)
        if self._replaced is not None:
            return Replace(self._make_forward(key, now), self._replaced.version, forwards=True)
        return None

    def _find_list(
        self, state: State, status: int, decision: Decision | Seal, key: str | None
    ) -> Operation | None:
        """Return the next list of the user's sessions; None if all are listed.

        One list is searched for what a rotation has made of a session that ended. Another counts the sessions, of which only
        `max_sessions` may stay. A login asks for it before it adds its own record. If two logins at the same time did so
        afterwards, each would end the other's session.

        Args:
            state: the session's state.
            status: the response's status.
            decision: the decision.
            key: the key of the session that is present, if it is kept in the backend.
        """
        if self._sought:
            return List(self._sought[0])
        if self.settings.max_sessions is None or key is None or status >= 500:
            return None
        current = self.current
        is_login = isinstance(decision, Seal) and (
            current is None or (state.ended and current.key != key)
        )
        if not (is_login or self._is_import):
            return None
        owners = self._list_owners(state, key)
        return List(owners[self._listed]) if self._listed < len(owners) else None

    def _find_insert(
        self, state: State, decision: Decision | Seal, key: str, now: float, *, imports: bool
    ) -> Operation | None:
        """Return the operation that adds the record of a session that begins, is rotated or is imported."""
        if isinstance(decision, Seal):
            plaintext, stamp = decision.plaintext, decision.stamp
        elif state.cookies.importer is not None and imports:
            stamp = stamps.advance_stamp(self.settings, state.cookies, state.stamp, now)
            plaintext = writing.make_plaintext(self.settings, state.session, stamp)
        else:
            return None
        owner = (
            self._make_owner(state, key)
            if self.current is None or state.ended
            else self.current.owner
        )
        since = self.since
        if state.cookies.importer is not None and not (state.ended or self.outlasts):
            # A revocation ends the session wherever its cookie is, also where it was not imported yet.
            since = min(since, stamp.created_at)
        return Insert(self._make_record(plaintext, stamp, key, owner, now), since)

    def _make_owner(self, state: State, key: str) -> str:
        return self._list_owners(state, key)[0]

    def _list_owners(self, state: State, key: str) -> tuple[str, ...]:
        return derive_owners_of(self.settings, state.session, key)

    def _make_record(
        self, plaintext: bytes, stamp: Stamp, key: str, owner: str, now: float
    ) -> Record:
        """Return a record of the contents; the same one as before for the same contents."""
        proposal = self._proposal
        if proposal is not None and proposal[0] == plaintext and proposal[1].key == key:
            return proposal[1]
        sealed = self._codec.seal(
            plaintext,
            key=key,
            owner=owner,
            created_at=stamp.created_at,
            now=int(now),
            lifetime=stamp.lifetime,
        )
        times = stamp.created_at, stamp.updated_at, stamp.expires_at
        record = Record(key, owner, 0, *times, sealed.version, sealed.sealed)
        self._proposal = plaintext, record
        self._sent[record.version] = len(self._steps)
        return record

    def _make_forward(self, next_key: str, now: float) -> Record:
        """Return the forward record that takes the place of the record with the old id."""
        old, forward = cast("Record", self._replaced), self._forward
        if forward is not None and forward.key == old.key:
            return forward
        sealed = self._codec.seal_forward(
            next_key, key=old.key, owner=old.owner, created_at=old.created_at, now=int(now)
        )
        expires = int(now) + FORWARD_LIFE
        forward = old._replace(expires_at=expires, version=sealed.version, sealed=sealed.sealed)
        self._forward = forward
        return forward
