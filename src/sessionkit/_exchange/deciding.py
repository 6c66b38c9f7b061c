"""What the response must say: decided once, from what came and what is there at the end."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

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

__all__ = ["decide"]


def decide(
    live: State,
    status: int,
    headers: Sequence[tuple[str, str]],
    request: RequestInfo,
    *,
    owned: bool = True,
) -> HeaderChanges:
    """What to do to the headers of a response.

    Args:
        live: the session as it is now.
        status: the response's; at 500 or more ends are kept and all else is dropped.
        headers: the application's.
        request: what is answered.
        owned: whether a gateway answers, which then has the last word on the session's cookies.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: it was changed in place into what cannot be kept.
        ConfigurationError: it was changed here and by a gateway inside, which this one did not know of.
    """
    settings = live.settings
    print_ = fingerprint(live.session, settings.tags)
    if live.is_left_alone(print_):
        # Most responses: nothing but a renewal can be due.
        live.final = print_
        now = settings.clock()
        if status >= 500 or not live.is_due(now) or live.over(live.stamp, now) is not None:
            return header_changes(headers, (), present=True)
        lines = _renewal(live, status, headers, request, now)
    else:
        lines = _lines(live, print_, status, headers, request)
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


def _lines(
    live: State,
    print_: bytes,
    status: int,
    headers: Sequence[tuple[str, str]],
    request: RequestInfo,
) -> list[str]:
    """Return the Set-Cookie lines."""
    settings, session, incoming = live.settings, live.session, live.incoming
    if settings.carried and live.restore_carried():
        print_ = fingerprint(session, settings.tags)
    final = live.settle(print_)
    changed = live.present and (live.is_fresh or not live.is_as_it_came(final))
    if status >= 500:
        return _ending(live, request, EventKind.ROLLED_BACK if changed else None)
    if not live.present:
        return _ending(live, request, None)
    stamp, now = live.stamp, settings.clock()
    if live.over(stamp, now) is not None:
        return _ending(live, request, EventKind.EXPIRED_UNSAVED if changed else None)
    vetted = not changed or live.is_vetted(
        final
    )  # by a verb; and what is unchanged cannot be another's
    if not vetted and not live.is_owners(session):
        raise IdentityChangedError(
            "the session was changed in place into another user's (or nobody's), and nothing of it was saved: "
            "call create_session to log in, delete_session to log out"
        )
    if not session and (settings.framework is not None or not settings.guard(session)):
        # Whoever empties an anonymous session wants to be rid of it.
        return _end(live, request) if live.deleted or incoming.came(settings) else []
    if changed:
        moved = stamps.advance_stamp(settings, incoming, stamp, now)
        return _sealed(live, request, live.plaintext(moved, vetted=vetted), moved)
    return _renewal(live, status, headers, request, now)


def _renewal(
    live: State, status: int, headers: Sequence[tuple[str, str]], request: RequestInfo, now: float
) -> list[str]:
    """The lines of a session that did not change."""
    settings, session, incoming = live.settings, live.session, live.incoming
    if not (live.touched or incoming.imported is not None or live.is_due(now)):
        return []
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


def _ending(live: State, request: RequestInfo, dropped: EventKind | None) -> list[str]:
    """What is left to say when nothing is kept: the end, if there was one."""
    if dropped is not None:
        live.tell_once(dropped)
    return _end(live, request) if live.must_end(request) else []


def _end(live: State, request: RequestInfo) -> list[str]:
    return outgoing.ending_lines(
        live.settings,
        live.incoming,
        hidden=live.may_be_hidden(request),
        blind=live.is_blind(request),
    )


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
