"""nextjs-auth0 v4: the cookie `__session`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.json import SAFE_INTEGER, Serializer
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp
from ._claims import (
    Secrets,
    Times,
    as_mapping,
    as_text,
    check_foreign_secrets,
    hkdf,
    is_time,
    pack,
    provider_end,
    unpack,
    with_end,
)
from ._framing import GCM
from ._jwe import DatedCodec, must_be_objects
from ._protocols import Traits
from .auth0_v3 import Auth0V3

__all__ = ["Auth0V4", "Auth0V4Codec"]

LIBRARY = "nextjs-auth0 v4"
TOLERANCE = 15
END = "sessionExpiresAt"
NOT_SAID = object()
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
    user = as_mapping(session.get("user"))
    if not user:
        return None
    tokens = {new: session[old] for new, old in OLDER.items() if session.get(old) is not None}
    sid = as_text(user.get("sid"))
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
    second only as far as the expiry tells. `internal` survives every update, as in the library's own `updateSession`: with
    `internal.sessionExpiresAt` the identity provider ends the session. The fence knows a session by creation time and
    `user.sub`. It is not bound to the cookie's name. The library takes one secret only.
    """

    @property
    def traits(self) -> Traits:
        """15 seconds of tolerance; the connection tokens `__FC_0`, … end with the session; `internal` is the library's."""
        return Traits(
            label="auth0-v4",
            title=LIBRARY,
            tolerance=TOLERANCE,
            largest_integer=SAFE_INTEGER,
            older=((Auth0V3(), from_v3),),
            beside="__FC_",
            carried=("internal",),
            nobody='session["user"]: it is empty, and nextjs-auth0 v4 would take that for somebody signed in',
            shared=True,
        )

    @property
    def layout(self) -> Layout:
        """Chunks `__session__0`, `__session__1`, … of 3500 characters; each write clears what it does not set of five and the whole one."""
        return Layout(separator="__", size=3500, cleared=5)

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`__session`."""
        return "__session"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secrets; the first seals, all open."""
        return check_foreign_secrets(secret)

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Auth0V4Codec:
        """The format bound to keys; neither the name nor an audience goes into them."""
        return Auth0V4Codec(keys, lifetime, serializer)


class Auth0V4Codec(DatedCodec):
    """The payload is `{user, tokenSet, internal, …, exp}`; other cookies of the library are sealed alike, so its shape is checked."""

    label = "auth0-v4"

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
        """Raise SerializationError unless what the library takes for objects are."""
        super().check(contents)
        must_be_objects(contents, ("user", "tokenSet", "internal"), LIBRARY)

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the identity provider's end of the session."""
        return provider_end(as_mapping(contents.get("internal")).get(END))

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The session with what the library needs in it: `user`, `tokenSet`, `internal` and `exp`.

        Its logout and its `getAccessToken` throw on a session without `tokenSet`, though its `getSession` does not.
        """
        internal = with_end({**as_mapping(contents.get("internal"))}, END, stamp)
        needed = {
            "user": as_mapping(contents.get("user")),
            "tokenSet": as_mapping(contents.get("tokenSet")),
            "internal": {**internal, "createdAt": stamp.created_at},
        }
        claims = pack({**contents, **needed}, RESERVED, self.ours(contents, stamp))
        return {**claims, "exp": stamp.expires_at}

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Contents and times; `__txn_` and `__FC_` cookies have another shape."""
        internal, user = as_mapping(payload.get("internal")), payload.get("user")
        created, expires = internal.get("createdAt"), payload.get("exp", NOT_SAID)
        if not (
            isinstance(user, dict)
            and isinstance(payload.get("tokenSet", {}), dict)
            and is_time(created)
            # With less than the library's login writes, only a user tells it from what else is sealed like it.
            and (user or ("tokenSet" in payload and "exp" in payload))
        ):
            return Absence.MALFORMED
        if expires is NOT_SAID:
            # Of 4.0 to 4.5.0: nothing says when it was active last, so it counts from its creation.
            updated: float = created
            expires = self.lifetime.expires_at(int(created), int(created))
        elif is_time(expires):
            updated = self._updated(created, expires, now)
        else:
            return Absence.MALFORMED
        contents, ours = unpack(payload, RESERVED, SPENT)
        times = Times(created, updated, expires, self.ends_at(contents))
        return self.opened(contents, ours, times, now, as_text(internal.get("sid")))

    def _updated(self, created: float, expires: float, now: float) -> float:
        """When it was last active: at the earliest moment from which `idle` leads to this expiry."""
        idle = self.lifetime.idle
        return created if idle is None else max(created, min(now, expires - idle))
