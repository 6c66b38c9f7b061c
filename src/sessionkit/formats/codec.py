"""What a format must offer: from contents to a token, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..chunks import Layout
from ..keyring import PurposeKeys
from ..lifetime import Lifetime
from ..serializer import Serializer
from ..session import Absence, Stamp

__all__ = ["Codec", "Format", "Opened"]


@dataclass(slots=True)
class Opened:
    """What an authenticated token holds. (Not frozen: one is made for every request.)

    `stamp` has the token's own times; `mark_id` names the session in the fence.
    """

    contents: dict[str, Any] = field(repr=False)
    stamp: Stamp
    mark_id: str


class Codec(Protocol):
    """A format with its keys. Opening never raises; what it says before a tag has verified is a hint."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Fingerprints of the secrets, the sealing one first."""
        ...

    @property
    def seen(self) -> PurposeKeys | None:
        """The keys of the renewal cookie; None for a format that renews by sealing again."""
        ...

    def payload(self, contents: Mapping[str, Any], stamp: Stamp) -> bytes:
        """The plaintext; raises SerializationError for contents that are not JSON."""
        ...

    def size(self, payload: bytes, stamp: Stamp) -> int:
        """The length of the token that `seal` would make."""
        ...

    def seal(self, payload: bytes, stamp: Stamp) -> str:
        """A token."""
        ...

    def open(self, token: str, now: float) -> Opened | Absence:
        """What a token holds, if it is ours; idle and stamped expiry are judged later."""
        ...

    def recognizes(self, text: str) -> bool:
        """Whether this, perhaps the beginning of a token, has our grammar."""
        ...

    def peek(self, text: str) -> str | None:
        """The mark id that a well-formed header names, unverified: a mark can only refuse."""
        ...

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """The mark id of a session that is about to be sealed."""
        ...


class Format(Protocol):
    """How sessions lie in cookies. Formats hold settings, never secrets."""

    @property
    def layout(self) -> Layout:
        """Chunk names and sizes."""
        ...

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """The name where the settings give none."""
        ...

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Any:
        """The secrets, checked and turned into what `codec` takes."""
        ...

    def codec(self, keys: Any, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer) -> Codec:
        """The format bound to keys and a cookie name; raises ConfigurationError for what it cannot enforce."""
        ...
