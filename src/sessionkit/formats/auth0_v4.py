"""nextjs-auth0 v4: the cookie `__session`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.json import SAFE_INTEGER
from .._session.session import Absence, Stamp
from ._claims import (
    Times,
    as_mapping,
    as_text,
    hkdf,
    is_time,
    pack,
    provider_end,
    unpack,
    with_end,
)
from ._framing import GCM, Framing
from ._jwe import DatedCodec, JWECodec, JWEFormat
from ._protocols import Traits
from .auth0_v3 import JUDGED, Auth0V3

__all__ = ["Auth0V4"]

TOLERANCE = 15
END = "sessionExpiresAt"
NOT_SAID = object()
SPENT = frozenset({"exp"})

OLDER = {
    "idToken": "idToken",
    "accessToken": "accessToken",
    "scope": "accessTokenScope",
    "refreshToken": "refreshToken",
    "expiresAt": "accessTokenExpiresAt",
}


def from_v3(session: dict[str, Any], stamp: Stamp) -> dict[str, Any] | None:
    """Return a v3 session in the shape of v4, as the library converts it; None without a user."""
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


class Auth0V4Codec(DatedCodec):
    """The payload is `{user, tokenSet, internal, …, exp}`. The shape is checked, since the library seals other cookies in the same way."""

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """Return the token's header, with the members in the order in which the library writes them."""
        return {"enc": self.framing.enc, "alg": "dir"}

    def check(self, contents: dict[str, Any]) -> None:
        """Raise SerializationError unless `user`, `tokenSet` and `internal` are objects; `tokenSet` may be None."""
        super().check(contents)
        self.must_be_objects(contents, "user", "internal")
        if contents.get("tokenSet") is not None:
            self.must_be_objects(contents, "tokenSet")

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the time at which the identity provider ends the session."""
        return provider_end(as_mapping(contents.get("internal")).get(END))

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the session with the members that the library needs: `user`, `tokenSet`, `internal` and `exp`.

        The library's logout and `getAccessToken` throw an error without a `tokenSet`; its `getSession` does not.
        """
        internal = with_end({**as_mapping(contents.get("internal"))}, END, stamp)
        needed = {
            "user": as_mapping(contents.get("user")),
            "tokenSet": as_mapping(contents.get("tokenSet")),
            "internal": {**internal, "createdAt": stamp.created_at},
        }
        claims = pack({**contents, **needed}, self.ours(contents, stamp), JUDGED)
        return {**claims, "exp": stamp.expires_at}

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Return contents and times. Payloads of another shape, such as those of the cookies `__txn_` and `__FC_`, are refused."""
        internal, user = as_mapping(payload.get("internal")), payload.get("user")
        created, expires = internal.get("createdAt"), payload.get("exp", NOT_SAID)
        tokens = payload.get(
            "tokenSet"
        )  # `updateSession({...session, tokenSet: null})` removes the tokens
        if not (
            isinstance(user, dict)
            and (tokens is None or isinstance(tokens, dict))
            and is_time(created)
            # If members are missing that the library's login writes, only a user shows that the payload is a session.
            and (user or (tokens is not None and "exp" in payload))
        ):
            return Absence.MALFORMED
        if expires is NOT_SAID:
            # A token of 4.0 to 4.5.0 does not say when the session was last active, so its limits count from its creation.
            updated: float = created
            expires = self.lifetime.expires_at(int(created), int(created))
        elif is_time(expires):
            updated = self._find_updated_at(created, expires, now)
        else:
            return Absence.MALFORMED
        contents, ours = unpack(payload, JUDGED, SPENT)
        times = Times(created, updated, expires, self.ends_at(contents))
        return self.make_opened(contents, ours, times, now, as_text(internal.get("sid")))

    def _find_updated_at(self, created: float, expires: float, now: float) -> float:
        """Return when the session was last active: the earliest time that gives this expiry with `idle`."""
        idle = self.lifetime.idle
        return created if idle is None else max(created, min(now, expires - idle))


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0V4(JWEFormat):
    """Sessions of nextjs-auth0 v4, read and written; a v3 `appSession` is imported.

    The token has a creation time (`internal.createdAt`) and an expiry, but no update time; the update time is computed from the
    expiry. `internal` survives every update, as in the library's own `updateSession`. If it contains `sessionExpiresAt`, the
    identity provider ends the session at that time. The mark in the fence is made from creation time and `user.sub`. The token
    is not bound to the cookie's name. The library accepts one secret only.
    """

    traits: ClassVar[Traits] = Traits(
        label="auth0-v4",
        title="nextjs-auth0 v4",
        tolerance=TOLERANCE,
        largest_integer=SAFE_INTEGER,
        older=((Auth0V3(), from_v3),),
        beside="__FC_",  # connection tokens
        carried=("internal",),
        nobody='session["user"]: it is empty, and nextjs-auth0 v4 would take that for somebody signed in',
        shared=True,
    )
    layout: ClassVar[Layout] = Layout(separator="__", size=3500, cleared=5, always=True)
    usual_name: ClassVar[str] = "__session"
    framing: ClassVar[Framing] = GCM
    kind: ClassVar[type[JWECodec]] = Auth0V4Codec

    def looks_like(self, name: str, value: str) -> bool:
        """Return whether the header has the order of the library; next-auth v4 has the same members."""
        header = self.header_of(value)
        return header is not None and "next-auth" not in name and next(iter(header)) == "enc"

    def derive(self, secret: bytes, name: str) -> bytes:
        """Return the key, which does not depend on the name."""
        return hkdf(secret, info="JWE CEK", length=32)
