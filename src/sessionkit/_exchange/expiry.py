"""Decide whether a session has expired, from its stamp, the time and the current settings."""

from __future__ import annotations

from dataclasses import replace

from .._session.session import Absence, Stamp
from .settings import Settings

__all__ = ["judge_stamp"]


def judge_stamp(settings: Settings, stamp: Stamp, now: float) -> Stamp | Absence:
    """Check whether a session has expired: by the idle and the absolute limit, and by its contents end.

    A session is valid only while both its stamp and the current settings allow it. At the limit itself, it has expired.

    Args:
        settings: the store's settings. They may have become stricter since the session was stamped.
        stamp: the session's stamp, with the newest renewal.
        now: seconds since the epoch.

    Returns:
        The stamp, with the time at which the session expires by the current settings; or the reason why it has expired.
    """
    lifetime = (
        settings.lifetime if stamp.lifetime is None else settings.lifetimes.get(stamp.lifetime)
    )
    if lifetime is None:
        # The settings no longer have a lifetime of this name.
        return Absence.EXPIRED
    expires, ends = lifetime.expires_at(stamp.created_at, stamp.updated_at), stamp.ends_at
    expires = min(expires, stamp.expires_at)
    if ends is not None:
        # There is no tolerance for the end that the identity provider set.
        if now >= ends:
            return Absence.EXPIRED
        expires = min(expires, ends)
    now -= settings.tolerance
    if now >= expires:
        return (
            lifetime.absence(stamp.created_at, stamp.updated_at, stamp.expires_at, now)
            or Absence.EXPIRED
        )
    return stamp if stamp.expires_at == expires else replace(stamp, expires_at=expires)
