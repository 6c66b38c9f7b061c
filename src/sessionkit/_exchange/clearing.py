"""Which cookies a response clears: the session's own first, then those beside it and those of others; 32 at most."""

from __future__ import annotations

from collections.abc import Iterator

from .config import Accepted, Settings
from .reading import Incoming

__all__ = ["clear_ended", "clear_obsolete"]

MOST_CLEARED = 32
"""Clearing lines of a response: whoever plants cookies must not make an answer that a proxy refuses."""

NEAR = 17
"""Own cookies that came which are cleared before those of others: the whole one, and as many chunks of 4 KiB as are read."""

BESIDE = 5
"""Numbered cookies beside the session that go before those of others, and that are cleared where nothing says how many there are."""


def clear_obsolete(
    settings: Settings, incoming: Incoming, kept: set[str], *, begun: bool, hidden: bool
) -> list[str]:
    """Return the lines that clear what a write makes obsolete.

    Args:
        settings: the store's.
        incoming: what came with the request.
        kept: the names of the cookies that it sets.
        begun: whether it is the beginning of a session, and so the end of every other.
        hidden: whether one of those may be in cookies that the request does not show.
    """
    if not (begun or settings.layout.cleared or incoming.cookies or incoming.imported):
        return []
    # What another session is in is left to its Max-Age, unless this is its end: it may be a session elsewhere.
    came = incoming.names(settings) if begun or incoming.opened is not None else ()
    seen = _seen(settings) if hidden else ()
    own = dict.fromkeys((*_expected(settings, hidden=hidden), *came[:NEAR], *seen))
    lines = [settings.cookie.clearing(name) for name in own if name not in kept]
    beside = _beside(settings, incoming, hidden=hidden) if begun else ()
    lines.extend(map(settings.cookie.clearing, beside[:BESIDE]))
    if begun or incoming.imported is not None:
        for source, other in incoming.others():
            if source.clear and (begun or source is incoming.imported):
                names = _of_others(source, other, hidden=hidden)
                lines.extend(source.clearing(names, {*own, *kept, *came}))
    strays = (name for name in (*beside[BESIDE:], *came[NEAR:]) if name not in kept)
    return _bounded([*lines, *map(settings.cookie.clearing, strays)])


def clear_ended(settings: Settings, incoming: Incoming, *, hidden: bool) -> list[str]:
    """Return the lines that clear everything that is the session's, whatever came of it.

    Args:
        settings: the store's.
        incoming: what came with the request.
        hidden: whether a session may be in cookies that the request does not show.
    """
    came = incoming.names(settings)
    expected = _expected(settings, hidden=hidden)
    own = dict.fromkeys((settings.name, *expected, *came[:NEAR], *_seen(settings)))
    lines = [settings.cookie.clearing(name) for name in own]
    beside = _beside(settings, incoming, hidden=hidden)
    lines.extend(map(settings.cookie.clearing, beside[:BESIDE]))
    for source, other in incoming.others():
        # Always, also those that are left when they are imported: nobody could log out of them otherwise.
        names = (source.settings.name, *_of_others(source, other, hidden=hidden))
        lines.extend(source.clearing(names, own))
    lines.extend(map(settings.cookie.clearing, (*beside[BESIDE:], *came[NEAR:])))
    return _bounded(lines)


def _bounded(lines: list[str]) -> list[str]:
    """Return the first of these lines, each once."""
    return list(dict.fromkeys(lines))[:MOST_CLEARED]


def _expected(settings: Settings, *, hidden: bool) -> tuple[str, ...]:
    """Return the session's own names that are cleared whether they came or not."""
    cleared = settings.layout.cleared
    if hidden:
        return settings.shapes
    return settings.shapes[: cleared + 1] if cleared else ()


def _seen(settings: Settings) -> tuple[str, ...]:
    return () if settings.codec.seen is None else (settings.seen,)


def _of_others(source: Accepted, other: Incoming, *, hidden: bool) -> Iterator[str]:
    """Return the names of another's cookies: those that came, and where some may be hidden those that there can be."""
    settings = source.settings
    if hidden:
        yield from settings.shapes
    yield from other.names(settings)[:NEAR]
    yield from _seen(settings)


def _beside(settings: Settings, incoming: Incoming, *, hidden: bool) -> tuple[str, ...]:
    """Return the names of the cookies beside the session that end with it."""
    prefix = settings.format.traits.beside
    if not hidden or prefix is None:
        return incoming.beside
    return (*(f"{prefix}{number}" for number in range(BESIDE)), *incoming.beside)
