"""What the formats of other libraries share: their secrets, their times, and the claim we keep in their tokens."""

from __future__ import annotations

import hmac
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn, TypeGuard, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import OctKey

from ..base64url import encode
from ..errors import SerializationError
from ..keyring import SHORTEST, secrets_of
from ..lifetime import CLOCK_SKEW, LONGEST, Lifetime
from ..serializer import (
    SAFE_INTEGER,
    Serializer,
    freeze,
    is_finite,
    is_shallow,
    rewrite,
)
from ..session import Absence, Stamp
from .codec import Opened
from .jose import Framing

__all__ = [
    "NONE",
    "OURS",
    "DatedCodec",
    "JWECodec",
    "Secrets",
    "Times",
    "derived",
    "earliest",
    "foreign_secrets",
    "hkdf",
    "is_time",
    "mapping",
    "must_be_objects",
    "packed",
    "provider_end",
    "text",
    "unpacked",
    "whole_time",
    "with_end",
]

OURS = "sessionkit"
"""The claim in which we keep what a format has no place for."""


NONE: frozenset[str] = frozenset()


class Secrets:
    """The secrets of a foreign format: some derive keys from the cookie's name, so the secrets themselves are kept."""

    __slots__ = ("ids", "raw")

    def __init__(self, raw: tuple[bytes, ...]) -> None:
        self.raw: tuple[bytes, ...] = raw
        self.ids: tuple[str, ...] = tuple(
            encode(hmac.digest(one, b"sessionkit foreign kid", "sha256"))[:8].decode()
            for one in raw
        )

    def __repr__(self) -> str:
        return f"<Secrets of {len(self.raw)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets do not pickle")


def foreign_secrets(secret: str | bytes | Sequence[str | bytes]) -> Secrets:
    """The secrets that are shared with another library, which may take shorter ones than we do.

    Raises:
        ConfigurationError: there is none, or one is shorter than 8 bytes or a placeholder.
    """
    raw = secrets_of(secret, shortest=8)
    if min(map(len, raw)) < SHORTEST:
        logging.getLogger("sessionkit").warning(
            "a secret is shorter than %d bytes: whoever has a cookie can try guesses on it",
            SHORTEST,
        )
    return Secrets(raw)


def hkdf(secret: bytes, *, salt: bytes = b"", info: str, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info.encode()).derive(secret)


def derived(purpose: str, *parts: str) -> str:
    """An id of 22 characters that follows from its parts."""
    return encode(sha256("\0".join((purpose, *parts)).encode("utf-8", "surrogatepass")).digest())[
        :22
    ].decode()


def is_time(value: object) -> TypeGuard[int | float]:
    """Whether a value can be seconds since the epoch; milliseconds cannot."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST


LEEWAY = 30
"""Seconds before the identity provider's end at which the libraries end a session, for clocks that differ."""


def provider_end(value: object) -> int | None:
    """Return the moment from which a session is over because the identity provider ends its own; None if it has not said so.

    The libraries keep the claim `session_expiry` (IPSIE session lifetime profile, SL1) in the session.
    """
    return int(value) - LEEWAY if is_time(value) else None


def with_end(contents: dict[str, Any], key: str, stamp: Stamp) -> dict[str, Any]:
    """Return contents whose provider's end, which stands under `key`, is not later than that of the stamp."""
    ends, said = stamp.ends_at, provider_end(contents.get(key))
    if ends is None or (said is not None and said <= ends):
        return contents
    return {**contents, key: ends + LEEWAY}


def earliest(*ends: int | None) -> int | None:
    """Return the first of some ends, of which None is no end."""
    return min((one for one in ends if one is not None), default=None)


def whole_time(value: object) -> int | None:
    """Return the value in whole seconds if it can be seconds since the epoch, else None."""
    return int(value) if is_time(value) else None


