"""The report on a Cookie header, for those who have the store's secret."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from .._cookies import chunks, renewal
from .._cookies.header import pairs
from .._crypto.records import RecordCodec
from .._crypto.sealing import NativeCodec, Opened, peek_stamp
from .._exchange.expiry import judge_stamp
from .._exchange.pointers import read_pointers
from .._exchange.reading import RequestCookies, read_cookies
from .._exchange.settings import Settings
from .._session.base64url import decode
from .._session.json import JSON, is_shallow, rewrite
from .._session.lifetime import LONGEST, Lifetime
from .._session.session import Absence, Stamp
from ..formats._recognition import known_formats, recognize

__all__ = ["assume_lifetimes", "find_role", "inspect"]


ENDLESS = Lifetime(rolling=False, absolute=LONGEST)


def inspect(settings: Settings, header: str, now: float, *, values: bool = False) -> dict[str, Any]:
    """Return a report on a Cookie header, as JSON values.

    Args:
        settings: the settings of the store.
        header: the whole Cookie header, decoded as latin-1.
        now: the time, in seconds since the epoch.
        values: whether to report the values of the session, not only its keys.

    Returns:
        Whether there is a session (None if that depends on a record on the server, which is not loaded), the reason if there
        is none, the cookies found, and each token with its header, times and keys. Believe nothing about a token while its
        `tag` is not "verified".
    """
    read = read_cookies if settings.records is None else read_pointers
    cookies = read(settings, header, now)
    points = any(
        not cookies.ends(settings, one.stamp.id, one.stamp.created_at) for one in cookies.pointers
    )
    found = [
        (name, value)
        for name, value in pairs(header, settings.stem)
        if find_role(settings, name) is not None
    ]
    seen = [value for name, value in found if name == settings.seen]
    imported = [one.settings.format for one in settings.importers]
    return {
        "session": None if points else cookies.token is not None,
        "absence": None if points or cookies.absence is None else cookies.absence.value,
        "cookie": settings.name,
        "looks like": recognize(header, known_formats((settings.format, *imported))),
        "key ids": list(settings.codec.ids),
        "found": [
            {"name": name, "role": find_role(settings, name), "bytes": len(name) + 1 + len(value)}
            for name, value in found
        ],
        "tokens": [
            _describe_token(
                settings, where, token, seen=seen, cookies=cookies, now=now, values=values
            )
            for where, token in _collect_tokens(settings, found)
        ],
    }


def assume_lifetimes(settings: Settings, header: str) -> Settings:
    """Return settings that know the names of lifetimes in a Cookie header: only the application's code has their limits.

    Args:
        settings: the settings of a store that was made from the variables alone.
        header: the whole Cookie header, decoded as latin-1.
    """
    found = [(name, value) for name, value in pairs(header, settings.stem)]
    tokens = [token for _, token in _collect_tokens(settings, found) if isinstance(token, str)]
    stamps = [stamp for stamp in map(peek_stamp, tokens) if stamp is not None]
    names = [stamp.lifetime for stamp in stamps if stamp.lifetime is not None]
    return replace(settings, lifetimes=dict.fromkeys(names, ENDLESS))


def find_role(settings: Settings, name: str) -> str | None:
    """Return the role of a cookie's name: `session`, `chunk`, `seen`, `fence`, `barrier`, or None for a name of others."""
    roles = {
        settings.name: "session",
        settings.seen: "seen",
        settings.fence: "fence",
        settings.barrier: "barrier",
    }
    if (
        name.startswith(settings.chunk)
        and chunks.chunk_number(name[len(settings.chunk) :]) is not None
    ):
        return "chunk"
    return roles.get(name)


def _collect_tokens(
    settings: Settings, found: list[tuple[str, str]]
) -> list[tuple[str, str | Absence]]:
    """Return the tokens of the cookies, each with the place where it was found."""
    parts: dict[int, list[str]] = {}
    for name, value in found:
        if find_role(settings, name) == "chunk":
            parts.setdefault(int(name[len(settings.chunk) :]), []).append(value)
    tokens: list[tuple[str, str | Absence]] = [
        ("cookie", value) for name, value in found if name == settings.name
    ]
    tokens.extend(
        ("chunks", chunks.join(parts, row, settings.layout)) for row in range(chunks.rows(parts))
    )
    return tokens


def _describe_token(
    settings: Settings,
    where: str,
    token: str | Absence,
    *,
    seen: list[str],
    cookies: RequestCookies,
    now: float,
    values: bool,
) -> dict[str, Any]:
    if isinstance(token, Absence):
        return {"from": where, "refused": token.value}
    about: dict[str, Any] = {
        "from": where,
        "bytes": len(token),
        "tag": "unverified",
        "header": _decode_header(token),
    }
    opened, refused = _open_token(settings, token, now)
    if not isinstance(opened, Opened):
        pointer = _open_pointer(settings, token)
        if pointer is None:
            return {**about, "refused": opened.value}
        return about | _describe_pointer(settings, token, pointer, cookies, now)
    stamp = _apply_renewal(settings, opened.stamp, seen, now)
    verdict = judge_stamp(settings, stamp, now)
    over = verdict if isinstance(verdict, Absence) else None
    logged_out = cookies.ends(settings, opened.mark_id, opened.stamp.created_at)
    refused = Absence.LOGGED_OUT if logged_out else (refused or over)
    if refused is None and settings.is_for_server(opened.contents):
        # The sessions of signed-in users are kept on the server. One in a cookie could not be revoked.
        refused = Absence.UNKNOWN_RECORD
    about |= {
        "tag": "verified",
        "kind": "session",
        "refused": refused.value if refused is not None else None,
        "signed in": settings.guard(opened.contents),
        "lifetime": _describe_lifetime(settings, stamp),
        "in the fence": logged_out,
        "times": _list_times(settings, opened.stamp, stamp, now),
        "keys": {
            key: len(rewrite({key: value}, JSON)) - len("{}") if is_shallow(value) else None
            for key, value in opened.contents.items()
        },
    }
    if values:
        about["values"] = {
            key: value if is_shallow(value) else "nested too deep to be shown"
            for key, value in opened.contents.items()
        }
    return about


