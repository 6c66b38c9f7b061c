"""From a request's cookies to candidates, and from them to a session or an Absence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from . import chunks, fence, renewal
from .accepting import taken
from .cookies import HEADER, only, pairs
from .formats.codec import Opened
from .session import Absence, Stamp
from .settings import Accepted, Settings

__all__ = ["Incoming", "Others", "Room", "furthest", "judge", "read"]

MOST_ROWS = MOST_WHOLE = 4
MOST_OPENS = 8
MOST_BYTES = 65_536
MOST_CHUNKS = 32  # each of at least 2,400 characters, whatever the name and attributes: 27 of them hold MOST_BYTES

# When several candidates fail for different reasons, the one that came furthest tells most.
_RANK = {
    absence: rank
    for rank, absence in enumerate(
        (
            Absence.NO_COOKIE,
            Absence.MALFORMED,
            Absence.INCOMPLETE,
            Absence.UNKNOWN_KEY,
            Absence.BAD_TAG,
            Absence.NOT_YET_VALID,
            Absence.ABSOLUTE,
            Absence.EXPIRED,
            Absence.IDLE,
            Absence.LOGGED_OUT,
            Absence.TOO_LARGE,
            Absence.AMBIGUOUS,
        )
    )
}


def _none() -> dict[str, list[str]]:
    return {}


@dataclass(slots=True, kw_only=True)
class Incoming:
    """What came with a request.

    `cookies` are the values of each cookie that may be ours, `fence` the marks read, `tokens` those that opened,
    one a session, `heads` the texts that a token begins with. `beside` are cookies that end with the session, `others` reads, when it
    is asked, the cookies that importers know, and `imported` is the one that the session was taken from.
    """

    name: str = ""
    chunk: str = ""
    cookies: dict[str, list[str]] = field(default_factory=_none, repr=False)
    opened: Opened | None = None
    stamp: Stamp | None = None
    absence: Absence | None = None
    fence: tuple[str, ...] = ()
    tokens: tuple[Opened, ...] = field(default=(), repr=False)
    heads: tuple[str, ...] = field(default=(), repr=False)
    beside: tuple[str, ...] = ()
    others: Callable[[], Others] = field(default=tuple, repr=False)
    imported: Accepted | None = field(default=None, repr=False)

    @property
    def came(self) -> bool:
        """Whether a cookie came that may hold a session."""
        return bool(self.names) or any(one.names for _, one in self.others())

    @property
    def names(self) -> tuple[str, ...]:
        """The session's own cookies in the request, stale chunks included. Worked out when a write asks."""
        if not self.cookies:
            return ()
        prefix = len(self.chunk)
        numbers = (chunks.chunk_number(name[prefix:]) for name in self.cookies if name.startswith(self.chunk))
        whole = (self.name,) if self.name in self.cookies else ()
        return (*whole, *(f"{self.chunk}{number}" for number in sorted(number for number in numbers if number is not None)))

    def marks(self, settings: Settings) -> tuple[str, ...]:
        """The marks of every session whose token came, the authenticated ones first.

        Another worker may have the key of a token that did not open here, and a mark can only refuse.
        """
        found = [one.mark_id for one in self.tokens]
        for source, other in self.others():
            ours = (taken(settings, source, token, settings.clock()) for token in other.tokens)
            found.extend(one.mark_id for one in ours if isinstance(one, Opened))
        peeked = (settings.codec.peek(head) for head in self.heads)
        ids = dict.fromkeys((*found, *(one for one in peeked if one is not None)))
        return tuple(fence.mark(settings.name, mark_id) for mark_id in ids)


Others: TypeAlias = Sequence[tuple[Accepted, Incoming]]


@dataclass(slots=True)
class Room:
    """What may still be opened in one request, importers included."""

    opens: int = MOST_OPENS
    bytes: int = MOST_BYTES

    def take(self, tokens: Sequence[str]) -> bool:
        """Whether these may be opened; then there is so much less room."""
        opens, size = len(tokens), sum(map(len, tokens))
        if opens > self.opens or size > self.bytes:
            return False
        self.opens -= opens
        self.bytes -= size
        return True


def furthest(one: Absence, other: Absence) -> Absence:
    """The reason of the candidate that came furthest."""
    return max(one, other, key=_RANK.__getitem__)


