"""Split a token that is too long for one cookie, and join its chunks; `_exchange/clearing.py` clears stale chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._session.session import Absence

__all__ = ["Layout", "chunk_number", "join", "most", "orders", "rows", "spans", "split_name"]

DOTS = 4  # of a compact JWE (RFC 7516 section 7.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The names and lengths of the cookies that hold a token of a format.

    Args:
        separator: between the name and the number of a chunk.
        size: characters of a chunk, for libraries with a fixed size; None for what the Set-Cookie line leaves.
        alike: whether every chunk, and the single cookie, is as large as the line of chunk 0 allows.
        numbered: whether even a single cookie has a number.
        tag: characters of the last segment of a compact JWE: 22 for A256GCM, 43 for A256CBC-HS512.
        expiry: how many characters the expiry takes in the Set-Cookie line of another library; None for as many as in ours.
        complete: for tokens that are not compact JWEs: a function of the last 8 characters (or fewer) of a text, which returns
            whether the token ends there.
        cleared: how many chunks, from 0 on, a write clears if it does not set them, and the whole cookie with them, though
            they did not come: another tab may have set them meanwhile, and the library would read them too. 0 if a write
            clears the cookies that came.
        always: whether the library itself clears these cookies whenever it seals a session. Otherwise a session that is only
            read, and sealed again to move its expiry, clears no cookie that did not come: it could end a login.
    """

    separator: str = "."
    size: int | None = None
    alike: bool = False
    numbered: bool = False
    tag: int = 22
    expiry: int | None = None
    complete: Callable[[str], bool] | None = None
    cleared: int = 0
    always: bool = False


def spans(length: int, name: str, layout: Layout, line: int) -> list[tuple[str, int, int]]:
    """Return which cookie holds which part of a token: (name, start, stop).

    Args:
        length: characters of the token.
        name: the session cookie's name.
        layout: the layout of the format.
        line: characters that the Set-Cookie line leaves to name, `=` and value.
    """
    first = f"{name}{layout.separator}0"
    if not layout.numbered:
        single = _room(layout, line, first if layout.alike else name)
        if length <= single:
            return [(name, 0, length)]
    found: list[tuple[str, int, int]] = []
    start = 0
    while start < length or not found:
        chunk = f"{name}{layout.separator}{len(found)}"
        stop = min(length, start + _room(layout, line, first if layout.alike else chunk))
        found.append((chunk, start, stop))
        start = stop
    return found


def most(name: str, layout: Layout, line: int, budget: int) -> int:
    """Return how many chunks a session may be in.

    Args:
        name: the session cookie's name.
        layout: the layout of the format.
        line: characters that the Set-Cookie line leaves to name, `=` and value.
        budget: bytes that the session's cookies may add to a Cookie header.
    """
    first = f"{name}{layout.separator}0"
    full = len(first) + 1 + _room(layout, line, first) + 2
    return max(layout.cleared, budget // full + 1)


def _room(layout: Layout, line: int, name: str) -> int:
    """Return how many characters fit into a cookie of this name."""
    left = line - len(name) - 1
    return left if layout.size is None else min(layout.size, left)


def chunk_number(text: str) -> int | None:
    """Return the number of a chunk, from the text after the separator; None unless it is a canonical decimal."""
    if len(text) > 4 or not (text.isdigit() and text.isascii()) or (text[0] == "0" and text != "0"):
        return None
    return int(text)


def split_name(name: str, separator: str) -> tuple[str, int | None]:
    """Return a cookie's name without the number of a chunk, and that number; None if it has none.

    Args:
        name: the name of the cookie.
        separator: the separator of the layout.
    """
    whole, _, text = name.rpartition(separator)
    number = chunk_number(text) if whole else None
    return (name, None) if number is None else (whole, number)


def rows(chunks: Mapping[int, Sequence[str]]) -> int:
    """Return how many rows the chunks make: as many as the most frequent name has values."""
    return max(map(len, chunks.values()), default=0)


def orders(
    chunks: Mapping[int, Sequence[str]], layout: Layout
) -> Iterator[Mapping[int, Sequence[str]]]:
    """Yield the chunks with the values of doubled names in other orders, the likeliest first.

    A row that grows gets its later chunks after those of the other row, so the values of all names from some name on are
    turned round. A row has at least two chunks, unless even a single cookie has a number. Last, one name at a time is turned.

    The values of a name are rotated, so that each meets each value of chunk 0. This is not a cross product.
    """
    doubled = [number for number, values in chunks.items() if number and len(values) > 1]
    grown = [doubled[first:] for first in range(len(doubled))]
    if not layout.numbered:
        grown = [*grown[1:], *grown[:1]]
    alone = [[number] for number in doubled[:-1]]
    for turn in range(1, rows(chunks)):
        for moved in (*grown, *alone):
            yield {
                number: [*values[turn:], *values[:turn]] if number in moved else values
                for number, values in chunks.items()
            }


def join(chunks: Mapping[int, Sequence[str]], row: int, layout: Layout) -> str | Absence:
    """Return the token of one row of chunks: of each name the value in this row, or the last value of a name that has fewer.

    Chunks are read from 0 up, until the text is a complete token. Lengths only grow, so at most one prefix can be
    complete. Later chunks are stale.
    """
    if layout.complete is not None:
        return _join(chunks, row, layout.complete)
    parts: list[str] = []
    dots = tail = 0
    for value in _row(chunks, row):
        parts.append(value)
        dots += value.count(".")
        last = value.rfind(".")
        tail = tail + len(value) if last < 0 else len(value) - last - 1
        if dots == DOTS and tail == layout.tag:
            return "".join(parts)
        if dots > DOTS or (dots == DOTS and tail > layout.tag):
            return Absence.MALFORMED
    return Absence.INCOMPLETE


def _join(
    chunks: Mapping[int, Sequence[str]], row: int, complete: Callable[[str], bool]
) -> str | Absence:
    text = ""
    for value in _row(chunks, row):
        text += value
        if complete(text[-8:]):
            return text
    return Absence.INCOMPLETE


def _row(chunks: Mapping[int, Sequence[str]], row: int) -> Iterator[str]:
    number = 0
    while values := chunks.get(number):
        yield values[min(row, len(values) - 1)]
        number += 1
