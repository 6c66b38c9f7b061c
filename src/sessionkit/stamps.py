"""The stamp of a session that begins, is used, or gets a new id."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import fence
from .base64url import encode
from .incoming import Incoming
from .session import Stamp
from .settings import Settings

__all__ = ["begun", "moved", "rotated"]


def begun(settings: Settings, incoming: Incoming, contents: Mapping[str, Any], now: float) -> Stamp:
    """The stamp of a session with these contents that begins now.

    Args:
        settings: the store's.
        incoming: what came with the request.
        contents: the session's.
        now: seconds since the epoch.
    """
    begins = int(now)
    stamp = Stamp(
        id=_new_id(),
        created_at=begins,
        updated_at=begins,
        expires_at=settings.lifetime.expires_at(begins, begins),
    )
    return _unfenced(settings, incoming, contents, stamp)


def moved(settings: Settings, incoming: Incoming, stamp: Stamp, now: float) -> Stamp:
    """The stamp of a session that is used now; no write moves it back."""
    updated = max(stamp.updated_at, int(now))
    if updated == stamp.updated_at and stamp is not incoming.stamp:
        return stamp  # of this request, by today's settings
    expires = settings.lifetime.expires_at(stamp.created_at, updated)
    return Stamp(id=stamp.id, created_at=stamp.created_at, updated_at=updated, expires_at=expires)


def rotated(
    settings: Settings, incoming: Incoming, contents: Mapping[str, Any], stamp: Stamp, now: float
) -> Stamp:
    """The same with a new id."""
    return _unfenced(
        settings, incoming, contents, replace(moved(settings, incoming, stamp, now), id=_new_id())
    )


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
            expires_at=settings.lifetime.expires_at(created, updated),
        )
    return stamp


def _new_id() -> str:
    return encode(
        os.urandom(16)
    ).decode()  # 128 bits (OWASP ASVS 5.0, 7.2.3), 22 characters; never pooled
