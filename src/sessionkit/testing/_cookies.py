"""Make the cookies of a session, and read the session after a response. Functions whose names begin with `a` are async."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from .._crypto.records import RecordCodec
from .._exchange.clearing import Extent
from .._exchange.drivers import aload
from .._exchange.exchange import Exchange
from .._exchange.operations import Insert
from .._exchange.performing import perform
from .._exchange.reading import RequestCookies
from .._exchange.record_owners import derive_owners_of
from .._exchange.replies import perform_now
from .._exchange.request import HeaderRequest
from .._exchange.settings import Settings
from .._exchange.writing import make_checked_plaintext, write_pointer, write_session
from .._requests.gateway_arguments import check_store
from .._session.lifetime import Lifetime
from .._session.session import Session, Stamp
from .._session.tracebacks import clear_frames, clears_frames
from ..backends import Record
from ..errors import ConfigurationError
from ..store import SessionStore

__all__ = ["aread_cookies", "asession_cookies", "read_cookies", "session_cookies"]


@clears_frames
def session_cookies(
    store: SessionStore,
    session: Mapping[str, Any],
    *,
    created_at: float | None = None,
    updated_at: float | None = None,
    lifetime: str | None = None,
) -> dict[str, str]:
    """Return the cookies that a browser with this session sends.

    With a backend, the session of a signed-in user is kept there, and the cookie points to it.

    Args:
        store: the store that seals the cookies.
        session: the contents. An anonymous session is sealed too.
        created_at: when the session began, in seconds since the epoch (a fraction is dropped); by default
            `updated_at` or now, whichever is earlier.
        updated_at: when the session was last active, likewise; by default now, or the last second of its absolute lifetime.
            With a time in the past you get a session that has been idle since then.
        lifetime: the name of its lifetime, one of `SessionStore(lifetimes=...)`; None for the store's `lifetime`.

    Returns:
        A dict from cookie name to value: one cookie, or the chunks of a large session.

    Raises:
        ValueError: the session would have been active before it began, or after its end.
        SerializationError, SessionTooLargeError: the store could not save these contents.
        ConfigurationError: the store's backend is async (call `asession_cookies`).
        BackendError: the backend failed.
    """
    check_store(store, "session_cookies(store, session)")
    settings = store.settings
    _check_blocking(settings, "asession_cookies")
    cookies, insert = _make_cookies(settings, session, created_at, updated_at, lifetime)
    if insert is not None:
        perform_now(insert, settings.backend)
    return cookies


async def asession_cookies(
    store: SessionStore,
    session: Mapping[str, Any],
    *,
    created_at: float | None = None,
    updated_at: float | None = None,
    lifetime: str | None = None,
) -> dict[str, str]:
    """Return the cookies that a browser with this session sends, as `session_cookies` does, for a backend of either kind."""
    cookies: dict[str, str] = {}
    try:
        check_store(store, "await asession_cookies(store, session)")
        settings = store.settings
        cookies, insert = _make_cookies(settings, session, created_at, updated_at, lifetime)
        if insert is not None and settings.backend is not None:
            await perform(insert, settings.backend)
    except BaseException as error:
        del session, cookies
        clear_frames(error)
        raise
    return cookies


@clears_frames
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

    Raises:
        ConfigurationError: the store's backend is async (call `aread_cookies`).
        BackendError: the backend failed.
    """
    check_store(store, "read_cookies(store, set_cookie_lines, cookies)")
    _check_blocking(store.settings, "aread_cookies")
    exchange = _begin_next(store, set_cookie_lines, cookies)
    exchange.drive()
    return _read(exchange)


async def aread_cookies(
    store: SessionStore, set_cookie_lines: Iterable[str], cookies: Mapping[str, str] | None = None
) -> Session | None:
    """Return the session that the next request has, as `read_cookies` does, for a backend of either kind."""
    exchange = None
    try:
        check_store(store, "await aread_cookies(store, set_cookie_lines, cookies)")
        exchange = _begin_next(store, set_cookie_lines, cookies)
        await aload(exchange)
        return _read(exchange)
    except BaseException as error:
        del set_cookie_lines, cookies, exchange
        clear_frames(error)
        raise


