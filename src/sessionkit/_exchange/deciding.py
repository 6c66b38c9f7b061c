"""Decide what a response does with the session: nothing, renew, seal or end; then collect the header lines for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Any, cast

from .._cookies import barrier, fence
from .._cookies.caching import HeaderChanges, header_changes, is_shared
from .._session.events import EventKind
from .._session.session import Absence, Stamp, stamp_of
from .._session.snapshot import OPAQUE, take_snapshot
from ..errors import ConfigurationError, IdentityChangedError
from . import stamps, writing
from .clearing import Extent
from .request import RequestInfo
from .settings import Settings
from .state import State
from .unreturned_cookie import INSECURE, tell_insecure

__all__ = [
    "END",
    "NOTHING",
    "RENEW",
    "Decision",
    "Seal",
    "answer",
    "collect_lines",
    "collect_pointer_lines",
    "decide",
    "finish_answer",
]


class Decision(Enum):
    """The decisions about a session that is not sealed."""

    NOTHING = "the response says nothing about the session"
    RENEW = "the response moves the idle expiry"
    END = "the response clears every cookie of the session"


# Every response uses these members. In Python 3.11 a look-up through the class costs 0.1 µs.
NOTHING, RENEW, END = Decision


@dataclass(slots=True)
class Seal:
    """The decision to seal a session."""

    plaintext: bytes = field(repr=False)
    stamp: Stamp


def decide(state: State, status: int, request: RequestInfo, now: float) -> Decision | Seal:  # noqa: C901  # one decision
    """Decide what the response does with the session; a second call makes the same decision, with another status too.

    Args:
        state: the session's state.
        status: the response's status. At 500 or more an end is kept, and everything else is dropped.
        request: the request that is answered.
        now: seconds since the epoch.

    Raises:
        IdentityChangedError: a change in place gave the session to another user.
        SerializationError, SessionTooLargeError: a change in place cannot be kept.
    """
    settings, session, cookies = state.settings, state.session, state.cookies
    snapshot = take_snapshot(session, settings.tags)
    is_as_loaded = snapshot == state.loaded.snapshot or state.is_as_loaded(snapshot)
    if (
        is_as_loaded
        and stamp_of(session) is cookies.stamp
        and session
        and cookies.stamp is not None
        and cookies.importer is None
        and not (state.ended or state.touched or snapshot.startswith(OPAQUE))
    ):
        # The commonest case: the session is the one in the cookies, with the same contents and stamp.
        state.final_snapshot = state.loaded.snapshot
        lifetime = settings.lifetime
        if cookies.stamp.lifetime is not None:
            lifetime = settings.find_lifetime(cookies.stamp.lifetime)
        if status >= 500 or now - cookies.stamp.updated_at < lifetime.renew_after:
            return NOTHING
        due = state.is_renewal_due(now) and state.judge_expiry(cookies.stamp, now) is None
        return RENEW if due else NOTHING
    if settings.carried and state.restore_carried():
        snapshot = take_snapshot(session, settings.tags)
        is_as_loaded = state.is_as_loaded(snapshot)
    if settings.tags is not None and snapshot.startswith(OPAQUE):
        snapshot = state.normalize()
        is_as_loaded = state.is_as_loaded(snapshot)
    # If the contents are equal, keep the earlier snapshot: at the end of the request the application may no longer refer to
    # the values that it refers to now, and a new snapshot would differ.
    state.final_snapshot = state.loaded.snapshot if is_as_loaded else snapshot
    changed = state.present and (not is_as_loaded or state.is_fresh)
    if status >= 500:
        return _drop_changes(state, request, EventKind.ROLLED_BACK if changed else None)
    if not state.present:
        return _drop_changes(state, request, None)
    stamp: Any = stamp_of(session)
    if state.judge_expiry(stamp, now) is not None:
        state.note_own_end(now)
        return _drop_changes(state, request, EventKind.EXPIRED_UNSAVED if changed else None)
    # Unchanged contents cannot belong to another user.
    vetted = not changed or state.is_vetted(snapshot)
    if not vetted and not state.owner.owns(session):
        raise IdentityChangedError(
            "the session was changed in place into another user's (or nobody's), and nothing of it was saved: "
            "call create_session to log in, delete_session to log out"
        )
    if not session and not vetted and _is_emptied(state, is_as_loaded=is_as_loaded):
        return END if state.deleted or cookies.may_hold_session(settings) else NOTHING
    if changed:
        advanced = stamps.advance_stamp(settings, cookies, stamp, now)
        # A rotation changes no contents, and another library may have written them.
        plaintext = state.make_plaintext(advanced, vetted=vetted, as_loaded=is_as_loaded)
        return Seal(plaintext, advanced)
    if state.touched or cookies.importer is not None or state.is_renewal_due(now):
        return RENEW
    return NOTHING


def _is_emptied(state: State, *, is_as_loaded: bool) -> bool:
    """Return whether this request has emptied the session, as an application does to get rid of it; no read does that.

    Args:
        state: the session's state. The session is empty, and no verb was given these contents.
        is_as_loaded: whether the contents equal those in the cookies.
    """
    settings, session = state.settings, state.session
    if settings.framework is None and settings.guard(session):
        return False
    # A session that came empty stays when it gets a new id. After a login or logout, another one was emptied.
    return state.ended or not is_as_loaded or state.cookies.token is None


def _drop_changes(state: State, request: RequestInfo, event: EventKind | None) -> Decision:
    """Decide for a session whose changes are not saved: keep an end, if there was one, and report the event."""
    if event is not None:
        state.tell_once(event)
    return END if state.must_end(request) else NOTHING


def answer(
    state: State,
    status: int,
    headers: Sequence[tuple[str, str]],
    request: RequestInfo,
    *,
    owned: bool = True,
) -> HeaderChanges:
    """Return the changes to the headers of a response.

    Args:
        state: the session's state.
        status: the response's status.
        headers: the application's header fields.
        request: the request that is answered.
        owned: whether a gateway answers. Then no other gateway may set the session's cookie in the response.

    Raises:
        IdentityChangedError, SerializationError, SessionTooLargeError: as for `decide`.
        ConfigurationError: a gateway inside, unknown to this one, has set the session's cookie, and the session was
            changed here too.
    """
    now = state.settings.clock()
    decision = decide(state, status, request, now)
    if decision is NOTHING:
        present = state.present or state.cookies.token is not None
        return header_changes(headers, (), present=present)
    if isinstance(decision, Seal):
        lines = _collect_session_lines(state, request, decision.plaintext, decision.stamp)
    else:
        lines = collect_lines(state, decision, (status, headers), request, now)
    return finish_answer(state, lines, status, headers, request, owned=owned)


def collect_lines(
    state: State,
    decision: Decision | Seal,
    response: tuple[int, Sequence[tuple[str, str]]],
    request: RequestInfo,
    now: float,
) -> list[str]:
    """Return the Set-Cookie lines for a decision about a session that is kept in cookies.

    Args:
        state: the session's state.
        decision: the decision.
        response: the response's status, and the application's header fields.
        request: the request that is answered.
        now: seconds since the epoch.
    """
    if decision is NOTHING:
        return []
    if decision is RENEW:
        return _collect_renewal_lines(state, *response, request, now)
    if decision is END:
        return writing.write_end(
            state.settings,
            state.cookies,
            _find_extent(state, request),
            unmarked=state.may_be_unmarked(request),
        )
    seal = cast("Seal", decision)
    return _collect_session_lines(state, request, seal.plaintext, seal.stamp)


def finish_answer(
    state: State,
    lines: list[str],
    status: int,
    headers: Sequence[tuple[str, str]],
    request: RequestInfo,
    *,
    owned: bool = True,
) -> HeaderChanges:
    """Return the header changes for Set-Cookie lines, with the caching headers that they need.

    Args:
        state: the session's state.
        lines: the lines.
        status: the response's status.
        headers: the application's header fields.
        request: the request that is answered.
        owned: as for `answer`.

    Raises:
        ConfigurationError: as for `answer`.
    """
    settings = state.settings
    if lines and owned and status < 500 and _sets_session(settings, headers):
        if state.changed or state.ended:
            raise ConfigurationError(
                f"the response sets the cookie {settings.name!r} already: an application inside this one has changed the session, "
                "and so has this one, and the bridge between them does not pass the request on. Serve the inner application "
                "without a gateway of its own, or by a bridge that passes the request on (a2wsgi), or change the session on one side"
            )
        # Only a renewal is left out: the inner gateway has written the session.
        lines = []
    if lines and settings.cookie.secure and request.scheme in INSECURE:
        tell_insecure(settings, request, sets=state.present)
    present = state.present or state.cookies.token is not None
    return header_changes(headers, lines, present=present)


def _sets_session(settings: Settings, headers: Sequence[tuple[str, str]]) -> bool:
    """Return whether a response sets the session's cookie before we have added a line.

    An application may clear the cookie, or set a value that is not a token; that is allowed.
    """
    first = (settings.name, f"{settings.chunk}0")
    for name, line in headers:
        if name.lower() == "set-cookie":
            cookie, _, value = line.partition(";")[0].partition("=")
            if cookie in first and settings.format.recognizes(value):
                return True
    return False


def _collect_renewal_lines(
    state: State, status: int, headers: Sequence[tuple[str, str]], request: RequestInfo, now: float
) -> list[str]:
    """Return the lines that move the idle expiry of an unchanged session, or that seal an imported one."""
    settings, session, cookies = state.settings, state.session, state.cookies
    if not state.touched and (status == 304 or is_shared(headers)):
        # Such a response confirms or fills the entry of a cache, which a Set-Cookie would spoil.
        return []
    advanced = stamps.advance_stamp(settings, cookies, state.stamp, now)
    try:
        if cookies.importer is not None:
            # An imported session is sealed whatever `renews` says, and even if it is larger than our budget.
            plaintext = writing.make_plaintext(settings, session, advanced)
            return _collect_session_lines(state, request, plaintext, advanced, renews=True)
        if state.touched or settings.renews(request):
            contents_end = state.find_contents_end(advanced)
            # A browser drops the session's own cookies at their Max-Age: if the end moves, they are set again.
            end_moves = contents_end != inf and contents_end != state.find_contents_end(
                cookies.stamp or advanced
            )
            resealed = (
                writing.make_plaintext(settings, session, advanced)
                if end_moves or settings.codec.seen is None
                else None
            )
            return writing.write_renewal(
                settings.for_writing(session, advanced),
                cookies,
                resealed,
                advanced,
                _find_extent(state, request, renews=True),
                contents_end=contents_end,
            )
    except RecursionError:
        # The stack is too deep to write nested JSON here. Another request will renew the session.
        pass
    return []


def _collect_session_lines(
    state: State,
    request: RequestInfo,
    plaintext: bytes,
    stamp: Stamp,
    *,
    renews: bool = False,
) -> list[str]:
    """Return the lines of a session that is sealed: its cookies, cleared cookies, the fence and the barrier."""
    settings, cookies = state.settings, state.cookies
    cookie_settings = settings
    if settings.framework is not None or stamp.lifetime is not None:
        cookie_settings = settings.for_writing(state.session, stamp)
    contents_end = inf if settings.contents_end is None else state.find_contents_end(stamp)
    if cookies.is_single and cookies.importer is None and not state.ended:
        # The commonest update replaces one cookie by another of the same name. A session with a new id has a new mark.
        line = writing.write_single_cookie(
            cookie_settings, cookies, plaintext, state.session, stamp, contents_end=contents_end
        )
        if line is not None:
            return [line]
    lines = writing.write_session(
        cookie_settings,
        cookies,
        plaintext,
        stamp,
        _find_extent(state, request, renews=renews),
        contents_end=contents_end,
    )
    return lines + _collect_marks(state, request, stamp) if lines else []


def _find_extent(state: State, request: RequestInfo, *, renews: bool = False) -> Extent:
    """Return which cookies the response makes obsolete if it sets or clears the session's.

    Args:
        state: the session's state.
        request: the request that is answered.
        renews: whether the contents are those that came, and are sealed again to move the expiry or to import them.
    """
    if state.ended:
        return Extent.HIDDEN if state.may_be_hidden(request) else Extent.ENDED
    # A verb that writes gives the session another stamp, even if the contents stay equal.
    is_only_read = renews and state.stamp is state.cookies.stamp
    return Extent.READ if is_only_read else Extent.CHANGED


def _collect_marks(state: State, request: RequestInfo, stamp: Stamp) -> list[str]:
    """Return the lines of the fence and the barrier that go with a session's cookies."""
    settings, cookies = state.settings, state.cookies
    link, barrier_lines = _pass_barrier(state, request, stamp)
    # A format that cannot keep the mark gives the session a new one: the earlier mark is fenced now, since a later
    # logout will not know it.
    mark_changes = cookies.token is not None and (
        cookies.token.mark_id != settings.codec.mark_id(state.session, stamp)
    )
    ambiguous = cookies.stamp is not None or cookies.absence is Absence.AMBIGUOUS
    if state.ended or mark_changes or link or (state.is_fresh and ambiguous):
        return writing.write_fence(settings, cookies, link=link) + barrier_lines
    return barrier_lines


