"""End one session, or all sessions of a user."""

from __future__ import annotations

from re import compile as compile_pattern
from typing import cast

from .._crypto.records import RecordCodec
from .._exchange.exchange import Exchange
from .._exchange.operations import Delete, List, Load, Revoke
from .._exchange.record_owners import derive_owners
from .._exchange.settings import Settings
from ..backends import Record
from ..errors import BackendError
from .listing import SessionInfo, find_record, has_expired
from .steps import Steps

__all__ = ["revoke_session", "revoke_user"]

_MOMENT = 0.000_001
"""Shorter than the time between any two requests, and long enough to make two times in seconds since the epoch differ."""

_HANDLE = compile_pattern(r"([0-9a-f]{32})\.([0-9a-f]{32})")


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
    key, server = find_record(keep), None if keep is None else keep.server
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
