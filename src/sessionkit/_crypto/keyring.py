"""The key ring: from secrets to keys. The first secret seals, all of them open."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .._session.base64url import encode
from .._session.session import Absence
from .._session.tracebacks import clears_frames
from ..errors import ConfigurationError

__all__ = ["PLACEHOLDERS", "SLICE", "KeyRing", "PurposeKeys", "check_secrets"]

SLICE = 3600
"""Seconds for which a key seals. The 2^32 limit on random GCM nonces (NIST SP 800-38D section 8.3) starts afresh each hour."""

VERSION = b"sessionkit/1"
"""Of the format, never of the library: it changes only with the format."""

PLACEHOLDERS = frozenset(
    {
        "a-long-random-secret-of-at-least-32-bytes",
        "change-me-change-me-change-me-change-me",
        "output of: python -m sessionkit secret",
        "replace-this-with-the-output-of-python-m-sessionkit-secret",
        "use [openssl rand -hex 32] to generate a 32 bytes value",
    }
)
"""Secrets from documentation: ours, and that of the libraries whose formats we support."""

KEPT_CIPHERS = 1024
SHORTEST, FEWEST_DISTINCT = 32, 10
REMEDY = "`python -m sessionkit secret` makes a real one"


@clears_frames
def check_secrets(
    secret: str | bytes | Sequence[str | bytes], *, shortest: int = SHORTEST
) -> tuple[bytes, ...]:
    """Return the secrets of a setting as bytes, checked.

    Raises:
        ConfigurationError: there is no secret, or one is shorter than `shortest` bytes, a placeholder, or
            (for the native format) made of fewer than 10 distinct bytes. The message never contains a secret.
    """
    given: Sequence[object] = [secret] if isinstance(secret, (str, bytes)) else secret
    if not isinstance(given, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]  # None, most often: a variable that is not set must never become a secret
        raise ConfigurationError(
            f"the secret must be str, bytes or a list of them, not {type(secret).__name__}"
            + (": is the variable set that it comes from?" if secret is None else "")
        )
    if not given:
        raise ConfigurationError(f"there is no secret: give at least one; {REMEDY}")
    return tuple(_check_secret(number, one, shortest) for number, one in enumerate(given, 1))


def _check_secret(number: int, secret: object, shortest: int) -> bytes:
    if not isinstance(secret, (str, bytes)):
        raise ConfigurationError(
            f"secret {number} must be str or bytes, not {type(secret).__name__}"
        )
    try:
        raw = secret.encode() if isinstance(secret, str) else bytes(secret)
    except UnicodeEncodeError:
        raise ConfigurationError(f"secret {number} is not valid Unicode: {REMEDY}") from None
    if len(raw) < shortest:
        raise ConfigurationError(
            f"secret {number} has {len(raw)} bytes, at least {shortest} are needed: {REMEDY}"
        )
    if raw.decode("utf-8", "replace").strip().lower() in PLACEHOLDERS:
        raise ConfigurationError(
            f"secret {number} is a placeholder from the documentation: {REMEDY}"
        )
    if shortest >= SHORTEST and len(set(raw)) < FEWEST_DISTINCT:
        raise ConfigurationError(
            f"secret {number} has fewer than {FEWEST_DISTINCT} distinct bytes: {REMEDY}"
        )
    return raw


class KeyRing:
    """The keys of a store, derived from its secrets. It keeps keys extracted by HKDF, not the secrets themselves.

    Args:
        secret: one secret or several, str (taken as UTF-8) or bytes, each at least 32 bytes long. The first
            seals, all open. HKDF (RFC 5869) does not stretch a passphrase: use random bytes.

    Raises:
        ConfigurationError: a secret is too short or a placeholder; or two secrets have one key id.
    """

    __slots__ = ("_extracts",)

    @clears_frames
    def __init__(self, secret: str | bytes | Sequence[str | bytes]) -> None:
        extracts: dict[str, bytes] = {}
        for raw in check_secrets(secret):
            key_id, extract = _extract(raw)
            if key_id in extracts:
                raise ConfigurationError(
                    "two secrets of the list have the same key id: remove one of them"
                )
            extracts[key_id] = extract
        self._extracts = extracts

    @classmethod
    def shared(cls, secret: str | bytes | Sequence[str | bytes]) -> KeyRing:
        """Return a key ring of secrets that a format has checked: another library may allow shorter ones.

        Args:
            secret: as for a `KeyRing`; doubles count once.
        """
        ring = object.__new__(cls)
        ring._extracts = dict(map(_extract, check_secrets(secret, shortest=1)))
        return ring

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the fingerprints of the secrets, the sealing one first. They reveal nothing about an unguessable secret."""
        return tuple(self._extracts)

    def purpose(self, purpose: str, name: str, audience: str = "") -> PurposeKeys:
        """Return the keys for one use: tokens of another purpose, cookie name or audience do not open under them.

        Args:
            purpose: `cookie` for sessions, `seen` for renewals, `before` for barriers, `pointer`, `record` and `forward` for
                sessions on the server, `sealed` for sealed values; never read from a token.
            name: the session cookie's; of sealed values their own purpose.
            audience: tenant or stage.

        Returns:
            One AES-256-GCM key for each secret and hour, derived when needed (HKDF, RFC 5869, with all arguments in `info`).

        Raises:
            ConfigurationError: a field is not ASCII, or contains NUL.
        """
        fields = (purpose, name, audience)
        if not all(field.isascii() and "\0" not in field for field in fields):
            raise ConfigurationError("cookie name and audience must be ASCII without NUL")
        info = b"\0".join((VERSION, *(field.encode("ascii") for field in fields), b""))
        return PurposeKeys(self._extracts, info)

    def macs(self, purpose: str) -> tuple[bytes, ...]:
        """Return a key for HMAC-SHA256 for each secret, the sealing one first.

        Args:
            purpose: the use of the keys.
        """
        info = b"\0".join((VERSION, purpose.encode("ascii"), b""))
        return tuple(_expand(extract, info, 32) for extract in self._extracts.values())

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self._extracts)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a KeyRing holds keys and does not pickle: build it from the secrets where it is needed"
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> KeyRing:
        return self


