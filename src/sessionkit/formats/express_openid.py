"""express-openid-connect: the tokens of nextjs-auth0 v3 with other contents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .._session.base64url import decode
from .._session.json import SAFE_INTEGER, is_shallow
from .._session.session import Stamp
from ._claims import as_mapping, as_text, pack, provider_end, with_end
from ._jwe import JWECodec
from ._protocols import Traits
from .auth0_v3 import Auth0V3, Auth0V3Codec

__all__ = ["ExpressOpenID", "claims_of", "identity_of", "is_signed_in"]


def claims_of(session: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of the user: those of the id_token, else `user`, else the session if it has a `sub`.

    The signature of the id_token is not checked: express checked it at the login, and the cookie is sealed.
    """
    claims = _claims(as_text(session.get("id_token")))
    return (
        claims or as_mapping(session.get("user")) or (dict(session) if session.get("sub") else {})
    )


def is_signed_in(session: Mapping[str, Any], /) -> bool:
    """Return whether the session has an id_token, like `req.oidc.isAuthenticated()`, or a user; the default guard."""
    return bool(as_text(session.get("id_token")) or claims_of(session))


def identity_of(session: Mapping[str, Any], /) -> object:
    """Return `iss` and `sub` of the claims; without a `sub` all claims, or the id_token. The default identity."""
    claims = claims_of(session)
    if claims.get("sub") is not None:
        return ("sub", claims.get("iss"), claims["sub"])
    return claims or as_text(session.get("id_token")) or None


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1:2]
    raw = part[0].encode("utf-8", "replace") if part else b""
    try:
        claims = as_mapping(json.loads(decode(raw)))
    except (ValueError, RecursionError):
        return {}
    return claims if is_shallow(claims) else {}


class ExpressOpenIDCodec(Auth0V3Codec):
    """A codec like that of nextjs-auth0 v3, with the header's times in the order of express and the claims of the id_token."""

    def claims(self, contents: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of the user, from the id_token or the session."""
        return claims_of(contents)

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the time at which the identity provider ends the session."""
        return provider_end(contents.get("sessionExpiresAt"))

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the session, with its end in the member in which express stores it."""
        ended = with_end(contents, "sessionExpiresAt", stamp)
        return pack(ended, self.ours(contents, stamp))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressOpenID(Auth0V3):
    """Sessions of express-openid-connect, read and written. They have `id_token`, `access_token`, …, but no `user`.

    The claims of the id_token name the user; the default guard and identity read them. `sessionExpiresAt`, the time at which
    the identity provider ends the session, survives every update.
    """

    traits: ClassVar[Traits] = Traits(
        label="express-openid",
        title="express-openid-connect",
        guard=is_signed_in,
        identity=identity_of,
        largest_integer=SAFE_INTEGER,
        carried=("sessionExpiresAt",),
        shared=True,
    )
    kind: ClassVar[type[JWECodec]] = ExpressOpenIDCodec
    order: ClassVar[tuple[str, ...]] = ("iat", "uat", "exp")
    judged: ClassVar[frozenset[str]] = frozenset()
