"""Helpers for the tokens of other libraries: their secrets and times, and our own claim among theirs."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn, TypeGuard, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .._crypto.keyring import SHORTEST, check_secrets
from .._session.base64url import encode
from .._session.events import logger
from .._session.identity import CLAIMS
from .._session.json import is_shallow
from .._session.lifetime import CLOCK_SKEW, LONGEST
from .._session.session import Absence, Stamp

__all__ = [
    "OURS",
    "Secrets",
    "Times",
    "as_mapping",
    "as_session",
    "as_text",
    "check_foreign_secrets",
    "derive_id",
    "earliest",
    "hkdf",
    "is_time",
    "name_claims",
    "name_user",
    "pack",
    "provider_end",
    "unpack",
    "whole_time",
    "with_end",
]

OURS = "sessionkit"
"""The name of our claim, for data that a format has no place for."""


class Secrets:
    """The checked secrets of a format, for deriving keys from them. They do not pickle, and `repr` hides them.

    Attributes:
        raw: the secrets as bytes, the sealing one first.
        ids: their fingerprints, for `Opener.ids`.
    """

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
        raise TypeError("secrets do not pickle: build the store where it is needed")


def check_foreign_secrets(secret: str | bytes | Sequence[str | bytes]) -> Secrets:
    """Return the checked secrets of another library's format. They may be shorter than those of the native format.

    Raises:
        ConfigurationError: there is no secret, or one is shorter than 8 bytes or a placeholder.
    """
    raw = check_secrets(secret, shortest=8)
    if min(map(len, raw)) < SHORTEST:
        logger.warning(
            "a secret is shorter than %d bytes: whoever has a cookie can try guesses on it. If the other library's side allows it, take a "
            "longer, random one",
            SHORTEST,
        )
    return Secrets(raw)


def hkdf(secret: bytes, *, salt: bytes = b"", info: str, length: int) -> bytes:
    """Return a key derived by HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info.encode()).derive(secret)


def derive_id(purpose: str, *parts: str) -> str:
    """Return an id of 22 characters that depends only on these texts."""
    return encode(sha256("\0".join((purpose, *parts)).encode("utf-8", "surrogatepass")).digest())[
        :22
    ].decode()


def name_user(claims: Mapping[str, Any]) -> str:
    """Return a text that names the user in a mark: the `sub`, or a digest of another claim that identifies the user; else an empty text.

    Without the other claims, two users who signed in in the same second would have the same mark, and the same id when they are
    imported. Claims that a write may change are left out, because the mark must stay the same: a refresh by the other library
    drops `iss`, and users change their names. If the mark changed, a late response could bring back a session after a logout.

    Args:
        claims: the claims of the user.
    """
    if as_text(claims.get("sub")):
        return as_text(claims.get("sub"))
    named = [(key, claims[key]) for key in CLAIMS if claims.get(key) not in (None, "")]
    return name_claims(named[0]) if named else ""


def name_claims(value: object) -> str:
    """Return a digest of a JSON value that stays the same when a token is read; empty for an empty value, or one that is not JSON."""
    try:
        text = json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return ""
    return "\0" + derive_id("sessionkit user 1", text) if value else ""


def is_time(value: object) -> TypeGuard[int | float]:
    """Return whether a value can be seconds since the epoch; milliseconds cannot."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST


LEEWAY = 30
"""Seconds by which the libraries end a session before the identity provider's end, because clocks differ."""


def provider_end(value: object) -> int | None:
    """Return the time at which a session ends because the identity provider ends its own; None if the value is not a time.

    The libraries keep the claim `session_expiry` (IPSIE session lifetime profile, SL1) in the session.
    """
    return int(value) - LEEWAY if is_time(value) else None


def with_end(contents: dict[str, Any], key: str, stamp: Stamp) -> dict[str, Any]:
    """Return contents in which the provider's end, under `key`, is not later than the stamp's `ends_at`."""
    ends, said = stamp.ends_at, provider_end(contents.get(key))
    if ends is None or (said is not None and said <= ends):
        return contents
    return {**contents, key: ends + LEEWAY}


def earliest(*ends: int | None) -> int | None:
    """Return the earliest of several ends, or None if all are None. None means that there is no end."""
    return min((one for one in ends if one is not None), default=None)


def whole_time(value: object) -> int | None:
    """Return the value in whole seconds if it can be seconds since the epoch, else None."""
    return int(value) if is_time(value) else None


def as_mapping(value: object) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_session(value: object) -> dict[str, Any] | None:
    """Return the value if it is an object of at most 100 levels, else None."""
    if isinstance(value, dict) and is_shallow(cast("object", value)):
        return cast("dict[str, Any]", value)
    return None


def as_text(value: object) -> str:
    """Return the value if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def pack(
    contents: Mapping[str, Any], ours: dict[str, Any], reserved: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the claims of a token: the contents, and our data in our claim.

    An application may store data under a name that the other library uses to check the token (`exp`, `nbf`, …).
    Such data are put into our claim.
    """
    own = {key: value for key, value in contents.items() if key in reserved or key == OURS}
    if own:
        ours = {**ours, "own": own}
        contents = {key: value for key, value in contents.items() if key not in own}
    return {**contents, OURS: ours} if ours else dict(contents)


def unpack(
    claims: dict[str, Any],
    reserved: frozenset[str] = frozenset(),
    spent: frozenset[str] = frozenset(),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the contents that `pack` was given, without the claims in `spent`, and the data in our claim."""
    ours = as_mapping(claims.get(OURS))
    contents = {
        key: value
        for key, value in claims.items()
        if key not in spent and (key != OURS or not ours)
    }
    own = as_mapping(ours.get("own"))
    contents.update({key: value for key, value in own.items() if key in reserved or key == OURS})
    return contents, ours


def _clip(value: object) -> int | None:
    """Return a number as a whole second, limited to the range of times; None if the value is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124  # NaN
        return None
    return int(max(0, min(value, LONGEST)))


@dataclass(frozen=True, slots=True)
class Times:
    """The times in an authentic token, in seconds since the epoch. They may be any JSON values; `stamp` checks them.

    Args:
        created: when the session began.
        updated: when it was last active.
        expires: when it expires if nothing moves its expiry.
        ends: the end that no activity moves, or None. A time beyond the range of times counts as the last one in it.
    """

    created: Any
    updated: Any
    expires: Any
    ends: Any = None

    def stamp(self, id: str, now: float, mark: str | None = None) -> Stamp | Absence:
        """Return the stamp of the session in whole seconds, or the reason why it has none.

        Args:
            id: the session's id.
            now: seconds since the epoch.
            mark: the mark id, if the contents would give another one.

        Returns:
            The stamp; `MALFORMED` if a time is not a number of seconds; `NOT_YET_VALID` if a time is more than 60 s in the future.
        """
        if not all(map(is_time, (self.created, self.updated, self.expires))):
            return Absence.MALFORMED
        ends = None if self.ends is None else _clip(self.ends)
        if ends is None and self.ends is not None:
            return Absence.MALFORMED
        if max(self.created, self.updated) > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        expires = int(self.expires)
        return Stamp(
            id=id,
            created_at=int(self.created),
            updated_at=int(self.updated),
            expires_at=expires if ends is None else min(expires, ends),
            ends_at=ends,
            mark=mark,
        )
