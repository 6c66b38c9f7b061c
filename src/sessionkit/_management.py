"""Manage sessions on the server: list them, revoke them, remove the expired ones, and check whether one is still valid."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from dataclasses import dataclass, field
from re import compile as compile_pattern
from typing import Any, TypeGuard, TypeVar, cast

from ._crypto.records import RecordCodec
from ._exchange.drivers import asettle
from ._exchange.exchange import OPEN, Exchange
from ._exchange.expiry import judge_stamp
from ._exchange.operations import Delete, List, Load, Operation, Purge, Revoke
from ._exchange.performing import perform
from ._exchange.pointers import open_contents
from ._exchange.record_owners import derive_owners
from ._exchange.replies import perform_now
from ._exchange.settings import Settings
from ._exchange.unfinished_work import hold
from ._session.events import logger
from ._session.session import Absence
from .backends import Record
from .errors import BackendError, ConfigurationError

__all__ = [
    "SessionInfo",
    "Steps",
    "add_begun",
    "arun",
    "arun_to_the_end",
    "check_alive",
    "has_expired",
    "list_sessions",
    "purge",
    "revoke_session",
    "revoke_user",
    "run",
]

Result = TypeVar("Result")

Steps = Generator[Operation, Any, Result]
"""A generator that yields operations, is sent their replies, and returns a result. It works with blocking and async backends."""

_MOMENT = 0.000_001
"""Shorter than the time between any two requests, and long enough to make two times in seconds since the epoch differ."""

_HANDLE = compile_pattern(r"([0-9a-f]{32})\.([0-9a-f]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """A session on the server, as `sessions_of` lists it.

    Attributes:
        handle: the name of the session, for `revoke`. Nobody can sign in with it, so a page may show it.
        created_at: when the session began, in seconds since the epoch.
        updated_at: when it was last written or renewed, likewise.
        expires_at: when it expires if it is not used before, likewise.
        is_current: whether it is the session of the request that is being served.
        contents: a copy of its contents; changes in the copy are not saved.
        lifetime: the name of its lifetime; None for the store's `lifetime`.
    """

    handle: str
    created_at: int
    updated_at: int
    expires_at: int
    is_current: bool
    contents: dict[str, Any] = field(repr=False)
    lifetime: str | None = None


def run(settings: Settings, steps: Steps[Result]) -> Result:
    """Perform steps on a blocking backend.

    Args:
        settings: the store's settings.
        steps: the steps.

    Raises:
        ConfigurationError: the backend is async.
        BackendError: the backend failed.
    """
    if settings.backend is not None and settings.driver is None:
        raise ConfigurationError(
            f"{type(settings.backend).__name__} is an async backend: await the method with an `a` before its name "
            "(asessions_of, arevoke, arevoke_user, apurge, astill_valid)"
        )
    reply: Any = None
    while True:
        try:
            operation = _advance(steps, reply)
        except StopIteration as end:
            return cast("Result", end.value)
        try:
            reply = perform_now(operation, settings.backend)
        except BackendError as error:
            reply = error


async def arun(settings: Settings, steps: Steps[Result]) -> Result:
    """Perform steps on a backend of either kind.

    Args:
        settings: the store's settings.
        steps: the steps.

    Raises:
        BackendError: the backend failed.
    """
    reply: Any = None
    while True:
        try:
            operation = _advance(steps, reply)
        except StopIteration as end:
            return cast("Result", end.value)
        try:
            reply = await perform(operation, cast("Any", settings.backend))
        except BackendError as error:
            reply = error


def _advance(steps: Steps[Any], reply: Any) -> Operation:
    """Give steps the reply to their last operation, or raise the backend's error there; return the next operation."""
    return steps.throw(reply) if isinstance(reply, BackendError) else steps.send(reply)


