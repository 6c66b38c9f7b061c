"""next-auth v4: the cookie `next-auth.session-token`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.json import SAFE_INTEGER
from .._session.session import Absence, Stamp
from ._claims import (
    Times,
    as_text,
    derive_id,
    hkdf,
    is_time,
    name_claims,
    pack,
    unpack,
    whole_time,
)
from ._framing import GCM, Framing
from ._jwe import JWECodec, JWEFormat
from ._protocols import Traits

__all__ = ["ClaimsCodec", "NextAuthV4", "identity_of", "is_signed_in", "nobody"]

SPENT = frozenset({"iat", "exp", "jti"})
RESERVED = SPENT | {"nbf"}


def is_signed_in(session: Mapping[str, Any], /) -> bool:
    """Return whether the claims name a user, by `sub`, `email` or `user`; the default guard."""
    return any(session.get(key) for key in ("sub", "email", "user"))


def identity_of(session: Mapping[str, Any], /) -> object:
    """Return `iss` and `sub`; without a `sub` the `email`, else the whole `user`. The default identity."""
    if session.get("sub"):
        return ("sub", session.get("iss"), session["sub"])
    return ("email", session["email"]) if session.get("email") else session.get("user") or None


def nobody(title: str) -> str:
    """Return the error message for a session without a user."""
    return f"session: without sub, email or user {title} would still take it for somebody signed in"


class ClaimsCodec(JWECodec):
    """A codec whose payload is JWT claims: `iat` is the time of the last write, `exp` the expiry."""

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the claims, including our own."""
        ours: dict[str, Any] = {"id": stamp.id, "created": stamp.created_at}
        if stamp.ends_at is not None:
            ours["ends"] = stamp.ends_at
        times = {"iat": stamp.updated_at, "exp": stamp.expires_at, "jti": str(uuid4())}
        return {**pack(contents, ours, RESERVED), **times}

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Return contents and times. For a token that only the library has written, the creation time is `iat`."""
        written, expires = payload.get("iat"), payload.get("exp")
        if not (is_time(written) and is_time(expires)):
            return Absence.MALFORMED
        contents, ours = unpack(payload, RESERVED, SPENT)
        created, id = ours.get("created"), as_text(ours.get("id"))
        if not (is_time(created) and id):
            who = _name_user(contents, payload.get("jti"))
            parts = self.format.traits.label, str(int(written)), who
            created, id = written, derive_id("sessionkit foreign id 1", *parts)
        ends = whole_time(ours.get("ends"))
        stamp = Times(min(created, written), written, expires, ends).stamp(id, now)
        return (
            stamp
            if isinstance(stamp, Absence)
            else Opened(contents=contents, stamp=stamp, mark_id=id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAuthV4(JWEFormat):
    """Sessions of next-auth v4 (strategy `jwt`), read and written.

    The contents are the token's claims (`name`, `email`, `picture`, `sub`, …) without `iat`, `exp` and `jti`, which the
    library sets at each write. The id and creation time of a session are in our claim `sessionkit`, which the library keeps.
    If the library made a token without this claim, its creation time is `iat`, and the fence refuses it only until the
    library writes the token again.

    Args:
        salt: the `salt` in the library's `jwt` options; it is part of the key.
    """

    salt: str = ""

    traits: ClassVar[Traits] = Traits(
        label="next-auth-v4",
        title="next-auth v4",
        tolerance=15,
        largest_integer=SAFE_INTEGER,
        guard=is_signed_in,
        identity=identity_of,
        nobody=nobody("next-auth v4"),
        shared=True,
    )
    layout: ClassVar[Layout] = Layout(size=3933, cleared=5)
    framing: ClassVar[Framing] = GCM
    kind: ClassVar[type[JWECodec]] = ClaimsCodec

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """Return `next-auth.session-token`, with `__Secure-` before it if the cookie is Secure."""
        return "__Secure-next-auth.session-token" if secure else "next-auth.session-token"

    def looks_like(self, name: str, value: str) -> bool:
        """Return whether name or header are those of the library; nextjs-auth0 v4 has the same members in another order."""
        header = self.header_of(value)
        return header is not None and ("next-auth" in name or next(iter(header)) == "alg")

    def derive(self, secret: bytes, name: str) -> bytes:
        """Return the key of a secret, which is the same for all cookie names."""
        text = f"NextAuth.js Generated Encryption Key{f' ({self.salt})' if self.salt else ''}"
        return hkdf(secret, salt=self.salt.encode(), info=text, length=32)


def _name_user(contents: dict[str, Any], jti: object) -> str:
    """Return a text that names the user of a token that the library made. If the claims name nobody, the text names the token."""
    sub = "" if contents.get("iss") else as_text(contents.get("sub"))
    return sub or name_claims(identity_of(contents) or (contents, jti))
