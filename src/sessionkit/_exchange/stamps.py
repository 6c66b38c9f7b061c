"""The stamp of a session that begins, is used, or gets a new id."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._cookies import fence
from .._session.base64url import encode
from .._session.session import Stamp
from .config import Settings
from .reading import Incoming

__all__ = ["advance_stamp", "begin_stamp", "rotate_stamp"]


def begin_stamp(
    settings: Settings, incoming: Incoming, contents: Mapping[str, Any], now: float
) -> Stamp:
    """The stamp of a session with these contents that begins now.

    Args:
        settings: the store's.
        incoming: what came with the request.
        contents: the session's.
        now: seconds since the epoch.
    """
    begins, ends = int(now), settings.codec.ends_at(contents)
    stamp = Stamp(
        id=_new_id(),
        created_at=begins,
        updated_at=begins,
        expires_at=_expires_at(settings, begins, begins, ends),
        ends_at=ends,
    )
    return _unfenced(settings, incoming, contents, stamp)


def advance_stamp(settings: Settings, incoming: Incoming, stamp: Stamp, now: float) -> Stamp:
    """The stamp of a session that is used now; no write moves it back."""
    updated = max(stamp.updated_at, int(now))
    if updated == stamp.updated_at and stamp is not incoming.stamp:
        return stamp  # of this request, by today's settings
    expires, ends = settings.lifetime.expires_at(stamp.created_at, updated), stamp.ends_at
    return Stamp(
        id=stamp.id,
        created_at=stamp.created_at,
        updated_at=updated,
        expires_at=expires if ends is None or expires < ends else ends,
        ends_at=ends,
        mark=stamp.mark,
    )


def rotate_stamp(
    settings: Settings, incoming: Incoming, contents: Mapping[str, Any], stamp: Stamp, now: float
) -> Stamp:
    """The same with a new id."""
    stamp = replace(advance_stamp(settings, incoming, stamp, now), id=_new_id(), mark=None)
    return _unfenced(settings, incoming, contents, stamp)


def _unfenced(
    settings: Settings, incoming: Incoming, contents: Mapping[str, Any], stamp: Stamp
) -> Stamp:
    """The stamp, moved on until no mark in the fence, or about to be put there, is that of the new session.

    In a format without an id of ours the same user's next sign-in in the same second would be refused.
    """
    if not (incoming.cookies or settings.accepted):
        return stamp  # nothing came
    known = {*incoming.fence, *incoming.marks(settings)}
    while fence.mark(settings.name, settings.codec.mark_id(contents, stamp)) in known:
        created = stamp.created_at + 1
        updated = max(created, stamp.updated_at)
        stamp = replace(
            stamp,
            created_at=created,
            updated_at=updated,
            expires_at=_expires_at(settings, created, updated, stamp.ends_at),
        )
    return stamp


def _expires_at(settings: Settings, created: int, updated: int, ends: int | None) -> int:
    """Return when a session with these times expires: never later than its end."""
    expires = settings.lifetime.expires_at(created, updated)
    return expires if ends is None else min(expires, ends)


def _new_id() -> str:
    return encode(
        os.urandom(16)
    ).decode()  # 128 bits (OWASP ASVS 5.0, 7.2.3), 22 characters; never pooled
