"""Our own format: a compact JWE (RFC 7516), `dir` with A256GCM, under keys that change every hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._cookies.chunks import Layout
from .._crypto.keyring import KeyRing
from .._crypto.sealing import NativeCodec
from .._session.json import Serializer
from .._session.lifetime import Lifetime
from ._protocols import Traits

__all__ = ["Native"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """The default format: the only one with an id, an update time and hour-sliced keys of its own."""

    @property
    def traits(self) -> Traits:
        """`Priority=High`, secrets of 32 bytes."""
        return Traits(label="native", title="sessionkit", priority="High", renewed=True)

    @property
    def layout(self) -> Layout:
        """Chunks `name.0`, `name.1`, … as large as their Set-Cookie lines allow."""
        return Layout()

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`__Host-session` where a browser takes it, else `session`."""
        return "__Host-session" if host_only else "session"

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> KeyRing:
        """A key ring; raises ConfigurationError for weak secrets."""
        return KeyRing(secret)

    def codec(
        self, keys: KeyRing, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> NativeCodec:
        """The format bound to keys, a cookie name and an audience."""
        return NativeCodec(keys, name, audience, lifetime.absolute, serializer)
