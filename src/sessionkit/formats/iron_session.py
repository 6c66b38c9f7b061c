"""iron-session 8 and 9, for reading: a Fe26.2 seal in a percent-encoded cookie."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import pbkdf2_hmac
from typing import Any, ClassVar, cast
from urllib.parse import unquote

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.base64url import encode
from .._session.json import Serializer
from .._session.lifetime import LONGEST, Duration, Lifetime, seconds
from .._session.session import Absence
from ..errors import ConfigurationError
from ._bases import BaseFormat, BaseOpener
from ._claims import Secrets, Times, check_foreign_secrets
from ._protocols import Traits
from ._signed import base64, open_by_digest

__all__ = ["IronSession"]

GRAMMAR = re.compile(
    r"(Fe26\.2\*([0-9A-Za-z_]*)\*([0-9A-Za-z_-]+)\*([0-9A-Za-z_-]+)\*([0-9A-Za-z_-]+)\*([0-9]{0,14}))\*([0-9A-Za-z_-]+)\*([0-9A-Za-z_-]+)(?:~[0-9]+)?"
)
BEGINNING = re.compile(r"Fe26\.2(\*|%2A)", re.IGNORECASE)
COMPLETE = re.compile(r"(~|%7E)[0-9]+\Z", re.IGNORECASE)
LONGEST_SALT = 256
FOURTEEN_DAYS = 14 * 86_400
"""The default of the library."""


def _complete(text: str) -> bool:
    return COMPLETE.search(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class IronSession(BaseFormat):
    """The cookie of iron-session 8 and 9, read only: `Importer(IronSession(), name=cookieName, secret=password, until=…)`.

    A seal says when it expires, but not when it was made. So the session counts as begun `ttl` before the expiry, and ends
    at the expiry. A session without an expiry (`ttl: 0`) begins when it is imported. The secret may be a mapping of password
    ids, as in the library.

    Args:
        ttl: the library's setting, in seconds. As in the library, 0 is for seals that do not expire (for an earlier seal
            that does, 14 days are assumed).
    """

    ttl: Duration = FOURTEEN_DAYS

    traits: ClassVar[Traits] = Traits(
        label="iron-session", title="iron-session", dated=False, random_ids=True, read_only=True
    )
    layout: ClassVar[Layout] = Layout(
        complete=_complete
    )  # one cookie, or with version 9 up to four chunks

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """Raise ConfigurationError: the library has no default, so give `name`."""
        raise ConfigurationError(
            "iron-session has no default cookie name: give Importer(IronSession(), name=...)"
        )

    def recognizes(self, text: str) -> bool:
        """Return whether a text begins like a seal."""
        return BEGINNING.match(text) is not None

    def keys(
        self, secret: str | bytes | Sequence[str | bytes] | Mapping[Any, str | bytes]
    ) -> tuple[tuple[str, ...], Secrets]:
        """Return the password ids, if they are given, and the passwords."""
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
        """Return the opener for these passwords."""
        return IronOpener(*keys, seconds("ttl", self.ttl or None) or FOURTEEN_DAYS)


class IronOpener(BaseOpener):
    """Opens seals: AES-256-CBC and HMAC-SHA-256, both keys by PBKDF2-SHA-1 with one iteration, as in the library."""

    def __init__(self, password_ids: tuple[str, ...], secrets: Secrets, ttl: int) -> None:
        super().__init__(secrets)
        self._passwords = secrets.raw
        self._by_id = dict(zip(password_ids, secrets.raw, strict=True)) if password_ids else {}
        self._ttl = ttl

    def open(self, token: str, now: float) -> Opened | Absence:
        """Return the contents and times of a seal, or the reason why it gives no session."""
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
                contents = _decrypt(_key(password, salt), base64(iv), base64(sealed))
                return open_by_digest(contents, token, self._times(ends, now), now)
        return Absence.BAD_TAG

    def _times(self, ends: str, now: float) -> Times:
        """Return the times of a seal, computed from its expiry (milliseconds as text, or an empty text)."""
        if not ends:
            return Times(int(now), int(now), LONGEST)
        expires = int(ends) // 1000
        created = min(expires, LONGEST) - self._ttl
        # iron-webcrypto accepts a seal for 60 seconds after its expiry.
        over = min(expires + 60, LONGEST)
        return Times(created, created, over, over)


def _key(password: bytes, salt: str) -> bytes:
    return pbkdf2_hmac("sha1", password, salt.encode(), 1, 32)


def _decrypt(key: bytes, iv: bytes | None, sealed: bytes | None) -> Any:
    """Return the JSON value of an authentic seal, or None."""
    if iv is None or sealed is None or len(iv) != 16 or not sealed or len(sealed) % 16:
        return None
    engine, padding = Cipher(AES(key), CBC(iv)).decryptor(), PKCS7(128).unpadder()
    try:
        padded = engine.update(sealed) + engine.finalize()
        return json.loads(padding.update(padded) + padding.finalize())
    except (ValueError, RecursionError):
        return None
