"""next-auth v4: the cookie `next-auth.session-token`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.identity import whole
from .._session.json import SAFE_INTEGER, Serializer
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp
from ._claims import (
    Secrets,
    Times,
    as_text,
    check_foreign_secrets,
    derive_id,
    hkdf,
    is_time,
    pack,
    unpack,
    whole_time,
)
from ._framing import GCM
from ._jwe import JWECodec
from ._protocols import Traits

__all__ = ["ClaimsCodec", "NextAuthV4", "NextAuthV4Codec", "identity_of", "is_signed_in", "nobody"]

SPENT = frozenset({"iat", "exp", "jti"})
RESERVED = SPENT | {"nbf"}


def is_signed_in(session: Mapping[str, Any], /) -> bool:
    """The default guard: the claims name somebody, by `sub`, `email` or `user`."""
    return any(session.get(key) for key in ("sub", "email", "user"))


def identity_of(session: Mapping[str, Any], /) -> object:
    """The default identity: `iss` and `sub`; without a `sub` the `email`, else the `user`, whole."""
    if session.get("sub"):
        return ("sub", session.get("iss"), session["sub"])
    return (
        ("email", session["email"]) if session.get("email") else whole(session.get("user")) or None
    )


def nobody(title: str) -> str:
    """Return why a session of nobody cannot be kept."""
    return f"session: without sub, email or user {title} would still take it for somebody signed in"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAuthV4:
    """Sessions of next-auth v4 (strategy `jwt`), read and written.

    The contents are the token's claims (`name`, `email`, `picture`, `sub`, …) without `iat`, `exp` and `jti`, which
    the library makes anew at each write. A session's id and creation time are ours, in a claim `sessionkit`, which the library
    keeps; for a token that it made without one, the creation time is its `iat` and the fence holds only between writes of ours.

    Args:
        salt: as given to the library's `jwt` options; part of the key.
    """

    salt: str = ""

    @property
    def traits(self) -> Traits:
        """15 seconds of tolerance; a guard and an identity of its own."""
        return Traits(
            label="next-auth-v4",
            title="next-auth v4",
            tolerance=15,
            largest_integer=SAFE_INTEGER,
            guard=is_signed_in,
            identity=identity_of,
            nobody=nobody("next-auth v4"),
            shared=True,
        )

    @property
    def layout(self) -> Layout:
        """Chunks `….0`, `….1`, … of 3933 characters."""
        return Layout(size=3933)

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`next-auth.session-token`, with `__Secure-` when it is."""
        return "__Secure-next-auth.session-token" if secure else "next-auth.session-token"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secrets; the first seals, all open. The library takes one."""
        return check_foreign_secrets(secret)

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> NextAuthV4Codec:
        """The format bound to keys; neither the name nor an audience goes into them."""
        return NextAuthV4Codec(keys, self.salt, lifetime, serializer)


class ClaimsCodec(JWECodec):
    """The payload are JWT claims: `iat` is the time of the last write, `exp` the expiry."""

    label: str

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The claims, with ours among them."""
        ours: dict[str, Any] = {"id": stamp.id, "created": stamp.created_at}
        if stamp.ends_at is not None:
            ours["ends"] = stamp.ends_at
        times = {"iat": stamp.updated_at, "exp": stamp.expires_at, "jti": str(uuid4())}
        return {**pack(contents, RESERVED, ours), **times}

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Contents and times; what the library made is dated by its `iat`."""
        written, expires = payload.get("iat"), payload.get("exp")
        if not (is_time(written) and is_time(expires)):
            return Absence.MALFORMED
        contents, ours = unpack(payload, RESERVED, SPENT)
        created, id = ours.get("created"), as_text(ours.get("id"))
        if not (is_time(created) and id):
            created, id = (
                written,
                derive_id(
                    "sessionkit foreign id 1",
                    self.label,
                    str(int(written)),
                    as_text(contents.get("sub")),
                ),
            )
        ends = whole_time(ours.get("ends"))
        stamp = Times(min(created, written), written, expires, ends).stamp(id, now)
        return (
            stamp
            if isinstance(stamp, Absence)
            else Opened(contents=contents, stamp=stamp, mark_id=id)
        )

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """The id in our claim."""
        return stamp.id


class NextAuthV4Codec(ClaimsCodec):
    """A256GCM under one key, whatever the cookie's name."""

    label = "next-auth-v4"

    def __init__(
        self, secrets: Secrets, salt: str, lifetime: Lifetime, serializer: Serializer
    ) -> None:
        info = (
            f"NextAuth.js Generated Encryption Key ({salt})"
            if salt
            else "NextAuth.js Generated Encryption Key"
        )
        keys = [hkdf(one, salt=salt.encode(), info=info, length=32) for one in secrets.raw]
        super().__init__(GCM, secrets, keys, lifetime, serializer)

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """The algorithms alone."""
        return {"alg": "dir", "enc": "A256GCM"}