def _open_pointer(settings: Settings, token: str) -> Opened | None:
    """Return the contents of a pointer to a record, expired or not; None if the token is not a pointer sealed under the store's secrets."""
    if not settings.format.traits.pointers:
        return None
    codec = NativeCodec(
        settings.ring,
        settings.name,
        settings.audience,
        LONGEST,
        settings.serializer,
        purpose="pointer",
    )
    opened = codec.open(token, LONGEST)
    return opened if isinstance(opened, Opened) else None


def _describe_pointer(
    settings: Settings, token: str, opened: Opened, cookies: RequestCookies, now: float
) -> dict[str, Any]:
    """Return the report on a pointer: the record has the contents, and the other times."""
    stamp = opened.stamp
    absolute, serializer = settings.lifetime.absolute, settings.serializer
    codec = RecordCodec(settings.ring, settings.name, settings.audience, absolute, serializer)
    pointer = codec.open_pointer(token, now)
    logged_out = cookies.ends(settings, opened.mark_id, opened.stamp.created_at)
    refused = Absence.LOGGED_OUT if logged_out else pointer
    why = refused.value if isinstance(refused, Absence) else None
    if why is None and settings.records is None:
        why = "the store has no backend: set SESSIONKIT_BACKEND"
    if why is None and not _knows_lifetime(settings, stamp):
        why = Absence.EXPIRED.value
    return {
        "tag": "verified",
        "kind": "pointer to a record on the server",
        "refused": why,
        "in the fence": logged_out,
        "lifetime": _describe_lifetime(settings, stamp),
        "record": codec.derive_key(stamp.id),
        "owner": opened.contents.get("o"),
        "times": {
            "now": int(now),
            "created": stamp.created_at,
            "expires": stamp.expires_at,
            "age": int(now) - stamp.created_at,
            "left": stamp.expires_at - int(now),
        },
    }


def _open_token(
    settings: Settings, token: str, now: float
) -> tuple[Opened | Absence, Absence | None]:
    """Return the contents of a token, and why it is no session today: one that is over is opened under an endless lifetime."""
    opened = settings.codec.open(token, now)
    if opened not in (Absence.ABSOLUTE, Absence.NOT_YET_VALID):
        return opened, None
    codec = replace(settings, lifetime=ENDLESS).derive().codec
    then = codec.open(token, LONGEST)
    return (then, opened) if isinstance(then, Opened) else (opened, None)


def _decode_header(token: str) -> Any:
    """Return the protected header of a token, unverified; None if it cannot be read."""
    first = token.partition(".")[0].encode("latin-1", "replace")
    try:
        header = json.loads(decode(first))
    except (ValueError, RecursionError):
        return None
    return header if is_shallow(header) else None


def _apply_renewal(settings: Settings, stamp: Stamp, seen: list[str], now: float) -> Stamp:
    if settings.codec.seen is None:
        return stamp
    token = renewal.Renewal(stamp.updated_at, stamp.expires_at)
    held = renewal.latest(settings.codec.seen, seen, stamp.id, token, now)
    return replace(stamp, updated_at=held.updated_at, expires_at=held.expires_at)


def _list_times(settings: Settings, sealed: Stamp, held: Stamp, now: float) -> dict[str, Any]:
    """Return the times of a session, in seconds since the epoch, and the seconds from now."""
    lifetime = _find_lifetime(settings, held)
    ends = min(held.expires_at, lifetime.expires_at(held.created_at, held.updated_at))
    return {
        "now": int(now),
        "created": held.created_at,
        "updated": held.updated_at,
        "expires": ends,
        "age": int(now) - held.created_at,
        "idle for": int(now) - held.updated_at,
        "left": ends - int(now),
        "renewed by the seen cookie": held.updated_at > sealed.updated_at,
    }


def _knows_lifetime(settings: Settings, stamp: Stamp) -> bool:
    return stamp.lifetime is None or stamp.lifetime in settings.lifetimes


def _find_lifetime(settings: Settings, stamp: Stamp) -> Lifetime:
    """Return the lifetime of a session; an endless one if the store does not know its name. Then only the times in the token count."""
    return settings.find_lifetime(stamp.lifetime) if _knows_lifetime(settings, stamp) else ENDLESS


def _describe_lifetime(settings: Settings, stamp: Stamp) -> str:
    """Return the name of a session's lifetime, and whether the store knows it."""
    if stamp.lifetime is None:
        return "the default"
    if not _knows_lifetime(settings, stamp):
        return f"{stamp.lifetime} (the store has none of this name, so the session is over)"
    if settings.find_lifetime(stamp.lifetime) is ENDLESS:
        return f"{stamp.lifetime} (only the application knows its limits: judged by the times in the token)"
    return stamp.lifetime
