"""Make a stamp (id and times): when a session begins, when it is used, and when it gets a new id."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._cookies import fence
from .._session.base64url import encode
from .._session.session import Stamp
from .reading import RequestCookies
from .settings import Settings

__all__ = ["advance_stamp", "begin_stamp", "make_id", "rotate_stamp"]


def begin_stamp(
    settings: Settings,
    cookies: RequestCookies,
    contents: Mapping[str, Any],
    now: float,
    lifetime: str | None = None,
) -> Stamp:
    """Return the stamp of a session that begins now.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        contents: the contents of the session.
        now: seconds since the epoch.
        lifetime: the name of the session's lifetime; None for the default one.
    """
    begins, ends = int(now), settings.codec.ends_at(contents)
    stamp = Stamp(
        id=make_id(),
        created_at=begins,
        updated_at=begins,
        expires_at=_compute_expiry(settings, lifetime, begins, begins, ends),
        ends_at=ends,
        lifetime=lifetime,
    )
    return _avoid_fence(settings, cookies, contents, stamp)


def advance_stamp(settings: Settings, cookies: RequestCookies, stamp: Stamp, now: float) -> Stamp:
    """Return the stamp of a session that is used now, with the idle expiry moved.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        stamp: the stamp so far. Its update time never moves back.
        now: seconds since the epoch.
    """
    updated = max(stamp.updated_at, int(now))
    if updated == stamp.updated_at and stamp is not cookies.stamp:
        # This request made the stamp, with the current settings.
        return stamp
    lifetime = (
        settings.lifetime if stamp.lifetime is None else settings.find_lifetime(stamp.lifetime)
    )
    expires, ends = lifetime.expires_at(stamp.created_at, updated), stamp.ends_at
    return Stamp(
        id=stamp.id,
        created_at=stamp.created_at,
        updated_at=updated,
        expires_at=expires if ends is None or expires < ends else ends,
        ends_at=ends,
        mark=stamp.mark,
        lifetime=stamp.lifetime,
    )


def rotate_stamp(
    settings: Settings,
    cookies: RequestCookies,
    contents: Mapping[str, Any],
    stamp: Stamp,
    now: float,
) -> Stamp:
    """Return the stamp of a session that is used now and gets a new id.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        contents: the contents of the session.
        stamp: the stamp so far.
        now: seconds since the epoch.
    """
    stamp = replace(advance_stamp(settings, cookies, stamp, now), id=make_id(), mark=None)
    return _avoid_fence(settings, cookies, contents, stamp)


def _avoid_fence(
    settings: Settings, cookies: RequestCookies, contents: Mapping[str, Any], stamp: Stamp
) -> Stamp:
    """Advance `created_at` until the session's mark is not in the fence, and will not be put there by this response.

    A format without an id of ours makes the mark from the contents and the times. Without this step, if the same user signed in
    again in the same second, the new session would have the mark of the ended one.
    """
    if not (cookies.by_name or settings.importers):
        # Without cookies there are no marks.
        return stamp
    fenced = {*cookies.fence, *cookies.list_marks(settings)}
    while fence.mark(settings.name, settings.codec.mark_id(contents, stamp)) in fenced:
        created = stamp.created_at + 1
        updated = max(created, stamp.updated_at)
        stamp = replace(
            stamp,
            created_at=created,
            updated_at=updated,
            expires_at=_compute_expiry(settings, stamp.lifetime, created, updated, stamp.ends_at),
        )
    return stamp


def _compute_expiry(
    settings: Settings, lifetime: str | None, created: int, updated: int, ends: int | None
) -> int:
    """Return when a session with these times expires: no later than the end that its contents set."""
    expires = settings.find_lifetime(lifetime).expires_at(created, updated)
    return expires if ends is None else min(expires, ends)


def make_id() -> str:
    """Return a new id: 128 random bits (OWASP ASVS 5.0, 7.2.3) in 22 characters, never pooled."""
    return encode(os.urandom(16)).decode()
