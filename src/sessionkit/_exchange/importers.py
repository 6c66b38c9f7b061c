"""Bind importers to a store, and turn a token that one of them opened into a session of ours."""

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
from .._session.json import DEEPEST, JSON, Serializer, freeze, is_shallow, rewrite
from .._session.lifetime import CLOCK_SKEW, LONGEST, Lifetime
from .._session.session import Absence, Stamp
from .._session.tags import Tags
from ..errors import ConfigurationError, SerializationError
from ..formats._claims import derive_id, earliest
from ..formats._protocols import Convert, Format, Source
from ..formats._recognition import SEPARATORS
from ..formats.importer import Importer
from .config import BoundImporter, Settings

__all__ = ["bind_importers", "import_token"]


def bind_importers(
    settings: Settings, importers: Iterable[tuple[Importer, Any, KeyRing]]
) -> Settings:
    """Return a store's settings with its importers, and one more for each earlier form of its format.

    Args:
        settings: the store's settings.
        importers: each importer with its keys, and the key ring of its barrier.

    Raises:
        ConfigurationError: an importer cannot work beside the store's own cookie.
    """
    bound = [_bind_importer(settings, importer, (keys, ring)) for importer, keys, ring in importers]
    # The earlier forms are sealed under the store's own keys.
    own_keys = settings.keys, settings.ring
    for source, convert in settings.format.traits.older:
        default = source.cookie_name(
            host_only=settings.cookie.host_only, secure=settings.cookie.secure
        )
        bound.extend(
            BoundImporter(
                settings=_make_reading_settings(settings, source, name, own_keys),
                until=None,
                clear=True,
                convert=convert,
            )
            for name in dict.fromkeys((settings.name, default))
        )
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
        convert=_CheckedConversion(importer.convert),
    )


def _refuse_chunk_names(settings: Settings, importers: Iterable[BoundImporter]) -> None:
    """Raise ConfigurationError for a cookie name that ends like a chunk: clearing another cookie's chunks would clear it."""
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
    """Return the settings by which another library's cookie is read, as if it were a store's own.

    Args:
        settings: the store's settings.
        source: the format of the cookie.
        name: the name of the cookie.
        keys: the keys of the source, and the key ring of its barrier.
    """
    judges = settings.guard, settings.identity
    if source.traits.guard is not None:
        # The source knows who the user is before the session is converted.
        judges = resolve((None, None), (source.traits.guard, source.traits.identity), ())
    reading = replace(
        settings,
        guard=judges[0],
        identity=judges[1],
        cookie=_rename_cookie(settings.cookie, name),
        lifetime=Lifetime(rolling=False, absolute=settings.lifetime.absolute or LONGEST),
        # A source need not be able to seal: nothing is sealed by these settings.
        format=cast("Format", source),
        keys=keys[0],
        ring=keys[1],
        importers=(),
        single_plaintext=0,
        backend=None,
    ).derive()
    # The idle limit is the other library's own affair, unless its renewal cookies can be read too.
    if reading.codec.seen is None:
        return reading
    return replace(reading, lifetime=settings.lifetime).derive()


def _rename_cookie(ours: CookieSettings, name: str) -> CookieSettings:
    """Return our cookie settings for another name, with the attributes that a prefix of the name requires."""
    prefix = name.lower()
    if prefix.startswith("__host-"):
        return replace(ours, name=name, secure=True, path="/", domain=None)
    return replace(ours, name=name, secure=ours.secure or prefix.startswith("__secure-"))


@dataclass(frozen=True, slots=True)
class _CheckedConversion:
    """Calls an importer's `convert` and checks the result; two with the same function are equal."""

    convert: Convert | None
    tags: Tags | None = None

    def __call__(self, contents: dict[str, Any], _stamp: Stamp) -> Mapping[str, Any] | None:
        if self.convert is None:
            return contents
        beyond_limits = not self._is_json(contents)
        try:
            converted = self.convert(contents)
        except (LookupError, TypeError, ValueError, AttributeError):
            # The function was not made for such contents: a cookie from the network raises nothing.
            return None
        if not isinstance(converted, Mapping):
            return None
        result = dict(converted)
        # A value that the function was given and has passed on, such as NaN, is kept as it would be without the function.
        # A value that the function made must be JSON. The depth of the result depends on the cookie, and so raises nothing.
        passed_on = beyond_limits or not is_shallow(result, DEEPEST)
        if not (passed_on and self._is_writable(result)):
            freeze(result, self._serializer)
        return result

    @property
    def _serializer(self) -> Serializer:
        return JSON if self.tags is None else JSON.tagging(self.tags)

    def _is_json(self, contents: dict[str, Any]) -> bool:
        """Return whether contents are JSON within our limits, which other libraries do not have."""
        try:
            freeze(contents, self._serializer)
        except SerializationError:
            return False
        return True

    def _is_writable(self, contents: dict[str, Any]) -> bool:
        """Return whether contents can be written, whatever our limits."""
        try:
            rewrite(contents, self._serializer)
        except Exception:  # noqa: BLE001  # the methods of a value with a tag may raise anything
            return False
        return True


def _copy_contents(contents: dict[str, Any]) -> dict[str, Any]:
    """Return a copy for `convert` and the application to change: the session's mark is computed from the original again later."""
    try:
        return cast("dict[str, Any]", marshal.loads(marshal.dumps(contents)))  # noqa: S302  # these bytes were written just now
    except ValueError:
        return deepcopy(contents)


def import_token(
    settings: Settings, importer: BoundImporter, token: Opened, now: float
) -> Opened | Absence:
    """Return the session of ours that another library's token becomes; the caller judges its expiry and the fence.

    Its id is derived from the token, so that parallel requests import one session, and a mark in the fence stops the next
    import.

    Args:
        settings: the store's settings.
        importer: the importer that opened the token.
        token: the other library's token.
        now: seconds since the epoch.
    """
    try:
        return _convert_token(settings, importer, token, now)
    except RecursionError:
        # The stack is too deep already to look at nested contents.
        return Absence.MALFORMED


def _convert_token(
    settings: Settings, importer: BoundImporter, token: Opened, now: float
) -> Opened | Absence:
    created = token.stamp.created_at
    if not 0 < created <= now + CLOCK_SKEW:
        return Absence.MALFORMED if created <= 0 else Absence.NOT_YET_VALID
    convert = importer.convert
    if settings.tags is not None and isinstance(convert, _CheckedConversion):
        convert = replace(convert, tags=settings.tags)
    converted = (
        convert(_copy_contents(token.contents), token.stamp) if is_shallow(token.contents) else None
    )
    if not isinstance(converted, Mapping) or not is_shallow(converted):
        return Absence.MALFORMED
    created, updated, contents = min(created, int(now)), int(now), dict(converted)
    traits, codec = importer.settings.format.traits, settings.codec
    ends = earliest(token.stamp.ends_at, codec.ends_at(contents))
    lifetime = token.stamp.lifetime
    # With a name that is gone the session is over, and yet a logout needs its mark.
    known = settings.lifetimes.get(lifetime or "", settings.lifetime)
    expires = known.expires_at(created, updated)
    stamp = Stamp(
        id=derive_id("sessionkit import 1", traits.label, token.mark_id),
        created_at=created,
        updated_at=updated,
        expires_at=expires if ends is None else min(expires, ends),
        ends_at=ends,
        lifetime=lifetime,
    )
    # A session without a creation time gets a new one at each request: its mark cannot depend on the times.
    mark_id = codec.mark_id(contents, stamp) if traits.dated else stamp.id
    return Opened(contents=contents, stamp=replace(stamp, mark=mark_id), mark_id=mark_id)
