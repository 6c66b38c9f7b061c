"""Convert a token of another library into a session of ours: its contents, id, times and mark."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, cast

from .._crypto.sealing import Opened
from .._session.json import JSON, Serializer, freeze, is_shallow, rewrite
from .._session.json_errors import DEEPEST
from .._session.lifetime import CLOCK_SKEW
from .._session.session import Absence, Stamp
from .._session.tags import Tags
from ..errors import SerializationError
from ..formats._claims import derive_id, earliest
from ..formats._protocols import Convert
from .settings import BoundImporter, Settings

__all__ = ["CheckedConversion", "import_token"]


@dataclass(frozen=True, slots=True)
class CheckedConversion:
    """Calls an importer's `convert` and checks the result; two with the same function are equal."""

    convert: Convert | None
    tags: Tags | None = None

    def __call__(self, contents: dict[str, Any], _stamp: Stamp) -> Mapping[str, Any] | None:
        if self.convert is None:
            return contents
        beyond_limits = not self._can(freeze, contents, SerializationError)
        try:
            converted = self.convert(contents)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            # The function did not expect such contents. A cookie from the network must not raise an error.
            return None
        if not isinstance(converted, Mapping):
            return None
        result = dict(converted)
        # A value that the function only passed on, such as NaN, is kept as it would be without the function.
        # A value that the function made must be JSON. The depth of the result depends on the cookie, so it must not raise an error.
        # The methods of a value with a tag may raise anything.
        passed_on = beyond_limits or not is_shallow(result, DEEPEST)
        if not (passed_on and self._can(rewrite, result, Exception)):
            freeze(result, self._serializer)
        return result

    @property
    def _serializer(self) -> Serializer:
        return JSON if self.tags is None else JSON.tagging(self.tags)

    def _can(
        self, write: Callable[..., bytes], contents: dict[str, Any], refusal: type[Exception]
    ) -> bool:
        """Return whether contents can be written: by `freeze` within our limits, which other libraries do not have."""
        try:
            write(contents, self._serializer)
        except refusal:
            return False
        return True


def _copy_contents(contents: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that `convert` and the application may change. The original is kept, because the mark is computed from it later."""
    try:
        return cast("dict[str, Any]", marshal.loads(marshal.dumps(contents)))  # noqa: S302  # these bytes were written just now
    except ValueError:
        return deepcopy(contents)


def import_token(
    settings: Settings, importer: BoundImporter, token: Opened, now: float
) -> Opened | Absence:
    """Return another library's token as a session of ours. The caller checks the expiry and the fence.

    Its id is derived from the token, so that parallel requests import one session, and a mark in the fence stops the next
    import.

    Args:
        settings: the store's settings.
        importer: the importer that opened the token.
        token: the other library's token.
        now: seconds since the epoch.
    """
    try:
        if importer.newer is not None:
            # To the library, both forms are one session. So both give one session of ours.
            present = _convert_token(importer.newer.settings, importer, token, now)
            if isinstance(present, Absence):
                return present
            token, importer = present, importer.newer
        return _convert_token(settings, importer, token, now)
    except RecursionError:
        # The stack is already too deep to check nested contents.
        return Absence.MALFORMED


def _convert_token(
    settings: Settings, importer: BoundImporter, token: Opened, now: float
) -> Opened | Absence:
    created = token.stamp.created_at
    if not 0 < created <= now + CLOCK_SKEW:
        return Absence.MALFORMED if created <= 0 else Absence.NOT_YET_VALID
    convert = importer.convert
    if settings.tags is not None and isinstance(convert, CheckedConversion):
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
    # If the store no longer has the name, the session has expired. A logout still needs its mark.
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
    # A session without a creation time gets a new one at each request, so its mark must not depend on the times.
    mark_id = codec.mark_id(contents, stamp) if traits.dated else stamp.id
    return Opened(contents=contents, stamp=replace(stamp, mark=mark_id), mark_id=mark_id)
