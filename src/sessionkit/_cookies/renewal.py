"""Make and read the value of the renewal cookie; `_exchange/writing.py` writes the cookie into a response.

It is a small cookie of its own that moves the idle expiry, so that a renewal never contains the session.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from .._crypto.keyring import PurposeKeys
from .._session.base64url import decode, encode, is_canonical
from .._session.lifetime import CLOCK_SKEW
from .._session.session import Absence

__all__ = ["Renewal", "latest", "seal"]

LABEL = "seen."
TRIED = 4
_GRAMMAR = re.compile(
    r"([A-Za-z0-9_-]{8})\.(0|[1-9][0-9]{0,10})\.(0|[1-9][0-9]{0,10})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})"
)


class Renewal(NamedTuple):
    """An update time, and the expiry that goes with it."""

    updated_at: int
    expires_at: int


def seal(keys: PurposeKeys, session_id: str, renewal: Renewal) -> str:
    """Return the value of the renewal cookie, `K.U.E.N.T`: key id, update time, expiry, nonce, and a GCM tag over nothing."""
    clear = f"{keys.key_id}.{renewal.updated_at}.{renewal.expires_at}"
    nonce = os.urandom(12)  # once a seal, never pooled: a fork would use one twice
    tag = keys.sealing(renewal.updated_at).encrypt(nonce, b"", _bound(clear, session_id))
    ends = encode(nonce + tag).decode()  # 12 bytes end where a character of base64 does
    return f"{clear}.{ends[:16]}.{ends[16:]}"


def latest(
    keys: PurposeKeys, values: Iterable[str], session_id: str, token: Renewal, now: float
) -> Renewal:
    """Return the latest of the times of the token and of its renewal cookies; the token wins a tie.

    At most four values are tried; a value that does not verify is ignored.
    """
    best = token
    for value in list(values)[:TRIED]:
        renewal = _open(keys, value, session_id, now)
        if renewal is not None and renewal.updated_at > best.updated_at:
            best = renewal
    return best


def _open(keys: PurposeKeys, value: str, session_id: str, now: float) -> Renewal | None:
    found = _GRAMMAR.fullmatch(value)
    if found is None:
        return None
    key_id, updated, expires, nonce, tag = found.groups()
    renewal = Renewal(int(updated), int(expires))
    if not (
        renewal.updated_at < renewal.expires_at
        and renewal.updated_at <= now + CLOCK_SKEW
        and is_canonical(tag.encode())
    ):
        return None
    bound = _bound(f"{key_id}.{updated}.{expires}", session_id)
    opened = keys.unseal(
        key_id, renewal.updated_at, decode(nonce.encode()), decode(tag.encode()), bound
    )
    return None if isinstance(opened, Absence) else renewal


def _bound(clear: str, session_id: str) -> bytes:
    return f"{clear}\0{session_id}".encode()