def read(settings: Settings, header: str, now: float, room: Room | None = None) -> Incoming:
    """What a Cookie header holds under the names of a store; never raises, whatever is in it.

    Args:
        settings: the store's.
        header: the Cookie header, decoded as latin-1.
        now: seconds since the epoch.
        room: what may be opened, where others read the same request; None for all that one may.
    """
    if settings.stem not in header:
        return Incoming(absence=Absence.NO_COOKIE)
    if len(header) > HEADER:
        return Incoming(absence=Absence.TOO_LARGE)
    alone = only(header, settings.name, settings.stem)
    if alone is not None and (room is None or room.take((alone,))):
        return _read_one(settings, alone, now)
    cookies = _by_name(settings, header)
    whole, row = cookies.get(settings.name, []), _row(settings, cookies)
    incoming = Incoming(
        name=settings.name,
        chunk=settings.chunk,
        cookies=cookies,
        fence=fence.read(cookies.get(settings.fence, ())),
        heads=(*whole[:MOST_WHOLE], *row.get(0, ())[:MOST_ROWS]),
    )
    candidates = _candidates(settings, whole, row, room or Room())
    if isinstance(candidates, Absence):
        incoming.absence = candidates
        return incoming
    opened, worst = _open(settings, candidates, now)
    incoming.tokens = tuple(opened.values())
    if not candidates and incoming.names:
        worst = Absence.INCOMPLETE  # chunks, and none of them the first
    valid: list[tuple[Opened, Stamp]] = []
    for one in opened.values():
        verdict = judge(settings, one, cookies.get(settings.seen, ()), incoming.fence, now)
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


def _read_one(settings: Settings, token: str, now: float) -> Incoming:
    """The commonest request: one cookie of ours and no other."""
    opened = settings.codec.open(token, now)
    if isinstance(opened, Absence):
        return Incoming(absence=opened, name=settings.name, chunk=settings.chunk, cookies={settings.name: [token]}, heads=(token,))
    incoming = Incoming(name=settings.name, chunk=settings.chunk, cookies={settings.name: [token]}, heads=(token,), tokens=(opened,))
    verdict = judge(settings, opened, (), (), now)
    if isinstance(verdict, Absence):
        incoming.absence = verdict
    else:
        incoming.opened, incoming.stamp = opened, verdict
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


def _row(settings: Settings, cookies: dict[str, list[str]]) -> dict[int, list[str]]:
    """The values of the chunks from 0 up to the first that is missing; what lies behind a gap is no part of a token."""
    found: dict[int, list[str]] = {}
    while len(found) < MOST_CHUNKS and (values := cookies.get(f"{settings.chunk}{len(found)}")):
        found[len(found)] = values
    return found


def _candidates(settings: Settings, whole: list[str], row: dict[int, list[str]], room: Room) -> list[str | Absence] | Absence:
    """The tokens that came, whole ones first; bounded, so that work does not multiply."""
    count = chunks.rows(row)
    if count > MOST_ROWS or len(whole) > MOST_WHOLE:
        return Absence.TOO_LARGE
    found: list[str | Absence] = [*whole, *(chunks.join(row, number, settings.layout) for number in range(count))]
    return found if room.take([one for one in found if isinstance(one, str)]) else Absence.TOO_LARGE


def _open(settings: Settings, candidates: list[str | Absence], now: float) -> tuple[dict[str, Opened], Absence]:
    """The tokens that open, of one session the newest only; and why the others do not."""
    newest: dict[str, Opened] = {}
    worst = Absence.NO_COOKIE
    for candidate in candidates:
        one = candidate if isinstance(candidate, Absence) else settings.codec.open(candidate, now)
        if isinstance(one, Absence):
            worst = furthest(worst, one)
        elif one.mark_id not in newest or one.stamp.updated_at > newest[one.mark_id].stamp.updated_at:
            newest[one.mark_id] = one
    return newest, worst


def judge(settings: Settings, opened: Opened, seen: Sequence[str], fenced: Sequence[str], now: float) -> Stamp | Absence:
    """The stamp that holds for an authenticated token, or why it gives no session."""
    if fenced and fence.mark(settings.name, opened.mark_id) in fenced:
        return Absence.LOGGED_OUT
    stamp = opened.stamp
    if seen and settings.codec.seen is not None:
        token = renewal.Renewal(stamp.updated_at, stamp.expires_at)
        held = renewal.latest(settings.codec.seen, seen, stamp.id, token, now)
        if held is not token:
            stamp = replace(stamp, updated_at=held.updated_at, expires_at=held.expires_at)
    over = settings.lifetime.absence(stamp.created_at, stamp.updated_at, stamp.expires_at, now - settings.tolerance)
    if over is not None:
        return over
    expires = settings.lifetime.expires_at(stamp.created_at, stamp.updated_at)  # today's settings may be shorter
    return stamp if stamp.expires_at <= expires else replace(stamp, expires_at=expires)


def _choose(settings: Settings, valid: list[tuple[Opened, Stamp]]) -> tuple[Opened, Stamp] | Absence:
    """The one session of the request. Valid tokens of different ids mean that somebody planted one."""
    if len(valid) > 1:
        # An anonymous token never competes with an authenticated one.
        valid = [one for one in valid if settings.guard(one[0].contents)] or valid
    if len(valid) > 1:
        return Absence.AMBIGUOUS
    return valid[0] if valid else Absence.NO_COOKIE
