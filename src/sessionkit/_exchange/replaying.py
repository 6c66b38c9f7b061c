"""Replay the steps of a request over the record that another request has written meanwhile. No I/O."""

from __future__ import annotations

from dataclasses import replace
from random import random
from typing import cast

from .._crypto.sealing import Opened
from .._session.json import rewrite
from .._session.session import Absence, Stamp
from .._session.snapshot import is_opaque, restore_contents
from ..backends._protocols import Record
from ..errors import BackendError, ConflictError
from .merging import Change, Function, Update, replay
from .planning import Planning
from .pointers import open_contents
from .state import State

__all__ = ["Replaying", "with_times"]

MOST_TRIES = 64
"""The number of conflicts after which a write is given up. Eight processes that constantly wrote one session never needed as many."""

LONGEST_PAUSE = 0.064
"""The longest pause after a conflict, in seconds. Without a pause, parallel writers starve each other."""


class Replaying(Planning):
    """The steps of one request: its changes since the record that the backend has."""

    __slots__ = ()

    # The base class sets these too; type checkers need them here.
    pause: float

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
            token, snapshot = cast("Opened", state.cookies.token), state.loaded.snapshot
            imported = token.contents if is_opaque(snapshot) else restore_contents(snapshot)
            self._last = rewrite(imported, self.settings.serializer)
        return self._last

    def _reset_steps(self, record: Record) -> None:
        """Forget the previous steps, and start again from this record of the backend."""
        self._base, self._steps, self._last, self._tries = record, [], None, 0

    def _move_stamp(self, state: State, record: Record) -> None:
        """Give the session the times of its record."""
        state.restamp(with_times(state.stamp, record))

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
                "request was saved: repeat the request, or send fewer at the same time"
            )
        settings = self.settings
        theirs = open_contents(settings, other)
        if isinstance(theirs, Absence):
            raise BackendError(
                "the session's record was replaced by one that does not open: give all processes the same secrets"
            )
        before = self._last_contents(state)
        mine = rewrite(dict(state.session), settings.serializer)
        steps = self._steps if mine == before else [*self._steps, Change(before, mine)]
        exclusive = {"user", *settings.login_keys}
        # If the new record of a rotation already exists, a further change is a change of its contents.
        snapshot = (
            state.loaded.snapshot if self._replaced is not None else state.snapshot_of(theirs)
        )
        merged = replay(steps, dict(theirs), settings.serializer, exclusive, state.accepts_update)
        if not state.owner.owns(merged):
            raise ConflictError(
                "the changes of parallel requests, merged, give the session to another user: nothing of this request was saved. "
                "Call create_session for another user"
            )
        state.rebase(merged, snapshot)
        self._steps, self._last = steps, rewrite(merged, settings.serializer)
        if not state.is_fresh:
            self._move_stamp(state, other)
        if self._tries % 2:
            # Other requests write during the pause, so the attempt after it mostly fails too, and returns what they wrote.
            # The next attempt follows at once. If there were a pause before each attempt, writers that never pause would
            # starve others.
            self.pause = random() * min(LONGEST_PAUSE, 0.001 * 2**self._tries)  # noqa: S311  # a pause is not a secret


def with_times(stamp: Stamp, record: Record) -> Stamp:
    """Return a session's stamp with the times of its record."""
    if (stamp.updated_at, stamp.expires_at) == (record.updated_at, record.expires_at):
        return stamp
    return replace(stamp, updated_at=record.updated_at, expires_at=record.expires_at)
