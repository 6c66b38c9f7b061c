"""auth0-fastapi and auth0-server-python: the numbered cookies `_a0_session_0`, `_a0_session_1`, …."""

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
from ._framing import CBC, Framing
from ._jwe import DatedCodec, JWECodec, JWEFormat
from ._protocols import Traits

__all__ = ["Auth0FastAPI"]

SALT = b"_a0_session"
"""The name of a session in auth0-server-python. It is part of the key, whatever the name of the cookie is."""
END = "session_expires_at"


class Auth0FastAPICodec(DatedCodec):
    """The codec: the payload is `{user, …, internal: {sid, created_at}}`, under a key that no other cookie of the library has."""

    def check(self, contents: dict[str, Any]) -> None:
        """Raise SerializationError unless `user` and `internal` are objects."""
        super().check(contents)
        self.must_be_objects(contents, "user", "internal")

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the time at which the identity provider ends the session, as auth0-server-python stores it."""
        return provider_end(as_mapping(contents.get("internal")).get(END))

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the session with `internal`, and the times in our claim."""
        internal = with_end({**as_mapping(contents.get("internal"))}, END, stamp)
        ours = {
            "updated": stamp.updated_at,
            "expires": stamp.expires_at,
            **self.ours(contents, stamp),
        }
        internal = {**internal, "created_at": stamp.created_at}
        return pack({**contents, "internal": internal}, ours)

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Return contents and times."""
        internal = as_mapping(payload.get("internal"))
        created = internal.get("created_at")
        if not is_time(created):
            return Absence.MALFORMED
        contents, ours = unpack(payload)
        updated, expires = ours.get("updated"), ours.get("expires")
        if not (is_time(updated) and is_time(expires)):
            updated, expires = created, self.lifetime.expires_at(int(created), int(created))
        times = Times(created, updated, expires, self.ends_at(contents))
        return self.make_opened(contents, ours, times, now, as_text(internal.get("sid")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0FastAPI(JWEFormat):
    """Sessions of auth0-fastapi, read and written.

    The library stores only the creation time (`internal.created_at`). Update time and expiry are in our claim `sessionkit`.
    The limits of a token without this claim count from its creation, so a session that only the library writes ends `idle`
    seconds after sign-in. `internal` survives every update; if `internal.session_expires_at` is set, the session ends 30
    seconds before that time. The mark in the fence is made from creation time and `user.sub`.
    """

    traits: ClassVar[Traits] = Traits(
        label="auth0-fastapi",
        title="auth0-fastapi",
        largest_integer=SAFE_INTEGER,
        carried=("internal",),
        shared=True,
    )
    # Always numbered. Our Set-Cookie lines stay within 4096 bytes; those of the library do not.
    layout: ClassVar[Layout] = Layout(separator="_", numbered=True, tag=CBC.tag, cleared=5)
    usual_name: ClassVar[str] = "_a0_session"
    framing: ClassVar[Framing] = CBC
    kind: ClassVar[type[JWECodec]] = Auth0FastAPICodec

    def derive(self, secret: bytes, name: str) -> bytes:
        """Return the key, which does not depend on the name."""
        return hkdf(secret, salt=SALT, info="Auth0 Generated Encryption", length=64)
