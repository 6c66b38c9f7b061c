"""From a request's cookies to a session, of ours or taken over from others."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._cookies import chunks
from .._cookies.header import HEADER, pairs
from .._crypto.sealing import Opened
from .._session.session import Absence
from ..errors import SerializationError
from . import reading as incoming
from .candidates import Room, furthest
from .config import Accepted, Settings
from .importers import take_over
from .reading import Incoming, Others

__all__ = ["read_or_import"]


def read_or_import(settings: Settings, header: str, now: float) -> Incoming:
    """What a Cookie header holds for a store and its importers; never raises, whatever is in it."""
    if not settings.accepted:
        return incoming.read(settings, header, now)
    room = Room()
    found = replace(
        incoming.read(settings, header, now, room),
        others=_Reader(
            settings, header, now, room
        ),  # of a header that is too large too: a logout clears their cookies
        beside=_beside(settings, incoming.readable(header)),
    )
    # A cookie of ours that is expired, fenced or under an unknown key is still ours: then nobody else is asked.
    if (
        len(header) <= HEADER
        and found.opened is None
        and not any(map(settings.format.recognizes, found.heads(settings)))
    ):
        _import(settings, found, now)
    return found


@dataclass(slots=True, repr=False)
class _Reader:
    """Reads the cookies that importers know, once, when it is asked."""

    settings: Settings
    header: str
    now: float
    room: Room
    found: Others | None = None

    def __call__(self) -> Others:
        if self.found is None:
            live = [
                one for one in self.settings.accepted if one.until is None or self.now < one.until
            ]
            self.found = [
                (one, incoming.read(one.settings, self.header, self.now, self.room)) for one in live
            ]
        return self.found


def _import(settings: Settings, found: Incoming, now: float) -> None:
    """Take the session from the first of the others that has one."""
    for source, other in found.others():
        why = _adopt(settings, found, source, other, now)
        if why is None:
            return
        found.absence = furthest(found.absence or Absence.NO_COOKIE, why)


def _adopt(
    settings: Settings, found: Incoming, source: Accepted, other: Incoming, now: float
) -> Absence | None:
    """Take the session that a source has, or say why not."""
    if other.opened is None:
        return other.absence
    ours = take_over(settings, source, other.opened, now)
    if isinstance(ours, Absence):
        return ours
    if not ours.contents and not settings.guard(ours.contents):
        return Absence.NO_COOKIE  # nothing to take over
    if not _can_hold(settings, ours):
        return Absence.MALFORMED
    stamp = incoming.judge(settings, ours, (), found, now)
    if isinstance(stamp, Absence):
        return stamp
    found.opened, found.stamp, found.absence, found.imported = ours, stamp, None, source
    return None


def _can_hold(settings: Settings, ours: Opened) -> bool:
    """Whether the other library would understand it: some take every token of theirs for somebody signed in."""
    if settings.nobody is not None and not settings.names_somebody(ours.contents):
        return False
    try:
        settings.codec.check(ours.contents)
    except SerializationError:
        return False
    return True


def _beside(settings: Settings, header: str) -> tuple[str, ...]:
    """The numbered cookies that end with the session."""
    prefix = settings.format.traits.beside
    if prefix is None or prefix not in header:
        return ()
    numbers = {
        chunks.chunk_number(name[len(prefix) :])
        for name, _ in pairs(header, prefix)
        if name.startswith(prefix)
    }
    return tuple(
        f"{prefix}{number}" for number in sorted(one for one in numbers if one is not None)
    )
