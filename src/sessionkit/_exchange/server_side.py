"""The sessions on the server of one request: load them, plan operations, and handle the backend's replies. No I/O.

`ServerSide` remembers which operations the backend has performed. The next operation depends only on these, on the request's
cookies, and on the present session. So the next operation can be asked for at any time, and more than once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from math import inf
from typing import Any, cast

from .._crypto.sealing import Opened
from .._session.events import EventKind, logger, tell
from .._session.session import Absence, Stamp, Watcher
from .._session.snapshot import Restorable
from ..backends._protocols import Record
from ..errors import BackendError, ConflictError
from . import stamps
from .deciding import RENEW
from .expiry import judge_stamp
from .merging import Update
from .operations import Delete, Insert, List, Load, Operation, Replace, Touch
from .pointers import open_contents
from .reading import RequestCookies
from .record_owners import names_nobody
from .replaying import Replaying, with_times
from .settings import BoundImporter, Settings
from .state import State

__all__ = ["ServerSide"]


class ServerSide(Replaying):
    """The records of one request's sessions. The backend's replies decide the next operations."""

    __slots__ = ()

    # The base class sets these too; type checkers need them here.
    settings: Settings
    cookies: RequestCookies | None
    pause: float
    is_kept: bool
    is_undecided: bool

    def judge_again(self, state: State, record: Record | None) -> Absence | None:
        """Return the reason why the session has ended, according to its newly loaded record; None if it is valid.

        Args:
            state: the session's state, which gets the times of the record.
            record: the record, or None.
        """
        if record is None:
            return Absence.UNKNOWN_RECORD
        contents = open_contents(self.settings, record)
        if isinstance(contents, Absence):
            return contents
        stamp = with_times(state.stamp, record)
        verdict = judge_stamp(self.settings, stamp, self.settings.clock())
        if isinstance(verdict, Absence):
            return verdict
        state.restamp(verdict)
        return None

    def serve_framework(self, settings: Settings, state: State | None) -> None:
        """Use the settings for a framework's own session object from here on.

        By the framework's login keys, a session that counted as anonymous when the cookies were read may be a signed-in user's.
        Such a session must have a record, because a session in a cookie could not be revoked.

        Args:
            settings: the settings.
            state: the session's state; None if the session was not used yet.
        """
        before, self.settings, cookies = self.settings, settings, self.cookies
        if (
            cookies is None
            or cookies.token is None
            or self.current is not None
            or settings.guard is before.guard  # the application's own
            or not settings.is_for_server(cookies.token.contents)
        ):
            return
        if state is None and cookies.importer is not None:
            # The record can still be added, before the session is used.
            self.is_undecided = True
            return
        cookies = self.refuse_cookie(Absence.UNKNOWN_RECORD)
        if state is not None and state.present and not state.ended:
            state.cookies = cookies
            state.forget(Absence.UNKNOWN_RECORD)
            tell(settings.on_event, EventKind.REFUSED, Absence.UNKNOWN_RECORD)

    # ---- an imported session

    def add_import(self, watcher: Watcher) -> Generator[Operation, Any, None]:
        """Yield the operations that add the record of an imported session, before the session is used.

        The other library's cookie shows neither a revocation nor a change since an earlier import. So the backend refuses a
        session that began before its user's sessions were revoked; if the session was imported before, its record is used.

        Args:
            watcher: watches the session.

        Raises:
            BackendError: the backend failed.
        """
        self.is_undecided = True
        yield from self._add_import(watcher)
        self.is_undecided = False

    def _add_import(self, watcher: Watcher) -> Generator[Operation, Any, None]:
        state = State(self.settings, cast("RequestCookies", self.cookies), watcher)
        if self.current is not None or not self.settings.is_for_server(state.session):
            return
        if self._may_be_anothers(state):
            self._give_own_id(state)
            return
        key, now = self._derive_key(state), self.settings.clock()
        insert = cast("Insert", self._find_insert(state, RENEW, key, now, imports=True))
        owner, *earlier_owners = self._list_owners(state, key)
        operation, reply = yield from self._find_earlier_import(insert, earlier_owners)
        if operation is None:
            operation = insert
            reply = yield operation
            if reply is False:
                operation = Load(key, owner)
                reply = yield operation
        reason = Absence.REVOKED if reply is None else None
        if isinstance(reply, Record):
            reason = self.judge_again(state, reply)
        if reason is not None:
            self.refuse_cookie(reason)
            return
        self.took(state, operation, reply)
        # Another request may already use the record, so a failed response must not delete it.
        self._created, self._is_import = None, True
        stamp, token = state.stamp, cast("Opened", state.cookies.token)
        token = replace(token, contents=dict(state.session), stamp=stamp)
        self.cookies = replace(state.cookies, token=token, stamp=stamp)

    def _find_earlier_import(
        self, insert: Insert, owners: Sequence[str]
    ) -> Generator[Operation, Any, tuple[Operation | None, Any]]:
        """Yield the operations that look for an import, or a revocation, of the time when an earlier secret was the first.

        Args:
            insert: the operation that would add the record.
            owners: the names that the user has by the earlier secrets.

        Returns:
            An operation and its reply: the record, None if it was revoked, or an error; no operation if there is none of them.
        """
        for owner in owners:
            load = Load(insert.record.key, owner)
            reply = yield load
            if reply is None:
                # The backend refuses a record of a user who was revoked. This one has no contents, and has expired.
                at = insert.record.updated_at
                key = self._codec.derive_key(stamps.make_id())
                probe = Record(key, owner, 0, at, at, at, insert.record.version, b"")
                reply = yield Insert(probe, insert.since)
                if reply is True:
                    continue
            return load, reply or None
        return None, None

    def _may_be_anothers(self, state: State) -> bool:
        """Return whether a record with the id of an imported session may be another visitor's.

        Two visitors without a user may have equal cookies, such as `{"lang": "en"}` signed in the same second. Such a
        session gets a new id, and its record is inserted with the response that sends this id to the browser.
        """
        importer = cast("BoundImporter", state.cookies.importer)
        return not importer.settings.format.traits.random_ids and names_nobody(
            self.settings, state.session
        )

    def _give_own_id(self, state: State) -> None:
        """Give an imported session a new id, which no other session has.

        The mark stays that of the other library's session. The response with the pointer puts this mark into the fence, so a
        late response of that library is not imported again after a logout.
        """
        stamp = replace(state.stamp, id=stamps.make_id())
        token = replace(cast("Opened", state.cookies.token), stamp=stamp)
        self.cookies = replace(state.cookies, token=token, stamp=stamp)

    def refuse_cookie(self, reason: Absence) -> RequestCookies:
        """Use no session in a cookie, of the store or of another library, in this request; return the cookies without it.

        Args:
            reason: the reason.
        """
        cookies = cast("RequestCookies", self.cookies)
        cookies = replace(cookies, token=None, stamp=None, importer=None, absence=reason)
        self.cookies = cookies
        return cookies

    # ---- replies of the backend

    def took(self, state: State, operation: Operation, reply: Any) -> None:
        """Take the backend's reply to an operation.

        Args:
            state: the session's state.
            operation: the operation.
            reply: its result, or the `BackendError` that it raised.

        Raises:
            BackendError: the reply was this error. It is not raised if the operation only moved the idle expiry for a page
                that read the session, or if the response has already failed.
            ConflictError: parallel changes cannot be merged.
        """
        self.pause = 0
        if isinstance(reply, BackendError):
            self._took_failure(state, operation, reply)
            return
        match operation:
            case Delete():
                self._took_delete(state, operation, reply)
            case Insert():
                self._took_insert(state, operation, reply)
            case Replace():
                self._took_replace(state, operation, reply)
            case Touch():
                self._took_touch(state, operation, reply)
            case Load():
                self._took_load(state, reply)
            case List() if self._sought:
                self._took_search(reply)
            case _:
                self._took_list(state, reply)

    def _took_failure(self, state: State, operation: Operation, error: BackendError) -> None:
        if isinstance(operation, Touch) and not state.touched:
            self._renewal_failed = True
            state.tell_once(EventKind.RENEWAL_FAILED)
            return
        self.lose(operation)
        if operation is not self._last_try:
            raise error
        # The application's error page is sent as it is, and no cookie says that the session has ended.
        self.gave_up = True
        if isinstance(self._unanswered, Replace) and self._unanswered.forwards:
            # The record with the old id may be gone, and the one with the new id exists. So the browser gets the new pointer.
            self.keep()
        logger.error("the session could not be ended: %s", error)

    def lose(self, operation: Operation) -> None:
        """Note that it is not known whether the backend has performed a write.

        Args:
            operation: the operation.
        """
        if isinstance(operation, (Insert, Replace)):
            self._unanswered = operation
        elif isinstance(operation, Delete):
            self._unsure.add(operation.key)

    def _took_delete(self, state: State, operation: Delete, reply: Record | None) -> None:
        for records in (self._came, self._doomed, self._surplus):
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
        if reply is None and state.ended and operation.key in self._unsure:
            # The lost reply may have been a forward record, which alone named the new id.
            self._sought.append(operation.owner)
        self._forget_unanswered(operation.key)

    def _took_search(self, reply: Sequence[Record]) -> None:
        """End what a rotation may have made of a session that ends: a record of the same owner that began in the same second."""
        owner, cookies = self._sought.pop(0), cast("RequestCookies", self.cookies)
        began = {pointer.stamp.created_at for pointer in cookies.pointers}
        for record in reply:
            if record.created_at in began:
                self._doomed[record.key] = owner

    def _forget_unanswered(self, key: str) -> bool:
        """Note that a write of a record has a reply now; return whether it had none before."""
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
        self._pointer_due, self.is_kept, self._is_import = True, False, False
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
        """Use a record that this request wrote. The backend has it, although the reply was lost."""
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
        elif self._has_failed:
            # The old id still has its session, so the rotation is taken back.
            pass
        elif is_repeated and any(isinstance(step, Update) for step in self._steps):
            raise ConflictError(
                "the backend failed while the session was saved, and another request has changed it since: it is not known "
                "whether the change of this request was saved, and its function was not called again. Read the session in the "
                "next request, and make the change again if it is missing"
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
        """Choose the user's oldest sessions beyond `max_sessions`, once the sessions under each secret have been listed."""
        self._listed += 1
        own = self._derive_key(state)
        self._others.extend(
            record
            for record in reply
            if record.key != own
            and record.key not in self._came  # a session of this browser ends in any case
            and self._codec.open_forward(record) is None
        )
        if self._listed < len(self._list_owners(state, own)):
            return
        # If the times are equal, the key decides, because `of` lists records in an order that differs between databases.
        others = sorted(self._others, key=lambda one: (one.created_at, one.updated_at, one.key))
        surplus = len(others) + 1 - cast("int", self.settings.max_sessions)
        for record in others[: max(0, surplus)]:
            self._surplus[record.key] = record.owner

    def _mark_stored(self, state: State, record: Record) -> None:
        """Note that the backend has the session as it is now."""
        if self._replaced is None:
            self._reset_steps(record)
            # The backend cannot have an earlier version any more. (The consumer of a websocket may save very often.)
            self._sent = {record.version: 0}
        state.saved = True
        state.loaded = Restorable(state.final_snapshot)
        state.touched = False
        self._move_stamp(state, record)

    def _must_set_pointer(self, state: State) -> bool:
        """Return whether the cookie must change with the record, because another secret seals now, or its attributes differ."""
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
