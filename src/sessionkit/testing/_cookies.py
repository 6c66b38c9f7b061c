"""Make the cookies of a session, and read the session that a response leaves."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._exchange.exchange import Exchange
from .._exchange.reading import RequestCookies
from .._exchange.request import HeaderRequest
from .._exchange.writing import make_checked_plaintext, write_session
from .._session.lifetime import Lifetime
from .._session.session import Session, Stamp
from .._session.tracebacks import clears_frames
from ..store import SessionStore

__all__ = ["read_cookies", "session_cookies"]


@clears_frames
def session_cookies(
    store: SessionStore,
    session: Mapping[str, Any],
    *,
    created_at: float | None = None,
    updated_at: float | None = None,
) -> dict[str, str]:
    """Return the cookies that a browser with this session sends.

    Args:
        store: the store that seals the cookies.
        session: the contents. The guard is not called: an anonymous session is sealed too.
        created_at: when the session began, in seconds since the epoch (a fraction is dropped); by default
            `updated_at` or now, whichever is earlier.
        updated_at: when the session was last active, likewise; by default now, or the last second of its absolute
            lifetime. A time in the past makes a session that has idled.

    Returns:
        A dict from cookie name to value: one cookie, or the chunks of a large session.

    Raises:
        ValueError: the session would have been active before it began, or after its end.
        SerializationError, SessionTooLargeError: the store could not keep these contents.
    """
    settings = store.settings
    now = settings.clock()
    if created_at is None:
        created_at = now if updated_at is None else min(now, updated_at)
    created = int(created_at)
    updated = (
        _latest_activity(settings.lifetime, created, now) if updated_at is None else int(updated_at)
    )
    expires = settings.lifetime.expires_at(created, updated)
    if not created <= updated < expires:
        raise ValueError(
            f"no session is created at {created}, active at {updated} and over at {expires}"
        )
    stamp = Stamp(
        id=secrets.token_urlsafe(16), created_at=created, updated_at=updated, expires_at=expires
    )
    lines = write_session(
        settings, RequestCookies(), make_checked_plaintext(settings, dict(session), stamp), stamp
    )
    # Max-Age is ignored: a session that is over has 0, and a test wants to send its cookie.
    return {name: value for name, value in map(_split_line, lines) if value}


def read_cookies(
    store: SessionStore, set_cookie_lines: Iterable[str], cookies: Mapping[str, str] | None = None
) -> Session | None:
    """Return the session that the next request of the same browser would have.

    Args:
        store: the store that opens the session, and has the clock.
        set_cookie_lines: the values of a response's `Set-Cookie` fields, in their order.
        cookies: the cookies that the browser sent with the request.

    Returns:
        The session, an anonymous one too, with its renewal taken into account; None when there is none.
    """
    jar = _apply(set_cookie_lines, cookies or {})
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    # A test that looks at the session is no request: `on_event` is not called.
    contents = Exchange(replace(store.settings, on_event=None), HeaderRequest(header)).contents
    return None if contents.stamp is None else Session(contents, stamp=contents.stamp)


def _apply(lines: Iterable[str], cookies: Mapping[str, str]) -> dict[str, str]:
    """Return the cookies after these lines (RFC 6265bis section 5.7): a later line wins, a `Max-Age` of 0 or less removes."""
    jar = dict(cookies)
    for line in lines:
        name, value = _split_line(line)
        if any(_removes(attribute) for attribute in line.split(";")[1:]):
            jar.pop(name, None)
        else:
            jar[name] = value
    return jar


def _latest_activity(lifetime: Lifetime, created: int, now: float) -> int:
    """Return now, or the last second of the lifetime of a session that was created then."""
    latest = max(int(now), created)
    return latest if lifetime.absolute is None else min(latest, created + lifetime.absolute - 1)


def _split_line(line: str) -> tuple[str, str]:
    name, _, value = line.partition(";")[0].partition("=")
    return name.strip(" \t"), value.strip(" \t")


_MAX_AGE = re.compile("-?[0-9]+")


def _removes(attribute: str) -> bool:
    name, _, seconds = attribute.partition("=")
    seconds = seconds.strip(" \t")
    return (
        name.strip(" \t").lower() == "max-age"
        and _MAX_AGE.fullmatch(seconds) is not None
        and (seconds.startswith("-") or not seconds.strip("0"))
    )
