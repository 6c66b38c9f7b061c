"""Base classes for formats. They implement what is the same in most formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from .._cookies.chunks import Layout
from .._crypto.keyring import PurposeKeys
from .._crypto.sealing import CodecDefaults, Opened
from .._session.json import Serializer
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp
from ._claims import Secrets, as_session, check_foreign_secrets
from ._protocols import Opener, Traits

__all__ = ["BaseCodec", "BaseFormat", "BaseOpener"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFormat(ABC):
    """Base class of formats. A subclass sets `traits`, and defines `recognizes` and `codec`.

    Make the subclass a frozen dataclass, so that two formats with the same settings are equal.

    Attributes:
        traits: facts about the format.
        layout: how its tokens are put into cookies.
        usual_name: the cookie's name if the settings do not say.
    """

    traits: ClassVar[Traits]
    layout: ClassVar[Layout] = Layout()
    usual_name: ClassVar[str] = "session"

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """Return `usual_name`."""
        return self.usual_name

    @abstractmethod
    def recognizes(self, text: str) -> bool:
        """Return whether a text, perhaps only the beginning of a token, has the grammar of the format."""

    def looks_like(self, name: str, value: str) -> bool:
        """Return whether the format recognizes the value."""
        return self.recognizes(value)

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Any:
        """Return the secrets as `Secrets`. Each has at least 8 bytes; below 32 a warning is logged. The first seals, all open."""
        return check_foreign_secrets(secret)

    @abstractmethod
    def codec(
        self, keys: Any, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Opener:
        """Return the codec for these keys and this cookie name. For a format that is only imported, an opener is enough."""


class BaseOpener(ABC):
    """Base class of openers: no renewal cookie, no id in the clear. A subclass defines `open`.

    Args:
        secrets: from `BaseFormat.keys`.
    """

    seen: PurposeKeys | None = None

    def __init__(self, secrets: Secrets) -> None:
        self.ids: tuple[str, ...] = secrets.ids

    @abstractmethod
    def open(self, token: str, now: float) -> Opened | Absence:
        """Return the contents and times of an authentic token, or the reason why it does not open."""

    def peek(self, text: str) -> str | None:
        """Return None: no id can be read without the key."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not pickle: build the store where it is needed")


class BaseCodec(CodecDefaults, BaseOpener):
    """Base class of codecs: any JSON object is a session, the payload is the contents, the mark is the id.

    A subclass defines `open` and `seal`.

    Args:
        secrets: from `BaseFormat.keys`.
        serializer: JSON.
    """

    def __init__(self, secrets: Secrets, serializer: Serializer) -> None:
        super().__init__(secrets)
        self.serializer: Serializer = serializer

    def parse(self, plaintext: bytes) -> dict[str, Any] | None:
        """Return the JSON object of a decrypted token; None if the token is not a JSON object, or has more than 100 levels of nesting."""
        try:
            # Whitespace may be around a JSON text (RFC 8259 section 2); our own serializer makes and reads none.
            return as_session(self.serializer.loads(plaintext.strip(b" \t\r\n")))
        except (ValueError, RecursionError):
            return None

    def capacity(self, characters: int) -> int:
        """Return 0, because the capacity is not known."""
        return 0

    def size(self, plaintext: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` makes; override it if the length can be computed."""
        return len(self.seal(plaintext, stamp))

    @abstractmethod
    def seal(self, plaintext: bytes, stamp: Stamp) -> str:
        """Return a token that holds the plaintext."""
