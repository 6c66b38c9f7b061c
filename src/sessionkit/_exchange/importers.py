"""Importers bound to a store, and what becomes of a session that one finds."""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, cast

from .._cookies.settings import CookieSettings
from .._crypto.keyring import KeyRing
from .._crypto.sealing import Opened
from .._session.identity import resolve
from .._session.json import DEEPEST, JSON, check, is_shallow, rewrite
from .._session.lifetime import CLOCK_SKEW, LONGEST, Lifetime
from .._session.session import Absence, Stamp
from ..errors import ConfigurationError, SerializationError
from ..formats._claims import derive_id, earliest
from ..formats._protocols import Convert, Format, Source
from ..formats._recognition import SEPARATORS
from ..formats.importer import Importer
from .config import Accepted, Settings

__all__ = ["bind_importers", "take_over"]


def bind_importers(
    settings: Settings, importers: Iterable[tuple[Importer, Any, KeyRing]]
) -> Settings:
    """Return a store's settings with the cookies that it takes sessions from: those of importers, and of earlier forms of its format.

    Args:
        settings: the store's.
        importers: each with its keys, and those of its barrier.

    Raises:
        ConfigurationError: an importer cannot work beside the store's own cookie.
    """
    found = [_bound(settings, one, (own, ring)) for one, own, ring in importers]
    own_keys = (
        settings.keys,
        settings.ring,
    )  # the earlier forms are sealed under the store's own keys
    for source, take in settings.format.traits.older:
        names = dict.fromkeys(
            (
                settings.name,
                source.cookie_name(
                    host_only=settings.cookie.host_only, secure=settings.cookie.secure
                ),
            )
        )
        found.extend(
            Accepted(
                settings=_reading(settings, source, name, own_keys),
                until=None,
                clear=True,
                take=take,
            )
            for name in names
        )
    _refuse_chunk_names(settings, found)
    small = settings.codec.capacity(settings.room)
    return replace(settings, accepted=tuple(found), small=small).derive()


def _bound(settings: Settings, importer: Importer, keys: tuple[Any, KeyRing]) -> Accepted:
    source, cookie = importer.format, settings.cookie
    name = importer.name or source.cookie_name(host_only=cookie.host_only, secure=cookie.secure)
    if name == settings.name:
        if source == settings.format:
            raise ConfigurationError(
                f"the importer of {name!r} has the store's own name and format: give the earlier name, or drop it"
            )
        if not importer.clear:
            raise ConfigurationError(
                f"the cookie {name!r} cannot be left: ours has its name. Give ours another name, or drop clear=False"
            )
    reading = _reading(settings, source, name, keys)
    return Accepted(
        settings=reading,
        until=importer.until,
        clear=importer.clear,
        take=_Conversion(importer.convert),
    )


def _refuse_chunk_names(settings: Settings, accepted: Iterable[Accepted]) -> None:
    """See that no cookie's name ends like a chunk: a write or a logout would clear it with the other's."""
    others = [(one.settings.name, one.settings.layout.separator) for one in accepted]
    used = {settings.layout.separator, *(separator for _, separator in others)}
    # Another store of the site may number with what the formats of other libraries do.
    named = [(settings.name, {*used, *SEPARATORS}), *((name, used) for name, _ in others)]
    for name, separators in named:
        for separator in separators:
            if re.search(rf"{re.escape(separator)}[0-9]+\Z", name):
                whole = name.rpartition(separator)[0]
                raise ConfigurationError(
                    f"the cookie name {name!r} ends like a chunk: a format that numbers with {separator!r} would take it for a part of the "
                    f"cookie {whole!r}, and clear it with that. Leave the number off, or put a letter behind it"
                )


