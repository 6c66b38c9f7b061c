"""The protocols of a format: what the core needs of it, and nothing else. `_bases` implements most of this for a new format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from .._cookies.chunks import Layout
from .._crypto.keyring import PurposeKeys
from .._crypto.sealing import Opened
from .._session.identity import Guard, Identity
from .._session.json import Serializer
from .._session.json_errors import INT_MAX
from .._session.lifetime import Lifetime
from .._session.session import Absence, Stamp

__all__ = ["Codec", "Convert", "Format", "Opener", "Source", "Taker", "Traits"]

Convert: TypeAlias = Callable[[dict[str, Any]], Mapping[str, Any] | None]
"""A function of the contents of another library's cookie. It returns the contents of our session, or None to import no session."""


Taker: TypeAlias = Callable[[dict[str, Any], Stamp], Mapping[str, Any] | None]
"""A `Convert` that also gets the stamp."""


class Opener(Protocol):
    """A source with its keys. It opens tokens, and raises no error for a text from the network."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Fingerprints of the secrets, the sealing one first. They must reveal nothing about a secret."""
        ...

    @property
    def seen(self) -> PurposeKeys | None:
        """The keys of the renewal cookie; None if a renewal seals the session again."""
        ...

    def open(self, token: str, now: float) -> Opened | Absence:
        """Return the contents and times of an authentic token, or the reason why it does not open.

        For a creation or update time more than 60 seconds in the future, return `NOT_YET_VALID`. The core checks the expiry.

        Args:
            token: the value of the cookie, or its chunks joined. Anybody may have written it.
            now: seconds since the epoch.
        """
        ...

    def peek(self, text: str) -> str | None:
        """Return the mark id in the readable part of a token, or None. It is not authenticated: use it only to refuse a session.

        Args:
            text: a token that did not open.
        """
        ...


class Codec(Opener, Protocol):
    """A format with its keys: opens tokens and seals them."""

    def check(self, contents: dict[str, Any]) -> None:
        """Refuse contents that the format cannot hold, or that its library would misunderstand.

        Args:
            contents: the contents that were passed to a verb.

        Raises:
            SerializationError: the contents are refused; the message says why, and what to store instead.
        """
        ...

    def ends_at(self, contents: Mapping[str, Any]) -> int | None:
        """Return the time at which a session ends according to its contents, or None.

        Args:
            contents: the contents of a session that begins.

        Returns:
            Seconds since the epoch, such as the end that an identity provider has set.
        """
        ...

    def capacity(self, characters: int) -> int:
        """Return how many bytes of plaintext certainly fit into a token; 0 if that is not known.

        Args:
            characters: the length of the token.
        """
        ...

    def payload(self, contents: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return the JSON object that the token holds. The core checks and encodes it, and passes it to `seal`.

        Args:
            contents: the contents of the session.
            stamp: its id and times.
        """
        ...

    def size(self, plaintext: bytes, stamp: Stamp) -> int:
        """Return the length of the token that `seal` would make.

        Args:
            plaintext: the payload, as JSON.
            stamp: the id and the times of the session.
        """
        ...

    def seal(self, plaintext: bytes, stamp: Stamp) -> str:
        """Return a token that holds the plaintext, in characters that a cookie value may have (RFC 6265 section 4.1.1).

        Args:
            plaintext: the payload, as JSON.
            stamp: the id and the times of the session.
        """
        ...

    def mark_id(self, contents: Mapping[str, Any], stamp: Stamp) -> str:
        """Return the mark id of a session that is about to be sealed; `stamp.mark` if the stamp has one.

        An update may change the contents. If a format derives its marks from the contents, it keeps the first mark in the
        token, and returns it as `stamp.mark` when it opens the token. If it cannot do this, the write adds the earlier mark
        to the fence.

        Args:
            contents: the contents of the session.
            stamp: its id and times.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Facts about a format: the behaviour of a store that uses it.

    Args:
        label: names the format in derived ids. It never changes.
        title: names the format for people.
        priority: the session cookie's `Priority`, unless the settings name one.
        tolerance: seconds for which a session is still valid after its expiry.
        largest_integer: the greatest absolute value of an integer; 2^53 - 1 if JavaScript reads the tokens.
        guard, identity: the defaults, instead of `has_user` and `subject`.
        older: earlier formats that the library reads too, each with its conversion.
        beside: a prefix: cookies with this prefix and a number belong to the session and end with it.
        dated: whether every token says when its session began.
        random_ids: whether no two sessions can have the same id. If not, the sessions of two anonymous visitors may have one id.
        carried: top-level members that an update cannot change: they keep the values of the loaded session. A login sets them.
        nobody: the error message for a session without a user, if the library treats every token as that of a signed-in user;
            None if a session may be anonymous.
        shared: whether another program still uses the cookies. If so, an importer clears them only with `clear=True`.
        read_only: whether sessions can only be imported from the format.
        pointers: whether the cookie may hold a pointer to a record on the server instead of a token. Other software that
            reads the cookie would not understand it.
        lifetimes: whether a token carries `stamp.lifetime`, the name of the session's lifetime.
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
    random_ids: bool = False
    carried: tuple[str, ...] = ()
    nobody: str | None = None
    shared: bool = False
    read_only: bool = False
    pointers: bool = False
    lifetimes: bool = False


class Source(Protocol):
    """A format that can be read. It holds settings, never secrets."""

    traits: ClassVar[Traits]
    """Facts about the format."""
    layout: ClassVar[Layout]
    """The layout of its tokens in cookies."""

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """Return the name of the cookie that is used if the settings name none.

        Args:
            host_only: whether a browser would accept a `__Host-` name.
            secure: whether the cookie is Secure.
        """
        ...

    def recognizes(self, text: str) -> bool:
        """Return whether a text has the grammar of the format.

        Args:
            text: a token, or only the beginning of one.
        """
        ...

    def looks_like(self, name: str, value: str) -> bool:
        """Return whether a cookie looks like one of this format, for `inspect`.

        Two formats may have the same grammar. The cookie's name, or the order of members, may then tell which one it is.

        Args:
            name: the cookie's name.
            value: its value.
        """
        ...

    def keys(self, secret: Any) -> Any:
        """Return the secrets in the form that `codec` takes.

        Args:
            secret: the application's secret: text, bytes, or several of them. The first seals, all open.

        Raises:
            ConfigurationError: a secret is weak, or is not a secret.
        """
        ...

    def codec(
        self, keys: Any, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Opener:
        """Return the opener for these keys and this cookie name.

        Args:
            keys: the result of `keys`.
            name: the cookie's name, for formats that derive their keys from it.
            audience: the store's audience, for formats that derive their keys from it.
            lifetime: the store's lifetime.
            serializer: the JSON library.
        """
        ...


class Format(Source, Protocol):
    """A format that can be read and written. It holds settings, never secrets."""

    def keys(self, secret: str | bytes | Sequence[str | bytes]) -> Any:
        """Return the secrets in the form that `codec` takes, as `Source.keys` does."""
        ...

    def codec(
        self, keys: Any, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> Codec:
        """Return the codec for these keys and this cookie name; the arguments are those of `Source.codec`.

        Raises:
            ConfigurationError: the format cannot enforce a setting.
        """
        ...
