"""What users' tests need: the cookies of a session, and the session that a response leaves.

Given a store, and so its secret, this mints sessions of anybody: it belongs into tests. Nothing in sessionkit
imports it.

A test client on plain http never sends a Secure cookie back: give it an https base URL
(Starlette's `TestClient(app, base_url="https://testserver")`), or the store under test `secure=False`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .exchange import Exchange
from .incoming import Incoming
from .outgoing import payload, sealed_lines
from .request import HeaderRequest
from .session import Session, Stamp
from .store import SessionStore

__all__ = ["read_cookies", "session_cookies"]


def session_cookies(
    store: SessionStore, session: Mapping[str, Any], *, created_at: float | None = None, updated_at: float | None = None
) -> dict[str, str]:
    """The cookies that a browser with this session sends.

    Args:
        store: whose secret seals them.
        session: the contents. The guard is not asked: an anonymous session is sealed too.
        created_at: when the session began, in seconds since the epoch (a fraction is dropped); by default
            `updated_at` or now, whichever is earlier.
        updated_at: when it was last active; by default `created_at` or now, whichever is later. A time in the past makes
            a session that has idled.

    Returns:
        Cookie name to value: one, or the chunks of a large session.

    Raises:
        ValueError: it would have been active before it began.
        SerializationError, SessionTooLargeError: the store could not keep these contents.
    """
    settings = store.settings
    now = settings.clock()
    if created_at is None:
        created_at = now if updated_at is None else min(now, updated_at)
    if updated_at is None:
        updated_at = max(now, created_at)
    created, updated = int(created_at), int(updated_at)
    if updated < created:
        raise ValueError(f"updated_at ({updated}) lies before created_at ({created})")
    expires = settings.lifetime.expires_at(created, updated)
    stamp = Stamp(id=secrets.token_urlsafe(16), created_at=created, updated_at=updated, expires_at=expires)
    lines = sealed_lines(settings, Incoming(), payload(settings, session, stamp), stamp)
    return _applied(lines, {})


def read_cookies(store: SessionStore, set_cookie_lines: Iterable[str], cookies: Mapping[str, str] | None = None) -> Session | None:
    """The session that the next request of the same browser would have.

    Args:
        store: whose secret opens it, whose clock judges it.
        set_cookie_lines: the values of a response's `Set-Cookie` fields, in their order.
        cookies: those that the browser sent with the request.

    Returns:
        The session, an anonymous one too, with its stamp as the renewal cookie moved it; None when there is none.
    """
    jar = _applied(set_cookie_lines, cookies or {})
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    # A test that looks at the session is no request: the application's on_event hears nothing of it.
    contents = Exchange(replace(store.settings, on_event=None), HeaderRequest(header)).contents
    return None if contents.stamp is None else Session(contents, stamp=contents.stamp)


def _applied(lines: Iterable[str], cookies: Mapping[str, str]) -> dict[str, str]:
    """The cookies after these lines (RFC 6265bis section 5.7): the later wins, `Max-Age` of 0 or less removes."""
    jar = dict(cookies)
    for line in lines:
        pair, *attributes = line.split(";")
        name, _, value = pair.partition("=")
        name = name.strip(" \t")
        if any(_removes(attribute) for attribute in attributes):
            jar.pop(name, None)
        else:
            jar[name] = value.strip(" \t")
    return jar


def _removes(attribute: str) -> bool:
    name, _, seconds = attribute.partition("=")
    seconds = seconds.strip(" \t")
    return name.strip(" \t").lower() == "max-age" and seconds.removeprefix("-").isdigit() and int(seconds) <= 0
