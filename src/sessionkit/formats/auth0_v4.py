"""nextjs-auth0 v4: the cookie `__session`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..chunks import Layout
from ..errors import SerializationError
from ..lifetime import Lifetime
from ..serializer import Serializer
from ..session import Absence, Stamp
from .auth0_v3 import Auth0V3
from .codec import Opened, Traits
from .foreign import (
    JWECodec,
    Secrets,
    Times,
    derived,
    foreign_secrets,
    hkdf,
    is_time,
    mapping,
    must_be_objects,
    packed,
    provider_end,
    text,
    unpacked,
)
from .jose import GCM

__all__ = ["Auth0V4", "Auth0V4Codec"]

LIBRARY = "nextjs-auth0 v4"
TOLERANCE = 15
SPENT = frozenset({"exp"})
RESERVED = frozenset({"exp", "nbf", "iat"})  # what jose's jwtDecrypt judges a token by

OLDER = {
    "idToken": "idToken",
    "accessToken": "accessToken",
    "scope": "accessTokenScope",
    "refreshToken": "refreshToken",
    "expiresAt": "accessTokenExpiresAt",
}


def from_v3(session: dict[str, Any], stamp: Stamp) -> dict[str, Any] | None:
    """A v3 session in the shape of v4, as the library converts it; None without a user."""
    user = mapping(session.get("user"))
    if not user:
        return None
    tokens = {new: session[old] for new, old in OLDER.items() if session.get(old) is not None}
    sid = text(user.get("sid"))
    internal = {"sid": sid} if sid else {}
    return {
        "user": user,
        "tokenSet": tokens,
        "internal": {**internal, "createdAt": stamp.created_at},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0V4:
    """Sessions of nextjs-auth0 v4, read and written; a v3 `appSession` is found and taken over.

    The token carries creation (`internal.createdAt`) and expiry, and no update time: activity is known to the
    second only as far as the expiry tells. The fence knows a session by creation time, `user.sub` and `internal.sid`.
    It is not bound to the cookie's name. The library takes one secret only.
    """

    @property
    def traits(self) -> Traits:
        """15 seconds of tolerance; the connection tokens `__FC_0`, … end with the session."""
        return Traits(
            label="auth0-v4",
            title=LIBRARY,
            tolerance=TOLERANCE,
            older=((Auth0V3(), from_v3),),
            beside="__FC_",
        )

    @property
    def layout(self) -> Layout:
        """Chunks `__session__0`, `__session__1`, … of 3500 characters."""
        return Layout(separator="__", size=3500)

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`__session`."""
        return "__session"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secrets; the first seals, all open."""
        return foreign_secrets(secret)

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Auth0V4Codec:
        """The format bound to keys; neither the name nor an audience goes into them."""
        return Auth0V4Codec(keys, lifetime, serializer)


class Auth0V4Codec(JWECodec):
    """The payload is `{user, tokenSet, internal, …, exp}`; other cookies of the library are sealed alike, so its shape is checked."""

    def __init__(self, secrets: Secrets, lifetime: Lifetime, serializer: Serializer) -> None:
        super().__init__(
            GCM,
            secrets,
            [hkdf(one, info="JWE CEK", length=32) for one in secrets.raw],
            lifetime,
            serializer,
        )

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """The algorithms alone."""
        return {"enc": "A256GCM", "alg": "dir"}

    def check(self, contents: dict[str, Any]) -> None:
        """A user there must be."""
        must_be_objects(contents, ("user", "tokenSet", "internal"), LIBRARY)
        if not contents.get("user"):
            raise SerializationError(
                'session["user"]: it is empty, and nextjs-auth0 v4 would take that for somebody signed in'
            )

    def wire(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The session with what the library needs in it: `tokenSet`, `internal` and `exp`."""
        tokens, internal = (
            mapping(contents.get("tokenSet")),
            dict(mapping(contents.get("internal"))),
        )
        internal.setdefault("sid", stamp.id)
        internal["createdAt"] = stamp.created_at
        return {
            **packed({**contents, "tokenSet": tokens, "internal": internal}, RESERVED, {}),
            "exp": stamp.expires_at,
        }

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Contents and times; `__txn_` and `__FC_` cookies have another shape."""
        internal = mapping(payload.get("internal"))
        created, expires = internal.get("createdAt"), payload.get("exp")
        if not (
            isinstance(payload.get("user"), dict)
            and isinstance(payload.get("tokenSet"), dict)
            and is_time(created)
            and is_time(expires)
        ):
            return Absence.MALFORMED
        contents, _ = unpacked(payload, RESERVED, SPENT)
        mark = _mark(contents, int(created), text(internal.get("sid")))
        ends = min(
            expires, provider_end(internal.get("sessionExpiresAt")) - TOLERANCE
        )  # the library has no tolerance for the second
        stamp = Times(created, self._updated(created, expires, now), ends).stamp(
            text(internal.get("sid")) or derived("sessionkit foreign id 1", mark), now
        )
        return (
            stamp
            if isinstance(stamp, Absence)
            else Opened(contents=contents, stamp=stamp, mark_id=mark)
        )

    def _updated(self, created: float, expires: float, now: float) -> float:
        """When it was last active: at the earliest moment from which `idle` leads to this expiry."""
        idle = self.lifetime.idle
        return created if idle is None else max(created, min(now, expires - idle))

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Format, creation time, subject, and the identity provider's session id."""
        sid = mapping(contents.get("internal")).get("sid", stamp.id)
        return _mark(contents, stamp.created_at, text(sid))


def _mark(contents: Mapping[str, Any], created: int, sid: str) -> str:
    return "\0".join(
        ("auth0-v4", str(created), text(mapping(contents.get("user")).get("sub")), sid)
    )
