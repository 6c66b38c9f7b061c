"""The native format: a compact JWE (RFC 7516), `dir` with A256GCM, under keys that change every hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .._crypto.keyring import KeyRing
from .._crypto.sealing import NativeCodec, peek_id
from .._session.json import Serializer
from .._session.lifetime import Lifetime
from ._bases import BaseFormat
from ._protocols import Traits

__all__ = ["Native"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Native(BaseFormat):
    """The default format. Only this one has an id, an update time, a renewal cookie and a new key each hour."""

    traits: ClassVar[Traits] = Traits(
        label="native",
        title="sessionkit",
        priority="High",
        random_ids=True,
        pointers=True,
        lifetimes=True,
    )

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """Return `__Host-session` if a browser accepts it, else `session`."""
        return "__Host-session" if host_only else "session"

    def recognizes(self, text: str) -> bool:
        """Return whether a text begins with a native header."""
        return peek_id(text) is not None

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> KeyRing:
        """Return a key ring; raise ConfigurationError for weak secrets."""
        return KeyRing(secret)

    def codec(
        self, keys: KeyRing, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> NativeCodec:
        """Return the codec for these keys, this cookie name and this audience."""
        return NativeCodec(keys, name, audience, lifetime.absolute, serializer)