async def arun_to_the_end(
    settings: Settings, steps: Steps[Result], keep: Exchange | None = None
) -> Result:
    """Perform steps as `arun` does, and finish them even if the waiting task is cancelled.

    A client that hangs up must not leave a revocation half done.

    Args:
        settings: the store's settings.
        steps: the steps.
        keep: the exchange of a request whose session stays, or None. A session that the request has begun is added first, as
            `add_begun` does it.

    Raises:
        BackendError, SessionTooLargeError, SerializationError: the backend failed, or the session cannot be added.
    """
    try:
        if _begins(keep):
            await asettle(keep)
    except asyncio.CancelledError:
        _begin(settings, steps).add_done_callback(_report)
        raise
    task = _begin(settings, steps)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_report)
        raise


def _begin(settings: Settings, steps: Steps[Result]) -> asyncio.Future[Result]:
    task = asyncio.ensure_future(arun(settings, steps))
    hold(task)
    return task


def _report(task: asyncio.Future[Any]) -> None:
    """Log the failure of a revocation whose caller was cancelled, and is not told."""
    if task.cancelled():
        logger.error(
            "sessions may not be revoked: the event loop has ended before the backend answered"
        )
    elif (error := task.exception()) is not None:
        logger.error("sessions may not be revoked: %s", _describe(error))


def _describe(error: BaseException) -> str:
    """Return the text of our own errors; of any other, only the type, because its text may hold what no log may show."""
    return str(error) if isinstance(error, BackendError) else type(error).__name__


def list_sessions(
    settings: Settings, user: object, current: Exchange | None
) -> Steps[list[SessionInfo]]:
    """List the sessions of a user, the one that was used last first.

    Args:
        settings: the store's settings; within a request, those of its exchange, since a framework's login keys name users too.
        user: contents with a user, or an identity.
        current: the exchange of the current request, or None.
    """
    # This is not done in the generator, because a traceback would show its variables.
    owners = derive_owners(settings, user)
    return _list_records(settings, owners, _find_record(current))


def _list_records(
    settings: Settings, owners: tuple[str, ...], own: str | None
) -> Steps[list[SessionInfo]]:
    found: list[SessionInfo] = []
    for owner in owners:
        records: list[Record] = yield List(owner)
        for record in records:
            contents = open_contents(settings, record)
            if isinstance(contents, Absence) or has_expired(settings, record):
                # A forward record, or one that another application wrote.
                continue
            found.append(
                SessionInfo(
                    handle=f"{record.owner}.{record.key}",
                    created_at=record.created_at,
                    updated_at=record.updated_at,
                    expires_at=record.expires_at,
                    is_current=record.key == own,
                    contents=contents,
                    lifetime=RecordCodec.read_lifetime(record),
                )
            )
    found.sort(key=lambda info: (info.updated_at, info.created_at), reverse=True)
    return found


def has_expired(settings: Settings, record: Record) -> bool:
    """Return whether the session of a record has expired.

    Args:
        settings: the store's settings.
        record: the record.
    """
    verdict = judge_stamp(settings, RecordCodec.read_stamp(record), settings.clock())
    return isinstance(verdict, Absence)


def revoke_session(settings: Settings, handle: object) -> Steps[bool]:
    """End the session of a handle, and return whether there was one.

    Args:
        settings: the store's settings.
        handle: the handle.

    Raises:
        TypeError: it is a `SessionInfo`.
    """
    if isinstance(handle, SessionInfo):
        raise TypeError("revoke takes the handle of a session: write store.revoke(info.handle)")
    match = _HANDLE.fullmatch(handle) if isinstance(handle, str) else None
    if match is None:
        return False
    codec, owner, keys = cast("RecordCodec", settings.records), match[1], [match[2]]
    record: Record | None = yield Load(keys[0], owner)
    while record is not None and (following := codec.open_forward(record)) not in (None, *keys):
        # The session was rotated. This forward record alone names the next record, so it stays: a repeated call needs it.
        keys.append(following)
        record = yield Load(keys[-1], owner)
    return (yield from _end_record(settings, keys[-1], owner, record))


