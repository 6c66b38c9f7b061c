"""Auth.js (next-auth v5, `@auth/core`): the cookie `authjs.session-token`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha512
from typing import Any

from joserfc.jwk import OctKey

from .._cookies.chunks import Layout
from .._session.base64url import encode
from .._session.json import SAFE_INTEGER, Serializer
from .._session.lifetime import Lifetime
from .._session.session import Stamp
from ._claims import Secrets, check_foreign_secrets, hkdf
from ._framing import CBC
from ._protocols import Traits
from .nextauth_v4 import ClaimsCodec, identity_of, is_signed_in, nobody

__all__ = ["AuthJSV5", "AuthJSV5Codec"]

FRAMING = replace(CBC, members=frozenset({"kid"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthJSV5:
    """Sessions of Auth.js v5 (strategy `jwt`), read and written; the key is bound to the cookie's name.

    The contents are the token's claims (`name`, `email`, `picture`, `sub`, …) without `iat`, `exp` and `jti`, which
    the library makes anew at each write. A session's id and creation time are ours, in a claim `sessionkit`, which the library
    keeps; for a token that it made without one, the creation time is its `iat` and the fence holds only between writes of ours.
    """

    @property
    def traits(self) -> Traits:
        """15 seconds of tolerance; a guard and an identity of its own."""
        return Traits(
            label="authjs-v5",
            title="Auth.js v5",
            tolerance=15,
            largest_integer=SAFE_INTEGER,
            guard=is_signed_in,
            identity=identity_of,
            nobody=nobody("Auth.js v5"),
            shared=True,
        )

    @property
    def layout(self) -> Layout:
        """Chunks `….0`, `….1`, … of 3936 characters."""
        return Layout(size=3936, tag=CBC.tag)

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`authjs.session-token`, with `__Secure-` when it is."""
        return "__Secure-authjs.session-token" if secure else "authjs.session-token"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secrets, as `AUTH_SECRET` takes them: the first seals, and a token names its own."""
        return check_foreign_secrets(secret)

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> AuthJSV5Codec:
        """The format bound to keys and a cookie name."""
        return AuthJSV5Codec(keys, name, lifetime, serializer)


class AuthJSV5Codec(ClaimsCodec):
    """A256CBC-HS512 under a key for each secret and cookie name, found by its thumbprint."""

    label = "authjs-v5"

    def __init__(
        self, secrets: Secrets, name: str, lifetime: Lifetime, serializer: Serializer
    ) -> None:
        info = f"Auth.js Generated Encryption Key ({name})"
        keys = [hkdf(one, salt=name.encode(), info=info, length=64) for one in secrets.raw]
        super().__init__(FRAMING, secrets, keys, lifetime, serializer)
        self._kids = {_thumbprint(raw): key for raw, key in zip(keys, self._keys, strict=True)}
        self._kid = _thumbprint(keys[0])

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """The algorithms and the key."""
        return {"alg": "dir", "enc": "A256CBC-HS512", "kid": self._kid}

    def candidates(self, header: dict[str, Any]) -> Sequence[OctKey]:
        """The key that the token names."""
        kid = header["kid"]
        key = self._kids.get(kid) if isinstance(kid, str) else None
        return () if key is None else (key,)


def _thumbprint(key: bytes) -> str:
    """RFC 7638, with SHA-512."""
    return encode(sha512(b'{"k":"' + encode(key) + b'","kty":"oct"}').digest()).decode()
