"""Read a request's cookies, and import a session from another library's cookie if the store has none of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from .._cookies import chunks
from .._cookies.header import HEADER, pairs
from .._crypto.sealing import Opened
from .._session.session import Absence
from ..errors import SerializationError
from .candidates import Allowance, choose_furthest
from .conversion import import_token
from .reading import ImporterCookies, RequestCookies, cut_header, judge_token, read_cookies
from .settings import BoundImporter, Settings

__all__ = ["import_session", "read_or_import"]


def read_or_import(settings: Settings, header: str, now: float) -> RequestCookies:
    """Read the cookies of a store and of its importers from a Cookie header; never raise, whatever is in it.

    Args:
        settings: the store's settings.
        header: the Cookie header, decoded as latin-1.
        now: seconds since the epoch.
    """
    allowance = Allowance()
    own = read_cookies(settings, header, now, allowance)
    return import_session(settings, own, header, now, allowance)


def import_session(
    settings: Settings,
    cookies: RequestCookies,
    header: str,
    now: float,
    allowance: Allowance | None = None,
) -> RequestCookies:
    """Return a request's cookies with those that the importers know, and with the session from one if there is none.

    Args:
        settings: the store's settings.
        cookies: the store's own cookies.
        header: the Cookie header.
        now: seconds since the epoch.
        allowance: the tokens and bytes that may be opened; None for all that one request allows.
    """
    within = cut_header(header)
    spent = allowance or Allowance()

    @cache
    def read_importers() -> ImporterCookies:
        return [
            (
                importer,
                replace(
                    read_cookies(importer.settings, header, now, spent),
                    beside=_list_beside(importer.settings, within),
                ),
            )
            for importer in settings.importers
            if importer.until is None or now < importer.until
        ]

    # The importers' cookies are needed even if the header is too long, because a logout clears them.
    beside = _list_beside(settings, within)
    cookies = replace(cookies, read_importers=read_importers, beside=beside)
    # A cookie of ours that is expired, fenced or under an unknown key is still ours: then no importer is asked.
    if (
        len(header) <= HEADER
        and cookies.token is None
        and not cookies.pointers
        and not any(map(settings.format.recognizes, cookies.list_heads(settings)))
    ):
        _import_first(settings, cookies, now)
    return cookies


def _import_first(settings: Settings, cookies: RequestCookies, now: float) -> None:
    """Import the session from the first importer that finds one.

    Two formats may open one token, and each importer gives its session another id. So if a session has ended, no other importer
    is asked about its cookie: the fence does not know the other id.
    """
    ended: set[str] = set()
    for importer, theirs in cookies.read_importers():
        if importer.settings.name in ended:
            continue
        refusal = _import_from(settings, cookies, importer, theirs, now)
        if refusal is None:
            return
        if refusal is Absence.LOGGED_OUT:
            ended.add(importer.settings.name)
        cookies.absence = choose_furthest(cookies.absence or Absence.NO_COOKIE, refusal)


def _import_from(
    settings: Settings,
    cookies: RequestCookies,
    importer: BoundImporter,
    theirs: RequestCookies,
    now: float,
) -> Absence | None:
    """Import the session that an importer found; return the reason if there is none to import.

    Args:
        settings: the store's settings.
        cookies: the request's cookies, which get the session.
        importer: the importer.
        theirs: the cookies that the importer knows.
        now: seconds since the epoch.
    """
    if theirs.token is None:
        return theirs.absence
    token = import_token(settings, importer, theirs.token, now)
    if isinstance(token, Absence):
        return token
    if not token.contents and not settings.guard(token.contents):
        # An empty anonymous session is not worth importing.
        return Absence.NO_COOKIE
    if not _can_hold(settings, token):
        return Absence.MALFORMED
    stamp = judge_token(settings, token, (), cookies, now)
    if isinstance(stamp, Absence):
        return stamp
    cookies.token, cookies.stamp, cookies.absence, cookies.importer = token, stamp, None, importer
    return None


def _can_hold(settings: Settings, token: Opened) -> bool:
    """Return whether the library of the store's own format would understand the session.

    Some libraries treat every token as that of a signed-in user.
    """
    if settings.nobody is not None and not settings.names_somebody(token.contents):
        return False
    try:
        settings.codec.check(token.contents)
    except SerializationError:
        return False
    return True


def _list_beside(settings: Settings, header: str) -> tuple[str, ...]:
    """Return the names of the numbered cookies that end with the session."""
    prefix = settings.format.traits.beside
    if prefix is None or prefix not in header:
        return ()
    numbers = {
        chunks.chunk_number(name[len(prefix) :])
        for name, _ in pairs(header, prefix)
        if name.startswith(prefix)
    }
    canonical = sorted(number for number in numbers if number is not None)
    return tuple(f"{prefix}{number}" for number in canonical)