def mapping(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text(value: object) -> str:
    """The value if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def packed(
    contents: Mapping[str, Any], reserved: frozenset[str], ours: dict[str, Any]
) -> dict[str, Any]:
    """The claims of a token, with what is ours in a claim of our own.

    The application's data is data: what it keeps under a name by which the other library would judge the token
    (`exp`, `nbf`, …) goes into our claim.
    """
    own = {key: value for key, value in contents.items() if key in reserved or key == OURS}
    if own:
        ours = {**ours, "own": own}
        contents = {key: value for key, value in contents.items() if key not in own}
    return {**contents, OURS: ours} if ours else dict(contents)


def unpacked(
    claims: dict[str, Any], reserved: frozenset[str], spent: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The contents that `packed` was given, without the claims that are `spent` on the token; and our claim."""
    ours = mapping(claims.get(OURS))
    contents = {
        key: value
        for key, value in claims.items()
        if key not in spent and (key != OURS or not ours)
    }
    own = mapping(ours.get("own"))
    contents.update({key: value for key, value in own.items() if key in reserved or key == OURS})
    return contents, ours


@dataclass(frozen=True, slots=True)
class Times:
    """The times that an authenticated token carries, in seconds; whole ones are made of them."""

    created: int | float
    updated: int | float
    expires: int | float
    ends: int | None = None

    def stamp(self, id: str, now: float, mark: str | None = None) -> Stamp | Absence:
        """The stamp, or why there can be none: a time is further ahead than two clocks may differ."""
        if max(self.created, self.updated) > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        expires, ends = int(self.expires), self.ends
        return Stamp(
            id=id,
            created_at=int(self.created),
            updated_at=int(self.updated),
            expires_at=expires if ends is None else min(expires, ends),
            ends_at=ends,
            mark=mark,
        )


def _imported(key: bytes) -> OctKey:
    return cast("OctKey", OctKey.import_key(key))  # pyright: ignore[reportUnknownMemberType]  # joserfc leaves a parameter's type open


class JWECodec(ABC):
    """Seals and opens the tokens of one library through joserfc.

    There is no renewal cookie beside them: moving the idle expiry is sealing again.
    """

    seen = None

    def __init__(
        self,
        framing: Framing,
        secrets: Secrets,
        keys: Sequence[bytes],
        lifetime: Lifetime,
        serializer: Serializer,
    ) -> None:
        self.ids: tuple[str, ...] = secrets.ids
        self.framing = framing
        self.lifetime = lifetime
        self._keys: tuple[OctKey, ...] = tuple(map(_imported, keys))
        self._serializer = serializer

    def capacity(self, characters: int) -> int:
        """Return 0: the header's length is the format's affair."""
        return 0

    @abstractmethod
    def header(self, stamp: Stamp) -> dict[str, Any]:
        """The protected header of a token with these times."""

    def check(self, contents: dict[str, Any]) -> None:
        """Raise SerializationError for what the other library would misunderstand."""
        if not is_finite(contents):
            raise SerializationError("session: NaN and infinity are not JSON")

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the identity provider's end of the session, for libraries that keep it; by default None."""
        return None

    @abstractmethod
    def wire(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The token's payload."""

    @abstractmethod
    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """What an authenticated payload is."""

    @abstractmethod
    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark id of a session that is about to be sealed."""

    def candidates(self, header: dict[str, Any]) -> Sequence[OctKey]:
        """The keys that may open a token with this header."""
        return self._keys

    def payload(self, contents: dict[str, Any], stamp: Stamp, print_: bytes = b"") -> bytes:
        """The plaintext; integers are those that JavaScript does not round."""
        self.check(contents)
        return freeze(self.wire(contents, stamp), self._serializer, SAFE_INTEGER)

    def kept(self, contents: Mapping[str, Any], stamp: Stamp) -> bytes:
        """The plaintext of contents that came in a cookie and did not change, however large the numbers in it."""
        return rewrite(self.wire(dict(contents), stamp), self._serializer)

    def size(self, payload: bytes, stamp: Stamp) -> int:
        """The length of the token that `seal` would make."""
        return self.framing.size(self.header(stamp), len(payload))

    def seal(self, payload: bytes, stamp: Stamp) -> str:
        """A token under the first secret."""
        return self.framing.seal(self.header(stamp), payload, self._keys[0])

    def open(self, token: str, now: float) -> Opened | Absence:
        """What a token holds, or why it does not open; cheap refusals come before any cryptography."""
        header = self.framing.check(token)
        if header is None:
            return Absence.MALFORMED
        keys = self.candidates(header)
        if not keys:
            return Absence.UNKNOWN_KEY
        plaintext = self.framing.open(token, keys)
        if isinstance(plaintext, Absence):
            return plaintext
        try:
            payload = self._serializer.loads(plaintext)
        except (ValueError, RecursionError):
            return Absence.MALFORMED
        if not isinstance(payload, dict) or not is_shallow(cast("object", payload)):
            return Absence.MALFORMED
        return self.read(header, cast("dict[str, Any]", payload), now)

    def recognizes(self, text: str) -> bool:
        """Whether it begins with a header of this format."""
        return self.framing.header(text.partition(".")[0]) is not None

    def peek(self, text: str) -> str | None:
        """Nothing: no id stands in these headers."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not pickle")


class DatedCodec(JWECodec):
    """Formats without an id of ours: the fence knows a session by its creation time and its user.

    Both stay as they are through every write of the other library, which the provider's session id need not: a
    silent sign-in changes it. Where a write of ours changes the user's `sub` (by an identity of one's own), the mark that
    the session had before goes with it in our claim.
    """

    label: str

    def claims(self, contents: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of the user."""
        return mapping(contents.get("user"))

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark that the session came with; of one that begins format, creation time and subject."""
        return stamp.mark or self.mark_of(contents, stamp.created_at)

    def mark_of(self, contents: Mapping[str, Any], created: int) -> str:
        """Return format, creation time and subject."""
        return "\0".join((self.label, str(created), text(self.claims(contents).get("sub"))))

    def ours(self, contents: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return what goes into our claim: the mark, where it cannot be made of the rest of the token."""
        if stamp.mark in (None, self.mark_of(contents, stamp.created_at)):
            return {}
        return {"mark": stamp.mark}

    def opened(
        self,
        contents: dict[str, Any],
        ours: dict[str, Any],
        times: Times,
        now: float,
        id: str = "",
    ) -> Opened | Absence:
        """Return what an authenticated token holds; without an id its id is made of its mark."""
        mark = text(ours.get("mark")) or self.mark_of(contents, int(times.created))
        stamp = times.stamp(id or derived("sessionkit foreign id 1", mark), now, mark)
        if isinstance(stamp, Absence):
            return stamp
        return Opened(contents=contents, stamp=stamp, mark_id=mark)


def must_be_objects(contents: Mapping[str, Any], keys: Sequence[str], library: str) -> None:
    """See that what is under these keys, if anything is, is an object: the other library takes nothing else.

    Raises:
        SerializationError: it is something else.
    """
    for key in keys:
        if not isinstance(contents.get(key, {}), dict):
            raise SerializationError(f'session["{key}"]: {library} needs an object here')
