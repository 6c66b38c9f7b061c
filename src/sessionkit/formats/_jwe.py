"""Base classes of the formats whose tokens are compact JWE, sealed and opened through joserfc."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from joserfc.jwk import OctKey

from .._crypto.sealing import Opened
from .._session.json import Serializer, is_finite
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp
from ..errors import SerializationError
from ._bases import BaseCodec, BaseFormat
from ._claims import Secrets, Times, as_mapping, as_text, derive_id, name_user
from ._framing import Framing

__all__ = ["DatedCodec", "JWECodec", "JWEFormat"]


def _import_key(key: bytes) -> OctKey:
    return cast("OctKey", OctKey.import_key(key))  # pyright: ignore[reportUnknownMemberType]  # joserfc leaves a parameter's type open


@dataclass(frozen=True, slots=True, kw_only=True)
class JWEFormat(BaseFormat):
    """A format whose tokens are compact JWE.

    Attributes:
        framing: their algorithms, and the members of their header.
        kind: the class of its codecs.
    """

    framing: ClassVar[Framing]
    kind: ClassVar[type[JWECodec]]

    @abstractmethod
    def derive(self, secret: bytes, name: str) -> bytes:
        """Return the key of a secret for this cookie name."""

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> JWECodec:
        """Return the codec for these keys; no key depends on an audience."""
        derived = [self.derive(one, name) for one in keys.raw]
        return self.kind(self, keys, derived, lifetime, serializer)

    def header_of(self, text: str) -> dict[str, Any] | None:
        """Return the header at the beginning of a text, or None if it is not of this format."""
        return self.framing.header(text.partition(".")[0])

    def recognizes(self, text: str) -> bool:
        """Return whether a text begins with a header of this format."""
        return self.header_of(text) is not None


class JWECodec(BaseCodec):
    """Seals and opens the tokens of one library through joserfc.

    There is no renewal cookie. To move the idle expiry, the session is sealed again.
    """

    def __init__(
        self,
        format: JWEFormat,
        secrets: Secrets,
        keys: Sequence[bytes],
        lifetime: Lifetime,
        serializer: Serializer,
    ) -> None:
        super().__init__(secrets, serializer)
        self.format: Any = format  # subclasses know their formats
        self.framing: Framing = format.framing
        self.lifetime = lifetime
        self._keys: tuple[OctKey, ...] = tuple(map(_import_key, keys))

    def header(self, stamp: Stamp) -> dict[str, Any]:
        """Return the protected header of a token with these times; by default the algorithms alone."""
        return {"alg": "dir", "enc": self.framing.enc}

    def check(self, contents: dict[str, Any]) -> None:
        """Raise SerializationError for contents that the other library would misunderstand."""
        if not is_finite(contents):
            raise SerializationError("session: NaN and infinity are not JSON: store None or text")

    @abstractmethod
    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """Return the contents and times of an authentic payload, or the reason why it gives no session."""

    def candidates(self, header: dict[str, Any]) -> Sequence[OctKey]:
        """Return the keys that may open a token with this header."""
        return self._keys

    def size(self, plaintext: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` would make."""
        return self.framing.size(self.header(stamp), len(plaintext))

    def seal(self, plaintext: bytes, stamp: Stamp) -> str:
        """Return a token under the first secret."""
        return self.framing.seal(self.header(stamp), plaintext, self._keys[0])

    def open(self, token: str, now: float) -> Opened | Absence:
        """Return the contents and times of a token, or the reason why it does not open.

        Cheap refusals come before any cryptography.
        """
        header = self.framing.check(token)
        if header is None:
            return Absence.MALFORMED
        keys = self.candidates(header)
        if not keys:
            return Absence.UNKNOWN_KEY
        plaintext = self.framing.open(token, keys)
        if isinstance(plaintext, Absence):
            return plaintext
        payload = self.parse(plaintext)
        return Absence.MALFORMED if payload is None else self.read(header, payload, now)


class DatedCodec(JWECodec):
    """Base of formats without an id of ours. The mark of a session is made from its creation time and its user.

    No write of the other library changes these two. The provider's session id is not used, because a silent sign-in changes it.
    For a user without a `sub`, the mark uses another claim that identifies the user. If sessionkit writes another value of that
    claim (an `identity` of the application can allow this), our claim keeps the earlier mark.
    """

    def claims(self, contents: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of the user. A user that is not an object is returned as the `sub`."""
        user = contents.get("user")
        return as_mapping(user) or ({"sub": user} if user else {})

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark with which the session came; for a new session, a mark made from format, creation time and user."""
        return stamp.mark or self.mark_of(contents, stamp.created_at)

    def mark_of(self, contents: Mapping[str, Any], created: int) -> str:
        """Return format, creation time and user as one text."""
        return "\0".join((self.format.traits.label, str(created), name_user(self.claims(contents))))

    def ours(self, contents: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the data for our claim: the mark, if the rest of the token would give another one."""
        if stamp.mark in (None, self.mark_of(contents, stamp.created_at)):
            return {}
        return {"mark": stamp.mark}

    def make_opened(
        self,
        contents: dict[str, Any],
        ours: dict[str, Any],
        times: Times,
        now: float,
        id: str = "",
    ) -> Opened | Absence:
        """Return the session of an authentic token. If the token has no id, the id is derived from the mark."""
        mark = as_text(ours.get("mark")) or self.mark_of(contents, int(times.created))
        stamp = times.stamp(id or derive_id("sessionkit foreign id 1", mark), now, mark)
        if isinstance(stamp, Absence):
            return stamp
        return Opened(contents=contents, stamp=stamp, mark_id=mark)

    def must_be_objects(self, contents: Mapping[str, Any], *keys: str) -> None:
        """Raise unless the values of these keys, if present, are objects: the other library accepts nothing else.

        Raises:
            SerializationError: one of them is not an object.
        """
        for key in keys:
            if not isinstance(contents.get(key, {}), dict):
                title = self.format.traits.title
                raise SerializationError(
                    f'session["{key}"]: {title} needs an object here: give a dict'
                )
