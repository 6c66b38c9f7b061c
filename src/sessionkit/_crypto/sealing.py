"""The native token: a compact JWE in our own framing, sealed and opened over cached ciphers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from .._session.base64url import decode, encode, is_canonical, is_token
from .._session.json import Serializer, freeze, rewrite
from .._session.lifetime import CLOCK_SKEW, LONGEST
from .._session.session import Absence, Stamp
from .keyring import SLICE, KeyRing, PurposeKeys

__all__ = ["FRAME", "LONGEST_HEADER", "NONCE", "TAG", "NativeCodec", "Opened"]

_HEADER = re.compile(
    r'\{"alg":"dir","enc":"A256GCM","kid":"([A-Za-z0-9_-]{8})\.(0|[1-9][0-9]{0,10})","sid":"([A-Za-z0-9_-]{22})"'
    r',"iat":(0|[1-9][0-9]{0,10}),"uat":(0|[1-9][0-9]{0,10}),"exp":(0|[1-9][0-9]{0,10})(?:,"end":(0|[1-9][0-9]{0,10}))?\}'
)


LONGEST_HEADER = 256  # base64url characters; ours have about 190


FRAME = len('{"alg":"dir","enc":"A256GCM","kid":"12345678.","sid":"","iat":,"uat":,"exp":}')


_LONGEST = Stamp(
    id="x" * 22, created_at=LONGEST, updated_at=LONGEST, expires_at=LONGEST, ends_at=LONGEST
)


NONCE, TAG = 16, 22  # base64url characters of 12 and 16 bytes


class NativeCodec:
    """Seals and opens native tokens over cached ciphers; joserfc is the oracle of its tests."""

    __slots__ = ("_absolute", "_keys", "_serializer", "ids", "seen")

    def __init__(
        self, ring: KeyRing, name: str, audience: str, absolute: int | None, serializer: Serializer
    ) -> None:
        self.ids: tuple[str, ...] = ring.ids
        self.seen: PurposeKeys | None = ring.purpose("seen", name, audience)
        self._keys = ring.purpose("cookie", name, audience)
        self._absolute = absolute
        self._serializer = serializer

    def check(self, contents: dict[str, Any]) -> None:
        """Refuse nothing: any JSON object is a session."""

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return None: the application's data is data."""
        return None

    def capacity(self, characters: int) -> int:
        """Return three bytes for each four characters that the longest header leaves; a subclass may make other tokens."""
        return (characters - self.size(b"", _LONGEST)) * 3 // 4 if type(self) is NativeCodec else 0

    def payload(self, contents: dict[str, Any], stamp: Stamp, print_: bytes = b"") -> bytes:
        """Return the session's JSON; the times are in the header."""
        return freeze(contents, self._serializer, print_=print_)

    def kept(self, contents: Mapping[str, Any], stamp: Stamp) -> bytes:
        """Return the JSON of contents that came in a cookie."""
        return rewrite(dict(contents), self._serializer)

    def size(self, payload: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` would make."""
        updated = stamp.updated_at
        varying = f"{updated // SLICE}{stamp.id}{stamp.created_at}{updated}{stamp.expires_at}{_end(stamp)}"
        return _encoded(FRAME + len(varying)) + _encoded(len(payload)) + NONCE + TAG + 4

    def seal(self, payload: bytes, stamp: Stamp) -> str:
        """Return a token with these times."""
        encoded, updated = self._serializer.b64encode, stamp.updated_at
        clear = (
            f'{{"alg":"dir","enc":"A256GCM","kid":"{self._keys.key_id}.{updated // SLICE}","sid":"{stamp.id}"'
            f',"iat":{stamp.created_at},"uat":{updated},"exp":{stamp.expires_at}{_end(stamp)}}}'
        )
        header = encoded(clear.encode())
        nonce = os.urandom(12)  # once a seal, never pooled: a fork would use one twice
        sealed = self._keys.sealing(updated).encrypt(nonce, payload, header)
        ends = encode(nonce + sealed[-16:])  # 12 bytes end where a character of base64 does
        return b".".join((header, b"", ends[:NONCE], encoded(sealed[:-16]), ends[NONCE:])).decode()

    def open(self, token: str, now: float) -> Opened | Absence:
        """Return the contents and times of a token, or the reason why it does not open.

        Cheap refusals come before any cryptography.
        """
        parts = _parts(token)
        header = None if parts is None else _header(parts[0])
        if parts is None or header is None:
            return Absence.MALFORMED
        key_id, slice_, stamp = header
        if not (
            slice_ == stamp.updated_at // SLICE
            and stamp.created_at <= stamp.updated_at < stamp.expires_at
            and (stamp.ends_at is None or stamp.expires_at <= stamp.ends_at)
        ):
            return Absence.MALFORMED
        if stamp.updated_at > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        if self._absolute is not None and now >= stamp.created_at + self._absolute:
            return Absence.ABSOLUTE
        ends = decode(parts[2] + parts[4])
        sealed = self._serializer.b64decode(parts[3]) + ends[12:]
        payload = self._keys.unseal(key_id, stamp.updated_at, ends[:12], sealed, parts[0])
        if isinstance(payload, Absence):
            return payload
        try:
            contents = self._serializer.loads(payload)
        except (ValueError, RecursionError):
            return Absence.MALFORMED
        if not isinstance(contents, dict):
            return Absence.MALFORMED
        return Opened(cast("dict[str, Any]", contents), stamp, stamp.id)

    def recognizes(self, text: str) -> bool:
        """Return whether a text begins with a native header."""
        return self.peek(text) is not None

    def peek(self, text: str) -> str | None:
        """Return the session id in a header, unverified; None if there is no native header."""
        first = text.partition(".")[0]
        if not first.isascii() or not is_token(first.encode()):
            return None
        header = _header(first.encode())
        return header[2].id if header else None

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the session id."""
        return stamp.id


def _parts(token: str) -> list[bytes] | None:
    """Return the five segments of a native token, or None unless all of it is canonical base64url."""
    if not token.isascii():
        return None
    raw = token.encode()
    parts = raw.split(b".")
    if (
        len(parts) != 5
        or parts[1]
        or len(parts[2]) != NONCE
        or len(parts[4]) != TAG
        or len(parts[0]) > LONGEST_HEADER
    ):
        return None
    return parts if is_token(raw) and is_canonical(parts[3]) and is_canonical(parts[4]) else None


def _header(text: bytes) -> tuple[str, int, Stamp] | None:
    """Return the key id, the hour and the stamp of a protected header, or None for any other text."""
    if len(text) > LONGEST_HEADER or not is_canonical(text):
        return None
    found = _HEADER.fullmatch(decode(text).decode("latin-1"))
    if found is None:
        return None
    key_id, slice_, sid, iat, uat, exp, end = found.groups()
    return (
        key_id,
        int(slice_),
        Stamp(
            id=sid,
            created_at=int(iat),
            updated_at=int(uat),
            expires_at=int(exp),
            ends_at=None if end is None else int(end),
        ),
    )


def _end(stamp: Stamp) -> str:
    """Return the last member of a header, which is optional."""
    return "" if stamp.ends_at is None else f',"end":{stamp.ends_at}'


def _encoded(length: int) -> int:
    """Return how many base64url characters so many bytes make."""
    return (length * 4 + 2) // 3


@dataclass(slots=True)
class Opened:
    """The contents of an authenticated token. Not frozen, since every request makes one.

    Args:
        contents: of the session.
        stamp: its id, and the times in the token.
        mark_id: names the session in the fence.
    """

    contents: dict[str, Any] = field(repr=False)
    stamp: Stamp
    mark_id: str
