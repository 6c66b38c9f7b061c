"""The compact JWE (RFC 7516) of other libraries: joserfc, behind a stricter check of the header."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, decrypt_compact, encrypt_compact
from joserfc.jwk import OctKey

from .._session.base64url import decode, encoded_length, is_canonical, is_token
from .._session.session import Absence

__all__ = ["CBC", "GCM", "Framing"]

LONGEST_HEADER = (
    512  # base64url characters; Auth.js's, with a SHA-512 thumbprint in it, has about 190
)


@dataclass(frozen=True, slots=True)
class Framing:
    """The pinned algorithms of a format, and the members of its header.

    Args:
        enc: the content encryption; `alg` is always `dir`.
        iv, tag: characters of the third and fifth segment of a token.
        block: bytes that the ciphertext is padded to, 1 for none.
        members: the members of the header beside `alg` and `enc`: exactly these, in any order.
    """

    enc: str
    iv: int
    tag: int
    block: int = 1
    members: frozenset[str] = frozenset()

    def header(self, segment: str) -> dict[str, Any] | None:
        """Return the header in a first segment, or None unless it is exactly of this format.

        A header is refused before any cryptography if it has duplicate members (which joserfc accepts), unknown members
        (`zip`, `crit`, `jwk`, `p2c`, …), another algorithm (RFC 8725 section 3.1) or non-canonical base64url.
        """
        if not segment.isascii() or len(segment) > LONGEST_HEADER:
            return None
        raw = segment.encode()
        try:
            found = json.loads(decode(raw).decode(), object_pairs_hook=_without_doubles)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        header = cast("dict[str, Any]", found)
        if (
            header.get("alg") != "dir"
            or header.get("enc") != self.enc
            or header.keys() != {"alg", "enc", *self.members}
        ):
            return None
        return header

    def check(self, token: str) -> dict[str, Any] | None:
        """Return the header of a token that may be of this format, all of it canonical base64url; else None."""
        if not token.isascii():
            return None
        raw = token.encode()
        parts = raw.split(b".")
        if len(parts) != 5 or parts[1] or len(parts[2]) != self.iv or len(parts[4]) != self.tag:
            return None
        if not is_token(raw) or not all(map(is_canonical, parts[2:])):
            return None
        return self.header(token.partition(".")[0])

    def open(self, token: str, keys: Sequence[OctKey]) -> bytes | Absence:
        """Return the plaintext of a token that `check` has passed, under the first key that opens it."""
        for key in keys:
            try:
                return decrypt_compact(token, key, registry=_REGISTRIES[self.enc]).plaintext or b""
            except RecursionError:
                return Absence.MALFORMED
            except (JoseError, ValueError):
                continue
        return Absence.BAD_TAG

    def seal(self, header: dict[str, Any], plaintext: bytes, key: OctKey) -> str:
        """Return a token; joserfc draws the nonce."""
        return encrypt_compact(header, plaintext, key, registry=_REGISTRIES[self.enc])

    def size(self, header: dict[str, Any], length: int) -> int:
        """Return the length of a token with a plaintext of so many bytes."""
        text = len(json.dumps(header, separators=(",", ":")))
        padded = (
            length if self.block == 1 else (length // self.block + 1) * self.block
        )  # PKCS #7 always adds
        return encoded_length(text) + self.iv + encoded_length(padded) + self.tag + 4


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a doubled member")
    return found


# Not strict: nextjs-auth0 keeps times in the header. `check` has already refused every member that is not the format's.
_REGISTRIES = {
    enc: JWERegistry(algorithms=["dir", enc], strict_check_header=False)
    for enc in ("A256GCM", "A256CBC-HS512")
}

GCM = Framing("A256GCM", iv=16, tag=22)
"""AES-256-GCM: a nonce of 12 bytes, a tag of 16."""

CBC = Framing("A256CBC-HS512", iv=22, tag=43, block=16)
"""AES-256-CBC with HMAC-SHA-512 (RFC 7518 section 5.2.5): an IV of 16 bytes, a tag of 32."""
