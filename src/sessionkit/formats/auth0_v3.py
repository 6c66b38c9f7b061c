"""nextjs-auth0 v1 to v3: the cookie `appSession`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._cookies.chunks import Layout
from .._crypto.sealing import Opened
from .._session.json import SAFE_INTEGER, Serializer
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp
from ._claims import (
    NONE,
    Secrets,
    Times,
    check_foreign_secrets,
    earliest,
    hkdf,
    is_time,
    pack,
    unpack,
    whole_time,
)
from ._framing import GCM
from ._jwe import DatedCodec
from ._protocols import Traits

__all__ = ["Auth0V3", "Auth0V3Codec"]

TIMES = ("uat", "iat", "exp")
FRAMING = replace(GCM, members=frozenset(TIMES))
EXPIRES = len("; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
LAYOUT = Layout(alike=True, expiry=EXPIRES)
"""A chunk holds what 4096 leaves beside the Set-Cookie line of an empty chunk 0; the library dates it by `Expires`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0V3:
    """Sessions of nextjs-auth0 v1 to v3, read and written.

    The token carries creation, update and expiry, and no id: the fence knows a session by its creation time and its
    `user.sub`. It is not bound to the cookie's name.
    """

    @property
    def traits(self) -> Traits:
        """No `Priority`, no tolerance."""
        return Traits(
            label="auth0-v3", title="nextjs-auth0 v1-v3", largest_integer=SAFE_INTEGER, shared=True
        )

    @property
    def layout(self) -> Layout:
        """Chunks `appSession.0`, `appSession.1`, … of the library's size."""
        return LAYOUT

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`appSession`."""
        return "appSession"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Secrets:
        """The secrets; a list as the library takes it, the first seals and all open."""
        return check_foreign_secrets(secret)

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Auth0V3Codec:
        """The format bound to keys; neither the name nor an audience goes into them."""
        return Auth0V3Codec(keys, lifetime, serializer)


class Auth0V3Codec(DatedCodec):
    """The times stand in the header, and the session's JSON is the payload."""

    label = "auth0-v3"
    order = TIMES

    def __init__(self, secrets: Secrets, lifetime: Lifetime, serializer: Serializer) -> None:
        keys = [hkdf(one, info="JWE CEK", length=32) for one in secrets.raw]
        super().__init__(FRAMING, secrets, keys, lifetime, serializer)

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """Algorithm and times."""
        times = {"uat": stamp.updated_at, "iat": stamp.created_at, "exp": stamp.expires_at}
        return {"alg": "dir", "enc": "A256GCM", **{key: times[key] for key in self.order}}

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """The session itself, with a claim of ours where there is need of one."""
        return pack(contents, NONE, self.ours(contents, stamp))

    def ours(self, contents: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return our claim: nextjs-auth0 v3 knows no end that activity does not move."""
        ours = super().ours(contents, stamp)
        return ours if stamp.ends_at is None else {**ours, "ends": stamp.ends_at}

    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Contents and times."""
        updated, created, expires = (header[key] for key in TIMES)
        if not (is_time(updated) and is_time(created) and is_time(expires)):
            return Absence.MALFORMED
        contents, ours = unpack(payload, NONE, NONE)
        ends = earliest(self.ends_at(contents), whole_time(ours.get("ends")))
        return self.opened(contents, ours, Times(created, updated, expires, ends), now)
