"""Decide which records a request's cookies point to, and find the session in the loaded records. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from .._crypto.records import Pointer, RecordCodec
from .._session.session import Absence
from ..backends._protocols import Record
from ..errors import BackendError
from .candidates import choose_furthest
from .operations import Wanted
from .pointers import OpenedRecord, choose_record, open_record, read_pointers
from .reading import RequestCookies
from .settings import Settings

__all__ = ["Loading"]


class Loading:
    """The records that a request's cookies point to.

    Args:
        settings: the store's settings.

    Attributes:
        loader: loads a record when the session is first used; None if an async driver supplies it beforehand.
        cookies: the request's cookies, once they are read; the session is in them once the records are opened.
        current: the record that holds the session now.
        is_undecided: whether the record of an imported session could not be added, because the application's guard raised an error.
    """

    __slots__ = (
        "_base", "_came", "_failure", "_found", "_is_rotated", "_known", "_wanted", "cookies", "current", "is_undecided",
        "loader", "settings",
    )  # fmt: skip

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings
        self.loader: Callable[[Wanted], Record | None] | None = None
        self.cookies: RequestCookies | None = None
        self.current: Record | None = None
        self.is_undecided: bool = False
        self._wanted: tuple[Wanted, ...] = ()
        # The key of a record to which no cookie points. It replaces the session's id, which is only in a pointer.
        self._known: str | None = None
        # Threads that load the session at the same time use what the first of them has loaded.
        self._found: dict[str, Sequence[Record | None]] = {}
        self._failure: str | None = None
        # The records of this browser that exist, by key.
        self._came: dict[str, str] = {}
        # Whether a session of the request was rotated meanwhile, so that the browser has another cookie, or will get it soon.
        self._is_rotated: bool = False
        # The record that the steps of this request begin with.
        self._base: Record | None = None

    @property
    def _codec(self) -> RecordCodec:
        return cast("RecordCodec", self.settings.records)

    def read(self, header: str, now: float) -> tuple[Wanted, ...]:
        """Read the request's cookies, and return the records to load; () once they are supplied.

        Args:
            header: the Cookie header.
            now: seconds since the epoch.
        """
        if self.cookies is None:
            cookies = read_pointers(self.settings, header, now)
            if cookies.absence is Absence.TOO_LARGE:
                # Nothing is loaded, but a logout must end the sessions whose pointers are known.
                self._came = {pointer.key: pointer.owner for pointer in cookies.pointers}
            else:
                self._wanted = tuple(
                    Wanted(pointer.key, pointer.owner) for pointer in cookies.pointers
                )
            # Assigned last, because another thread that finds the cookies must also find the wanted records.
            self.cookies = cookies
        return self._wanted if not self._found and self._failure is None else ()

    def point_to(self, key: str, owner: str) -> None:
        """Use the record with this key instead of cookies.

        Args:
            key: the record's key.
            owner: its owner.
        """
        self.cookies = RequestCookies(absence=Absence.UNKNOWN_RECORD)
        self._known, self._wanted = key, (Wanted(key, owner),)

    def supply(self, found: Sequence[Record | None] | BackendError) -> None:
        """Take the records that were loaded, in the order of those that were wanted, or the failure.

        Args:
            found: a record or None for each, or the error.
        """
        if isinstance(found, BackendError):
            self._failure = str(found)
            return
        found = self._found.setdefault("found", found)
        if self._known is not None:
            self._point_to(found[0])

    def _point_to(self, record: Record | None) -> None:
        """Make the pointer to the record with this key."""
        if record is None:
            self._wanted = ()
            return
        stamp = self._codec.read_stamp(record)
        pointers = (Pointer(record.key, record.owner, stamp, ""),)
        cast("RequestCookies", self.cookies).pointers = pointers

    def open(self, now: float) -> RequestCookies:
        """Return the request's cookies with the session from its record.

        Args:
            now: seconds since the epoch.

        Raises:
            BackendError: the record could not be loaded.
        """
        cookies = cast("RequestCookies", self.cookies)
        if self._failure is not None:
            raise BackendError(self._failure)
        if not self._wanted:
            return cookies
        opened, reason = self._open_found(cookies, now)
        if not opened:
            return cookies if cookies.token is not None else replace(cookies, absence=reason)
        chosen = choose_record(self.settings, opened)
        if isinstance(chosen, Absence):
            return replace(cookies, token=None, stamp=None, absence=chosen)
        self.current = self._base = chosen.record
        # A copy: a thread that loads the session at the same time reads the same cookies.
        token = chosen.token
        return replace(cookies, token=token, stamp=token.stamp, absence=None, importer=None)

    def _open_found(
        self, cookies: RequestCookies, now: float
    ) -> tuple[list[OpenedRecord], Absence]:
        """Return the sessions in the loaded records, and the reason why the other records give no session."""
        opened: list[OpenedRecord] = []
        reason: Absence = Absence.NO_COOKIE
        for pointer, record in zip(cookies.pointers, self._found["found"], strict=True):
            if record is not None:
                self._came[pointer.key] = pointer.owner
            stamp = pointer.stamp
            is_fenced = cookies.fence or cookies.barrier is not None
            if is_fenced and cookies.ends(self.settings, stamp.id, stamp.created_at):
                reason = choose_furthest(reason, Absence.LOGGED_OUT)
                continue
            one = open_record(self.settings, pointer, record, now)
            if isinstance(one, Absence):
                reason = choose_furthest(reason, one)
                self._is_rotated |= record is not None and one is Absence.UNKNOWN_RECORD
            else:
                opened.append(one)
        return opened, reason
