"""Auth.js (next-auth v5, `@auth/core`): the cookie `authjs.session-token`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha512
from typing import Any, ClassVar

from joserfc.jwk import OctKey

from .._cookies.chunks import Layout
from .._session.base64url import encode
from .._session.json import SAFE_INTEGER, Serializer
from .._session.lifetime import Lifetime
from .._session.session import Stamp
from ._claims import Secrets, hkdf
from ._framing import CBC, Framing
from ._jwe import JWECodec, JWEFormat
from ._protocols import Traits
from .nextauth_v4 import ClaimsCodec, identity_of, is_signed_in, nobody

__all__ = ["AuthJSV5"]


class AuthJSV5Codec(ClaimsCodec):
    """Seals and opens with A256CBC-HS512, with a key for each secret and cookie name. A token names its key by a thumbprint."""

    def __init__(
        self,
        format: JWEFormat,
        secrets: Secrets,
        keys: Sequence[bytes],
        lifetime: Lifetime,
        serializer: Serializer,
    ) -> None:
        super().__init__(format, secrets, keys, lifetime, serializer)
        self._kids = {_thumbprint(raw): key for raw, key in zip(keys, self._keys, strict=True)}
        self._kid = _thumbprint(keys[0])

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """Return the algorithms and the thumbprint of the key."""
        return {**super().header(stamp), "kid": self._kid}

    def candidates(self, header: dict[str, Any]) -> Sequence[OctKey]:
        """Return the key that the token names, if there is one."""
        kid = header["kid"]
        key = self._kids.get(kid) if isinstance(kid, str) else None
        return () if key is None else (key,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthJSV5(JWEFormat):
    """Sessions of Auth.js v5 (strategy `jwt`), read and written; the key is bound to the cookie's name.

    The contents are the token's claims (`name`, `email`, `picture`, `sub`, …) without `iat`, `exp` and `jti`, which the
    library sets at each write. The id and creation time of a session are in our claim `sessionkit`, which the library keeps.
    If the library made a token without this claim, its creation time is `iat`, and the fence refuses it only until the
    library writes the token again.
    """

    traits: ClassVar[Traits] = Traits(
        label="authjs-v5",
        title="Auth.js v5",
        tolerance=15,
        largest_integer=SAFE_INTEGER,
        guard=is_signed_in,
        identity=identity_of,
        nobody=nobody("Auth.js v5"),
        shared=True,
    )
    layout: ClassVar[Layout] = Layout(size=3936, tag=CBC.tag, cleared=5)
    framing: ClassVar[Framing] = replace(CBC, members=frozenset({"kid"}))
    kind: ClassVar[type[JWECodec]] = AuthJSV5Codec

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """Return `authjs.session-token`, with `__Secure-` before it if the cookie is Secure."""
        return "__Secure-authjs.session-token" if secure else "authjs.session-token"

    def derive(self, secret: bytes, name: str) -> bytes:
        """Return the key of a secret and cookie name."""
        info = f"Auth.js Generated Encryption Key ({name})"
        return hkdf(secret, salt=name.encode(), info=info, length=64)


def _thumbprint(key: bytes) -> str:
    """Return the thumbprint of a key (RFC 7638, with SHA-512)."""
    return encode(sha512(b'{"k":"' + encode(key) + b'","kty":"oct"}').digest()).decode()
