"""From a request's cookies to candidates, and from them to a session or an Absence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeAlias

from .._cookies import barrier, chunks, fence, renewal
from .._cookies.barrier import Barrier
from .._cookies.header import HEADER, only, pairs
from .._crypto.sealing import Opened
from .._session.session import Absence, Stamp
from .candidates import MOST_CHUNKS, MOST_ROWS, MOST_WHOLE, UNREAD, Room, furthest, open_all
from .config import Accepted, Settings
from .importers import take_over
from .owner import have_same_owner

__all__ = ["Incoming", "Others", "judge", "read", "readable"]


def _none() -> Mapping[str, Sequence[str]]:
    return {}


@dataclass(slots=True, kw_only=True)
class Incoming:
    """What came with a request.

    `cookies` are the values of each cookie that may be ours, `fence` the marks read, `tokens` those that opened, one a
    session. `beside` are cookies that end with the session, `others` reads, when it is asked, the cookies that importers know,
    and `imported` is the one that the session was taken from. `partial` says that the header, or its cookies, were too many
    to read; `unnamed` that a session may have come which nothing here names, so that no mark can fence it; `is_whole` that the session
    came in one cookie, and no other cookie of ours beside it.
    """

    cookies: Mapping[str, Sequence[str]] = field(default_factory=_none, repr=False)
    opened: Opened | None = None
    stamp: Stamp | None = None
    absence: Absence | None = None
    fence: tuple[str, ...] = ()
    barrier: Barrier | None = None
    tokens: tuple[Opened, ...] = field(default=(), repr=False)
    beside: tuple[str, ...] = ()
    others: Callable[[], Others] = field(default=tuple, repr=False)
    imported: Accepted | None = field(default=None, repr=False)
    partial: bool = False
    unnamed: bool = False
    is_whole: bool = False

    def came(self, settings: Settings) -> bool:
        """Whether a cookie came that may hold a session."""
        return (
            self.partial
            or bool(self.names(settings))
            or any(one.names(source.settings) for source, one in self.others())
        )

    def names(self, settings: Settings) -> tuple[str, ...]:
        """The session's own cookies in the request, stale chunks included."""
        cookies, chunk = self.cookies, settings.chunk
        whole = (settings.name,) if settings.name in cookies else ()
        return (*whole, *(f"{chunk}{number}" for number in sorted(_numbers(cookies, chunk))))

    def ends(self, settings: Settings, opened: Opened) -> bool:
        """Return whether a session is over in this browser: by its mark, or by a barrier."""
        mark = fence.mark(settings.name, opened.mark_id)
        if mark in self.fence:
            return True
        return self.barrier is not None and self.barrier.ends(mark, opened.stamp.created_at)

    def heads(self, settings: Settings) -> tuple[str, ...]:
        """The texts that a token begins with."""
        whole, first = (
            self.cookies.get(settings.name, ()),
            self.cookies.get(f"{settings.chunk}0", ()),
        )
        return (*whole[:MOST_WHOLE], *first[:MOST_ROWS])

    def marks(self, settings: Settings) -> tuple[str, ...]:
        """The marks of every session whose token came, the authenticated ones first.

        Another worker may have the key of a token that did not open here, and a mark can only refuse.
        """
        found = [one.mark_id for one in self.tokens]
        for source, other in self.others():
            ours = (take_over(settings, source, token, settings.clock()) for token in other.tokens)
            found.extend(one.mark_id for one in ours if isinstance(one, Opened))
        peeked = (settings.codec.peek(head) for head in self.heads(settings))
        ids = dict.fromkeys((*found, *(one for one in peeked if one is not None)))
        return tuple(fence.mark(settings.name, mark_id) for mark_id in ids)


NOTHING: Final = Incoming(absence=Absence.NO_COOKIE)
"""What comes with most requests: nobody writes into an `Incoming` that was read."""

Others: TypeAlias = Sequence[tuple[Accepted, Incoming]]


def read(settings: Settings, header: str, now: float, room: Room | None = None) -> Incoming:
    """What a Cookie header holds under the names of a store; never raises, whatever is in it.

    Args:
        settings: the store's.
        header: the Cookie header, decoded as latin-1.
        now: seconds since the epoch.
        room: what may be opened, where others read the same request; None for all that one may.
    """
    if settings.stem not in header:
        return NOTHING
    if len(header) > HEADER:
        return _read_beginning(settings, header, now, room or Room())
    alone = only(header, settings.name, settings.stem)
    if alone is not None and (room is None or room.take((alone,))):
        # The commonest request: one cookie of ours and no other.
        cookies: Mapping[str, Sequence[str]] = {settings.name: (alone,)}
        opened = settings.codec.open(alone, now)
        if isinstance(opened, Absence):
            found = Incoming(absence=opened, cookies=cookies)
            found.unnamed = opened in UNREAD and _is_unnamed(settings, found)
            return found
        stamp = judge(settings, opened, (), NOTHING, now)
        if isinstance(stamp, Absence):
            return Incoming(absence=stamp, cookies=cookies, tokens=(opened,))
        return Incoming(
            opened=opened, stamp=stamp, cookies=cookies, tokens=(opened,), is_whole=True
        )
    return _read_many(settings, _by_name(settings, header), now, room or Room())


