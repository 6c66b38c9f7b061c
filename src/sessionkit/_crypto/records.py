"""Sessions on the server: the sealed pointer in the cookie, and the sealed record in the backend."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from .._session.json import JSON, Serializer
from .._session.lifetime import FOUR_HUNDRED_DAYS
from .._session.session import Absence, Stamp
from .keyring import SLICE, KeyRing, PurposeKeys
from .sealing import NativeCodec

__all__ = ["Pointer", "RecordCodec"]

KEY_ID, HOUR, NONCE, TAG = 8, 4, 12, 16
"""Bytes of a sealed payload before its ciphertext, of its nonce and of its tag."""


@dataclass(slots=True)
class Pointer:
    """An authenticated pointer: a cookie that names a record and holds no contents.

    Args:
        key: the key of the record.
        owner: the owner of the record.
        stamp: the session's id, when it began, and when the pointer itself ends. The record has the other times.
        text: the token.
    """

    key: str
    owner: str
    stamp: Stamp
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """The sealed contents of a record, and what they are bound to.

    Args:
        key: the key of the record.
        owner: its owner.
        created_at: when the session began, in seconds since the epoch.
        version: the nonce.
        sealed: key id, hour, the name of the lifetime if it has one, ciphertext and tag.
    """

    key: str
    owner: str
    created_at: int
    version: bytes
    sealed: bytes = field(repr=False)


class RecordCodec:
    """Seals and opens pointers and records, under the keys of one cookie name and audience.

    A record's key is a hash of the session id, and its owner is a keyed hash of the identity. So a reader of the table
    learns neither id nor identity. Both are lower-case hexadecimal, because some databases ignore case when they compare
    text.

    Args:
        ring: the store's keys.
        name: the name of the session's cookie.
        audience: the store's audience.
        absolute: the absolute lifetime of sessions without a named one, in seconds; None without one.
        serializer: the serializer for pointers.
    """

    __slots__ = ("_bound", "_forwards", "_macs", "_pointers", "_prefix", "_records")

    def __init__(
        self, ring: KeyRing, name: str, audience: str, absolute: int | None, serializer: Serializer
    ) -> None:
        self._pointers = NativeCodec(ring, name, audience, absolute, serializer, purpose="pointer")
        self._records = ring.purpose("record", name, audience)
        self._forwards = ring.purpose("forward", name, audience)
        self._bound = f"{name}\0{audience}\0".encode()
        self._prefix = sha256(b"sessionkit record 1\0" + self._bound)
        self._macs = ring.macs("index")

    # ---- names

    def derive_key(self, session_id: str) -> str:
        """Return the key of a session's record.

        Args:
            session_id: the id in the session's stamp.
        """
        digest = self._prefix.copy()
        digest.update(session_id.encode())
        return digest.digest()[:16].hex()

    def derive_owners(self, identity: bytes) -> tuple[str, ...]:
        """Return the owner of a user's records under each secret. The first one is for new records.

        Args:
            identity: the user's identity as bytes, or the key of a record that belongs to no user.
        """
        message = self._bound + identity
        return tuple(hmac.digest(key, message, "sha256")[:16].hex() for key in self._macs)

    # ---- pointers

    def seal_pointer(self, stamp: Stamp, owner: str, now: float, absolute: int | None) -> str:
        """Return a pointer to a session's record.

        Args:
            stamp: the session's id and times.
            owner: the record's owner.
            now: seconds since the epoch.
            absolute: the absolute limit of the session's lifetime, in seconds; None without one.
        """
        sealed_at = max(int(now), stamp.created_at)
        ends = self.pointer_end(stamp, sealed_at, absolute)
        times = Stamp(
            id=stamp.id,
            created_at=stamp.created_at,
            updated_at=min(sealed_at, ends - 1),
            expires_at=ends,
            ends_at=stamp.ends_at,
            lifetime=stamp.lifetime,
        )
        return self._pointers.seal(b'{"o":"%s"}' % owner.encode(), times)

    def pointer_end(self, stamp: Stamp, now: float, absolute: int | None) -> int:
        """Return the moment from which a pointer that is sealed now no longer opens.

        Args:
            stamp: the session's id and times.
            now: seconds since the epoch.
            absolute: as for `seal_pointer`.
        """
        ends = int(now) + FOUR_HUNDRED_DAYS
        if absolute is not None:
            ends = min(ends, stamp.created_at + absolute)
        return ends if stamp.ends_at is None else min(ends, stamp.ends_at)

    def open_pointer(self, text: str, now: float) -> Pointer | Absence:
        """Return the pointer in a cookie's value, or the reason why there is none; never raise.

        Args:
            text: the value.
            now: seconds since the epoch.
        """
        opened = self._pointers.open(text, now)
        if isinstance(opened, Absence):
            return opened
        owner: Any = opened.contents.get("o")
        if not isinstance(owner, str):
            return Absence.MALFORMED
        if now >= opened.stamp.expires_at:
            return Absence.EXPIRED
        return Pointer(self.derive_key(opened.stamp.id), owner, opened.stamp, text)

    def is_sealed_by_first(self, pointer: Pointer) -> bool:
        """Return whether a pointer was sealed under the first secret."""
        return len(self._macs) == 1 or self._pointers.is_sealed_by_first(pointer.text)

    # ---- records

    def seal(
        self,
        plaintext: bytes,
        *,
        key: str,
        owner: str,
        created_at: int,
        now: int,
        lifetime: str | None = None,
    ) -> SealedRecord:
        """Return the contents of a session, sealed.

        Args:
            plaintext: the contents.
            key: the record's key.
            owner: the record's owner.
            created_at: when the session began, in seconds since the epoch.
            now: seconds since the epoch; the hour chooses the key.
            lifetime: the name of the session's lifetime, or None.
        """
        return _seal(self._records, plaintext, (key, owner, created_at), now, lifetime or "")

    def open(self, record: Any) -> bytes | Absence:
        """Return the plaintext of a record, or the reason why it does not open.

        Args:
            record: the record, with the members of a `SealedRecord`.
        """
        return _open(self._records, record)

    @staticmethod
    def read_lifetime(record: Any) -> str | None:
        """Return the name of a session's lifetime; None for the default one. The name is authentic only if the record opens.

        Args:
            record: the record, with the members of a `SealedRecord`.
        """
        name = _read_name(bytes(record.sealed))
        return name.decode("latin-1") if name else None

    @staticmethod
    def read_stamp(record: Any) -> Stamp:
        """Return the stamp of a record: its times, under its key, since nothing in it says the session's id."""
        return Stamp(
            id=record.key,
            created_at=record.created_at,
            updated_at=record.updated_at,
            expires_at=record.expires_at,
            lifetime=RecordCodec.read_lifetime(record),
        )

    def seal_forward(
        self, next_key: str, *, key: str, owner: str, created_at: int, now: int
    ) -> SealedRecord:
        """Return the payload of a forward record: the key of the record that a rotation put in its place.

        Args:
            next_key: that key.
            key: the forward record's own key.
            owner: the owner of both.
            created_at: when the session began, in seconds since the epoch.
            now: seconds since the epoch.
        """
        plaintext = JSON.dumps({"next": next_key})
        return _seal(self._forwards, plaintext, (key, owner, created_at), now)

    def open_forward(self, record: Any) -> str | None:
        """Return the key to which a forward record points; None for any other record.

        Args:
            record: the record, with the members of a `SealedRecord`.
        """
        plaintext = _open(self._forwards, record)
        if isinstance(plaintext, Absence):
            return None
        key: Any = JSON.loads(plaintext).get("next")
        return key if isinstance(key, str) else None


