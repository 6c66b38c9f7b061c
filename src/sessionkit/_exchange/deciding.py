"""What the response must say: decided once, from what came and what is there at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import cast

from .._cookies import barrier, fence
from .._cookies.caching import HeaderChanges, header_changes, is_shared
from .._session.events import EventKind
from .._session.session import Absence, Stamp
from .._session.snapshot import fingerprint
from ..errors import ConfigurationError, IdentityChangedError
from . import stamps
from . import writing as outgoing
from .config import Settings
from .request import RequestInfo, is_loopback
from .state import State

__all__ = ["answer", "decide"]


class Decision(Enum):
    """What becomes of a session that is not sealed."""

    NOTHING = "nothing is sent"
    RENEW = "the idle expiry is moved"
    END = "everything that the browser holds of it is cleared"


# Python 3.11 looks a member up through the class in 0.1 µs, and every response does so.
NOTHING, RENEW, END = Decision


@dataclass(slots=True)
class Seal:
    """The decision to seal a session."""

    plaintext: bytes = field(repr=False)
    stamp: Stamp


def decide(live: State, status: int, request: RequestInfo, now: float) -> Decision | Seal:
    """Decide what becomes of a session. To ask again, with another status too, gives the same answer.

    Args:
        live: the session as it is now.
        status: the response's; at 500 or more ends are kept and all else is dropped.
        request: the request that is answered.
        now: seconds since the epoch.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: it was changed in place into what cannot be kept.
    """
    settings, session, incoming = live.settings, live.session, live.incoming
    print_ = fingerprint(session, settings.tags)
    if live.is_left_alone(print_):  # as most are
        live.final = print_
        due = status < 500 and live.is_due(now) and live.over(live.stamp, now) is None
        return RENEW if due else NOTHING
    if settings.carried and live.restore_carried():
        print_ = fingerprint(session, settings.tags)
    final = live.settle(print_)
    changed = live.present and (live.is_fresh or not live.is_as_it_came(final))
    if status >= 500:
        return _drop(live, request, EventKind.ROLLED_BACK if changed else None)
    if not live.present:
        return _drop(live, request, None)
    stamp = live.stamp
    if live.over(stamp, now) is not None:
        return _drop(live, request, EventKind.EXPIRED_UNSAVED if changed else None)
    vetted = not changed or live.is_vetted(final)  # what is unchanged cannot be another's
    if not vetted and not live.is_owners(session):
        raise IdentityChangedError(
            "the session was changed in place into another user's (or nobody's), and nothing of it was saved: "
            "call create_session to log in, delete_session to log out"
        )
    if not session and (settings.framework is not None or not settings.guard(session)):
        # Whoever empties an anonymous session wants to be rid of it.
        return END if live.deleted or incoming.came(settings) else NOTHING
    if changed:
        moved = stamps.advance_stamp(settings, incoming, stamp, now)
        return Seal(live.plaintext(moved, vetted=vetted), moved)
    if live.touched or incoming.imported is not None or live.is_due(now):
        return RENEW
    return NOTHING


def _drop(live: State, request: RequestInfo, dropped: EventKind | None) -> Decision:
    """Keep nothing but an end, if there was one; tell of changes that are dropped."""
    if dropped is not None:
        live.tell_once(dropped)
    return END if live.must_end(request) else NOTHING


def answer(
    live: State,
    status: int,
    headers: Sequence[tuple[str, str]],
    request: RequestInfo,
    *,
    owned: bool = True,
) -> HeaderChanges:
    """Return the changes to the headers of a response.

    Args:
        live: the session as it is now.
        status: the response's.
        headers: the application's.
        request: the request that is answered.
        owned: whether a gateway answers, which then has the last word on the session's cookies.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: as for `decide`.
        ConfigurationError: it was changed here and by a gateway inside, which this one did not know of.
    """
    settings, now = live.settings, live.settings.clock()
    decision = decide(live, status, request, now)
    if decision is NOTHING:
        present = live.present or live.incoming.opened is not None
        return header_changes(headers, (), present=present)
    if decision is RENEW:
        lines = _renewal(live, status, headers, request, now)
    elif decision is END:
        lines = outgoing.ending_lines(
            settings,
            live.incoming,
            hidden=live.may_be_hidden(request),
            blind=live.is_blind(request),
        )
    else:
        sealed = cast("Seal", decision)
        lines = _sealed(live, request, sealed.plaintext, sealed.stamp)
    if lines and owned and status < 500 and _is_set(settings, headers):
        if live.changed or live.ended:
            raise ConfigurationError(
                f"the response sets the cookie {settings.name!r} already: the session was changed by an application inside, which "
                "the bridge around it did not tell of this request, and outside of it too. Serve that application without a "
                "gateway of its own, or by a bridge that carries the outer request (a2wsgi), or change the session on one side"
            )
        lines = []  # a renewal; the inner gateway's word stands
    if (
        lines
        and settings.cookie.secure
        and request.scheme in ("http", "ws")
        and not is_loopback(request.header("host"))
    ):
        settings.warn_once(EventKind.INSECURE)
    return header_changes(headers, lines, present=live.present or live.incoming.opened is not None)


def _is_set(settings: Settings, headers: Sequence[tuple[str, str]]) -> bool:
    """Return whether a response sets a session of ours before we have said anything.

    What an application clears, or sets under a name that is only like ours, is its own affair.
    """
    first = (settings.name, f"{settings.chunk}0")
    for name, line in headers:
        if name.lower() == "set-cookie":
            cookie, _, value = line.partition(";")[0].partition("=")
            if cookie in first and settings.format.recognizes(value):
                return True
    return False


def _renewal(
    live: State, status: int, headers: Sequence[tuple[str, str]], request: RequestInfo, now: float
) -> list[str]:
    """Return the lines that move the idle expiry of a session that did not change."""
    settings, session, incoming = live.settings, live.session, live.incoming
    if not live.touched and (status == 304 or is_shared(headers)):
        return []  # it only confirms what a cache has, or is meant for one: a renewal is not worth that entry
    moved = stamps.advance_stamp(settings, incoming, live.stamp, now)
    try:
        if incoming.imported is not None:
            # What was imported becomes ours, whatever `renews` says. Others may write more than our budget: that is not refused.
            return _sealed(
                live, request, outgoing.rewritten_payload(settings, session, moved), moved
            )
        if live.touched or settings.renews(request):
            until = live.until(moved)
            # A browser drops the session's own cookies at their Max-Age: what ends later than it was to is sent again.
            moves = until != inf and until != live.until(incoming.stamp or moved)
            resealed = (
                outgoing.rewritten_payload(settings, session, moved)
                if moves or settings.codec.seen is None
                else None
            )
            return outgoing.renewed_lines(
                settings.suited(session), incoming, resealed, moved, until=until
            )
    except RecursionError:
        pass  # so far down the stack JSON of many levels cannot be written: another request will
    return []


def _sealed(live: State, request: RequestInfo, plaintext: bytes, stamp: Stamp) -> list[str]:
    """Return the lines of a session that is sealed again, or anew."""
    settings, incoming, until = live.settings, live.incoming, inf
    suited = settings
    if settings.framework is not None:
        suited, until = settings.suited(live.session), live.until(stamp)
    if incoming.is_whole and incoming.imported is None and not (live.ended or live.is_fresh):
        line = outgoing.only_line(suited, incoming, plaintext, live.session, stamp, until=until)
        if line is not None:
            return [line]  # in the place of the one that came: the commonest update
    lines = outgoing.sealed_lines(
        suited,
        incoming,
        plaintext,
        stamp,
        begun=live.ended,
        until=until,
        hidden=live.may_be_hidden(request),
    )
    link, raised = _spared(live, request, stamp) if lines else ("", [])
    # A format that cannot keep the mark: a logout later on will not know the one that came.
    moved = incoming.opened is not None and incoming.opened.mark_id != settings.codec.mark_id(
        live.session, stamp
    )
    ambiguous = incoming.stamp is not None or incoming.absence is Absence.AMBIGUOUS
    if live.ended or moved or link or (live.is_fresh and ambiguous):
        lines += outgoing.fence_lines(settings, incoming, link=link)
    return lines + raised


def _spared(live: State, request: RequestInfo, stamp: Stamp) -> tuple[str, list[str]]:
    """Return what keeps a barrier from ending the session: a link for the fence, or the lines of a barrier that is raised for it."""
    settings, incoming, blind = live.settings, live.incoming, live.is_blind(request)
    known = incoming.barrier
    if not blind and known is None:
        return "", []
    mark = fence.mark(settings.name, settings.codec.mark_id(live.session, stamp))
    if not blind and known is not None and not known.ends(mark, stamp.created_at):
        return "", []
    if known is not None and incoming.opened is not None and not live.ended:
        before = fence.mark(settings.name, incoming.opened.mark_id)
        first = known.spared.get(before, before)
        return barrier.link(settings.barrier_keys, settings.clock(), mark, first), []
    return "", outgoing.barrier_lines(settings, incoming, mark)
