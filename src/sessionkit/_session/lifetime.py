"""Compute the idle and the absolute expiry from a session's times and now; `_exchange/expiry.py` enforces them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import isfinite
from typing import Any, Literal

from ..errors import ConfigurationError
from .given_arguments import remember_arguments
from .session import Absence

__all__ = [
    "CLOCK_SKEW",
    "FOUR_HUNDRED_DAYS",
    "LONGEST",
    "Duration",
    "Lifetime",
    "check_lifetimes",
    "seconds",
]

Duration = int | float | timedelta
"""Seconds, or a timedelta."""

DAY = 86_400
FOUR_HUNDRED_DAYS = 400 * DAY
"""RFC 6265bis section 5.5: a browser cuts a longer Max-Age to this."""

CLOCK_SKEW = 60
"""Seconds by which the clocks of two machines may differ before a token is "not yet valid"."""

_WEEK = timedelta(days=7)

LONGEST = 10**10
"""The largest time and duration in seconds (317 years), so that every time in a token has at most 11 digits."""

LONGEST_NAME = 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@remember_arguments
@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Lifetime:
    """The limits of a session's life, in whole seconds.

    Args:
        idle: seconds (or a timedelta) without activity after which a rolling session ends. "auto" is one
            day, or `absolute` if that is shorter. Not used when `rolling` is false.
        absolute: seconds after sign-in at which a session ends, even if it is used; None for no such limit.
        rolling: whether activity moves the idle expiry.
        renew_after: seconds that must have passed since the last renewal before a request renews again;
            0 renews at every request. By default 60, or half of `idle` if that is shorter.
        transient: whether the session's cookies have no Max-Age, so that the browser forgets them when it closes. None
            leaves this to `CookieSettings.transient`.

    Raises:
        ConfigurationError: the times contradict each other, or are not positive.

    NIST SP 800-63B-4 asks for an absolute limit of 30 days at AAL1, 24 hours (idle one hour) at AAL2 and
    12 hours (idle 15 minutes) at AAL3.
    """

    idle: int | None
    absolute: int | None
    rolling: bool
    renew_after: int
    transient: bool | None
    given: tuple[tuple[str, Any], ...] = field(init=False, repr=False, compare=False)
    """The arguments that were given; `SessionStore.from_env` takes all others from the variables."""

    def __init__(
        self,
        *,
        idle: Duration | Literal["auto"] | None = "auto",
        absolute: Duration | None = _WEEK,
        rolling: bool = True,
        renew_after: Duration | None = None,
        transient: bool | None = None,
    ) -> None:
        if transient is not None and type(transient) is not bool:
            raise ConfigurationError(
                f"transient must be True, False or None, not {type(transient).__name__}"
            )
        whole = seconds("absolute", absolute)
        if not rolling:
            if whole is None:
                raise ConfigurationError(
                    "a session that is not rolling and has no absolute lifetime would never end: set absolute"
                )
            pause = None
        elif idle == "auto":
            pause = DAY if whole is None else min(DAY, whole)
        else:
            pause = seconds("idle", idle)
            if pause is None:
                raise ConfigurationError(
                    "rolling=True needs an idle time; for sessions without one set rolling=False"
                )
        if pause is not None and whole is not None and pause > whole:
            known = "" if absolute is not _WEEK else ", which is 7 days unless you set it"
            raise ConfigurationError(
                f"idle ({pause} s) is longer than absolute ({whole} s{known}): "
                + ("give absolute=... too, at least as long" if known else "shorten idle")
            )
        object.__setattr__(self, "idle", pause)
        object.__setattr__(self, "absolute", whole)
        object.__setattr__(self, "rolling", rolling)
        object.__setattr__(self, "renew_after", _throttle(renew_after, pause))
        object.__setattr__(self, "transient", transient)

    def expires_at(self, created_at: int, updated_at: int) -> int:
        """Return the moment from which a session with these times is no longer valid.

        Args:
            created_at: when it began, in whole seconds since the epoch.
            updated_at: when it was last active, likewise.

        Returns:
            Whole seconds since the epoch; equality is expired.
        """
        if self.idle is None:
            return created_at + (self.absolute or 0)
        if self.absolute is None:
            return updated_at + self.idle
        return min(updated_at + self.idle, created_at + self.absolute)

    def absence(
        self, created_at: int, updated_at: int, expires_at: int, now: float
    ) -> Absence | None:
        """Return why a session with these times has expired, or None while it is valid.

        Both the stamped `expires_at` and the current settings are enforced. At the limit itself, the session has expired.

        Args:
            created_at: when it began, in whole seconds since the epoch.
            updated_at: when it was last active, likewise.
            expires_at: the expiry in its token, likewise.
            now: seconds since the epoch.
        """
        if self.absolute is not None and now >= created_at + self.absolute:
            return Absence.ABSOLUTE
        if self.idle is not None and now >= updated_at + self.idle:
            return Absence.IDLE
        return Absence.EXPIRED if now >= expires_at else None

    def due(self, created_at: int, updated_at: int, now: float) -> bool:
        """Return whether activity now should move the idle expiry.

        Args:
            created_at: when it began, in whole seconds since the epoch.
            updated_at: when it was last active, likewise.
            now: seconds since the epoch.

        Returns:
            False also if the expiry would not move: the session is not rolling, or the absolute limit comes first.
        """
        if self.idle is None or now - updated_at < self.renew_after:
            return False
        # The expiry cannot move once the idle expiry is later than the absolute one.
        return self.absolute is None or updated_at + self.idle < created_at + self.absolute


def check_lifetimes(lifetimes: object, *, transient: bool) -> dict[str, Lifetime]:
    """Return named lifetimes as a dict in which each says whether its cookies are transient.

    Args:
        lifetimes: the argument of the store.
        transient: the value for a lifetime that does not set its own.

    Raises:
        ConfigurationError: the argument is not a mapping of lifetimes, or a name cannot be part of a token.
    """
    if not isinstance(lifetimes, Mapping):
        raise ConfigurationError(
            'lifetimes must be a mapping from names to lifetimes, such as {"remembered": Lifetime(absolute=2_592_000)}, '
            f"not {type(lifetimes).__name__}"
        )
    made: dict[str, Lifetime] = {}
    for name, lifetime in lifetimes.items():  # pyright: ignore[reportUnknownVariableType]  # checked here
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise ConfigurationError(
                f"the lifetime name {name!r} cannot stand in a token: take a letter and then letters, digits, - or _, "
                f"{LONGEST_NAME} characters at most"
            )
        if not isinstance(lifetime, Lifetime):
            raise ConfigurationError(
                f"lifetimes[{name!r}] must be a Lifetime, not {type(lifetime).__name__}"  # pyright: ignore[reportUnknownArgumentType]
            )
        made[name] = (
            replace(lifetime, transient=transient) if lifetime.transient is None else lifetime
        )
    return made


def seconds(name: str, value: Any) -> int | None:
    """Return a setting in whole seconds; raise ConfigurationError unless it is a positive duration."""
    if value is None:
        return None
    number = value.total_seconds() if isinstance(value, timedelta) else value
    endless = isinstance(number, float) and not isfinite(number)
    if isinstance(number, bool) or not isinstance(number, (int, float)) or endless:
        raise ConfigurationError(
            f"{name} must be a number of seconds or a timedelta, not {type(value).__name__}"
        )
    if not 1 <= number <= LONGEST:
        raise ConfigurationError(f"{name} must be between 1 second and {LONGEST} seconds")
    return int(number)


def _throttle(renew_after: Duration | None, idle: int | None) -> int:
    if idle is None:
        return 0
    if renew_after is None:
        return min(60, idle // 2)
    if renew_after in (0, timedelta(0)) and not isinstance(renew_after, bool):
        return 0
    pause = seconds("renew_after", renew_after) or 0
    if pause >= idle:
        raise ConfigurationError(
            f"renew_after ({pause} s) must be shorter than idle ({idle} s), else active sessions end; half of it at most is wise"
        )
    return pause