def _end_record(settings: Settings, key: str, owner: str, loaded: Record | None) -> Steps[bool]:
    """Delete a record, and what a rotation makes of it meanwhile; return whether there was a session.

    Args:
        settings: the store's settings.
        key: the record's key.
        owner: its owner.
        loaded: the record; None if there was none.
    """
    codec, keys, existed = cast("RecordCodec", settings.records), [key], False
    for one in keys:
        try:
            record: Record | None = yield Delete(one, owner)
        except BackendError:
            if loaded is None:
                raise
            record, existed = None, not has_expired(settings, loaded)
        following = None if record is None else codec.open_forward(record)
        if following is not None and following not in keys:
            keys.append(following)
        elif record is not None:
            existed = existed or not has_expired(settings, record)
        elif loaded is not None:
            # The reply is lost, or another request got the record. It may have become a forward record before, which alone named
            # the new one. So the sessions of this owner that began in the same second end, unless the record is still there.
            listed: list[Record] = yield List(owner)
            same = [each.key for each in listed if each.created_at == loaded.created_at]
            keys.extend([one] if one in same else same)
            loaded = None
    return existed


def revoke_user(settings: Settings, user: object, keep: Exchange | None) -> Steps[int]:
    """End every session of a user, and return how many there were.

    Args:
        settings: as for `list_sessions`.
        user: contents with a user, or an identity.
        keep: the exchange of a request whose session stays, or None.
    """
    return _revoke_owners(settings, derive_owners(settings, user), keep)


def _revoke_owners(
    settings: Settings, owners: tuple[str, ...], keep: Exchange | None
) -> Steps[int]:
    codec, ended = cast("RecordCodec", settings.records), 0
    key, server = _find_record(keep), None if keep is None else keep.server
    for owner in owners:
        records: list[Record] = yield List(owner)
        forwards = sum(codec.open_forward(record) is not None for record in records)
        at = settings.clock()
        ended += (yield Revoke(owner, at, key)) - forwards
        if server is None or key is None:
            continue
        kept: Record | None = yield Load(key, owner)
        if kept is not None:
            # A session that this request begins or rotates is added later, and must not lose to its own revocation. If the
            # kept session is gone, another revocation came before, and that one counts; so does one that comes later.
            server.since = max(server.since, at + _MOMENT)
            server.outlasts = True
            key = None
    return max(0, ended)


def _begins(keep: Exchange | None) -> TypeGuard[Exchange]:
    """Return whether a request has begun or imported a session that the backend does not have yet."""
    return keep is not None and keep.phase is OPEN and _find_record(keep) is None


def add_begun(keep: Exchange | None) -> None:
    """Add the record of a session that a request has begun, so that a revocation of its user can spare it.

    An earlier revocation by another request refuses the record: the login was in progress then.

    Args:
        keep: the exchange of the request, or None.

    Raises:
        BackendError, SessionTooLargeError, SerializationError: it cannot be added.
    """
    if _begins(keep) and keep.settings.driver is not None:
        keep.settings.driver.run(keep, 200, ())


def _find_record(current: Exchange | None) -> str | None:
    """Return the key of the record that holds the session of a request; None if there is none yet."""
    if current is None or current.server is None or current.state is None:
        return None
    return current.server.find_key(current.state)


def purge(settings: Settings, limit: int) -> Steps[int]:
    """Remove expired records, and return how many.

    Args:
        settings: the store's settings.
        limit: the most records to remove.

    Raises:
        TypeError, ValueError: the limit is no whole number of at least 1.
    """
    if type(limit) is not int:
        raise TypeError(f"a limit is a whole number of records, not {type(limit).__name__}")
    if limit < 1:
        raise ValueError("a limit is a whole number of at least 1")
    removed: int = yield Purge(int(settings.clock()), limit)
    return removed


def check_alive(exchange: Exchange) -> Steps[bool]:
    """Check again whether the session of a request is valid, and drop it if not. Without a backend, only its expiry is checked.

    Args:
        exchange: the request's exchange.
    """
    if not exchange.looked_at:
        exchange.get()
    server = exchange.server
    current = None if server is None else server.current
    if current is not None:
        # Another request may have moved the expiry, so the record is loaded before the times are checked.
        record: Record | None = yield Load(current.key, current.owner)
        exchange.refresh(record)
    return exchange.get() is not None
