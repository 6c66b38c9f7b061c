"""Bind importers to a store: derive the keys of each, and the settings with which it reads its cookie."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, cast

from .._cookies.settings import CookieSettings
from .._crypto.keyring import KeyRing
from .._session.identity import resolve
from .._session.lifetime import LONGEST, Lifetime
from ..errors import ConfigurationError
from ..formats._protocols import Format, Source
from ..formats._recognition import SEPARATORS
from ..formats.importer import Importer
from .conversion import CheckedConversion
from .settings import BoundImporter, Settings

__all__ = ["bind_importers"]


def bind_importers(
    settings: Settings, importers: Iterable[tuple[Importer, Any, KeyRing]]
) -> Settings:
    """Return a store's settings with its importers, and with importers for the earlier forms of its format and of theirs.

    Args:
        settings: the store's settings.
        importers: each importer with its keys, and the key ring of its barrier.

    Raises:
        ConfigurationError: an importer cannot work beside the store's own cookie.
    """
    bound: list[BoundImporter] = []
    for importer, keys, ring in importers:
        one = _bind_importer(settings, importer, (keys, ring))
        bound.extend((one, *_bind_older(settings, (keys, ring), one)))
    _refuse_second_importers(bound)
    bound.extend(_bind_older(settings, (settings.keys, settings.ring)))
    _refuse_chunk_names(settings, bound)
    capacity = settings.codec.capacity(settings.single_size)
    return replace(settings, importers=tuple(bound), single_plaintext=capacity).derive()


def _bind_importer(
    settings: Settings, importer: Importer, keys: tuple[Any, KeyRing]
) -> BoundImporter:
    """Return an importer with its keys; raise ConfigurationError if it cannot share the store's cookie name."""
    source, cookie = importer.format, settings.cookie
    name = importer.name or source.cookie_name(host_only=cookie.host_only, secure=cookie.secure)
    if name == settings.name:
        if source == settings.format:
            raise ConfigurationError(
                f"the importer of {name!r} has the store's own name and format: give the earlier name, or drop it"
            )
        if not importer.clear:
            raise ConfigurationError(
                f"the importer's cookie {name!r} cannot be left in the browser: the store's own cookie has this name. Give the "
                "store's another name, or drop clear=False"
            )
    return BoundImporter(
        settings=_make_reading_settings(settings, source, name, keys),
        until=importer.until,
        clear=importer.clear,
        convert=CheckedConversion(importer.convert),
    )


def _bind_older(
    settings: Settings, keys: tuple[Any, KeyRing], newer: BoundImporter | None = None
) -> Iterator[BoundImporter]:
    """Yield the importers of the earlier forms of a format, which are sealed under the same keys.

    Args:
        settings: the store's settings.
        keys: the keys of the format, and the key ring of its barrier.
        newer: the importer of the format; None for the store's own format.
    """
    until, clear, present = None, True, settings
    if newer is not None:
        until, clear, present = newer.until, newer.clear, newer.settings
    cookie = settings.cookie
    for source, convert in present.format.traits.older:
        default = source.cookie_name(host_only=cookie.host_only, secure=cookie.secure)
        for name in dict.fromkeys((present.name, default)):
            if newer is not None and name == settings.name:
                # The store's own cookie.
                continue
            yield BoundImporter(
                settings=_make_reading_settings(settings, source, name, keys),
                until=until,
                clear=clear,
                convert=convert,
                newer=newer,
            )


def _refuse_second_importers(importers: Sequence[BoundImporter]) -> None:
    """Raise ConfigurationError for an importer of an earlier form that another importer takes over too.

    The two would give one session two ids, and a logout would end only one of them.
    """
    for older, other in product(importers, importers):
        if older.newer is None or other.newer is not None:
            continue
        one, two = older.settings, other.settings
        if (one.name, one.format) == (two.name, two.format) and not set(one.codec.ids).isdisjoint(
            two.codec.ids
        ):
            title, present = one.format.traits.title, older.newer.settings.format.traits.title
            raise ConfigurationError(
                f"the importer of {present} imports the cookie {one.name!r} of {title} too, and its convert gets these sessions in the "
                f"form of {present}: drop the importer of {title}"
            )


def _refuse_chunk_names(settings: Settings, importers: Iterable[BoundImporter]) -> None:
    """Raise ConfigurationError for a cookie name that ends like a chunk's, because clearing another cookie's chunks would clear it."""
    others = [
        (importer.settings.name, importer.settings.layout.separator) for importer in importers
    ]
    used = {settings.layout.separator, *(separator for _, separator in others)}
    # Another store of the site may have the separator of any format.
    named = [(settings.name, {*used, *SEPARATORS}), *((name, used) for name, _ in others)]
    for name, separators in named:
        for separator in separators:
            if re.search(rf"{re.escape(separator)}[0-9]+\Z", name):
                whole = name.rpartition(separator)[0]
                raise ConfigurationError(
                    f"the cookie name {name!r} ends like a chunk: a format that numbers with {separator!r} would take it for a part of the "
                    f"cookie {whole!r}, and clear it with that. Leave the number off, or put a letter behind it"
                )


def _make_reading_settings(
    settings: Settings, source: Source, name: str, keys: tuple[Any, KeyRing]
) -> Settings:
    """Return the settings for reading another library's cookie as if it were the store's own cookie.

    Args:
        settings: the store's settings.
        source: the format of the cookie.
        name: the name of the cookie.
        keys: the keys of the source, and the key ring of its barrier.
    """
    judges = settings.guard, settings.identity
    if source.traits.guard is not None:
        # Before a session is converted, only the source's guard and identity know its user.
        judges = resolve((None, None), (source.traits.guard, source.traits.identity), ())
    reading = replace(
        settings,
        guard=judges[0],
        identity=judges[1],
        cookie=_rename_cookie(settings.cookie, name),
        lifetime=Lifetime(rolling=False, absolute=settings.lifetime.absolute or LONGEST),
        # A source need not be able to seal, because nothing is sealed with these settings.
        format=cast("Format", source),
        keys=keys[0],
        ring=keys[1],
        importers=(),
        single_plaintext=0,
        backend=None,
    ).derive()
    # The other library enforces its idle limit, unless its renewal cookies can be read here too.
    if reading.codec.seen is None:
        return reading
    return replace(reading, lifetime=settings.lifetime).derive()


def _rename_cookie(ours: CookieSettings, name: str) -> CookieSettings:
    """Return our cookie settings for another name, with the attributes that a prefix of the name requires."""
    prefix = name.lower()
    if prefix.startswith("__host-"):
        return replace(ours, name=name, secure=True, path="/", domain=None)
    return replace(ours, name=name, secure=ours.secure or prefix.startswith("__secure-"))
