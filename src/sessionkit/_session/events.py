"""Events of a store: they go to the `sessionkit` logger and to `on_event`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .session import Absence

__all__ = ["Event", "EventKind", "Ignored", "OnEvent", "tell"]

logger: logging.Logger = logging.getLogger("sessionkit")


class EventKind(Enum):
    """The kinds of events."""

    REFUSED = "a session cookie came and gave no session"
    UPDATE_IGNORED = "update_session did nothing"
    ROLLED_BACK = "the response failed, and changes of the session were dropped"
    EXPIRED_UNSAVED = "the session expired before the response, and changes of it were dropped"
    LATE_CHANGE = "the session was changed after the response had started, and that is not saved"
    DETACHED_CHANGE = "a dict put in the place of the session was changed after its contents had been taken over, and that is not saved"
    MADE_ROOM = "the session did not fit, and the oldest sign-ins in progress or form tokens in it were dropped"
    INSECURE = "a Secure cookie was set over plain http, and the browser will drop it"
    NOT_RETURNED = (
        "a Secure cookie was set over plain http, and the client's next request came without it"
    )
    TWO_SESSIONS = (
        "the framework's session object belongs to another library, which is installed beside ours"
    )
    UNANSWERED = "the session was changed in a request that nobody answers, and the change was lost"
    LATE_WRITE = (
        "the session was ended or revoked meanwhile, and what the request wrote was dropped"
    )
    RENEWAL_FAILED = "the backend did not reply, and the idle expiry did not move"
    NOT_PRIVATE = (
        "the session was first read after the response had started, and caches were not told"
    )


class Ignored(Enum):
    """Reasons why `update_session` did nothing."""

    NO_SESSION = "no session was given"
    NO_USER = "the given session contains no user"
    NOT_AUTHENTICATED = "there is no session of an authenticated user"
    OTHER_USER = "the given session belongs to another user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a store. It never holds a value, a token or a secret.

    Args:
        kind: what happened.
        reason: an `Absence` for `REFUSED`, an `Ignored` for `UPDATE_IGNORED`, else None.
        claim: for `Ignored.OTHER_USER` the name of the claim that differs (`iss`, `sub`, `id`, …), if the identity names
            its claims, else None. It takes no part in comparisons.
    """

    kind: EventKind
    reason: Absence | Ignored | None = None
    claim: str | None = field(default=None, compare=False)


OnEvent = Callable[[Event], None]

_LEVELS: dict[EventKind | Absence | Ignored | None, int] = {
    EventKind.LATE_CHANGE: logging.WARNING,
    EventKind.DETACHED_CHANGE: logging.WARNING,
    EventKind.INSECURE: logging.WARNING,
    EventKind.NOT_RETURNED: logging.WARNING,
    EventKind.TWO_SESSIONS: logging.WARNING,
    EventKind.EXPIRED_UNSAVED: logging.WARNING,
    EventKind.MADE_ROOM: logging.WARNING,
    Ignored.OTHER_USER: logging.WARNING,
    Ignored.NO_USER: logging.INFO,
    Ignored.NOT_AUTHENTICATED: logging.INFO,
    EventKind.UNANSWERED: logging.WARNING,
    EventKind.NOT_PRIVATE: logging.WARNING,
    EventKind.LATE_WRITE: logging.INFO,
    EventKind.RENEWAL_FAILED: logging.WARNING,
}
_ADVICE: dict[EventKind | Absence | Ignored | None, str] = {
    EventKind.MADE_ROOM: ": they are those that were begun first; keep less in an anonymous session",
    Ignored.OTHER_USER: ": keep `user` as the session has it, from the ID token, and pass {**session, ...} with what is new; "
    "call create_session to log in",
    EventKind.LATE_CHANGE: ": change it before the response's headers go out",
    EventKind.DETACHED_CHANGE: ": after a verb that writes (create_session, update_session, ...) change request.session, or put the dict "
    "there again",
    EventKind.INSECURE: ": for development set secure=False; behind a proxy see that the forwarded scheme arrives",
    EventKind.NOT_RETURNED: ": Safari, and HTTP clients such as httpx and requests, keep none of http://localhost; for development "
    "set secure=False, or serve https",
    EventKind.TWO_SESSIONS: ": remove the other one (Starlette's SessionMiddleware, Flask-Session); what is put into its "
    "session does not go into ours",
    EventKind.UNANSWERED: ": install the middleware (store.wsgi(app), store.asgi(app)), or call a verb with the response too; "
    "a websocket under WSGI or Daphne can set no cookie",
    EventKind.NOT_PRIVATE: ": read it before the first byte of the stream, or send Cache-Control: private",
}


def tell(
    on_event: OnEvent | None,
    kind: EventKind,
    reason: Absence | Ignored | None = None,
    claim: str | None = None,
) -> None:
    """Log an event and pass it to `on_event`. Refused cookies are logged at DEBUG, so that a flood of forged cookies fills no disk."""
    why = "" if reason is None else f" ({reason.value}{_by(claim)})"
    told = reason if reason in _LEVELS else kind
    level, advice = _LEVELS.get(told, logging.DEBUG), _ADVICE.get(told, "")
    logger.log(level, "%s%s%s", kind.value, why, advice)
    if on_event is not None:
        try:
            on_event(Event(kind=kind, reason=reason, claim=claim))
        except Exception:  # whatever a user's callback raises must not change what the visitor gets
            logger.exception("on_event raised")


def _by(claim: str | None) -> str:
    return "" if claim is None else f": its {claim!r} differs"
