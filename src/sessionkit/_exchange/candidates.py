"""From a request's cookies to the tokens that open: whole ones and rows of chunks, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from .._cookies import chunks
from .._crypto.sealing import Opened
from .._session.session import Absence
from .config import Settings

__all__ = ["MOST_CHUNKS", "MOST_ROWS", "MOST_WHOLE", "UNREAD", "Room", "furthest", "open_all"]

MOST_ROWS = MOST_WHOLE = 4
MOST_OPENS = 8
MOST_BYTES = 65_536
MOST_CHUNKS = 32  # each of at least 2,400 characters, whatever the name and attributes: 27 of them hold MOST_BYTES

UNREAD = frozenset({Absence.INCOMPLETE, Absence.UNKNOWN_KEY, Absence.BAD_TAG})
"""Why a token that is a session elsewhere, or was one with its other half, may not open here."""

_RANK = {absence: rank for rank, absence in enumerate(Absence)}


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


def open_all(
    settings: Settings, cookies: dict[str, list[str]], now: float, room: Room
) -> tuple[dict[str, Opened], Absence, bool] | None:
    """Open the tokens that came, whole ones first.

    Args:
        settings: the store's.
        cookies: the values of each cookie.
        now: seconds since the epoch.
        room: what may be opened.

    Returns:
        The tokens that open, of one session the newest only; why the others do not; and whether one of those may be a session all
        the same. None when more came than is looked at.
    """
    whole, row = cookies.get(settings.name, []), _row(settings, cookies)
    candidates = _candidates(settings, whole, row, room)
    if candidates is None:
        return None
    found = [
        one if isinstance(one, Absence) else settings.codec.open(one, now) for one in candidates
    ]
    rows = found[len(whole) :]
    if len(rows) > 1 and any(isinstance(one, Absence) for one in rows):
        complete = any(isinstance(one, str) for one in candidates[len(whole) :])
        if complete or any(map(settings.format.recognizes, row[0])):
            _reorder(settings, row, rows, now, room)
    return _newest([*found[: len(whole)], *rows])


def _row(settings: Settings, cookies: dict[str, list[str]]) -> dict[int, list[str]]:
    """The values of the chunks from 0 up to the first that is missing; what lies behind a gap is no part of a token."""
    found: dict[int, list[str]] = {}
    while len(found) < MOST_CHUNKS and (values := cookies.get(f"{settings.chunk}{len(found)}")):
        found[len(found)] = values
    return found


def _candidates(
    settings: Settings, whole: list[str], row: dict[int, list[str]], room: Room
) -> list[str | Absence] | None:
    """The tokens that came, whole ones first; bounded, so that work does not multiply."""
    count = chunks.rows(row)
    if count > MOST_ROWS or len(whole) > MOST_WHOLE:
        return None
    found: list[str | Absence] = [
        *whole,
        *(chunks.join(row, number, settings.layout) for number in range(count)),
    ]
    return found if room.take([one for one in found if isinstance(one, str)]) else None


def _reorder(
    settings: Settings,
    row: dict[int, list[str]],
    found: list[Opened | Absence],
    now: float,
    room: Room,
) -> None:
    """Try other orders of doubled chunks for the rows that do not open, as far as there is room.

    Cookies of two scopes come in the order in which each was first set: the values of one name may stand the other way
    round than those of the next.

    Args:
        settings: the store's.
        row: the values of each chunk.
        found: what the rows gave; what another order gives takes the place of an Absence.
        now: seconds since the epoch.
        room: what may be opened.
    """
    tries, others = MOST_OPENS, list(islice(chunks.orders(row), MOST_OPENS))
    for number, one in enumerate(found):
        if isinstance(one, Opened):
            continue
        for other in tuple(others):
            text = chunks.join(other, number, settings.layout)
            if not tries or (isinstance(text, str) and not room.take((text,))):
                return
            tries -= 1
            opened = text if isinstance(text, Absence) else settings.codec.open(text, now)
            if isinstance(opened, Opened):
                found[number] = opened
                others.remove(other)
                others.insert(0, other)  # most likely that of the next row too
                break


def _newest(found: list[Opened | Absence]) -> tuple[dict[str, Opened], Absence, bool]:
    """The tokens that opened, of one session the newest only; why the others did not; and whether one may be a session all the same."""
    newest: dict[str, Opened] = {}
    worst, unread = Absence.NO_COOKIE, False
    for one in found:
        if isinstance(one, Absence):
            worst, unread = furthest(worst, one), unread or one in UNREAD
        elif (
            one.mark_id not in newest or one.stamp.updated_at > newest[one.mark_id].stamp.updated_at
        ):
            newest[one.mark_id] = one
    return newest, worst, unread