def _seal(
    keys: PurposeKeys, plaintext: bytes, bound: tuple[str, str, int], now: int, name: str = ""
) -> SealedRecord:
    """Return a sealed payload, bound to the key, the owner and the creation time of a record and to the name of its lifetime."""
    nonce = os.urandom(NONCE)
    sealed = keys.sealing(now).encrypt(nonce, plaintext, _bind(*bound, name))
    head = keys.key_id.encode() + (now // SLICE).to_bytes(HOUR, "big")
    if name:
        # No hour of the next 1,900 years needs the first of its four bytes. So this byte holds the length of the name.
        head = b"%b%c%b%b" % (head[:KEY_ID], len(name), head[KEY_ID + 1 :], name.encode())
    return SealedRecord(*bound, nonce, head + sealed)


def _open(keys: PurposeKeys, record: Any) -> bytes | Absence:
    sealed = bytes(record.sealed)
    name = _read_name(sealed) if sealed[KEY_ID : KEY_ID + 1] > b"\0" else b""
    start = KEY_ID + HOUR + len(name)
    if len(sealed) < KEY_ID + HOUR + TAG or len(record.version) != NONCE:
        return Absence.MALFORMED
    return keys.unseal(
        sealed[:KEY_ID].decode("latin-1"),
        int.from_bytes(sealed[KEY_ID + 1 : KEY_ID + HOUR], "big") * SLICE,
        bytes(record.version),
        sealed[start:],
        _bind(record.key, record.owner, record.created_at, name.decode("latin-1")),
    )


def _read_name(sealed: bytes) -> bytes:
    """Return the name of a lifetime in a sealed payload; empty if there is none, or no room for it before the tag."""
    start, length = KEY_ID + HOUR, int.from_bytes(sealed[KEY_ID : KEY_ID + 1], "big")
    return sealed[start : start + length] if start + length + TAG <= len(sealed) else b""


def _bind(key: str, owner: str, created_at: int, name: str) -> bytes:
    """Return the additional authenticated data, so that a record with another key, owner, creation time or lifetime does not open."""
    bound = f"{key}\0{owner}\0{created_at}"
    return (f"{bound}\0{name}" if name else bound).encode()