def collect_pointer_lines(state: State, request: RequestInfo, owner: str) -> list[str]:
    """Return the lines of a session that is kept in the backend: its pointer, cleared cookies, the fence and the barrier.

    Args:
        state: the session's state.
        request: the request that is answered.
        owner: the owner of its record.
    """
    settings, stamp = state.settings, state.stamp
    cookie_settings = settings
    if settings.framework is not None or stamp.lifetime is not None:
        cookie_settings = settings.for_writing(state.session, stamp)
    contents_end = inf if settings.contents_end is None else state.find_contents_end(stamp)
    lines = writing.write_pointer(
        cookie_settings,
        state.cookies,
        owner,
        stamp,
        _find_extent(state, request),
        contents_end=contents_end,
    )
    return lines + _collect_marks(state, request, stamp)


def _pass_barrier(state: State, request: RequestInfo, stamp: Stamp) -> tuple[str, list[str]]:
    """Return a link for the fence, or the lines of a new barrier: either lets the session pass a barrier."""
    settings, cookies, unmarked = state.settings, state.cookies, state.may_be_unmarked(request)
    earlier = cookies.barrier
    if not unmarked and earlier is None:
        return "", []
    mark = fence.mark(settings.name, settings.codec.mark_id(state.session, stamp))
    if not unmarked and earlier is not None and not earlier.ends(mark, stamp.created_at):
        return "", []
    if earlier is not None and cookies.token is not None and not state.ended:
        before = fence.mark(settings.name, cookies.token.mark_id)
        first = earlier.spared.get(before, before)
        return barrier.link(settings.barrier_keys, settings.clock(), mark, first), []
    return "", writing.write_barrier(settings, cookies, mark)