class PurposeKeys:
    """One AES-256-GCM key for each secret and each hour, derived when needed.

    Attributes:
        key_id: the fingerprint of the secret that seals.
        ciphers: by key id and slice, those that have sealed, or that have verified a tag.
    """

    __slots__ = ("_extracts", "_info", "ciphers", "key_id")

    def __init__(self, extracts: dict[str, bytes], info: bytes) -> None:
        self.key_id: str = next(iter(extracts))
        self._extracts = extracts
        self._info = info
        self.ciphers: dict[tuple[str, int], AESGCM] = {}

    def sealing(self, time: int) -> AESGCM:
        """Return the cipher that seals at a time, in seconds since the epoch."""
        key = (self.key_id, time // SLICE)
        return self.ciphers.get(key) or self._keep(key, self._derive(key))

    def unseal(
        self, key_id: str, time: int, nonce: bytes, sealed: bytes, bound: bytes
    ) -> bytes | Absence:
        """Return the plaintext, or the reason why there is none: an unknown key, or a tag that does not verify.

        A cipher is cached only after a tag has verified. Otherwise the sender of forged cookies, who chooses key and time,
        could fill the memory or evict the keys in use.

        Args:
            key_id: the fingerprint of the secret.
            time: the time of sealing, in seconds since the epoch; its hour chooses the key.
            nonce: 12 bytes.
            sealed: the ciphertext and its tag.
            bound: the additional authenticated data.
        """
        key = (key_id, time // SLICE)
        kept = self.ciphers.get(key)
        if kept is None and key_id not in self._extracts:
            return Absence.UNKNOWN_KEY
        cipher = kept or self._derive(key)
        try:
            plain = cipher.decrypt(nonce, sealed, bound)
        except InvalidTag:
            return Absence.BAD_TAG
        if kept is None:
            self._keep(key, cipher)
        return plain

    def _keep(self, key: tuple[str, int], cipher: AESGCM) -> AESGCM:
        """Cache a cipher; the oldest ones make room."""
        kept = self.ciphers
        while len(kept) >= KEPT_CIPHERS:
            kept.pop(next(iter(tuple(kept))), None)  # a copy: another thread may be adding
        kept[key] = cipher
        return cipher

    @property
    def kept(self) -> int:
        """Return how many ciphers are cached."""
        return len(self.ciphers)

    def _derive(self, key: tuple[str, int]) -> AESGCM:
        key_id, slice_ = key
        return AESGCM(_expand(self._extracts[key_id], self._info + b"%d" % slice_, 32))

    def __repr__(self) -> str:
        return "<PurposeKeys>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not pickle: build the store where it is needed")


def _extract(raw: bytes) -> tuple[str, bytes]:
    """Return the key id of a secret, and the pseudorandom key that HKDF extracts from it (RFC 5869 section 2.2)."""
    extract = hmac.digest(b"sessionkit", raw, "sha256")
    return encode(_expand(extract, b"\0".join((VERSION, b"kid")), 6)).decode(), extract


def _expand(extract: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(extract)
