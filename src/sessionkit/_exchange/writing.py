"""Write a session as Set-Cookie lines: seal it, renew it, end it, and write the fence and the barrier.

`write_renewal` writes the renewal cookie. `clearing` decides which cookies are cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, cast

from .._cookies import barrier, fence, renewal
from .._cookies.chunks import spans
from .._cookies.settings import LINE
from .._crypto.records import RecordCodec
from .._session.json import Serializer, freeze, rewrite
from .._session.lifetime import FOUR_HUNDRED_DAYS
from .._session.session import Contents, Stamp
from ..errors import SerializationError, SessionTooLargeError
from .clearing import Extent, clear_ended, clear_obsolete
from .reading import RequestCookies
from .settings import Settings

__all__ = [
    "make_checked_plaintext",
    "make_plaintext",
    "write_barrier",
    "write_end",
    "write_fence",
    "write_pointer",
    "write_renewal",
    "write_session",
    "write_single_cookie",
]

HEADROOM = 1024
"""The most bytes that our token header, our claims and our cookie names may add to an imported session."""


def make_checked_plaintext(
    settings: Settings,
    contents: dict[str, Any],
    stamp: Stamp,
    snapshot: bytes = b"",
    *,
    as_loaded: bool = False,
) -> bytes:
    """Return the plaintext of a session, checked to be JSON and to fit into `max_bytes`.

    Args:
        settings: the store's settings.
        contents: the contents of the session.
        stamp: the session's id and times.
        snapshot: the snapshot of the contents, if there is one already.
        as_loaded: whether the contents are unchanged since they were read from a cookie. Then only their size is checked.

    Raises:
        SerializationError: the contents are not JSON.
        SessionTooLargeError: the cookies would be larger than `max_bytes`.
    """
    codec = settings.codec
    if as_loaded:
        plaintext = make_plaintext(settings, contents, stamp)
    else:
        if settings.nobody is not None and not settings.names_somebody(contents):
            raise SerializationError(settings.nobody)
        codec.check(contents)
        payload = codec.payload(contents, stamp)
        known = snapshot if payload is contents else b""
        plaintext = freeze(payload, settings.serializer, settings.largest_integer, known)
    if settings.records is not None and settings.is_for_server(contents):
        if len(plaintext) > settings.max_record:
            raise SessionTooLargeError(
                f"the session has {len(plaintext)} bytes and max_record allows {settings.max_record}; its largest keys are "
                f"{_describe_largest(contents, settings.serializer)}. Keep what is large elsewhere, and its id in the session"
            )
        return plaintext
    if len(plaintext) <= settings.single_plaintext:
        return plaintext
    size = _count_bytes(_split(settings, codec.size(plaintext, stamp), stamp))
    if size > settings.cookie.max_bytes:
        raise SessionTooLargeError(
            f"the session makes {size} bytes of cookies and max_bytes allows {settings.cookie.max_bytes}; its largest keys are "
            f"{_describe_largest(contents, settings.serializer)}. Keep what is large elsewhere, and its id in the session"
        )
    return plaintext


def make_plaintext(settings: Settings, contents: Mapping[str, Any], stamp: Stamp) -> bytes:
    """Return the plaintext of unchanged contents, without checks: another library may have written them.

    Args:
        settings: the store's settings.
        contents: the contents, as a cookie held them.
        stamp: the session's id and times.
    """
    return rewrite(settings.codec.payload(dict(contents), stamp), settings.serializer)


def write_session(
    settings: Settings,
    cookies: RequestCookies,
    plaintext: bytes,
    stamp: Stamp,
    extent: Extent,
    *,
    contents_end: float = inf,
) -> list[str]:
    """Return the lines that set a session's cookies, and those that clear stale chunks and other obsolete cookies.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        plaintext: the plaintext of the session.
        stamp: the id and times to seal it with.
        extent: which cookies it makes obsolete.
        contents_end: the time at which the contents end the session, in seconds since the epoch.
    """
    token = settings.codec.seal(plaintext, stamp)
    parts = _split(settings, len(token), stamp)
    if cookies.importer is not None and extent < Extent.ENDED and _grows(settings, cookies, parts):
        # The session stays in the cookie that it was imported from.
        return []
    max_age = _limit_age(_compute_max_age(settings, stamp), settings, contents_end)
    lines = [settings.cookie.line(name, token[start:stop], max_age) for name, start, stop in parts]
    names = {name for name, _, _ in parts}
    return lines + clear_obsolete(settings, cookies, names, extent)


def write_single_cookie(
    settings: Settings,
    cookies: RequestCookies,
    plaintext: bytes,
    contents: Contents,
    stamp: Stamp,
    *,
    contents_end: float,
) -> str | None:
    """Return the line of a session that was in one cookie, fits into it again, and keeps its mark; None for any other session.

    Such a write makes no cookie obsolete, and adds no mark to the fence.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        plaintext: the plaintext of the session.
        contents: the contents of the session.
        stamp: the id and times to seal it with.
        contents_end: the moment when the contents themselves end the session, in seconds since the epoch.
    """
    codec, token = settings.codec, cookies.token
    if settings.layout.cleared or token is None or token.mark_id != codec.mark_id(contents, stamp):
        return None
    if len(plaintext) > settings.single_plaintext:
        return None
    text = codec.seal(plaintext, stamp)
    max_age = _compute_max_age(settings, stamp)
    if contents_end != inf:
        max_age = _limit_age(max_age, settings, contents_end)
    return settings.cookie.line(settings.name, text, max_age)


def write_pointer(
    settings: Settings,
    cookies: RequestCookies,
    owner: str,
    stamp: Stamp,
    extent: Extent,
    *,
    contents_end: float = inf,
) -> list[str]:
    """Return the line that sets the pointer to a session's record, and those that clear obsolete cookies.

    Args:
        settings: the settings of a store with a backend.
        cookies: the request's cookies.
        owner: the record's owner.
        stamp: the session's id and times.
        extent: which cookies it makes obsolete.
        contents_end: the moment when the contents themselves end the session, in seconds since the epoch.
    """
    codec, now = cast("RecordCodec", settings.records), settings.clock()
    absolute = settings.find_lifetime(stamp.lifetime).absolute
    token = codec.seal_pointer(stamp, owner, now, absolute)
    ends = codec.pointer_end(stamp, now, absolute)
    max_age = _limit_age(ends - int(now), settings, contents_end)
    line = settings.cookie.line(settings.name, token, max_age)
    return [line, *clear_obsolete(settings, cookies, {settings.name}, extent)]


def write_renewal(
    settings: Settings,
    cookies: RequestCookies,
    plaintext: bytes | None,
    stamp: Stamp,
    extent: Extent,
    *,
    contents_end: float = inf,
) -> list[str]:
    """Return the lines that move the idle expiry: the renewal cookie, or the session sealed again.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        plaintext: the plaintext, if the session must be sealed again. This is so if the format has no renewal cookie, or if
            the contents end moves, because the Max-Age of the session's cookies follows it.
        stamp: the times to renew with.
        extent: which cookies it makes obsolete, if the session is sealed again.
        contents_end: the moment when the contents themselves end the session, in seconds since the epoch.
    """
    if settings.codec.seen is None or plaintext is not None:
        return write_session(
            settings, cookies, plaintext or b"", stamp, extent, contents_end=contents_end
        )
    value = renewal.seal(
        settings.codec.seen, stamp.id, renewal.Renewal(stamp.updated_at, stamp.expires_at)
    )
    # Without an absolute limit the idle limit may be longer than a browser keeps a cookie.
    left = min(stamp.expires_at - int(settings.clock()), FOUR_HUNDRED_DAYS)
    max_age = _limit_age(left, settings, contents_end)
    return [settings.cookie.line(settings.seen, value, max_age)]


def write_end(
    settings: Settings, cookies: RequestCookies, extent: Extent, *, unmarked: bool = False
) -> list[str]:
    """Return the lines of a logout: they clear every cookie of the session, and set the fence and perhaps the barrier.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        extent: whether a session may be in cookies that the request does not show.
        unmarked: whether an ended session may have no mark, so that a barrier must end it.
    """
    barrier_lines = write_barrier(settings, cookies, "") if unmarked else []
    cleared = clear_ended(settings, cookies, extent)
    return [*cleared, *write_fence(settings, cookies), *barrier_lines]


def write_fence(settings: Settings, cookies: RequestCookies, *, link: str = "") -> list[str]:
    """Return the line of the fence with the mark of every session in the request; no line if there is no mark to add.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        link: the link from the session's new mark to the mark that a barrier spares.
    """
    marks = cookies.list_marks(settings) if cookies.by_name or cookies.read_importers() else ()
    if not marks and not link:
        return []
    earlier = "" if cookies.barrier is None else cookies.barrier.link
    value = fence.render(marks, cookies.fence, link or earlier)
    return [settings.cookie.fence_line(settings.fence, value, settings.fence_age)]


def write_barrier(settings: Settings, cookies: RequestCookies, spared: str) -> list[str]:
    """Return the line of a barrier that ends every session that has begun until now.

    Args:
        settings: the store's settings.
        cookies: the request's cookies.
        spared: the mark of the session that the barrier spares; empty for none.
    """
    value = barrier.seal(settings.barrier_keys, settings.clock(), spared, cookies.barrier)
    return [settings.cookie.fence_line(settings.barrier, value, settings.fence_age)]


def _grows(settings: Settings, cookies: RequestCookies, parts: list[tuple[str, int, int]]) -> bool:
    """Return whether the cookies of an imported session would be larger than `max_bytes`, and larger than those it came in.

    The other library may compress its sessions. If a server refused the larger Cookie header (431), the visitor could not even
    log out.
    """
    imported = [
        (theirs, name)
        for importer, theirs in cookies.read_importers()
        if importer is cookies.importer
        for name in theirs.list_names(importer.settings)
    ]
    before = sum(
        len(name) + 1 + len(value) + 2
        for theirs, name in imported
        for value in theirs.by_name[name]
    )
    return _count_bytes(parts) > max(settings.cookie.max_bytes, before + HEADROOM)


def _count_bytes(parts: list[tuple[str, int, int]]) -> int:
    """Return the bytes that cookies add to a Cookie header."""
    return sum(len(name) + 1 + stop - start + 2 for name, start, stop in parts)


def _split(settings: Settings, length: int, stamp: Stamp) -> list[tuple[str, int, int]]:
    """Return which cookie holds which part of a token: (name, start, stop)."""
    if length <= settings.single_size:
        return [(settings.name, 0, length)]
    # A line without name and value is `=` and the attributes. The remaining bytes are for the name, `=` and the value.
    if settings.layout.expiry is None or settings.cookie.transient:
        left = LINE + 1 - len(settings.cookie.line("", "", _compute_max_age(settings, stamp)))
    else:
        left = LINE + 1 - len(settings.cookie.line("", "", None)) - settings.layout.expiry
    return spans(length, settings.name, settings.layout, left)


def _compute_max_age(settings: Settings, stamp: Stamp) -> int:
    """Return the Max-Age of the session's cookies, in seconds.

    If a renewal cookie may move the expiry, the session's own cookies last until the latest expiry that it can set.
    """
    now, absolute = int(settings.clock()), settings.lifetime.absolute
    if stamp.lifetime is not None:
        absolute = settings.find_lifetime(stamp.lifetime).absolute
    if settings.codec.seen is None:
        # Within the tolerance of a format, the session may be past its expiry already.
        return max(0, min(stamp.expires_at - now, FOUR_HUNDRED_DAYS))
    longest = FOUR_HUNDRED_DAYS
    if absolute is not None:
        longest = min(stamp.created_at + absolute - now, longest)
    return longest if stamp.ends_at is None else min(stamp.ends_at - now, longest)


def _limit_age(max_age: int, settings: Settings, contents_end: float) -> int:
    """Return a Max-Age that is no longer than the contents let the session live."""
    if contents_end == inf:
        return max_age
    return min(max_age, max(0, int(contents_end) - int(settings.clock())))


def _describe_largest(contents: Mapping[str, Any], serializer: Serializer) -> str:
    """Return the names and sizes of the three largest keys, for an error message."""
    sizes = {key: len(rewrite({key: value}, serializer)) - 2 for key, value in contents.items()}
    top = sorted(sizes, key=sizes.__getitem__, reverse=True)[:3]
    return ", ".join(f"{key!r} ({sizes[key]} bytes)" for key in top)
