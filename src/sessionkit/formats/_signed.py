"""Base classes of the cookies that are signed and not encrypted, for reading: Flask, Starlette, Django."""

from __future__ import annotations

import hmac
import zlib
from abc import abstractmethod
from binascii import a2b_base64
from dataclasses import dataclass
from hashlib import sha256
from re import Pattern
from typing import Any, ClassVar

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.base64url import FROM_URL, encode
from .._session.lifetime import CLOCK_SKEW, LONGEST
from .._session.session import Absence
from ._bases import BaseFormat, BaseOpener
from ._claims import Secrets, Times, as_session

__all__ = [
    "SignedCookie",
    "SignedOpener",
    "base64",
    "inflate",
    "open_by_digest",
    "unpack_payload",
]

INFLATED = 65_536
"""The most bytes of a decompressed payload."""


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _never(text: str) -> bool:
    return False


def base64(text: str, *, urlsafe: bool = True) -> bytes | None:
    """Return the bytes of base64 text, with or without padding; None if it is not base64."""
    raw = text.encode("ascii", "replace").rstrip(b"=")
    if urlsafe:
        if b"+" in raw or b"/" in raw:
            return None
        raw = raw.translate(FROM_URL)
    if raw.translate(None, _ALPHABET) or len(raw) % 4 == 1:
        return None
    return a2b_base64(raw + b"==")


def inflate(data: bytes) -> bytes | None:
    """Return zlib data decompressed, if the result has at most 64 KiB. Call this only after the signature has verified."""
    engine = zlib.decompressobj()
    try:
        found = engine.decompress(data, INFLATED + 1)
    except zlib.error:
        return None
    return found if len(found) <= INFLATED and engine.eof else None


def unpack_payload(payload: str) -> bytes:
    """Return the bytes of a payload, decompressed if it begins with a dot. Call this only after the signature has verified.

    Raises:
        ValueError: the payload is not base64, or is not zlib data of at most 64 KiB.
    """
    data = base64(payload.lstrip("."))
    if data is not None and payload.startswith("."):
        data = inflate(data)
    if data is None:
        raise ValueError("no base64, or no zlib of a sane size")
    return data


def open_by_digest(contents: object, token: str, times: Times, now: float) -> Opened | Absence:
    """Return the session of an authentic token that has no id: its id and mark are a digest of the token."""
    session = as_session(contents)
    if session is None:
        return Absence.MALFORMED
    digest = encode(sha256(token.encode()).digest()).decode()
    stamp = times.stamp(digest, now)
    return stamp if isinstance(stamp, Absence) else Opened(session, stamp, digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCookie(BaseFormat):
    """A source of signed cookies: always one cookie, never chunks.

    Attributes:
        grammar: the grammar of a value. Its groups are the signed text, the payload, the time and the signature.
    """

    layout: ClassVar[Layout] = Layout(complete=_never)
    grammar: ClassVar[Pattern[str]]

    def recognizes(self, text: str) -> bool:
        """Return whether a text has the grammar."""
        return self.grammar.fullmatch(text) is not None


class SignedOpener(BaseOpener):
    """Opens signed cookies: checks the grammar first, then the signature, then the age, then the payload.

    Attributes:
        digest: the hash of the signature, which is an HMAC.
    """

    digest: ClassVar[str] = "sha1"

    def __init__(self, grammar: Pattern[str], secrets: Secrets, max_age: int | None) -> None:
        super().__init__(secrets)
        self._grammar = grammar
        self._keys = tuple(map(self.key, secrets.raw))
        self.max_age = max_age

    @abstractmethod
    def key(self, secret: bytes) -> bytes:
        """Return the signing key of a secret."""

    @abstractmethod
    def contents(self, payload: str) -> Any:
        """Return the value of a verified payload; raise ValueError if there is none."""

    def sign(self, key: bytes, covered: bytes) -> str:
        """Return the signature of a text."""
        return encode(hmac.digest(key, covered, self.digest)).decode()

    def read_time(self, text: str) -> int:
        """Return the time of the signing: by default the base64url of its bytes, as itsdangerous writes it."""
        return int.from_bytes(base64(text) or b"", "big")

    def open(self, token: str, now: float) -> Opened | Absence:
        """Return the contents and times of a cookie, or the reason why it gives no session."""
        found = self._grammar.fullmatch(token)
        if found is None:
            return Absence.MALFORMED
        covered, payload, time, signature = found.groups()
        verdicts = [  # compared under all keys, so that the time taken does not reveal which key signed
            hmac.compare_digest(signature, self.sign(key, covered.encode())) for key in self._keys
        ]
        if not any(verdicts):
            return Absence.BAD_TAG
        at = self.read_time(time)
        if at > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        try:
            contents = self.contents(payload)
        except (ValueError, RecursionError):
            return Absence.MALFORMED
        session = as_session(contents)
        ends = None if session is None else self.ends_at(session, at)
        expires = LONGEST if self.max_age is None else min(LONGEST, at + self.max_age)
        return open_by_digest(session, token, Times(at, at, expires, ends), now)

    def ends_at(self, contents: dict[str, Any], signed_at: int) -> int | None:
        """Return the time at which a session ends, even if it is used; None if the framework signs the session again at each request."""
        return None
