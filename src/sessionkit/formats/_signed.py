"""Cookies that are signed and not encrypted, for reading: what Flask, Starlette and Django have in common."""

from __future__ import annotations

import hmac
import zlib
from abc import ABC, abstractmethod
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn, cast

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.base64url import encode
from .._session.json import is_shallow
from .._session.lifetime import CLOCK_SKEW, LONGEST
from .._session.session import Absence, Stamp
from ._claims import Secrets, check_foreign_secrets

__all__ = ["Signed", "SignedCookie", "SignedOpener", "base64", "inflated"]

INFLATED = 65_536
"""Bytes that a compressed payload may grow to."""


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _never(text: str) -> bool:
    return False


WHOLE = Layout(complete=_never)
"""One cookie and no chunks."""


class Signed(NamedTuple):
    """A signed value: the text that was signed, its payload, when, and the signature."""

    covered: str
    payload: str
    signed_at: int
    signature: str


def base64(text: str, *, urlsafe: bool = True) -> bytes | None:
    """What base64 text holds, with or without its padding; None for what is none."""
    raw = text.encode("ascii", "replace").rstrip(b"=")
    if urlsafe:
        if b"+" in raw or b"/" in raw:
            return None
        raw = raw.translate(bytes.maketrans(b"-_", b"+/"))
    if raw.translate(None, _ALPHABET) or len(raw) % 4 == 1:
        return None
    return a2b_base64(raw + b"==")


def inflated(data: bytes) -> bytes | None:
    """What zlib data unpacks to, if that is no more than 64 KiB; only after its signature has verified."""
    engine = zlib.decompressobj()
    try:
        found = engine.decompress(data, INFLATED + 1)
    except zlib.error:
        return None
    return found if len(found) <= INFLATED and engine.eof else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCookie:
    """What the sources have in common."""

    @property
    def layout(self) -> Layout:
        """One cookie."""
        return WHOLE

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`session`."""
        return "session"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secret, and earlier ones after it."""
        return check_foreign_secrets(secret)


class SignedOpener(ABC):
    """Opens signed cookies: the grammar first, then the signature, then the age, then the payload."""

    seen = None

    def __init__(self, secrets: Secrets, max_age: int | None) -> None:
        self.ids: tuple[str, ...] = secrets.ids
        self._keys = tuple(map(self.key, secrets.raw))
        self.max_age = max_age

    @abstractmethod
    def key(self, secret: bytes) -> bytes:
        """The signing key that comes of a secret."""

    @abstractmethod
    def parts(self, text: str) -> Signed | None:
        """The parts of a value, by its grammar."""

    @abstractmethod
    def sign(self, key: bytes, covered: bytes) -> str:
        """The signature of a text."""

    @abstractmethod
    def contents(self, payload: str) -> Any:
        """What a verified payload holds; raises ValueError for what is none."""

    def open(self, token: str, now: float) -> Opened | Absence:
        """What a cookie holds, or why it gives nothing."""
        found = self.parts(token)
        if found is None:
            return Absence.MALFORMED
        covered = found.covered.encode()
        verdicts = [  # of all keys, whichever it is
            hmac.compare_digest(found.signature, self.sign(key, covered)) for key in self._keys
        ]
        if not any(verdicts):
            return Absence.BAD_TAG
        if found.signed_at > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        expires = LONGEST if self.max_age is None else found.signed_at + self.max_age
        try:
            contents = self.contents(found.payload)
        except (ValueError, RecursionError):
            return Absence.MALFORMED
        if not isinstance(contents, dict) or not is_shallow(cast("object", contents)):
            return Absence.MALFORMED
        contents = cast("dict[str, Any]", contents)
        digest = encode(sha256(token.encode()).digest()).decode()
        stamp = Stamp(
            id=digest,
            created_at=found.signed_at,
            updated_at=found.signed_at,
            expires_at=expires,
            ends_at=self.ends_at(contents, found.signed_at),
        )
        return Opened(contents=contents, stamp=stamp, mark_id=digest)

    def ends_at(self, contents: dict[str, Any], signed_at: int) -> int | None:
        """Return the moment that ends a session whatever the visitor does; None where the framework signs anew at each request."""
        return None

    def recognizes(self, text: str) -> bool:
        """Whether it has the grammar."""
        return self.parts(text) is not None

    def peek(self, text: str) -> str | None:
        """Nothing: there is no id."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not pickle")
