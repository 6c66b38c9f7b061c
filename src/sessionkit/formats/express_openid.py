"""express-openid-connect: the wire of nextjs-auth0 v3 with other contents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._session.base64url import decode, is_canonical, is_token
from .._session.identity import whole
from .._session.json import SAFE_INTEGER, Serializer, is_shallow
from .._session.lifetime import Lifetime
from .._session.session import Stamp
from ._claims import Secrets, as_mapping, as_text, provider_end, with_end
from ._jwe import DatedCodec
from ._protocols import Traits
from .auth0_v3 import Auth0V3, Auth0V3Codec

__all__ = ["ExpressOpenID", "claims_of", "identity_of", "is_signed_in"]


def claims_of(session: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of the user: those of the id_token, else `user`, else the session's own if it has a `sub`.

    The signature of the id_token is not checked: it was when it came, and since then the cookie's seal holds it.
    """
    claims = _claims(as_text(session.get("id_token")))
    return (
        claims or as_mapping(session.get("user")) or (dict(session) if session.get("sub") else {})
    )


def is_signed_in(session: Mapping[str, Any], /) -> bool:
    """The default guard: an id_token, as `req.oidc.isAuthenticated()` has it, or a user in the session itself."""
    return bool(as_text(session.get("id_token")) or claims_of(session))


def identity_of(session: Mapping[str, Any], /) -> object:
    """The default identity: `iss` and `sub` of the claims; without a `sub` all of them, or the id_token as it is."""
    claims = claims_of(session)
    if claims.get("sub") is not None:
        return ("sub", claims.get("iss"), claims["sub"])
    return whole(claims) if claims else as_text(session.get("id_token")) or None


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1:2]
    raw = part[0].encode("utf-8", "replace") if part else b""
    if not raw or not is_token(raw) or not is_canonical(raw):
        return {}
    try:
        claims = as_mapping(json.loads(decode(raw)))
    except (ValueError, RecursionError):
        return {}
    return claims if is_shallow(claims) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressOpenID(Auth0V3):
    """Sessions of express-openid-connect, read and written: `id_token`, `access_token`, … and no `user`.

    Who is signed in stands in the id_token's claims; the default guard and identity look there. `sessionExpiresAt`, the
    identity provider's end of the session, survives every update.
    """

    @property
    def traits(self) -> Traits:
        """A guard and an identity of its own."""
        return Traits(
            label="express-openid",
            title="express-openid-connect",
            guard=is_signed_in,
            identity=identity_of,
            largest_integer=SAFE_INTEGER,
            carried=("sessionExpiresAt",),
            shared=True,
        )

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> ExpressOpenIDCodec:
        """The format bound to keys."""
        return ExpressOpenIDCodec(keys, lifetime, serializer)


class ExpressOpenIDCodec(Auth0V3Codec):
    """As nextjs-auth0 v3; the header's times in express' order, the subject from the id_token."""

    label = "express-openid"
    order: tuple[str, str, str] = ("iat", "uat", "exp")

    def claims(self, contents: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of the user, wherever they are."""
        return claims_of(contents)

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the identity provider's end of the session."""
        return provider_end(contents.get("sessionExpiresAt"))

    def ours(self, contents: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return our claim; the end has a place of its own."""
        return DatedCodec.ours(self, contents, stamp)

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The session, with its end where express keeps it."""
        return super().payload(with_end(contents, "sessionExpiresAt", stamp), stamp)
