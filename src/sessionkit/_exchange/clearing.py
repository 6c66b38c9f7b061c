"""List the cookies that a response clears: stale chunks, ended sessions and imported cookies; 32 lines at most.

`clear_obsolete` is for a write, `clear_ended` for a logout. The session's own cookies come first, then those beside it,
then the importers'.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from .reading import RequestCookies
from .settings import BoundImporter, Settings

__all__ = ["Extent", "clear_ended", "clear_obsolete"]

MOST_CLEARED = 32
"""Clearing lines of one response. An attacker who plants cookies must not cause a response that a proxy refuses."""

NEAR = 17
"""The session's own cookies that are cleared before the importers': the whole one, and as many 4 KiB chunks as are read."""

BESIDE = 5
"""Numbered cookies beside the session that are cleared before the importers', and where their count is not known."""


class Extent(IntEnum):
    """The cookies that a response makes obsolete; each member adds some to the one before."""

    READ = 0
    """Those that came, because the session was only read. The response may arrive after a login, so it clears no other one."""
    CHANGED = 1
    """The chunks that the format's library would read, because the session was changed. Another tab may have set them."""
    ENDED = 2
    """Those of every session that came, because they have ended."""
    HIDDEN = 3
    """Those in which a session may be that the request does not show, and that has ended too."""


def clear_obsolete(
    settings: Settings, cookies: RequestCookies, written: set[str], extent: Extent
) -> list[str]:
    """Return the lines that clear the cookies that a write makes obsolete.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        written: the names of the cookies that the write sets.
        extent: which cookies it makes obsolete.
    """
    begins, hidden = extent >= Extent.ENDED, extent is Extent.HIDDEN
    if not (begins or settings.layout.cleared or cookies.by_name or cookies.importer):
        return []
    # The cookies of another session are left to their Max-Age, unless this write ends it: another worker may read it.
    own_names = cookies.list_names(settings) if begins or cookies.token is not None else ()
    renewal_names = _list_renewal_name(settings) if hidden else ()
    own = dict.fromkeys((*_list_unconditional(settings, extent), *own_names[:NEAR], *renewal_names))
    lines = [settings.cookie.clearing(name) for name in own if name not in written]
    beside = _list_beside(settings, cookies, hidden=hidden) if begins else ()
    lines.extend(map(settings.cookie.clearing, beside[:BESIDE]))
    rest = [name for name in (*beside[BESIDE:], *own_names[NEAR:]) if name not in written]
    later = list(map(settings.cookie.clearing, rest))
    if begins or cookies.importer is not None:
        for importer, theirs in cookies.read_importers():
            if importer.clear and (begins or importer is cookies.importer):
                names = _iterate_importer_names(importer, theirs, hidden=hidden)
                lines.extend(importer.list_clearing(names, {*own, *written, *own_names}))
                later.extend(importer.list_clearing(theirs.beside[BESIDE:], ()))
    return _limit([*lines, *later])


def clear_ended(settings: Settings, cookies: RequestCookies, extent: Extent) -> list[str]:
    """Return the lines that clear every cookie of the session, whether or not it was in the request.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        extent: whether a session may be in cookies that the request does not show.
    """
    own_names, hidden = cookies.list_names(settings), extent is Extent.HIDDEN
    unconditional = _list_unconditional(settings, extent)
    own = dict.fromkeys(
        (settings.name, *unconditional, *own_names[:NEAR], *_list_renewal_name(settings))
    )
    lines = [settings.cookie.clearing(name) for name in own]
    beside = _list_beside(settings, cookies, hidden=hidden)
    lines.extend(map(settings.cookie.clearing, beside[:BESIDE]))
    later = list(map(settings.cookie.clearing, (*beside[BESIDE:], *own_names[NEAR:])))
    for importer, theirs in cookies.read_importers():
        # A logout clears also the cookies that an import leaves (`clear=False`): they would log the user in again.
        names = (
            importer.settings.name,
            *_iterate_importer_names(importer, theirs, hidden=hidden),
        )
        lines.extend(importer.list_clearing(names, own))
        later.extend(importer.list_clearing(theirs.beside[BESIDE:], ()))
    return _limit([*lines, *later])


def _limit(lines: list[str]) -> list[str]:
    """Return the first lines, each once."""
    return list(dict.fromkeys(lines))[:MOST_CLEARED]


def _list_unconditional(settings: Settings, extent: Extent) -> tuple[str, ...]:
    """Return the session's own names that are cleared whether or not the request has them."""
    layout = settings.layout
    if extent is Extent.HIDDEN:
        return settings.possible_names
    if not layout.cleared or (extent is Extent.READ and not layout.always):
        return ()
    return settings.possible_names[: layout.cleared + 1]


def _list_renewal_name(settings: Settings) -> tuple[str, ...]:
    """Return the name of the renewal cookie, if the format has one."""
    return () if settings.codec.seen is None else (settings.seen,)


def _iterate_importer_names(
    importer: BoundImporter, theirs: RequestCookies, *, hidden: bool
) -> Iterator[str]:
    """Yield the names of an importer's cookies: those in the request, and every possible one if some may be hidden."""
    settings = importer.settings
    if hidden:
        yield from settings.possible_names
    yield from theirs.list_names(settings)[:NEAR]
    yield from _list_renewal_name(settings)
    yield from _list_beside(settings, theirs, hidden=hidden)[:BESIDE]


def _list_beside(settings: Settings, cookies: RequestCookies, *, hidden: bool) -> tuple[str, ...]:
    """Return the names of the numbered cookies that end with the session."""
    prefix = settings.format.traits.beside
    if not hidden or prefix is None:
        return cookies.beside
    return (*(f"{prefix}{number}" for number in range(BESIDE)), *cookies.beside)
