"""Guess the format of a cookie without a secret. The result is a hint for `inspect`, and never a reason to trust the cookie."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from typing import cast

from .._cookies.chunks import split_name
from .._cookies.header import pairs
from .._session.events import logger
from ..errors import ConfigurationError
from ._protocols import Format, Source
from .auth0_fastapi import Auth0FastAPI
from .auth0_v3 import Auth0V3
from .auth0_v4 import Auth0V4
from .authjs_v5 import AuthJSV5
from .django_cookie import DjangoCookie
from .express_openid import ExpressOpenID
from .flask_cookie import FlaskCookie
from .iron_session import IronSession
from .native import Native
from .nextauth_v4 import NextAuthV4
from .starlette_cookie import StarletteCookie

__all__ = ["SEPARATORS", "known_formats", "recognize", "spoken_format"]

GROUP = "sessionkit.formats"
"""The group of entry points by which an installed distribution names its formats."""

OURS: tuple[Source, ...] = (
    Native(),
    AuthJSV5(),
    Auth0FastAPI(),
    ExpressOpenID(),
    Auth0V3(),
    NextAuthV4(),
    Auth0V4(),
    IronSession(),
    DjangoCookie(),
    FlaskCookie(),
    StarletteCookie(),
)

SEPARATORS = frozenset(one.layout.separator for one in OURS)
"""The separators that our formats put between a name and the number of a chunk."""

SIGNED_ID = re.compile(r"[^.;\s]+\.[A-Za-z0-9_-]{43}")
SIGNED_ID_TITLE = "signed session id of nextjs-auth0 or express-openid-connect"


def known_formats(own: Iterable[Source] = ()) -> tuple[Source, ...]:
    """Return our formats, those of installed distributions, and some more, each once.

    Args:
        own: more formats, such as those of a store.
    """
    found: list[Source] = [*OURS, *_find_installed()]
    found.extend(one for one in own if one not in found)
    return tuple(found)


def _find_installed() -> Iterator[Source]:
    """Yield the formats that installed distributions name in their entry points."""
    for point in entry_points(group=GROUP):
        try:
            loaded = point.load()
            yield cast("Source", loaded() if isinstance(loaded, type) else loaded)
        except Exception as error:  # noqa: BLE001  # somebody else's module may raise anything
            logger.warning(
                "the format %s (%s) cannot be loaded: %r", point.name, point.value, error
            )


def recognize(header: str, formats: Iterable[Source] | None = None) -> dict[str, str]:
    """Return which cookies of a Cookie header look like sessions, and the titles of their formats.

    Args:
        header: decoded as latin-1.
        formats: the formats to look for; None for all that are known.
    """
    found: dict[str, list[str]] = {}
    for name, one in _matches(header, formats):
        found.setdefault(name, []).append(one.traits.title)
    for name, value in pairs(header, ""):
        # The last chunk of a token may have the grammar of a signed id.
        if SIGNED_ID.fullmatch(value) and not _is_chunk(name):
            found.setdefault(name, []).append(SIGNED_ID_TITLE)
    return {name: " or ".join(dict.fromkeys(titles)) for name, titles in found.items()}


def spoken_format(header: str) -> tuple[Format, str] | None:
    """Return the format in which a Cookie header seems to hold a session, and the cookie's name.

    None if there is a native session, and for formats that can only be imported.
    """
    found = [
        (one, split_name(name, one.layout.separator)[0]) for name, one in _matches(header, None)
    ]
    if any(one == OURS[0] for one, _ in found):
        return None
    found = [one for one in found if not one[0].traits.read_only]
    # Other cookies of a library may look like its session. The usual name tells which cookie is the session.
    usual = [(one, name) for one, name in found if name in _usual_names(one)]
    return cast("tuple[Format, str] | None", next(iter((*usual, *found)), None))


def _matches(header: str, formats: Iterable[Source] | None) -> Iterator[tuple[str, Source]]:
    """Yield the cookies that look like a format, with the format."""
    known = known_formats() if formats is None else tuple(formats)
    for name, value in pairs(header, ""):
        for one in known:
            if one.looks_like(name, value):
                yield name, one


def _is_chunk(name: str) -> bool:
    """Return whether a name ends like the name of one of our chunks."""
    return any(split_name(name, one)[1] is not None for one in SEPARATORS)


def _usual_names(one: Source) -> tuple[str, ...]:
    """Return the default names of a format's cookie on https and on plain http; empty if the format has no default."""
    try:
        return tuple(one.cookie_name(host_only=yes, secure=yes) for yes in (True, False))
    except ConfigurationError:
        return ()