def _reading(settings: Settings, source: Source, name: str, keys: tuple[Any, KeyRing]) -> Settings:
    """Return settings by which another's cookie is read as if it were a store's own."""
    judges = settings.guard, settings.identity
    if source.traits.guard is not None:  # who a session of others is before it is converted
        judges = resolve((None, None), (source.traits.guard, source.traits.identity), ())
    made = replace(
        settings,
        guard=judges[0],
        identity=judges[1],
        cookie=_cookie(settings.cookie, name),
        lifetime=Lifetime(rolling=False, absolute=settings.lifetime.absolute or LONGEST),
        # A source need not seal: nothing is sealed by these settings.
        format=cast("Format", source),
        keys=keys[0],
        ring=keys[1],
        accepted=(),
        small=0,
    ).derive()
    # The idle time is the source's own affair, unless its renewal cookies come with it.
    return made if made.codec.seen is None else replace(made, lifetime=settings.lifetime).derive()


def _cookie(ours: CookieSettings, name: str) -> CookieSettings:
    """Ours for another name; a prefix keeps its promises."""
    prefix = name.lower()
    if prefix.startswith("__host-"):
        return replace(ours, name=name, secure=True, path="/", domain=None)
    return replace(ours, name=name, secure=ours.secure or prefix.startswith("__secure-"))


@dataclass(frozen=True, slots=True)
class _Conversion:
    """An importer's `convert`, with its result checked; equal to that of another importer with the same function."""

    convert: Convert | None

    def __call__(self, contents: dict[str, Any], _stamp: Stamp) -> Mapping[str, Any] | None:
        if self.convert is None:
            return contents
        came_odd = not _is_json(contents)
        try:
            found = self.convert(contents)
        except (LookupError, TypeError, ValueError, AttributeError):
            return (
                None  # contents that it was not made for: a cookie from the network raises nothing
            )
        if not isinstance(found, Mapping):
            return None
        made = dict(found)
        # NaN, say, that it was given and has passed on, is kept as it would be without it; what it made itself must be JSON.
        # How deep it is depends on what it was given, and so on the cookie.
        if not ((came_odd or not is_shallow(made, DEEPEST)) and _is_writable(made)):
            check(made)
        return made


def _is_json(contents: dict[str, Any]) -> bool:
    """Whether contents are JSON within our limits, which others need not know."""
    try:
        check(contents)
    except SerializationError:
        return False
    return True


def _is_writable(contents: Mapping[str, Any]) -> bool:
    """Whether contents can be kept, whatever our limits."""
    try:
        rewrite(dict(contents), JSON)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _copied(contents: dict[str, Any]) -> dict[str, Any]:
    """A copy to take from, since a mark is taken again later: what `convert`, or the application, changes must not change that one."""
    try:
        return cast("dict[str, Any]", marshal.loads(marshal.dumps(contents)))  # noqa: S302  # what was written just now
    except ValueError:
        return deepcopy(contents)


def take_over(settings: Settings, source: Accepted, opened: Opened, now: float) -> Opened | Absence:
    """The session of ours that a foreign one becomes; its lifetime and the fence are judged later.

    Its id follows from the source, so that parallel requests take one session, and the fence that names it stops the next.
    """
    try:
        return _taken(settings, source, opened, now)
    except RecursionError:
        return Absence.MALFORMED  # so far down the stack it cannot be looked at


def _taken(settings: Settings, source: Accepted, opened: Opened, now: float) -> Opened | Absence:
    created = opened.stamp.created_at
    if not 0 < created <= now + CLOCK_SKEW:
        return Absence.MALFORMED if created <= 0 else Absence.NOT_YET_VALID
    found = (
        source.take(_copied(opened.contents), opened.stamp) if is_shallow(opened.contents) else None
    )
    if not isinstance(found, Mapping) or not is_shallow(found):
        return Absence.MALFORMED
    created, updated, contents = min(created, int(now)), int(now), dict(found)
    traits, codec = source.settings.format.traits, settings.codec
    ends = earliest(opened.stamp.ends_at, codec.ends_at(contents))
    expires = settings.lifetime.expires_at(created, updated)
    stamp = Stamp(
        id=derive_id("sessionkit import 1", traits.label, opened.mark_id),
        created_at=created,
        updated_at=updated,
        expires_at=expires if ends is None else min(expires, ends),
        ends_at=ends,
    )
    # One that does not say when it began is dated anew at each request: its mark cannot be made of that.
    mark = codec.mark_id(contents, stamp) if traits.dated else stamp.id
    return Opened(contents=contents, stamp=replace(stamp, mark=mark), mark_id=mark)
