"""The native token: a compact JWE in our own framing, sealed and opened over cached ciphers."""

from __future__ import annotations

import os
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.exceptions import InvalidTag

from .._session.base64url import ALPHABET, FROM_URL, LAST, encode, encoded_length, is_token
from .._session.json import Serializer
from .._session.lifetime import CLOCK_SKEW, LONGEST, LONGEST_NAME
from .._session.session import Absence, Stamp
from .keyring import SLICE, KeyRing, PurposeKeys

__all__ = [
    "FRAME",
    "LONGEST_HEADER",
    "NONCE",
    "TAG",
    "CodecDefaults",
    "NativeCodec",
    "Opened",
    "peek_id",
    "peek_stamp",
]

_HEADER = re.compile(
    r'\{"alg":"dir","enc":"A256GCM","kid":"([A-Za-z0-9_-]{8})\.(0|[1-9][0-9]{0,10})","sid":"([A-Za-z0-9_-]{22})"'
    r',"iat":(0|[1-9][0-9]{0,10}),"uat":(0|[1-9][0-9]{0,10}),"exp":(0|[1-9][0-9]{0,10})(?:,"end":(0|[1-9][0-9]{0,10}))?'
    r'(?:,"lif":"([A-Za-z][A-Za-z0-9_-]{0,19})")?\}'
)


LONGEST_HEADER = 256  # base64url characters; ours have about 190


FRAME = len('{"alg":"dir","enc":"A256GCM","kid":"12345678.","sid":"","iat":,"uat":,"exp":}')


_LONGEST = Stamp(
    id="x" * 22,
    created_at=LONGEST,
    updated_at=LONGEST,
    expires_at=LONGEST,
    ends_at=LONGEST,
    lifetime="x" * LONGEST_NAME,
)


NONCE, TAG = 16, 22  # base64url characters of 12 and 16 bytes


class CodecDefaults:
    """Defaults of a codec: any JSON object is a session, the payload is the contents, the mark is the id."""

    __slots__ = ()

    def check(self, contents: dict[str, Any]) -> None:
        """Refuse nothing."""

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return None: the contents say nothing about an end."""
        return None

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the contents."""
        return contents

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the id of the session, which its tokens must then hold."""
        return stamp.id


class NativeCodec(CodecDefaults):
    """Seals and opens native tokens with cached ciphers. The tests compare the results with those of joserfc."""

    __slots__ = ("_absolute", "_keys", "_serializer", "ids", "seen")

    def __init__(
        self,
        ring: KeyRing,
        name: str,
        audience: str,
        absolute: int | None,
        serializer: Serializer,
        *,
        purpose: str = "cookie",
    ) -> None:
        self.ids: tuple[str, ...] = ring.ids
        self.seen: PurposeKeys | None = ring.purpose("seen", name, audience)
        self._keys = ring.purpose(purpose, name, audience)
        self._absolute = absolute
        self._serializer = serializer

    def capacity(self, characters: int) -> int:
        """Return how many bytes of plaintext fit, with the longest header: three for each four remaining characters."""
        return (characters - self.size(b"", _LONGEST)) * 3 // 4

    def size(self, plaintext: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` would make."""
        updated = stamp.updated_at
        varying = f"{updated // SLICE}{stamp.id}{stamp.created_at}{updated}{stamp.expires_at}{_optional(stamp)}"
        return (
            encoded_length(FRAME + len(varying)) + encoded_length(len(plaintext)) + NONCE + TAG + 4
        )

    def seal(self, plaintext: bytes, stamp: Stamp) -> str:
        """Return a token with these times."""
        updated, keys = stamp.updated_at, self._keys
        slice_, more = updated // SLICE, ""
        if stamp.ends_at is not None or stamp.lifetime is not None:
            more = _optional(stamp)
        clear = (
            f'{{"alg":"dir","enc":"A256GCM","kid":"{keys.key_id}.{slice_}","sid":"{stamp.id}"'
            f',"iat":{stamp.created_at},"uat":{updated},"exp":{stamp.expires_at}{more}}}'
        )
        # The base64 of these characters contains no + and no /, because none of them has 62 or 63 in the last six bits of its code.
        header = b2a_base64(clear.encode(), newline=False).rstrip(b"=")
        nonce = os.urandom(12)  # once a seal, never pooled: a fork would use one twice
        cipher = keys.ciphers.get((keys.key_id, slice_)) or keys.sealing(updated)
        sealed = cipher.encrypt(nonce, plaintext, header)
        ends = encode(nonce + sealed[-16:])  # 12 bytes end where a character of base64 does
        text = self._serializer.b64encode(sealed[:-16])
        return b".".join((header, b"", ends[:NONCE], text, ends[NONCE:])).decode()

    def open(self, token: str, now: float) -> Opened | Absence:  # noqa: C901, PLR0912  # one straight line
        """Return the contents and times of a token, or the reason why it does not open.

        Cheap refusals come before any cryptography.
        """
        if not token.isascii():
            return Absence.MALFORMED
        header, _, rest = token.encode().partition(b"..")  # the encrypted key is empty
        nonce, _, rest = rest.partition(b".")
        text, dot, tag = rest.rpartition(b".")
        if not dot or len(nonce) != NONCE or len(tag) != TAG:
            return Absence.MALFORMED
        if (header + nonce + tag).translate(None, ALPHABET) or tag[-1] not in LAST[TAG % 4]:
            return Absence.MALFORMED
        found = _read_header(header)
        if found is None:
            return Absence.MALFORMED
        try:
            sealed = self._serializer.b64decode(text)
        except ValueError:
            return Absence.MALFORMED
        key_id, slice_, stamp = found
        updated, absolute = stamp.updated_at, self._absolute
        if (
            slice_ != updated // SLICE
            or not stamp.created_at <= updated < stamp.expires_at
            or (stamp.ends_at is not None and stamp.expires_at > stamp.ends_at)
        ):
            return Absence.MALFORMED
        if updated > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        if (
            absolute is not None
            and now >= stamp.created_at + absolute
            and stamp.lifetime is None  # the core checks named lifetimes
        ):
            return Absence.ABSOLUTE
        ends = a2b_base64((nonce + tag).translate(FROM_URL) + b"==")
        sealed += ends[12:]
        cipher = self._keys.ciphers.get((key_id, slice_))
        if cipher is None:
            payload = self._keys.unseal(key_id, updated, ends[:12], sealed, header)
            if isinstance(payload, Absence):
                return payload
        else:
            try:
                payload = cipher.decrypt(ends[:12], sealed, header)
            except InvalidTag:
                return Absence.BAD_TAG
        try:
            contents = self._serializer.loads(payload)
        except (ValueError, RecursionError):
            return Absence.MALFORMED
        if not isinstance(contents, dict):
            return Absence.MALFORMED
        return Opened(cast("dict[str, Any]", contents), stamp, stamp.id)

    def peek(self, text: str) -> str | None:
        """Return the session id in a header, unverified; None if there is no native header."""
        return peek_id(text)

    def is_sealed_by_first(self, token: str) -> bool:
        """Return whether a token was sealed under the first secret.

        Args:
            token: a token that has opened.
        """
        header = _read_header(token.partition(".")[0].encode())
        return header is not None and header[0] == self._keys.key_id


