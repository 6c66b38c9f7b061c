"""Decide whether a session has expired, from its stamp, the time and the current settings."""

from __future__ import annotations

from dataclasses import replace

from .._session.session import Absence, Stamp
from .settings import Settings

__all__ = ["judge_stamp"]


def judge_stamp(settings: Settings, stamp: Stamp, now: float) -> Stamp | Absence:
    """Judge a session by its times: the idle and the absolute expiry, and the end that its contents have set.

    A session is valid only while its stamp and the settings of today both allow it. Equality is expired.

    Args:
        settings: the store's settings. They may have become stricter since the session was stamped.
        stamp: the session's stamp, with the newest renewal.
        now: seconds since the epoch.

    Returns:
        The stamp, with the moment from which the session expires by the settings of today; or the reason why it is over.
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
        # The identity provider's end knows no tolerance.
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
