"""From a session to Set-Cookie lines: seal, renew, end."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from .._cookies import barrier, fence, renewal
from .._cookies.chunks import spans
from .._cookies.settings import LINE
from .._session.json import Serializer, freeze, rewrite
from .._session.lifetime import FOUR_HUNDRED_DAYS
from .._session.session import Contents, Stamp
from ..errors import SerializationError, SessionTooLargeError
from .clearing import clear_ended, clear_obsolete
from .config import Settings
from .reading import Incoming

__all__ = [
    "barrier_lines",
    "ending_lines",
    "fence_lines",
    "only_line",
    "payload",
    "renewed_lines",
    "rewritten_payload",
    "sealed_lines",
]

FRAME = 1024
"""Bytes that the header of a token of ours, our claims, and the names of our cookies may add to a session taken over."""


def payload(
    settings: Settings, contents: dict[str, Any], stamp: Stamp, print_: bytes = b""
) -> bytes:
    """Return the plaintext of a session, checked to be JSON and to fit into `max_bytes`.

    Args:
        settings: of the store.
        contents: of the session.
        stamp: its times.
        print_: the fingerprint of the contents, if there is one.

    Raises:
        SerializationError: it is not JSON.
        SessionTooLargeError: it does not fit.
    """
    if settings.nobody is not None and not settings.names_somebody(contents):
        raise SerializationError(settings.nobody)
    codec = settings.codec
    codec.check(contents)
    made = codec.payload(contents, stamp)
    known = print_ if made is contents else b""
    frozen = freeze(made, settings.serializer, settings.largest_integer, known)
    if len(frozen) <= settings.small:
        return frozen
    total = _total(_spans(settings, codec.size(frozen, stamp), stamp))
    if total > settings.cookie.max_bytes:
        raise SessionTooLargeError(
            f"the session makes {total} bytes of cookies and max_bytes allows {settings.cookie.max_bytes}; its largest keys are "
            f"{_largest(contents, settings.serializer)}. Keep what is large elsewhere, and its id in the session"
        )
    return frozen


def rewritten_payload(settings: Settings, contents: Mapping[str, Any], stamp: Stamp) -> bytes:
    """Return the plaintext of contents that came in a cookie and did not change, unchecked: another library may have written them.

    Args:
        settings: of the store.
        contents: of the session.
        stamp: its times.
    """
    return rewrite(settings.codec.payload(dict(contents), stamp), settings.serializer)


def sealed_lines(
    settings: Settings,
    incoming: Incoming,
    frozen: bytes,
    stamp: Stamp,
    *,
    begun: bool = False,
    until: float = inf,
    hidden: bool = False,
) -> list[str]:
    """The session's cookies, and the clearing of those that this makes obsolete.

    Args:
        settings: the store's.
        incoming: what came with the request.
        frozen: the plaintext.
        stamp: the times to seal it with.
        begun: whether this is the beginning of a session, and so the end of every other.
        until: the moment at which the contents themselves end the session, in seconds since the epoch.
        hidden: whether one of those may be in cookies that the request does not show.
    """
    token = settings.codec.seal(frozen, stamp)
    parts = _spans(settings, len(token), stamp)
    if incoming.imported is not None and not begun and _grows(settings, incoming, parts):
        return []  # it goes on living in the cookie that it came in
    age = _no_longer(_max_age(settings, stamp), settings, until)
    lines = [settings.cookie.line(name, token[start:stop], age) for name, start, stop in parts]
    return lines + clear_obsolete(
        settings, incoming, {name for name, _, _ in parts}, begun=begun, hidden=hidden
    )


def only_line(
    settings: Settings,
    incoming: Incoming,
    frozen: bytes,
    contents: Contents,
    stamp: Stamp,
    *,
    until: float,
) -> str | None:
    """Return the line of a session that came in one cookie and fits into it again, under the same mark; None for any other.

    It makes nothing obsolete, and no mark is to be fenced.

    Args:
        settings: the store's.
        incoming: what came with the request.
        frozen: the plaintext.
        contents: the session's.
        stamp: the times to seal it with.
        until: the moment at which the contents themselves end the session, in seconds since the epoch.
    """
    codec, opened = settings.codec, incoming.opened
    if (
        settings.layout.cleared
        or opened is None
        or opened.mark_id != codec.mark_id(contents, stamp)
    ):
        return None
    if len(frozen) > settings.small:
        return None
    token = codec.seal(frozen, stamp)
    age = _max_age(settings, stamp)
    return settings.cookie.line(settings.name, token, _no_longer(age, settings, until))


def renewed_lines(
    settings: Settings,
    incoming: Incoming,
    frozen: bytes | None,
    stamp: Stamp,
    *,
    until: float = inf,
) -> list[str]:
    """Return the lines that move the idle expiry: of the renewal cookie, or of the session sealed again.

    Args:
        settings: the store's.
        incoming: what came with the request.
        frozen: the plaintext, where the session must be sealed again: in a format without a renewal cookie, and where
            its own end moves, which the Max-Age of its cookies follows.
        stamp: the times to renew with.
        until: the moment at which the contents themselves end the session, in seconds since the epoch.
    """
    if settings.codec.seen is None or frozen is not None:
        return sealed_lines(settings, incoming, frozen or b"", stamp, until=until)
    value = renewal.seal(
        settings.codec.seen, stamp.id, renewal.Renewal(stamp.updated_at, stamp.expires_at)
    )
    # Where absolute is None the idle limit may be longer than a browser keeps a cookie.
    left = min(stamp.expires_at - int(settings.clock()), FOUR_HUNDRED_DAYS)
    age = _no_longer(left, settings, until)
    return [settings.cookie.line(settings.seen, value, age)]


def ending_lines(
    settings: Settings, incoming: Incoming, *, hidden: bool = False, blind: bool = False
) -> list[str]:
    """Return the lines that clear everything that is the session's, whatever came of it, and the fence.

    Args:
        settings: the store's.
        incoming: what came with the request.
        hidden: whether a session may be in cookies that the request does not show.
        blind: whether a session may be over that no mark names.
    """
    raised = barrier_lines(settings, incoming, "") if blind else []
    cleared = clear_ended(settings, incoming, hidden=hidden)
    return [*cleared, *fence_lines(settings, incoming), *raised]


def fence_lines(settings: Settings, incoming: Incoming, *, link: str = "") -> list[str]:
    """Return the fence with the mark of every session that came; none when there is nothing to add.

    Args:
        settings: the store's.
        incoming: what came with the request.
        link: of the session to the one that a barrier spares, where it has a new mark.
    """
    marks = incoming.marks(settings) if incoming.cookies or incoming.others() else ()
    if not marks and not link:
        return []
    known = "" if incoming.barrier is None else incoming.barrier.link
    value = fence.render(marks, incoming.fence, link or known)
    return [settings.cookie.fence_line(settings.fence, value, settings.fence_age)]


def barrier_lines(settings: Settings, incoming: Incoming, spared: str) -> list[str]:
    """Return the barrier that ends every session that has begun.

    Args:
        settings: the store's.
        incoming: what came with the request.
        spared: the mark of the session that begins with it, or nothing.
    """
    value = barrier.seal(settings.barrier_keys, settings.clock(), spared, incoming.barrier)
    return [settings.cookie.fence_line(settings.barrier, value, settings.fence_age)]


def _grows(settings: Settings, incoming: Incoming, parts: list[tuple[str, int, int]]) -> bool:
    """Whether a session taken over makes more than `max_bytes` of cookies, and more than it came in: it was compressed there.

    A server that refuses a Cookie header (431) would lock the visitor out, of the logout too.
    """
    others = [
        (other, name)
        for source, other in incoming.others()
        if source is incoming.imported
        for name in other.names(source.settings)
    ]
    came = sum(
        len(name) + 1 + len(value) + 2 for other, name in others for value in other.cookies[name]
    )
    return _total(parts) > max(settings.cookie.max_bytes, came + FRAME)


def _total(parts: list[tuple[str, int, int]]) -> int:
    """Bytes that cookies add to a Cookie header."""
    return sum(len(name) + 1 + stop - start + 2 for name, start, stop in parts)


def _spans(settings: Settings, length: int, stamp: Stamp) -> list[tuple[str, int, int]]:
    if length <= settings.room:
        return [(settings.name, 0, length)]
    # The line without its value is `=` and the attributes: what is left is for the name, `=` and the value.
    if settings.layout.expiry is None or settings.cookie.transient:
        left = LINE + 1 - len(settings.cookie.line("", "", _max_age(settings, stamp)))
    else:
        left = LINE + 1 - len(settings.cookie.line("", "", None)) - settings.layout.expiry
    return spans(length, settings.name, settings.layout, left)


def _max_age(settings: Settings, stamp: Stamp) -> int:
    """Seconds that the session's cookies live: with a renewal cookie beside them, as long as it may move the expiry."""
    now, absolute = int(settings.clock()), settings.lifetime.absolute
    if settings.codec.seen is None:
        return max(
            0, min(stamp.expires_at - now, FOUR_HUNDRED_DAYS)
        )  # in the tolerance of a format it is over already
    longest = FOUR_HUNDRED_DAYS
    if absolute is not None:
        longest = min(stamp.created_at + absolute - now, longest)
    return longest if stamp.ends_at is None else min(stamp.ends_at - now, longest)


def _no_longer(max_age: int, settings: Settings, until: float) -> int:
    """Return a Max-Age that ends no later than the session does by its own contents."""
    return max_age if until == inf else min(max_age, max(0, int(until) - int(settings.clock())))


def _largest(contents: Mapping[str, Any], serializer: Serializer) -> str:
    sizes = {key: len(rewrite({key: value}, serializer)) - 2 for key, value in contents.items()}
    top = sorted(sizes, key=sizes.__getitem__, reverse=True)[:3]
    return ", ".join(f"{key!r} ({sizes[key]} bytes)" for key in top)