def peek_id(text: str) -> str | None:
    """Return the session id in a native header, unverified; None if the text does not begin with one."""
    stamp = peek_stamp(text)
    return None if stamp is None else stamp.id


def peek_stamp(text: str) -> Stamp | None:
    """Return the stamp in a native header, unverified; None if the text does not begin with one."""
    first = text.partition(".")[0]
    if not first.isascii() or not is_token(first.encode()):
        return None
    header = _read_header(first.encode())
    return header[2] if header else None


def _read_header(text: bytes) -> tuple[str, int, Stamp] | None:
    """Return the key id, the hour and the stamp of a protected header, or None for any other text."""
    if not text or len(text) > LONGEST_HEADER or text[-1] not in LAST[len(text) % 4]:
        return None
    found = _HEADER.fullmatch(a2b_base64(text.translate(FROM_URL) + b"==").decode("latin-1"))
    if found is None:
        return None
    key_id, slice_, sid, iat, uat, exp, end, lifetime = found.groups()
    stamp = Stamp(
        id=sid,
        created_at=int(iat),
        updated_at=int(uat),
        expires_at=int(exp),
        ends_at=None if end is None else int(end),
        lifetime=lifetime,
    )
    return key_id, int(slice_), stamp


def _optional(stamp: Stamp) -> str:
    """Return the optional last members of a header: `end` and `lif`."""
    end = "" if stamp.ends_at is None else f',"end":{stamp.ends_at}'
    return end if stamp.lifetime is None else f'{end},"lif":"{stamp.lifetime}"'


@dataclass(slots=True)
class Opened:
    """The contents of an authenticated token. Not frozen: every request makes one, and a frozen dataclass takes longer to make.

    Args:
        contents: the session's contents.
        stamp: the session's id, and the times in the token.
        mark_id: the text that names the session in the fence.
    """

    contents: dict[str, Any] = field(repr=False)
    stamp: Stamp
    mark_id: str
