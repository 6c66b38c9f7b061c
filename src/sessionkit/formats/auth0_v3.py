"""nextjs-auth0 v1 to v3: the cookie `appSession`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.json import SAFE_INTEGER
from .._session.session import Absence, Stamp
from ._claims import (
    Times,
    earliest,
    hkdf,
    is_time,
    pack,
    unpack,
    whole_time,
)
from ._framing import GCM, Framing
from ._jwe import DatedCodec, JWECodec, JWEFormat
from ._protocols import Traits

__all__ = ["Auth0V3", "Auth0V3Codec"]

TIMES = ("uat", "iat", "exp")
JUDGED = frozenset({"exp", "nbf", "iat"})
"""The members by which jose's jwtDecrypt, which nextjs-auth0 reads its tokens with, judges a payload."""
EXPIRES = len("; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
"""The library writes `Expires`, which is longer than our `Max-Age`."""


class Auth0V3Codec(DatedCodec):
    """The codec: the header holds the times, and the payload is the session."""

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """Return the algorithms and the times."""
        times = {"uat": stamp.updated_at, "iat": stamp.created_at, "exp": stamp.expires_at}
        return {"alg": "dir", "enc": "A256GCM", **{key: times[key] for key in self.format.order}}

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the session. If it has an end, our claim contains the end, because the library has no place for it."""
        ours = self.ours(contents, stamp)
        if stamp.ends_at is not None:
            ours["ends"] = stamp.ends_at
        return pack(contents, ours, self.format.judged)

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Return contents and times."""
        updated, created, expires = (header[key] for key in TIMES)
        if not (is_time(updated) and is_time(created) and is_time(expires)):
            return Absence.MALFORMED
        contents, ours = unpack(payload, self.format.judged)
        ends = earliest(self.ends_at(contents), whole_time(ours.get("ends")))
        return self.make_opened(contents, ours, Times(created, updated, expires, ends), now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0V3(JWEFormat):
    """Sessions of nextjs-auth0 v1 to v3, read and written.

    The token has creation, update and expiry times, but no id. The mark in the fence is made from the creation time and
    `user.sub`. The token is not bound to the cookie's name.
    """

    traits: ClassVar[Traits] = Traits(
        label="auth0-v3", title="nextjs-auth0 v1-v3", largest_integer=SAFE_INTEGER, shared=True
    )
    # Every chunk has the size that the line of chunk 0 allows.
    layout: ClassVar[Layout] = Layout(alike=True, expiry=EXPIRES, cleared=5)
    usual_name: ClassVar[str] = "appSession"
    framing: ClassVar[Framing] = replace(GCM, members=frozenset(TIMES))
    kind: ClassVar[type[JWECodec]] = Auth0V3Codec
    order: ClassVar[tuple[str, ...]] = TIMES
    """The order in which the library writes the times into the header."""
    judged: ClassVar[frozenset[str]] = JUDGED
    """The members of a payload by which the library judges the token."""

    def looks_like(self, name: str, value: str) -> bool:
        """Return whether the header has its times in the order of the library."""
        return tuple(one for one in self.header_of(value) or () if one in TIMES) == self.order

    def derive(self, secret: bytes, name: str) -> bytes:
        """Return the key, which does not depend on the name."""
        return hkdf(secret, info="JWE CEK", length=32)
