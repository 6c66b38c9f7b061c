"""Sealed values: small texts for links in mails and for an application's own cookies, sealed with the store's keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from typing import Any, NoReturn
from urllib.parse import quote

from .._session.events import logger
from .._session.json import Serializer, freeze
from .._session.lifetime import Duration, seconds
from .._session.session import Absence, Stamp
from .._session.tracebacks import clears_frames
from ..errors import ConfigurationError, SerializationError, SessionTooLargeError
from .keyring import KeyRing
from .sealing import NativeCodec

__all__ = ["Sealer"]

LONGEST_TEXT = 3072
"""Characters of a sealed value. It fits into a cookie (4,096 bytes with its attributes) and into a link (8,000 are usual)."""

LONGEST_PURPOSE = 100

_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
"""The characters of an audience that are not percent-encoded. (With formats of other libraries, an audience may be any text.)"""


class Sealer:
    """Seals small values into texts, and opens them again: links in mails, a sign-in in progress, a CSRF token.

    `store.sealer(purpose)` makes a sealer. A value opens only in a store with one of the same secrets, for the same purpose and
    audience, until it expires. A sealed value is never accepted as a session, and a session never as a sealed value.

    The server stores nothing, so a value opens as often as somebody sends it. For a value that works once, put something into it
    that its use changes, such as a fingerprint of the password hash, and compare this after `open`.
    """

    __slots__ = ("_clock", "_codec", "_serializer", "purpose")

    def __init__(
        self,
        ring: KeyRing,
        purpose: str,
        audience: str,
        serializer: Serializer,
        clock: Callable[[], float],
    ) -> None:
        if (
            not isinstance(purpose, str)  # pyright: ignore[reportUnnecessaryIsInstance]  # the caller may be untyped
            or not 0 < len(purpose) <= LONGEST_PURPOSE
            or not (purpose.isascii() and purpose.isprintable())
        ):
            raise ConfigurationError(
                "sealer() takes the purpose of its values, a text of printable ASCII such as 'password-reset', "
                f"{LONGEST_PURPOSE} characters at most"
            )
        self.purpose: str = purpose
        self._codec = NativeCodec(
            ring, purpose, quote(audience, safe=_PLAIN), None, serializer, purpose="sealed"
        )
        self._serializer = serializer
        self._clock = clock

    @clears_frames
    def seal(self, value: Mapping[str, Any], *, max_age: Duration) -> str:
        """Return a text that holds a value. It can be part of a URL or a cookie: it has only letters, digits, `-`, `_` and dots.

        Args:
            value: str keys and JSON values.
            max_age: seconds (or a timedelta) after which the text no longer opens.

        Returns:
            The text: 222 characters, and 4 for each 3 bytes of JSON, at most 3,072. Anybody can read in it when it was
            made and when it expires.

        Raises:
            SerializationError: the value is not JSON; the message has the path.
            SessionTooLargeError: the text would be too long.
            ConfigurationError: `max_age` is not a positive duration.
            TypeError: the value is not a mapping.
        """
        if not isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # the caller may be untyped
            raise TypeError(
                f"seal() takes a mapping, such as {{'user': 7}}, not {type(value).__name__}"
            )
        age = seconds("max_age", max_age)
        if age is None:
            raise ConfigurationError("max_age must say when the sealed value ends, in seconds")
        try:
            plaintext, why = freeze(dict(value), self._serializer), ""
        except SerializationError as error:
            plaintext, why = b"", str(error).replace("session", "value", 1)
        if why:
            raise SerializationError(why)
        now = int(self._clock())
        stamp = Stamp(id=token_urlsafe(16), created_at=now, updated_at=now, expires_at=now + age)
        length = self._codec.size(plaintext, stamp)
        if length > LONGEST_TEXT:
            raise SessionTooLargeError(
                f"the sealed value would have {length} characters and may have {LONGEST_TEXT}: keep what is large elsewhere, and "
                "its id in the value"
            )
        return self._codec.seal(plaintext, stamp)

    def open(self, text: str | None) -> dict[str, Any] | None:
        """Return the value in a text; None if this sealer did not seal the text, or if it has expired.

        The text may be anything that a visitor sent: this method never raises an error. The reason for None is logged at DEBUG.

        Args:
            text: what `seal` returned; None for a parameter or a cookie that is missing.
        """
        if not isinstance(text, str) or not text:
            return None
        now = self._clock()
        opened = Absence.TOO_LARGE if len(text) > LONGEST_TEXT else self._codec.open(text, now)
        if not isinstance(opened, Absence) and now >= opened.stamp.expires_at:
            opened = Absence.EXPIRED
        if isinstance(opened, Absence):
            logger.debug("a value sealed for %r was refused: %s", self.purpose, opened.value)
            return None
        return opened.contents

    def __repr__(self) -> str:
        return f"<Sealer {self.purpose!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Sealer holds keys and does not pickle: make it from the store")

    def __copy__(self) -> Sealer:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Sealer:
        return self
