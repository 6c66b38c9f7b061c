"""One request's sessions on the server: which records to load, and which operation is next. No I/O.

`ServerSide` remembers what the backend has been told. The next operation is a function of this, of the cookies that came,
and of the session now, so it can be asked for again at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import random
from typing import Any, cast

from .._cookies.caching import UNCHANGED, HeaderChanges, is_shared
from .._crypto.sealing import Opened
from .._session.events import EventKind, logger
from .._session.json import rewrite
from .._session.session import Absence, Stamp
from .._session.snapshot import is_opaque, restore_contents
from ..backends._protocols import Record
from ..errors import BackendError, ConflictError
from . import stamps, writing
from .config import Settings
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
from .merging import Change, Function, Step, Update, replay
from .operations import Delete, Insert, List, Load, Operation, Replace, Touch
from .pointers import (
    open_contents,
)
from .record_owners import derive_owners_of
from .request import RequestInfo
from .state import State

__all__ = ["ServerSide"]

MOST_TRIES = 64
"""Conflicts after which a write is given up. Eight processes that write one session all the time never needed so many."""

LONGEST_PAUSE = 0.064
"""The longest pause after a conflict, in seconds. Without a pause, parallel writers starve each other."""

FORWARD_LIFE = 60
"""Seconds for which a forward record stays in the place of a record that was rotated."""


class ServerSide(Loading):
    """The records of one request's sessions, as far as the backend has told of them.

    Args:
        settings: the store's settings.
        since: when the request began, in seconds since the epoch.

    Attributes:
        driver: performs operations on a blocking backend; None if an async driver does so beforehand.
        pause: seconds to wait before the next operation.
        settled_at: when no operation was left the last time, in seconds since the epoch; None before.
        is_kept: whether an explicit save, or a rotation, has written what a failed response must not take back.
        gave_up: whether a session could not be ended, and the response that should say so had failed in any case.
    """

    __slots__ = (
        "_created", "_doomed", "_forward", "_gone", "_has_failed", "_is_renewed", "_is_unclear",
        "_last", "_listed", "_others", "_pointer_due", "_proposal", "_renewal_failed", "_replaced", "_sent", "_steps", "_tries",
        "_unanswered", "driver", "gave_up", "is_kept", "pause", "settled_at",
        "since",
    )  # fmt: skip

    def __init__(self, settings: Settings, since: float) -> None:
        super().__init__(settings)
        self.since: float = since
        self.driver: BlockingDriver | None = None
        self.pause: float = 0
        self.settled_at: float | None = None
        self.is_kept: bool = False
        self.gave_up: bool = False
        # The records that must be deleted whatever the response says, and those that are gone.
        self._doomed: dict[str, str] = {}
        self._gone: set[str] = set()
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
        # How many of the user's marks, one for each secret, were asked for their sessions.
        self._listed: int = 0
        self._others: list[Record] = []
        self._renewal_failed: bool = False
        # With `renew_after=0` a renewal is due at any time, and one in a request is enough.
        self._is_renewed: bool = False
        self._has_failed: bool = False
        # The record that was sealed last, and its contents: a repeated decision gives the same one, with the same nonce.
        self._proposal: tuple[bytes, Record] | None = None
        # The versions of all records that this request has made, and how many steps were in each. One whose reply was lost
        # may be there all the same.
        self._sent: dict[bytes, int] = {}
        # The steps, and the contents after the last of them.
        self._steps: list[Step] = []
        self._last: bytes | None = None
        self._tries: int = 0

    def judge_again(self, state: State, record: Record | None) -> Absence | None:
        """Return the reason why the session has ended, by its record that was loaded again; None if it is valid.

        Args:
            state: the session's state, which gets the times of the record.
            record: the record, or None.
        """
        if record is None:
            return Absence.UNKNOWN_RECORD
        contents = open_contents(self.settings, record)
        if isinstance(contents, Absence):
            return contents
        times = record.created_at, record.updated_at, record.expires_at
        lifetime = self.settings.find_lifetime(state.stamp.lifetime)
        reason = lifetime.absence(*times, self.settings.clock())
        if reason is None:
            self._move_stamp(state, record)
        return reason

    # ---- steps, for a merge

    def note_change(self, state: State) -> None:
        """Note the change since the last step, before `update_session` calls a function.

        Args:
            state: the session's state.
        """
        if self.current is None and state.cookies.importer is None:
            return
        now = rewrite(dict(state.session), self.settings.serializer)
        before = self._last_contents(state)
        if now != before:
            self._steps.append(Change(before, now))
        self._last = now

    def note_update(self, state: State, function: Function) -> None:
        """Note a function that has updated the session.

        Args:
            state: the session's state.
            function: the function.
        """
        if self.current is None and state.cookies.importer is None:
            return
        self._steps.append(Update(function))
        self._last = rewrite(dict(state.session), self.settings.serializer)

    def _last_contents(self, state: State) -> bytes:
        """Return the contents after the last step."""
        if self._last is None and self._base is not None:
            self._last = cast("bytes", self._codec.open(self._base))
        elif self._last is None:
            # An imported session. Nested values of the token's contents may have been changed in place.
            token, snapshot = cast("Opened", state.cookies.token), state.loaded_snapshot
            imported = token.contents if is_opaque(snapshot) else restore_contents(snapshot)
            self._last = rewrite(imported, self.settings.serializer)
        return self._last

    # ---- deciding

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
        if self.gave_up and self._has_failed:
            return None, finish_answer(state, [], status, headers, request, owned=owned)
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
        operation = self._find_end(state, status, decision, key)
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
            return operation, UNCHANGED
        self.settled_at = now
        lines: list[str] = []
        if not lives and self._is_rotated and isinstance(decision, Seal):
            # An anonymous session would take the place of the rotated one.
            state.tell_once(EventKind.LATE_WRITE)
        elif not lives:
            lines = collect_lines(state, decision, (status, headers), request, now)
        elif self._pointer_due and self._known is None and (status < 500 or self.is_kept):
            owner = cast("Record", self.current).owner
            lines = collect_pointer_lines(state, request, owner)
        return None, finish_answer(state, lines, status, headers, request, owned=owned)

    def _has_nothing_left(self, state: State) -> bool:
        """Return whether the session is in a record, and nothing that this request has done needs another operation or a cookie."""
        return (
            self.current is not None
            and state.present
            and not (state.ended or self._pointer_due or self._is_unclear or self._doomed)
            and (self._created or self._replaced or self._unanswered) is None
        )

    def keep(self) -> None:
        """Note that an explicit save succeeded: what it has written stays, even if the response fails."""
        self.is_kept = self._created is not None

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
            renews: whether the request may renew the session of its own accord.
        """
        current = self.current
        if self._is_unclear:
            return Load(key, self._make_owner(state, key))
        if current is None or current.key != key:
            return self._find_insert(state, decision, key, now, imports=imports)
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
        if self._created is not None and self.settings.max_sessions:
            owners = self._list_owners(state, key)
            if self._listed < len(owners):
                return List(owners[self._listed])
        return None

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
        return Insert(self._make_record(plaintext, stamp, key, owner, now), self.since)

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

    # ---- what the backend answered

    def took(self, state: State, operation: Operation, reply: Any) -> None:
        """Take the backend's reply to an operation.

        Args:
            state: the session's state.
            operation: the operation.
            reply: its result, or the `BackendError` that it raised.

        Raises:
            BackendError: the reply, unless the operation only moved the idle expiry of a page that read the session, or the
                response has failed in any case.
            ConflictError: parallel changes cannot be merged.
        """
        self.pause = 0
        if isinstance(reply, BackendError):
            self._took_failure(state, operation, reply)
        elif isinstance(operation, Delete):
            self._took_delete(operation, reply)
        elif isinstance(operation, Insert):
            self._took_insert(state, operation, reply)
        elif isinstance(operation, Replace):
            self._took_replace(state, operation, reply)
        elif isinstance(operation, Touch):
            self._took_touch(state, operation, reply)
        elif isinstance(operation, Load):
            self._took_load(state, reply)
        else:
            self._took_list(state, reply)

    def _took_failure(self, state: State, operation: Operation, error: BackendError) -> None:
        if isinstance(operation, Touch) and not state.touched:
            self._renewal_failed = True
            state.tell_once(EventKind.RENEWAL_FAILED)
        elif self._has_failed:
            # The application's error page goes out as it is, and no cookie says that the session has ended.
            self.gave_up = True
            logger.error("the session could not be ended: %s", error)
        else:
            if isinstance(operation, (Insert, Replace)):
                self._unanswered = operation
            raise error

    def _took_delete(self, operation: Delete, reply: Record | None) -> None:
        for records in (self._came, self._doomed):
            records.pop(operation.key, None)
        self._gone.add(operation.key)
        if self._created is not None and self._created.key == operation.key:
            self._created, self._pointer_due = None, False
        if self.current is not None and self.current.key == operation.key:
            self.current = None
        following = None if reply is None else self._codec.open_forward(reply)
        if following is not None and following not in self._gone:
            # The session was rotated meanwhile, and ends under its new id too.
            self._doomed[following] = operation.owner
        self._forget_unanswered(operation.key)

    def _forget_unanswered(self, key: str) -> bool:
        """Return whether a write of a record had no reply; from here on there is a reply."""
        if self._unanswered is None or self._unanswered.record.key != key:
            return False
        self._unanswered = None
        return True

    def _took_insert(self, state: State, operation: Insert, reply: bool) -> None:
        record = operation.record
        self._forget_unanswered(record.key)
        if not reply:
            if state.cookies.importer is not None or len(self._sent) > 1:
                # A parallel request may have imported the same session; or the reply to an earlier attempt was lost.
                self._is_unclear = True
            else:
                self._drop(state, Absence.REVOKED)
            return
        if self.current is not None and not state.ended and state.is_fresh:
            self._replaced = self.current
        self._came[record.key] = record.owner
        self.current = self._created = record
        self._pointer_due, self.is_kept = True, False
        self._mark_stored(state, record)

    def _took_load(self, state: State, reply: Record | None) -> None:
        self._is_unclear = False
        if reply is None or self._codec.open_forward(reply) is not None:
            self._drop(state, Absence.REVOKED)
            return
        self._pointer_due = True
        self._came[reply.key] = reply.owner
        if reply.version in self._sent:
            self._created = reply
            self._adopt(state, reply)
            return
        self._merge(state, reply)
        self.current = reply

    def _adopt(self, state: State, record: Record) -> None:
        """Take a record of this request that the backend has, though its reply was lost."""
        contents = open_contents(self.settings, record)
        state.final_snapshot = state.snapshot_of({} if isinstance(contents, Absence) else contents)
        self.current = record
        later, last = self._steps[self._sent[record.version] :], self._last
        self._mark_stored(state, record)
        if later:
            self._steps, self._last = later, last

    def _took_replace(self, state: State, operation: Replace, reply: Record | bool) -> None:
        other = reply if isinstance(reply, Record) else None
        is_repeated = self._forget_unanswered(operation.record.key)
        if reply is True:
            if operation.forwards:
                self._came.pop(operation.record.key, None)
                self._replaced, self.is_kept = None, True
                self._reset_steps(cast("Record", self.current))
            else:
                if not self._pointer_due:
                    self._pointer_due = self._must_set_pointer(state)
                self.current = operation.record
                self._mark_stored(state, operation.record)
        elif other is None or self._codec.open_forward(other) is not None:
            self._drop_late(state)
        elif other.version in self._sent:
            self._adopt(state, other)
        elif is_repeated and any(isinstance(step, Update) for step in self._steps):
            raise ConflictError(
                "the backend failed while the session was saved, and another request has changed it since: it is not known "
                "whether the change of this request was saved, and its function was not called again"
            )
        elif operation.forwards:
            self._merge(state, other)
            self._replaced = other
        else:
            self._merge(state, other)
            self.current = other

    def _took_touch(self, state: State, operation: Touch, reply: bool) -> None:
        if not reply:
            if state.touched:
                self._drop_late(state)
            else:
                self._drop(state, Absence.UNKNOWN_RECORD)
            return
        self._is_renewed = True
        current = cast("Record", self.current)
        before = state.find_contents_end(state.stamp)
        self.current = current._replace(
            updated_at=operation.updated_at, expires_at=operation.expires_at
        )
        self._move_stamp(state, self.current)
        state.touched = False
        if before not in (inf, state.find_contents_end(state.stamp)):
            # The Max-Age of the pointer follows the end that the contents set.
            self._pointer_due = True

    def _took_list(self, state: State, reply: Sequence[Record]) -> None:
        """Choose the oldest sessions of the user beyond `max_sessions`, once those under each secret are listed."""
        self._listed += 1
        own = cast("Record", self.current).key
        self._others.extend(
            record
            for record in reply
            if record.key != own and self._codec.open_forward(record) is None
        )
        if self._listed < len(self._list_owners(state, own)):
            return
        others = sorted(self._others, key=lambda one: (one.created_at, one.updated_at))
        surplus = len(others) + 1 - cast("int", self.settings.max_sessions)
        for record in others[: max(0, surplus)]:
            self._doomed[record.key] = record.owner

    def _mark_stored(self, state: State, record: Record) -> None:
        """Note that the backend has the session as it is now."""
        if self._replaced is None:
            self._reset_steps(record)
        state.saved = True
        state.loaded_snapshot = state.final_snapshot
        state.touched = False
        self._move_stamp(state, record)

    def _reset_steps(self, record: Record) -> None:
        """Begin the steps anew, with a record that the backend has."""
        self._base, self._steps, self._last, self._tries = record, [], None, 0

    def _move_stamp(self, state: State, record: Record) -> None:
        """Give the session the times of its record."""
        stamp = state.stamp
        if (stamp.updated_at, stamp.expires_at) != (record.updated_at, record.expires_at):
            stamp = Stamp(
                id=stamp.id,
                created_at=stamp.created_at,
                updated_at=record.updated_at,
                expires_at=record.expires_at,
                ends_at=stamp.ends_at,
                mark=stamp.mark,
                lifetime=stamp.lifetime,
            )
        state.restamp(stamp)

    def _must_set_pointer(self, state: State) -> bool:
        """Return whether the cookie must change with the record: another secret seals, or its attributes differ."""
        cookies, settings = state.cookies, self.settings
        stamp = cast("Stamp", cookies.stamp)
        if any(
            pointer.stamp.id == stamp.id and not self._codec.is_sealed_by_first(pointer)
            for pointer in cookies.pointers
        ):
            return True
        if settings.framework is None:
            return False
        current = cast("Record", self.current)
        earlier, now = cast("dict[str, Any]", open_contents(settings, current)), state.session
        if settings.for_writing(earlier, stamp) is not settings.for_writing(now, stamp):
            return True
        ends = settings.contents_end
        if ends is None:
            return False
        return ends(earlier, current.updated_at) != ends(now, state.stamp.updated_at)

    def _drop_late(self, state: State) -> None:
        """Drop what the request wrote: the session was ended meanwhile."""
        if self._replaced is not None and self._created is not None:
            # The record of the new id must not outlive the old one.
            self._doomed[self._created.key] = self._created.owner
            self._came.pop(self._created.key, None)
            self._came.pop(self._replaced.key, None)
        state.tell_once(EventKind.LATE_WRITE)
        self._drop(state, Absence.UNKNOWN_RECORD)

    def _drop(self, state: State, reason: Absence) -> None:
        if reason is Absence.REVOKED:
            state.tell_once(EventKind.LATE_WRITE)
        if self.current is not None:
            self._came.pop(self.current.key, None)
        self.current = self._created = self._replaced = None
        self._pointer_due = False
        state.forget(reason)

    def _merge(self, state: State, other: Record) -> None:
        """Replay the steps of this request over the record that another one wrote.

        Args:
            state: the session's state.
            other: the record.

        Raises:
            ConflictError: the changes cannot be merged, or this was tried too often.
        """
        self._tries += 1
        if self._tries > MOST_TRIES:
            raise ConflictError(
                f"other requests changed the session {MOST_TRIES} times while this one tried to save it, and nothing of this "
                "request was saved"
            )
        settings = self.settings
        theirs = open_contents(settings, other)
        if isinstance(theirs, Absence):
            raise BackendError("the session's record was replaced by one that does not open")
        before = self._last_contents(state)
        mine = rewrite(dict(state.session), settings.serializer)
        steps = self._steps if mine == before else [*self._steps, Change(before, mine)]
        exclusive = {"user", *settings.login_keys}
        # While the new record of a rotation is there already, a further change is one of its contents.
        snapshot = (
            state.loaded_snapshot if self._replaced is not None else state.snapshot_of(theirs)
        )
        merged = replay(steps, dict(theirs), settings.serializer, exclusive, state.accepts_update)
        if not state.owner.owns(merged):
            raise ConflictError(
                "the changes of parallel requests, merged, give the session to another user: nothing of this request was saved"
            )
        state.rebase(merged, snapshot)
        self._steps, self._last = steps, rewrite(merged, settings.serializer)
        if not state.is_fresh:
            self._move_stamp(state, other)
        if self._tries % 2:
            # Other requests write during a pause, so the attempt after it mostly fails too, and returns what they wrote. The
            # next one follows at once. With a pause before each attempt, writers that never pause starve the others.
            self.pause = random() * min(LONGEST_PAUSE, 0.001 * 2**self._tries)  # noqa: S311  # a pause is no secret
