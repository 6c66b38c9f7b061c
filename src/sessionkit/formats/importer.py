"""Importers: import a session from another cookie if the request has no cookie of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timezone
from typing import Any, TypeAlias

from .._session.lifetime import DAY
from .._session.tracebacks import clears_frames
from ..errors import ConfigurationError
from ._claims import is_time
from ._protocols import Convert, Source

__all__ = ["Importer", "Until"]

Until: TypeAlias = datetime | date | int | float | None
"""The time from which an importer is ignored: a datetime, the end of a date (UTC), seconds since the epoch, or None for never."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Importer:
    """Import a session from another cookie if the request has no cookie of the store.

    The creation time is kept if the source has one. The id is derived from the source, so that parallel requests import one
    session and a logout ends it. The contents are sealed in the store's format. The site is as safe as the weakest accepted
    secret: whoever guesses that secret can sign in here.

    Args:
        format: the format of the other cookie: one of `sessionkit.formats`, or a read-only source.
        secret: the secret of the other cookie; by default the store's.
        name: the name of the other cookie; by default the usual name of its format.
        until: the time from which the importer is ignored. A date means the end of that day (UTC), a datetime without a zone
            is UTC, a number is seconds since the epoch. None means never; it must be passed explicitly.
        clear: whether the other cookie is removed after the import. The default is the format's: yes for Flask, Starlette, Django,
            iron-session and an earlier name of ours, no for the formats that another program still uses.
        convert: returns the contents of our session for the cookie's contents, or None to import no session. If it raises an
            error because it did not expect the contents (KeyError, TypeError, ValueError, …), no session is imported.

    Raises:
        ConfigurationError: the other cookie would not be cleared, although nobody could then log out of its session.
    """

    format: Source
    secret: str | bytes | Sequence[str | bytes] | Mapping[Any, str | bytes] | None = field(
        repr=False
    )
    name: str | None
    until: float | None
    clear: bool
    convert: Convert | None

    @clears_frames
    def __init__(
        self,
        format: Source,
        *,
        until: Until,
        secret: str | bytes | Sequence[str | bytes] | Mapping[Any, str | bytes] | None = None,
        name: str | None = None,
        clear: bool | None = None,
        convert: Convert | None = None,
    ) -> None:
        check_format(format)
        traits = format.traits
        if clear is None:
            clear = not traits.shared
        if not clear and not traits.dated:
            raise ConfigurationError(
                f"{traits.title} cookies need not say when they were made, so that with clear=False nobody could log out of one: leave "
                "clear=False out"
            )
        for key, value in {
            "format": format,
            "secret": secret,
            "name": name,
            "until": _moment(until),
            "clear": clear,
            "convert": convert,
        }.items():
            object.__setattr__(self, key, value)


MEMBERS = ("traits", "layout", "cookie_name", "recognizes", "looks_like", "keys", "codec")
"""The members of a `Source`."""


def check_format(format: object) -> None:
    """Raise ConfigurationError if an argument is neither a format nor a read-only source."""
    if isinstance(format, type):
        raise ConfigurationError(
            f"format {format.__name__} is a class: give an object of it, {format.__name__}()"
        )
    missing = [name for name in MEMBERS if not hasattr(format, name)]
    if "codec" in missing:
        raise ConfigurationError(
            f"{type(format).__name__} is not a format: give an object of sessionkit.formats, such as Auth0V4()"
        )
    if missing:
        raise ConfigurationError(
            f"the format {type(format).__name__} is not complete: it needs {', '.join(missing)}. BaseFormat has a default for all but "
            "traits, recognizes and codec"
        )


def _moment(until: Until) -> float | None:
    match until:
        case None:
            return None
        case datetime():
            return (until if until.tzinfo else until.replace(tzinfo=timezone.utc)).timestamp()
        case date():
            return datetime.combine(until, time(), timezone.utc).timestamp() + DAY
        case _ if is_time(until):
            return float(until)
        case _:
            raise ConfigurationError(
                "until must be a date, a datetime, seconds (not milliseconds) since the epoch, or None"
            )
