"""What a store tells: to the `sessionkit` logger and to `on_event`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from .session import Absence

__all__ = ["Event", "EventKind", "Ignored", "OnEvent", "tell"]

logger: logging.Logger = logging.getLogger("sessionkit")


class EventKind(Enum):
    """What happened."""

    REFUSED = "a session cookie came and gave no session"
    UPDATE_IGNORED = "update_session did nothing"
    ROLLED_BACK = "the response failed, and changes of the session were dropped"
    EXPIRED_UNSAVED = "the session expired before the response, and changes of it were dropped"
    LATE_CHANGE = "the session was changed after the response had started, and that is not saved"
    INSECURE = "a Secure cookie was set over plain http, and the browser will drop it"


class Ignored(Enum):
    """Why `update_session` did nothing."""

    NO_SESSION = "no session was given"
    NO_USER = "the given session contains no user"
    NOT_AUTHENTICATED = "there is no session of an authenticated user"
    OTHER_USER = "the given session belongs to another user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something a store noticed. It never holds a value, a token or a secret.

    Args:
        kind: what happened.
        reason: an `Absence` for `REFUSED`, an `Ignored` for `UPDATE_IGNORED`, else None.
    """

    kind: EventKind
    reason: Absence | Ignored | None = None


OnEvent = Callable[[Event], None]

_LEVELS = {
    EventKind.LATE_CHANGE: logging.WARNING,
    EventKind.INSECURE: logging.WARNING,
    EventKind.EXPIRED_UNSAVED: logging.WARNING,
}
_ADVICE = {
    EventKind.LATE_CHANGE: ": change it before the response's headers go out",
    EventKind.INSECURE: ": for development set secure=False; behind a proxy see that the forwarded scheme arrives",
}


def tell(
    on_event: OnEvent | None, kind: EventKind, reason: Absence | Ignored | None = None
) -> None:
    """Log an event and hand it on; refusals at DEBUG, since a flood of bogus cookies must not fill a disk."""
    why = f" ({reason.value})" if reason is not None else ""
    logger.log(_LEVELS.get(kind, logging.DEBUG), "%s%s%s", kind.value, why, _ADVICE.get(kind, ""))
    if on_event is not None:
        try:
            on_event(Event(kind=kind, reason=reason))
        except Exception:  # whatever a user's callback raises must not change what the visitor gets
            logger.exception("on_event raised")