def _check_blocking(settings: Settings, instead: str) -> None:
    """Raise ConfigurationError if the backend is async."""
    if settings.backend is not None and settings.driver is None:
        raise ConfigurationError(
            f"{type(settings.backend).__name__} is awaited: use `await {instead}(...)`"
        )


def _make_cookies(
    settings: Settings,
    session: Any,
    created_at: float | None,
    updated_at: float | None,
    name: str | None,
) -> tuple[dict[str, str], Insert | None]:
    """Return the cookies, and the operation that keeps the session in the backend; None if the cookies hold it."""
    settings.check_lifetime(name)
    now, lifetime = settings.clock(), settings.find_lifetime(name)
    if created_at is None:
        created_at = now if updated_at is None else min(now, updated_at)
    created = int(created_at)
    updated = _latest_activity(lifetime, created, now) if updated_at is None else int(updated_at)
    expires = lifetime.expires_at(created, updated)
    if not created <= updated < expires:
        raise ValueError(
            f"no session is created at {created}, active at {updated} and over at {expires}: give times in this order"
        )
    stamp = Stamp(
        id=secrets.token_urlsafe(16),
        created_at=created,
        updated_at=updated,
        expires_at=expires,
        lifetime=name,
    )
    if not isinstance(session, Iterable):
        raise TypeError(f"the contents of a session are a dict, not {type(session).__name__}")
    contents = dict(cast("Mapping[str, Any]", session))
    insert = None
    plaintext = make_checked_plaintext(settings, contents, stamp)
    if settings.is_for_server(contents):
        record = _seal_record(settings, contents, plaintext, stamp, now)
        # Later than every revocation so far, even one in this second.
        insert = Insert(record, now + 1)
        lines = write_pointer(settings, RequestCookies(), record.owner, stamp, Extent.ENDED)
    else:
        lines = write_session(settings, RequestCookies(), plaintext, stamp, Extent.ENDED)
    # Max-Age is ignored, because an expired session has 0, and a test may want to send its cookie.
    return {name: value for name, value in map(_split_line, lines) if value}, insert


def _seal_record(
    settings: Settings, contents: dict[str, Any], plaintext: bytes, stamp: Stamp, now: float
) -> Record:
    """Return the record of a session."""
    codec = cast("RecordCodec", settings.records)
    key = codec.derive_key(stamp.id)
    sealed = codec.seal(
        plaintext,
        key=key,
        owner=derive_owners_of(settings, contents, key)[0],
        created_at=stamp.created_at,
        now=int(now),
        lifetime=stamp.lifetime,
    )
    return Record(
        key=key,
        owner=sealed.owner,
        generation=0,
        created_at=stamp.created_at,
        updated_at=stamp.updated_at,
        expires_at=stamp.expires_at,
        version=sealed.version,
        sealed=sealed.sealed,
    )


def _begin_next(store: SessionStore, lines: object, cookies: object) -> Exchange:
    """Return the exchange of the next request of the same browser."""
    kind = type(cookies).__name__
    if not isinstance(cookies, Mapping | None):
        raise TypeError(
            f"the cookies that the browser sent are a dict of names and values, not {kind}"
        )
    jar = _apply(_check_lines(lines), cast("Mapping[str, str]", cookies or {}))
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    # Reading the session in a test is not a request, so `on_event` is not called.
    return Exchange(replace(store.settings, on_event=None), HeaderRequest(header))


def _check_lines(given: object) -> list[str]:
    """Return the lines; raise TypeError if the argument is not a list of lines, which would otherwise silently give no session."""
    kind = type(given).__name__
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping)):
        lines = list(cast("Iterable[object]", given))
        others = [type(one).__name__ for one in lines if not isinstance(one, str)]
        if not others:
            return cast("list[str]", lines)
        kind = f"{others[0]} in it"
    raise TypeError(
        f"a list of the values of a response's Set-Cookie fields is wanted, not {kind}: of an exchange "
        '[value for name, value in exchange.response_headers if name == "Set-Cookie"], of httpx '
        'response.headers.get_list("set-cookie")'
    )


def _read(exchange: Exchange) -> Session | None:
    contents = exchange.contents
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
