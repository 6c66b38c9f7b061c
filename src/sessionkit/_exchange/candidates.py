"""Open the tokens that a request may contain (whole cookies, and joined rows of chunks), with a limit on the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from .._cookies import chunks
from .._crypto.sealing import Opened
from .._session.session import Absence
from .settings import Settings

__all__ = [
    "MOST_CHUNKS",
    "MOST_ROWS",
    "MOST_WHOLE",
    "UNREADABLE",
    "Allowance",
    "choose_furthest",
    "open_candidates",
]

MOST_ROWS = MOST_WHOLE = 4
MOST_OPENS = 8
MOST_BYTES = 65_536
# A chunk has at least 2,400 characters, whatever the name and the attributes of its cookie: 27 chunks hold MOST_BYTES.
MOST_CHUNKS = 32

UNREADABLE = frozenset({Absence.INCOMPLETE, Absence.UNKNOWN_KEY, Absence.BAD_TAG})
"""The reasons for which a token does not open here, although it may be a session: another worker has its key, or a chunk is missing."""

_RANK = {absence: rank for rank, absence in enumerate(Absence)}


@dataclass(slots=True)
class Allowance:
    """The tokens and bytes that may still be opened in one request, by the store and its importers together."""

    opens: int = MOST_OPENS
    bytes: int = MOST_BYTES

    def spend(self, tokens: Sequence[str]) -> bool:
        """Return whether these tokens may be opened, and subtract them if so."""
        opens, size = len(tokens), sum(map(len, tokens))
        if opens > self.opens or size > self.bytes:
            return False
        self.opens -= opens
        self.bytes -= size
        return True


def choose_furthest(one: Absence, other: Absence) -> Absence:
    """Return the reason of the candidate that passed the most checks."""
    return max(one, other, key=_RANK.__getitem__)


def open_candidates(
    settings: Settings, by_name: dict[str, list[str]], now: float, allowance: Allowance
) -> tuple[dict[str, Opened], Absence, bool] | None:
    """Open the tokens in the cookies of a request, whole cookies first.

    Args:
        settings: the store's settings.
        by_name: the values of each cookie.
        now: seconds since the epoch.
        allowance: the tokens and bytes that may be opened.

    Returns:
        The tokens that open, by mark id: the newest of each session. Then the reason why the others do not open, and
        whether one of those may be a session all the same. None if there are more candidates than the allowance.
    """
    whole, chunk_values = by_name.get(settings.name, []), _collect_chunks(settings, by_name)
    candidates = _list_candidates(settings, whole, chunk_values, allowance)
    if candidates is None:
        return None
    results = [
        candidate if isinstance(candidate, Absence) else settings.codec.open(candidate, now)
        for candidate in candidates
    ]
    rows = results[len(whole) :]
    if len(rows) > 1 and any(isinstance(result, Absence) for result in rows):
        complete = any(isinstance(candidate, str) for candidate in candidates[len(whole) :])
        if complete or any(map(settings.format.recognizes, chunk_values[0])):
            _try_other_orders(settings, chunk_values, rows, now, allowance)
    return _select_newest([*results[: len(whole)], *rows], len(whole))


def _collect_chunks(settings: Settings, by_name: dict[str, list[str]]) -> dict[int, list[str]]:
    """Return the values of the chunks from 0 up to the first gap. A chunk after a gap belongs to no token."""
    chunk_values: dict[int, list[str]] = {}
    while len(chunk_values) < MOST_CHUNKS and (
        values := by_name.get(f"{settings.chunk}{len(chunk_values)}")
    ):
        chunk_values[len(chunk_values)] = values
    return chunk_values


def _list_candidates(
    settings: Settings, whole: list[str], chunk_values: dict[int, list[str]], allowance: Allowance
) -> list[str | Absence] | None:
    """Return the candidates, whole cookies first; None if there are too many, so that a request cannot multiply the work."""
    count = chunks.rows(chunk_values)
    if count > MOST_ROWS or len(whole) > MOST_WHOLE:
        return None
    candidates: list[str | Absence] = [
        *whole,
        *(chunks.join(chunk_values, number, settings.layout) for number in range(count)),
    ]
    tokens = [candidate for candidate in candidates if isinstance(candidate, str)]
    return candidates if allowance.spend(tokens) else None


def _try_other_orders(
    settings: Settings,
    chunk_values: dict[int, list[str]],
    results: list[Opened | Absence],
    now: float,
    allowance: Allowance,
) -> None:
    """Try other orders of doubled chunks for the rows that do not open, within the allowance.

    A browser sends cookies of two scopes in the order in which each was first set. So the values of one name may stand
    in the opposite order to the values of the next name.

    Args:
        settings: the store's settings.
        chunk_values: the values of each chunk.
        results: the result of each row. A token that opens in another order replaces its row's Absence.
        now: seconds since the epoch.
        allowance: the tokens and bytes that may be opened.
    """
    tries = MOST_OPENS
    orders = list(islice(chunks.orders(chunk_values, settings.layout), MOST_OPENS))
    for number, result in enumerate(results):
        if isinstance(result, Opened):
            continue
        for order in tuple(orders):
            text = chunks.join(order, number, settings.layout)
            if not tries or (isinstance(text, str) and not allowance.spend((text,))):
                return
            tries -= 1
            opened = text if isinstance(text, Absence) else settings.codec.open(text, now)
            if isinstance(opened, Opened):
                results[number] = opened
                # The next row probably has this order too, so it is tried first.
                orders.remove(order)
                orders.insert(0, order)
                break


def _select_newest(
    results: list[Opened | Absence], whole: int
) -> tuple[dict[str, Opened], Absence, bool]:
    """Return the newest token of each session, the reason why the others do not open, and whether one may be a session.

    Of equally old tokens of a session, a whole cookie comes before chunks, and the last one in the header before the others:
    a client that has the cookie in two scopes sends the one that it got later behind, as Starlette's test client does.

    Args:
        results: the results, whole cookies first.
        whole: the number of whole cookies.
    """
    newest: dict[str, Opened] = {}
    ranks: dict[str, tuple[int, int, bool]] = {}
    worst, maybe_session = Absence.NO_COOKIE, False
    for number, result in enumerate(results):
        if isinstance(result, Absence):
            worst = choose_furthest(worst, result)
            maybe_session = maybe_session or result in UNREADABLE
            continue
        rank = (*_rank_by_age(result), number < whole)
        if rank >= ranks.get(result.mark_id, rank):
            ranks[result.mark_id], newest[result.mark_id] = rank, result
    return newest, worst, maybe_session


def _rank_by_age(token: Opened) -> tuple[int, int]:
    """Return the times by which the newer of two tokens of a session is found.

    If a format has no update time, and the other library's idle limit is shorter than ours, the expiry decides.
    """
    return token.stamp.updated_at, token.stamp.expires_at
