"""iron-session 8 and 9, for reading: a Fe26.2 seal in a percent-encoded cookie."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha256
from typing import Any, NoReturn, cast
from urllib.parse import unquote

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.base64url import encode
from .._session.json import Serializer, is_shallow
from .._session.lifetime import CLOCK_SKEW, LONGEST, Duration, Lifetime, seconds
from .._session.session import Absence, Stamp
from ..errors import ConfigurationError
from ._claims import Secrets, check_foreign_secrets
from ._protocols import Traits
from ._signed import base64

__all__ = ["IronOpener", "IronSession"]

GRAMMAR = re.compile(
    r"(Fe26\.2\*([0-9A-Za-z_]*)\*([0-9A-Za-z_-]+)\*([0-9A-Za-z_-]+)\*([0-9A-Za-z_-]+)\*([0-9]{0,14}))\*([0-9A-Za-z_-]+)\*([0-9A-Za-z_-]+)(?:~[0-9]+)?"
)
BEGINNING = re.compile(r"Fe26\.2(\*|%2A)", re.IGNORECASE)
COMPLETE = re.compile(r"(~|%7E)[0-9]+\Z", re.IGNORECASE)
CHUNKS = 4
LONGEST_SALT = 256
FOURTEEN_DAYS = 14 * 86_400
"""What the library takes where nothing is set."""


def _complete(text: str) -> bool:
    return COMPLETE.search(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class IronSession:
    """The cookie of iron-session 8 and 9, read only: `Importer(IronSession(), name=cookieName, secret=password, until=…)`.

    A seal says when it expires, and not when it was made: the session began `ttl` before its expiry, and ends at it. One
    without an expiry (`ttl: 0`) begins when it is taken over. The secret may be a mapping of password ids, as there.

    Args:
        ttl: the library's setting, in seconds; 0 as there for seals that do not expire (earlier ones that do are
            taken to have had 14 days).
    """

    ttl: Duration = FOURTEEN_DAYS

    @property
    def traits(self) -> Traits:
        """It cannot be left beside ours: its seals need say nothing of their time."""
        return Traits(label="iron-session", title="iron-session", dated=False)

    @property
    def layout(self) -> Layout:
        """One cookie, or with version 9 up to four chunks."""
        return Layout(complete=_complete)

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """The library has none, so give `name`."""
        raise ConfigurationError(
            "iron-session has no default cookie name: give Importer(IronSession(), name=...)"
        )

    def keys(
        self, secret: str | bytes | Sequence[str | bytes] | Mapping[Any, str | bytes]
    ) -> tuple[tuple[str, ...], Secrets]:
        """The passwords, and their ids where they are given."""
        if isinstance(secret, Mapping):
            ids = tuple(map(str, cast("Mapping[Any, Any]", secret)))
            return ids, check_foreign_secrets(list(secret.values()))
        return (), check_foreign_secrets(secret)

    def codec(
        self,
        keys: tuple[tuple[str, ...], Secrets],
        *,
        name: str,
        audience: str,
        lifetime: Lifetime,
        serializer: Serializer,
    ) -> IronOpener:
        """What opens the seals."""
        return IronOpener(*keys, seconds("ttl", self.ttl or None) or FOURTEEN_DAYS)


class IronOpener:
    """AES-256-CBC under HMAC-SHA-256; both keys by PBKDF2-SHA-1 with one iteration, as the library has it."""

    seen = None

    def __init__(self, password_ids: tuple[str, ...], secrets: Secrets, ttl: int) -> None:
        self.ids: tuple[str, ...] = secrets.ids
        self._passwords = secrets.raw
        self._by_id = dict(zip(password_ids, secrets.raw, strict=True)) if password_ids else {}
        self._ttl = ttl

    def open(self, token: str, now: float) -> Opened | Absence:
        """What a seal holds, or why it gives nothing."""
        found = (
            GRAMMAR.fullmatch(unquote(token, errors="replace"))
            if "%" in token
            else GRAMMAR.fullmatch(token)
        )
        if found is None:
            return Absence.MALFORMED
        covered, password_id, salt, iv, sealed, ends, mac_salt, mac = found.groups()
        if len(salt) > LONGEST_SALT or len(mac_salt) > LONGEST_SALT:
            return Absence.MALFORMED
        passwords = (
            self._passwords
            if not self._by_id
            else tuple(filter(None, (self._by_id.get(password_id),)))
        )
        if not passwords:
            return Absence.UNKNOWN_KEY
        for password in passwords:
            if hmac.compare_digest(
                mac,
                encode(hmac.digest(_key(password, mac_salt), covered.encode(), "sha256")).decode(),
            ):
                return self._opened(
                    token, _decrypted(_key(password, salt), base64(iv), base64(sealed)), ends, now
                )
        return Absence.BAD_TAG

    def _opened(self, token: str, contents: Any, ends: str, now: float) -> Opened | Absence:
        if not isinstance(contents, dict) or not is_shallow(cast("object", contents)):
            return Absence.MALFORMED
        expires = min(int(ends) // 1000, LONGEST) if ends else LONGEST
        created = expires - self._ttl if ends else int(now)
        if created > now + CLOCK_SKEW:
            return Absence.NOT_YET_VALID
        digest = encode(sha256(token.encode()).digest()).decode()
        # iron-webcrypto gives an expiry 60 seconds of grace.
        stamp = Stamp(
            id=digest,
            created_at=created,
            updated_at=created,
            expires_at=expires + 60,
            ends_at=expires + 60 if ends else None,
        )
        return Opened(contents=cast("dict[str, Any]", contents), stamp=stamp, mark_id=digest)

    def recognizes(self, text: str) -> bool:
        """Whether it begins like a seal."""
        return BEGINNING.match(text) is not None

    def peek(self, text: str) -> str | None:
        """Nothing: there is no id."""
        return None

    def __repr__(self) -> str:
        return "<IronOpener>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not pickle")


def _key(password: bytes, salt: str) -> bytes:
    return pbkdf2_hmac("sha1", password, salt.encode(), 1, 32)


def _decrypted(key: bytes, iv: bytes | None, sealed: bytes | None) -> Any:
    """The JSON of an authenticated seal, or None for what is none."""
    if iv is None or sealed is None or len(iv) != 16 or not sealed or len(sealed) % 16:
        return None
    engine, padding = Cipher(AES(key), CBC(iv)).decryptor(), PKCS7(128).unpadder()
    try:
        padded = engine.update(sealed) + engine.finalize()
        return json.loads(padding.update(padded) + padding.finalize())
    except (ValueError, RecursionError):
        return None