def readable(header: str) -> str:
    """Return as much of a Cookie header as is read: whole cookies of its first 64 KiB."""
    return header if len(header) <= HEADER else header[: max(0, header.rfind(";", 0, HEADER + 1))]


def _read_beginning(settings: Settings, header: str, now: float, room: Room) -> Incoming:
    """Read what an end must know of a header that is too large to give a session: the marks in its beginning."""
    found = _read_many(settings, _by_name(settings, readable(header)), now, room)
    found.opened, found.stamp, found.absence, found.partial = None, None, Absence.TOO_LARGE, True
    return found


def _is_unnamed(settings: Settings, incoming: Incoming) -> bool:
    """Return whether a cookie came whose session nothing readable in it names."""
    heads, peek = incoming.heads(settings), settings.codec.peek
    return not heads or any(settings.format.recognizes(one) and peek(one) is None for one in heads)


def _read_many(
    settings: Settings, cookies: dict[str, list[str]], now: float, room: Room
) -> Incoming:
    fenced = cookies.get(settings.fence, ())
    incoming = Incoming(cookies=cookies, fence=fence.read(fenced))
    if settings.barrier in cookies:
        raised = cookies[settings.barrier]
        incoming.barrier = barrier.read(settings.barrier_keys, raised, fenced)
    found = open_all(settings, cookies, now, room)
    if found is None:
        incoming.absence, incoming.partial = Absence.TOO_LARGE, True
        return incoming
    opened, worst, unread = found
    incoming.tokens = tuple(opened.values())
    if not incoming.heads(settings) and any(_numbers(islice(cookies, MOST_CHUNKS), settings.chunk)):
        worst, unread = Absence.INCOMPLETE, True  # chunks, and none of them the first
    incoming.unnamed = unread and _is_unnamed(settings, incoming)
    valid: list[tuple[Opened, Stamp]] = []
    for one in opened.values():
        verdict = judge(settings, one, cookies.get(settings.seen, ()), incoming, now)
        if isinstance(verdict, Absence):
            worst = furthest(worst, verdict)
        else:
            valid.append((one, verdict))
    chosen = _choose(settings, valid)
    if isinstance(chosen, Absence):
        incoming.absence = furthest(worst, chosen)
    else:
        incoming.opened, incoming.stamp = chosen
    return incoming


def _by_name(settings: Settings, header: str) -> dict[str, list[str]]:
    """The values of each cookie that may be ours, in the order of the header."""
    found: dict[str, list[str]] = {}
    for name, value in pairs(header, settings.stem):
        if name in found:
            found[name].append(value)
        else:
            found[name] = [value]
    return found


def _numbers(names: Iterable[str], chunk: str) -> Iterator[int]:
    """The numbers of the chunks among names."""
    for name in names:
        number = chunks.chunk_number(name[len(chunk) :]) if name.startswith(chunk) else None
        if number is not None:
            yield number


def judge(
    settings: Settings, opened: Opened, seen: Sequence[str], incoming: Incoming, now: float
) -> Stamp | Absence:
    """The stamp that holds for an authenticated token, or why it gives no session."""
    stamp = opened.stamp
    if (incoming.fence or incoming.barrier is not None) and incoming.ends(settings, opened):
        return Absence.LOGGED_OUT
    if seen and settings.codec.seen is not None:
        token = renewal.Renewal(stamp.updated_at, stamp.expires_at)
        held = renewal.latest(settings.codec.seen, seen, stamp.id, token, now)
        if held is not token:
            stamp = replace(stamp, updated_at=held.updated_at, expires_at=held.expires_at)
    expires = min(
        stamp.expires_at, settings.lifetime.expires_at(stamp.created_at, stamp.updated_at)
    )  # today's settings may be shorter
    if stamp.ends_at is not None:
        if now >= stamp.ends_at:
            return Absence.EXPIRED
        expires = min(expires, stamp.ends_at)
    now -= settings.tolerance
    if now >= expires:
        return (
            settings.lifetime.absence(stamp.created_at, stamp.updated_at, stamp.expires_at, now)
            or Absence.EXPIRED
        )
    return stamp if stamp.expires_at == expires else replace(stamp, expires_at=expires)


def _choose(
    settings: Settings, valid: list[tuple[Opened, Stamp]]
) -> tuple[Opened, Stamp] | Absence:
    """The one session of the request: of several of one user the newest. Of different users somebody planted one."""
    if len(valid) > 1:
        # An anonymous token never competes with an authenticated one.
        valid = [one for one in valid if settings.guard(one[0].contents)] or valid
    if len(valid) > 1:
        if not have_same_owner(settings, [one.contents for one, _ in valid]):
            return Absence.AMBIGUOUS
        return max(valid, key=_age)
    return valid[0] if valid else Absence.NO_COOKIE


def _age(one: tuple[Opened, Stamp]) -> tuple[int, int]:
    """Return by what the newest is found: the token's own times, which no renewal moves."""
    stamp = one[0].stamp
    return stamp.updated_at, stamp.created_at
