"""The barrier: a sealed cookie that ends every session that began before a certain time.

A login or logout sets it when it cannot see the session that it has to end. For example, a login by another site's POST has no
session cookie, so it knows no session to mark in the fence, and ends sessions by time instead. The barrier is sealed, so that an
attacker cannot make one and lock visitors out. It is a separate cookie, because a late response of a rotation overwrites the
whole fence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from .._crypto.keyring import PurposeKeys
from .._session.base64url import decode, encode, is_canonical
from .._session.lifetime import CLOCK_SKEW
from .._session.session import Absence

__all__ = ["LABEL", "Barrier", "link", "read", "seal"]

LABEL = "before."
TRIED = 8
_SEALED = re.compile(
    r"([A-Za-z0-9_-]{8})~(0|[1-9][0-9]{0,10})((?:~(?:[A-Za-z0-9_-]{22})?){1,2})~([A-Za-z0-9_-]{16})~([A-Za-z0-9_-]{22})"
)


@dataclass(frozen=True, slots=True)
class Barrier:
    """The end of every session that began up to a time, except the session that began with the barrier.

    Args:
        time: seconds since the epoch.
        spared: maps each mark of the spared session (its first mark, and those that links give it) to the first one.
        link: the link that applies, as it is in the fence; empty without one.
    """

    time: int
    spared: Mapping[str, str]
    link: str = ""

    def ends(self, mark: str, created_at: int) -> bool:
        """Return whether the barrier ends the session with this mark and creation time."""
        return created_at <= self.time and mark not in self.spared


def read(keys: PurposeKeys, values: Iterable[str], fences: Iterable[str]) -> Barrier | None:
    """Return the latest barrier of a request, or None.

    Args:
        keys: the keys of the barrier.
        values: the values of the barrier's cookies. At most eight are tried; one that does not verify is ignored.
        fences: the values of the fence's cookies. Their links count if they lead to the session that the barrier spares.
    """
    latest, spared = -1, dict[str, str]()
    for text in islice(values, TRIED):
        time, marks = _open(keys, text)
        if len(marks) != 1 or time < latest:
            continue
        if time > latest:
            latest, spared = time, {}
        spared[marks[0]] = marks[0]
    if latest < 0:
        return None
    found = ""
    for text in islice((value.partition(".")[0] for value in fences if "~" in value), TRIED):
        _, marks = _open(keys, text)
        if len(marks) == 2 and marks[1] in spared:
            spared[marks[0]], found = marks[1], text
    return Barrier(latest, spared, found)


def seal(keys: PurposeKeys, now: float, spared: str, known: Barrier | None) -> str:
    """Return the value of a barrier that ends every session that has begun, even on a machine whose clock is ahead.

    Args:
        keys: the keys of the barrier.
        now: seconds since the epoch.
        spared: the mark of the session that begins now; empty for none.
        known: the barrier in the request. The new time is never earlier than its time, even if a clock is behind.
    """
    time = int(now) + CLOCK_SKEW
    return _seal(keys, time if known is None else max(time, known.time), spared)


def link(keys: PurposeKeys, now: float, mark: str, first: str) -> str:
    """Return a link: a part of the fence that says that a session with a new mark is the one that a barrier spares.

    A rotation writes a link and not a new barrier, because its response may arrive after that of a later login.

    Args:
        keys: the keys of the barrier.
        now: seconds since the epoch.
        mark: the session's new mark.
        first: the mark that the barrier spares.
    """
    return _seal(keys, int(now), f"{mark}~{first}")


def _seal(keys: PurposeKeys, time: int, marks: str) -> str:
    clear = f"{keys.key_id}~{time}~{marks}"
    nonce = os.urandom(12)  # once a seal, never pooled: a fork would use one twice
    tag = keys.sealing(time).encrypt(nonce, b"", clear.encode())
    return f"{clear}~{encode(nonce).decode()}~{encode(tag).decode()}"


def _open(keys: PurposeKeys, text: str) -> tuple[int, list[str]]:
    """Return the time and the marks of a sealed text; no marks if it does not verify."""
    parts = _SEALED.fullmatch(text)
    if parts is None or not is_canonical(parts[5].encode()):
        return 0, []
    key_id, time, marks, nonce, tag = parts.groups()
    clear = f"{key_id}~{time}{marks}".encode()
    opened = keys.unseal(key_id, int(time), decode(nonce.encode()), decode(tag.encode()), clear)
    return int(time), [] if isinstance(opened, Absence) else marks[1:].split("~")
