"""List the sessions of a user."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._crypto.records import RecordCodec
from .._exchange.exchange import Exchange
from .._exchange.expiry import judge_stamp
from .._exchange.operations import List
from .._exchange.pointers import open_contents
from .._exchange.record_owners import derive_owners
from .._exchange.settings import Settings
from .._session.session import Absence
from ..backends import Record
from .steps import Steps

__all__ = ["SessionInfo", "find_record", "has_expired", "list_sessions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """A session on the server, as `sessions_of` lists it.

    Attributes:
        handle: the name of the session, for `revoke`. Nobody can sign in with it, so a page may show it.
        created_at: when the session began, in seconds since the epoch.
        updated_at: when it was last written or renewed, likewise.
        expires_at: when it expires if it is not used before, likewise.
        is_current: whether it is the session of the request that is being served.
        contents: a copy of its contents; changes in the copy are not saved.
        lifetime: the name of its lifetime; None for the store's `lifetime`.
    """

    handle: str
    created_at: int
    updated_at: int
    expires_at: int
    is_current: bool
    contents: dict[str, Any] = field(repr=False)
    lifetime: str | None = None


def list_sessions(
    settings: Settings, user: object, current: Exchange | None
) -> Steps[list[SessionInfo]]:
    """List the sessions of a user, the one that was used last first.

    Args:
        settings: the store's settings; within a request, those of its exchange, since a framework's login keys name users too.
        user: contents with a user, or an identity.
        current: the exchange of the current request, or None.
    """
    # This is not done in the generator, because a traceback would show its variables.
    owners = derive_owners(settings, user)
    return _list_records(settings, owners, find_record(current))


def _list_records(
    settings: Settings, owners: tuple[str, ...], own: str | None
) -> Steps[list[SessionInfo]]:
    found: list[SessionInfo] = []
    for owner in owners:
        records: list[Record] = yield List(owner)
        for record in records:
            contents = open_contents(settings, record)
            if isinstance(contents, Absence) or has_expired(settings, record):
                # A forward record, or one that another application wrote.
                continue
            found.append(
                SessionInfo(
                    handle=f"{record.owner}.{record.key}",
                    created_at=record.created_at,
                    updated_at=record.updated_at,
                    expires_at=record.expires_at,
                    is_current=record.key == own,
                    contents=contents,
                    lifetime=RecordCodec.read_lifetime(record),
                )
            )
    found.sort(key=lambda info: (info.updated_at, info.created_at), reverse=True)
    return found


def has_expired(settings: Settings, record: Record) -> bool:
    """Return whether the session of a record has expired.

    Args:
        settings: the store's settings.
        record: the record.
    """
    verdict = judge_stamp(settings, RecordCodec.read_stamp(record), settings.clock())
    return isinstance(verdict, Absence)


def find_record(current: Exchange | None) -> str | None:
    """Return the key of the record that holds the session of a request; None if there is none yet.

    Args:
        current: the exchange of the request, or None.
    """
    if current is None or current.server is None or current.state is None:
        return None
    return current.server.find_key(current.state)
