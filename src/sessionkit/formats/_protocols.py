"""What a format must offer: from contents to a token, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from .._cookies.chunks import Layout
from .._crypto.keyring import PurposeKeys
from .._crypto.sealing import Opened
from .._session.identity import Guard, Identity
from .._session.json import INT_MAX, Serializer
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp

__all__ = ["Codec", "Convert", "Format", "Opener", "Source", "Taker", "Traits"]

Convert: TypeAlias = Callable[[dict[str, Any]], Mapping[str, Any] | None]
"""From what a foreign cookie holds to a session of ours, or None for "take no session from this"."""


Taker: TypeAlias = Callable[[dict[str, Any], Stamp], Mapping[str, Any] | None]
"""The same, told the times too."""


class Opener(Protocol):
    """What opens tokens. It never raises; what it says before a tag has verified is a hint."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Fingerprints of the secrets, the sealing one first."""
        ...

    @property
    def seen(self) -> PurposeKeys | None:
        """The keys of the renewal cookie; None for a format that renews by sealing again."""
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


class Codec(Opener, Protocol):
    """A format with its keys: opens and seals."""

    def check(self, contents: dict[str, Any]) -> None:
        """Raise SerializationError for contents that the format cannot hold, or that its library would misunderstand."""
        ...

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the moment from which a session with these contents is over by their own word, or None."""
        ...

    def capacity(self, characters: int) -> int:
        """Return how many bytes of plaintext certainly make a token of at most so many characters; 0 if that is not known."""
        ...

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the JSON object that the token holds. The core checks and encodes it."""
        ...

    def size(self, plaintext: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` would make."""
        ...

    def seal(self, plaintext: bytes, stamp: Stamp) -> str:
        """Return a token that holds the encoded payload."""
        ...

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark id of a session that is about to be sealed: that of `stamp.mark`, if it has one.

        An update may change the contents. A format that makes its marks of them keeps the first one in the token, as
        `stamp.mark` of what it opens; else the fence is told of the earlier mark where an update moves it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How a store behaves that speaks this format, where nothing else is set.

    Args:
        label: the format's name in derived ids; it changes only with the format.
        title: its name for people.
        priority: of the session cookie, where the settings say nothing.
        tolerance: seconds for which a session is still good after its expiry, as its library has it.
        largest_integer: the greatest absolute value of an integer; 2^53 - 1 if JavaScript reads the tokens.
        guard, identity: instead of `has_user` and `subject`.
        older: earlier formats that the library reads too, each with its conversion.
        beside: what the names of numbered cookies begin with that belong to the session and end with it.
        dated: whether every token says when the session began.
        carried: top-level members that an update cannot change: those of the session that was loaded stand, whatever the new
            contents say of them. A login takes those that it is given.
        nobody: the message of the error for a session of nobody, where the library takes every token for somebody signed in;
            None where a session may be anonymous.
        shared: whether another program goes on using the cookies, so that an importer leaves them unless it is told to clear.
        renewed: whether a renewal cookie comes with the tokens, so that the store's own idle time holds for those it imports.
    """

    label: str
    title: str
    priority: Literal["Low", "Medium", "High"] | None = None
    tolerance: int = 0
    largest_integer: int = INT_MAX
    guard: Guard | None = None
    identity: Identity | None = None
    older: tuple[tuple[Source, Taker], ...] = ()
    beside: str | None = None
    dated: bool = True
    carried: tuple[str, ...] = ()
    nobody: str | None = None
    shared: bool = False
    renewed: bool = False


class Source(Protocol):
    """How sessions lie in cookies, for reading. It holds settings, never secrets."""

    @property
    def traits(self) -> Traits:
        """What else a store must know of it."""
        ...

    @property
    def layout(self) -> Layout:
        """Chunk names and sizes."""
        ...

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """The name where the settings give none."""
        ...

    def keys(self, secret: Any) -> Any:
        """The secrets, checked and turned into what `codec` takes."""
        ...

    def codec(
        self, keys: Any, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Opener:
        """The source bound to keys and a cookie name."""
        ...


class Format(Source, Protocol):
    """How sessions lie in cookies. Formats hold settings, never secrets."""

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Any:
        """The secrets, checked and turned into what `codec` takes."""
        ...

    def codec(
        self, keys: Any, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Codec:
        """The format bound to keys and a cookie name; raises ConfigurationError for what it cannot enforce."""
        ...
