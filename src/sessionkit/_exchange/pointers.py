"""Read a request's cookies for a store with a backend: pointers to records, and the cookies of anonymous sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .._cookies.header import HEADER, only
from .._crypto.records import Pointer, RecordCodec
from .._crypto.sealing import Opened
from .._session.json import DEEPEST_READ, is_shallow
from .._session.session import Absence, Stamp
from ..backends._protocols import Record
from .candidates import MOST_WHOLE, Allowance, choose_furthest
from .expiry import judge_stamp
from .importing import import_session
from .reading import (
    NO_COOKIES,
    RequestCookies,
    collect_values,
    cut_header,
    read_cookies,
    read_values,
)
from .settings import Settings
from .update_guard import have_same_owner

__all__ = [
    "OpenedRecord",
    "choose_record",
    "open_contents",
    "open_record",
    "read_pointers",
]


@dataclass(slots=True)
class OpenedRecord:
    """A session that was read from its record.

    Attributes:
        token: its contents, id and times.
        record: the record.
        pointer: the pointer that came.
    """

    token: Opened
    record: Record = field(repr=False)
    pointer: Pointer


def read_pointers(settings: Settings, header: str, now: float) -> RequestCookies:
    """Read the cookies of a store with a backend, but load no record. Never raise, whatever is in the header.

    Args:
        settings: the store's settings.
        header: the Cookie header, decoded as latin-1.
        now: seconds since the epoch.
    """
    cookies = _read_own(settings, header, now)
    if settings.importers:
        cookies = import_session(settings, cookies, header, now)
    if (
        cookies.token is not None
        and cookies.importer is None
        and settings.is_for_server(cookies.token.contents)
    ):
        # A signed-in user's session must have a record, because a session in a cookie could not be revoked.
        cookies = replace(cookies, token=None, stamp=None, absence=Absence.UNKNOWN_RECORD)
    return cookies


def _read_own(settings: Settings, header: str, now: float) -> RequestCookies:
    if settings.stem not in header:
        return NO_COOKIES
    codec = cast("RecordCodec", settings.records)
    if len(header) <= HEADER:
        text = only(header, settings.name, settings.stem)
        if text is not None:
            pointer = codec.open_pointer(text, now)
            if isinstance(pointer, Pointer):
                # The commonest request has one cookie of ours.
                return RequestCookies(absence=Absence.UNKNOWN_RECORD, pointers=(pointer,))
            if pointer is not Absence.BAD_TAG:
                return RequestCookies(absence=pointer, by_name={settings.name: (text,)})
    return _read_many(settings, header, now)


def _read_many(settings: Settings, header: str, now: float) -> RequestCookies:
    """Read several cookies: pointers, and beside them the cookies of an anonymous session, the fence and the barrier."""
    codec, partial = cast("RecordCodec", settings.records), len(header) > HEADER
    by_name = collect_values(settings, cut_header(header))
    values = by_name.pop(settings.name, [])
    opened = [(text, codec.open_pointer(text, now)) for text in values[:MOST_WHOLE]]
    # A browser may send one session twice, in cookies of two scopes.
    by_key = {pointer.key: pointer for _, pointer in opened if isinstance(pointer, Pointer)}
    pointers = tuple(by_key.values())
    if not pointers:
        return read_cookies(settings, header, now)
    rest = [text for text, pointer in opened if not isinstance(pointer, Pointer)]
    rest.extend(values[MOST_WHOLE:])
    if rest:
        by_name[settings.name] = rest
    cookies = read_values(settings, by_name, now, Allowance())
    cookies.pointers = pointers
    if partial:
        cookies.token, cookies.stamp = None, None
        cookies.absence, cookies.partial = Absence.TOO_LARGE, True
    elif len(values) > MOST_WHOLE:
        cookies.token, cookies.stamp, cookies.absence = None, None, Absence.TOO_LARGE
    elif cookies.token is None:
        cookies.absence = choose_furthest(
            cookies.absence or Absence.NO_COOKIE, Absence.UNKNOWN_RECORD
        )
    return cookies


def open_record(
    settings: Settings, pointer: Pointer, record: Record | None, now: float
) -> OpenedRecord | Absence:
    """Open the record that a pointer points to; return the reason if it gives no session.

    Args:
        settings: the store's settings.
        pointer: the pointer.
        record: the record that was loaded.
        now: seconds since the epoch.
    """
    if record is None or (record.key, record.owner) != (pointer.key, pointer.owner):
        return Absence.UNKNOWN_RECORD
    contents = open_contents(settings, record)
    if isinstance(contents, Absence):
        return contents
    stamp = pointer.stamp
    lifetime = cast("RecordCodec", settings.records).read_lifetime(record)
    if (record.created_at, lifetime) != (stamp.created_at, stamp.lifetime):
        return Absence.MALFORMED
    times = Stamp(
        id=stamp.id,
        created_at=stamp.created_at,
        updated_at=max(record.updated_at, stamp.created_at),
        expires_at=record.expires_at,
        ends_at=stamp.ends_at,
        lifetime=lifetime,
    )
    verdict = judge_stamp(settings, times, now)
    if isinstance(verdict, Absence):
        return verdict
    return OpenedRecord(Opened(contents, verdict, stamp.id), record, pointer)


def open_contents(settings: Settings, record: Record) -> dict[str, Any] | Absence:
    """Return the contents of a record, or the reason why it does not open. A forward record has none."""
    plaintext = cast("RecordCodec", settings.records).open(record)
    if isinstance(plaintext, Absence):
        is_forward = cast("RecordCodec", settings.records).open_forward(record) is not None
        return Absence.UNKNOWN_RECORD if is_forward else plaintext
    try:
        contents: object = settings.serializer.loads(plaintext)
    except (ValueError, RecursionError):
        return Absence.MALFORMED
    if not isinstance(contents, dict) or not (
        # With so few brackets, no value is nested too deep. Counting brackets is faster than checking each value.
        plaintext.count(b"{") + plaintext.count(b"[") <= DEEPEST_READ
        or is_shallow(cast("object", contents))
    ):
        return Absence.MALFORMED
    return cast("dict[str, Any]", contents)


def choose_record(settings: Settings, opened: Sequence[OpenedRecord]) -> OpenedRecord | Absence:
    """Return the session of the request: the newest of one user. Sessions of several users are ambiguous.

    Args:
        settings: the store's settings.
        opened: the valid sessions; at least one.
    """
    if len(opened) == 1:
        return opened[0]
    if not have_same_owner(settings, [one.token.contents for one in opened]):
        return Absence.AMBIGUOUS
    return max(opened, key=_rank_by_age)


def _rank_by_age(one: OpenedRecord) -> tuple[int, int]:
    return one.token.stamp.created_at, one.token.stamp.updated_at
