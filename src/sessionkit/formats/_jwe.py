"""What the formats of other libraries share: their secrets, their times, and the claim we keep in their tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast

from joserfc.jwk import OctKey

from .._crypto.sealing import Opened
from .._session.json import Serializer, is_finite, is_shallow
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp
from ..errors import SerializationError
from ._claims import Secrets, Times, as_mapping, as_text, derive_id
from ._framing import Framing

__all__ = ["DatedCodec", "JWECodec", "must_be_objects"]


def _imported(key: bytes) -> OctKey:
    return cast("OctKey", OctKey.import_key(key))  # pyright: ignore[reportUnknownMemberType]  # joserfc leaves a parameter's type open


class JWECodec(ABC):
    """Seals and opens the tokens of one library through joserfc.

    There is no renewal cookie beside them: moving the idle expiry is sealing again.
    """

    seen = None

    def __init__(
        self,
        framing: Framing,
        secrets: Secrets,
        keys: Sequence[bytes],
        lifetime: Lifetime,
        serializer: Serializer,
    ) -> None:
        self.ids: tuple[str, ...] = secrets.ids
        self.framing = framing
        self.lifetime = lifetime
        self._keys: tuple[OctKey, ...] = tuple(map(_imported, keys))
        self._serializer = serializer

    def capacity(self, characters: int) -> int:
        """Return 0: the header's length is the format's affair."""
        return 0

    @abstractmethod
    def header(self, stamp: Stamp) -> dict[str, Any]:
        """The protected header of a token with these times."""

    def check(self, contents: dict[str, Any]) -> None:
        """Raise SerializationError for what the other library would misunderstand."""
        if not is_finite(contents):
            raise SerializationError("session: NaN and infinity are not JSON")

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the identity provider's end of the session, for libraries that keep it; by default None."""
        return None

    @abstractmethod
    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the JSON object that the token holds."""

    @abstractmethod
    def read(self, header: dict[str, Any], payload: dict[str, Any], now: float) -> Opened | Absence:
        """What an authenticated payload is."""

    @abstractmethod
    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark id of a session that is about to be sealed."""

    def candidates(self, header: dict[str, Any]) -> Sequence[OctKey]:
        """The keys that may open a token with this header."""
        return self._keys

    def size(self, plaintext: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` would make."""
        return self.framing.size(self.header(stamp), len(plaintext))

    def seal(self, plaintext: bytes, stamp: Stamp) -> str:
        """Return a token under the first secret."""
        return self.framing.seal(self.header(stamp), plaintext, self._keys[0])

    def open(self, token: str, now: float) -> Opened | Absence:
        """What a token holds, or why it does not open; cheap refusals come before any cryptography."""
        header = self.framing.check(token)
        if header is None:
            return Absence.MALFORMED
        keys = self.candidates(header)
        if not keys:
            return Absence.UNKNOWN_KEY
        plaintext = self.framing.open(token, keys)
        if isinstance(plaintext, Absence):
            return plaintext
        try:
            payload = self._serializer.loads(plaintext)
        except (ValueError, RecursionError):
            return Absence.MALFORMED
        if not isinstance(payload, dict) or not is_shallow(cast("object", payload)):
            return Absence.MALFORMED
        return self.read(header, cast("dict[str, Any]", payload), now)

    def recognizes(self, text: str) -> bool:
        """Whether it begins with a header of this format."""
        return self.framing.header(text.partition(".")[0]) is not None

    def peek(self, text: str) -> str | None:
        """Nothing: no id stands in these headers."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not pickle")


class DatedCodec(JWECodec):
    """Formats without an id of ours: the fence knows a session by its creation time and its user.

    Both stay as they are through every write of the other library, which the provider's session id need not: a
    silent sign-in changes it. Where a write of ours changes the user's `sub` (by an identity of one's own), the mark that
    the session had before goes with it in our claim.
    """

    label: str

    def claims(self, contents: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of the user."""
        return as_mapping(contents.get("user"))

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark that the session came with; of one that begins format, creation time and subject."""
        return stamp.mark or self.mark_of(contents, stamp.created_at)

    def mark_of(self, contents: Mapping[str, Any], created: int) -> str:
        """Return format, creation time and subject."""
        return "\0".join((self.label, str(created), as_text(self.claims(contents).get("sub"))))

    def ours(self, contents: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return what goes into our claim: the mark, where it cannot be made of the rest of the token."""
        if stamp.mark in (None, self.mark_of(contents, stamp.created_at)):
            return {}
        return {"mark": stamp.mark}

    def opened(
        self,
        contents: dict[str, Any],
        ours: dict[str, Any],
        times: Times,
        now: float,
        id: str = "",
    ) -> Opened | Absence:
        """Return what an authenticated token holds; without an id its id is made of its mark."""
        mark = as_text(ours.get("mark")) or self.mark_of(contents, int(times.created))
        stamp = times.stamp(id or derive_id("sessionkit foreign id 1", mark), now, mark)
        if isinstance(stamp, Absence):
            return stamp
        return Opened(contents=contents, stamp=stamp, mark_id=mark)


def must_be_objects(contents: Mapping[str, Any], keys: Sequence[str], library: str) -> None:
    """See that what is under these keys, if anything is, is an object: the other library takes nothing else.

    Raises:
        SerializationError: it is something else.
    """
    for key in keys:
        if not isinstance(contents.get(key, {}), dict):
            raise SerializationError(f'session["{key}"]: {library} needs an object here')
