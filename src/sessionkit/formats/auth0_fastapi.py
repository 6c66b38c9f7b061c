"""auth0-fastapi and auth0-server-python: the numbered cookies `_a0_session_0` and on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..chunks import Layout
from ..lifetime import Lifetime
from ..serializer import Serializer
from ..session import Absence, Stamp
from .codec import Opened, Traits
from .foreign import (
    OURS,
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
    text,
    unpacked,
)
from .jose import CBC

__all__ = ["Auth0FastAPI", "Auth0FastAPICodec"]

LIBRARY = "auth0-fastapi"
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0FastAPI:
    """Sessions of auth0-fastapi, read and written.

    The library keeps the creation time (`internal.created_at`) alone. Update and expiry are ours, in a claim
    `sessionkit`; a token without it counts from its creation, so that one which only the library writes ends `idle`
    seconds after sign-in. The fence knows a session by creation time, `user.sub` and `internal.sid`.
    """

    @property
    def traits(self) -> Traits:
        """No `Priority`, no tolerance."""
        return Traits(label="auth0-fastapi", title=LIBRARY)

    @property
    def layout(self) -> Layout:
        """Always numbered: `_a0_session_0`, …; the Set-Cookie lines stay within 4096, which the library's do not."""
        return Layout(separator="_", numbered=True, tag=CBC.tag)

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`_a0_session`."""
        return "_a0_session"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secrets; the first seals, all open."""
        return foreign_secrets(secret)

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Auth0FastAPICodec:
        """The format bound to keys and a cookie name."""
        return Auth0FastAPICodec(keys, name, lifetime, serializer)


class Auth0FastAPICodec(JWECodec):
    """The payload is `{user, …, internal: {sid, created_at}}`, under a key bound to the cookie's name."""

    def __init__(
        self, secrets: Secrets, name: str, lifetime: Lifetime, serializer: Serializer
    ) -> None:
        keys = [
            hkdf(one, salt=name.encode(), info="Auth0 Generated Encryption", length=64)
            for one in secrets.raw
        ]
        super().__init__(CBC, secrets, keys, lifetime, serializer)

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """The algorithms alone."""
        return {"alg": "dir", "enc": "A256CBC-HS512"}

    def check(self, contents: dict[str, Any]) -> None:
        """`internal` must be an object."""
        must_be_objects(contents, ("user", "internal"), LIBRARY)

    def wire(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The session with `internal`, and our times in a claim of ours."""
        internal = dict(mapping(contents.get("internal")))
        internal.setdefault("sid", stamp.id)
        internal["created_at"] = stamp.created_at
        times = {"updated": stamp.updated_at, "expires": stamp.expires_at}
        return packed({**contents, "internal": internal}, NONE, times)

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Contents and times."""
        internal = mapping(payload.get("internal"))
        created = internal.get("created_at")
        if not is_time(created):
            return Absence.MALFORMED
        contents, ours = unpacked(payload, NONE, frozenset({OURS}))
        updated, expires = ours.get("updated"), ours.get("expires")
        if not (is_time(updated) and is_time(expires)):
            updated, expires = created, self.lifetime.expires_at(int(created), int(created))
        mark = _mark(contents, int(created), text(internal.get("sid")))
        stamp = Times(created, updated, expires).stamp(
            text(internal.get("sid")) or derived("sessionkit foreign id 1", mark), now
        )
        return (
            stamp
            if isinstance(stamp, Absence)
            else Opened(contents=contents, stamp=stamp, mark_id=mark)
        )

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Format, creation time, subject, and the identity provider's session id."""
        sid = mapping(contents.get("internal")).get("sid", stamp.id)
        return _mark(contents, stamp.created_at, text(sid))


def _mark(contents: Mapping[str, Any], created: int, sid: str) -> str:
    return "\0".join(
        ("auth0-fastapi", str(created), text(mapping(contents.get("user")).get("sub")), sid)
    )
