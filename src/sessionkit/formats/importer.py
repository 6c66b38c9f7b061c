"""Other cookies to take a session from, when no cookie of ours came."""

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
"""When an importer is ignored from: a moment, the end of a day (UTC), seconds since the epoch, or None for never."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Importer:
    """Takes a session over from another cookie, when no cookie of ours is in the request.

    The creation time is kept where the source has one, the id follows from the source (parallel requests import one session, and a
    logout ends it), the contents are sealed in our format. Trust is that of the weakest secret accepted: who guesses it signs in here.

    Args:
        format: what the cookie is: a format, or one of the read-only sources.
        secret: of that cookie; left out, the store's.
        name: of that cookie; left out, the usual one of its format.
        until: from when it is ignored. A date means the end of that day (UTC), a datetime without a zone is UTC, a number is
            seconds since the epoch; None, for ever, must be said.
        clear: whether the other cookie is removed once the session is ours. Left out: yes for Flask, Starlette, Django,
            iron-session and our own earlier name, no for the formats that a JavaScript side goes on using.
        convert: from what the cookie holds to a session of ours; None for "take nothing from this". What it raises for
            contents it did not expect (KeyError, TypeError, ValueError, …) counts as None.

    Raises:
        ConfigurationError: the other cookie would be left though nobody could log out of it.
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
        traits = format.traits
        if clear is None:
            clear = not traits.shared
        if not clear and not traits.dated:
            raise ConfigurationError(
                f"{traits.title} cookies need not say when they were made: with clear=False nobody could log out of one"
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
