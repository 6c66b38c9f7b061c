"""Session keys of frameworks that find a session by a key, in any process: a text that names a record on the server.

A record is found by its key and its owner, 128 bits each. Frameworks keep a session key in a column of 40 characters
(Django's own table, third parties' tables), and two hexadecimal numbers need 64. In 40 characters, 256 bits take an
alphabet of 85: that is the alphabet of RFC 1924, except that `./:[]` take the place of `%&;<>`, which have a meaning in
HTML, in URLs, in cookies and in SQL. An alphabet without capital letters would have too few characters: 68 of them hold
243 bits. A database that compares without regard to case still tells two keys apart: they differ in some 240 bits then.
And a key is decoded before a record is looked up, so no database decides which session it opens.

A key opens nothing in a browser, whose cookie is a sealed pointer. Server code that has it can read the session.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from functools import lru_cache
from typing import TypeVar

from .._exchange.exchange import Exchange
from .._exchange.operations import Load
from .._exchange.pointers import open_contents
from .._exchange.request import HeaderRequest
from .._exchange.settings import Settings
from .._management import Steps, arun, has_expired, revoke_session, run
from .._session.session import Absence
from ..backends import Record

__all__ = ["SessionKeys"]

Result = TypeVar("Result")

LENGTH, HALF = 40, 32
"""Characters of a session key; hexadecimal digits of a record's key, and of its owner."""

_RFC_1924, _OURS = b"%&;<>", b"./:[]"
_TO_OURS, _FROM_OURS = (
    bytes.maketrans(_RFC_1924, _OURS),
    bytes.maketrans(_OURS + _RFC_1924, _RFC_1924 + b" " * 5),
)


class SessionKeys:
    """Find the sessions of a store with a backend by their session keys.

    Args:
        settings: the settings of the gateway (`Gateway.settings`).
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # Server code may keep anonymous sessions, which no browser has in a cookie.
        self._keeping_all = _keep_all(settings)

    @staticmethod
    def make(exchange: Exchange) -> str | None:
        """Return the key of an exchange's session; None while there is no session.

        Args:
            exchange: the exchange. If no record keeps the session, its key is its id: 22 characters by which only the
                same request finds it.
        """
        named = exchange.name_record()
        if named is not None:
            return b85encode(bytes.fromhex(named[0] + named[1])).translate(_TO_OURS).decode()
        stamp = exchange.contents.stamp
        return None if stamp is None else stamp.id

    @staticmethod
    def is_key(text: str | None) -> bool:
        """Return whether a text can be the key of a record.

        Args:
            text: the text.
        """
        return _parse(text) is not None

    def open(self, session_key: str | None) -> Exchange:
        """Open the session of a key for server code, apart from any request; without a key, a new session.

        It is kept on the server even if it is anonymous. `Exchange.check` saves it on a blocking backend, `asettle` on any.

        Args:
            session_key: the key; None, or any text that is no key of a record, for a new session.
        """
        exchange = Exchange(self._keeping_all, HeaderRequest(), owned=False)
        named = _parse(session_key)
        if named is not None:
            exchange.point_to(*named)
        exchange.drive()
        return exchange

    def exists(self, session_key: str | None) -> Steps[bool]:
        """Return whether a key is the key of a session on the server that has not ended. `run` or `arun` it.

        Args:
            session_key: the key.
        """
        named = _parse(session_key)
        if named is None:
            return False
        record: Record | None = yield Load(*named)
        return (
            record is not None
            and not isinstance(open_contents(self.settings, record), Absence)
            and not has_expired(self.settings, record)
        )

    def delete(self, session_key: str | None) -> Steps[bool]:
        """End the session of a key, and return whether there was one. `run` or `arun` it.

        Args:
            session_key: the key.
        """
        named = _parse(session_key)
        if named is None:
            return False
        return (yield from revoke_session(self.settings, f"{named[1]}.{named[0]}"))

    def run(self, steps: Steps[Result]) -> Result:
        """Perform steps on a blocking backend.

        Args:
            steps: what a method of this class returned.

        Returns:
            The result of the steps.

        Raises:
            ConfigurationError: the backend is awaited.
            BackendError: the backend failed.
        """
        return run(self.settings, steps)

    async def arun(self, steps: Steps[Result]) -> Result:
        """Perform steps on a backend of either kind; the arguments are those of `run`.

        Raises:
            BackendError: the backend failed.
        """
        return await arun(self.settings, steps)


@lru_cache(maxsize=64)
def _keep_all(settings: Settings) -> Settings:
    """Return settings that keep anonymous sessions on the server too; made once, because each `SessionStore(key)` asks."""
    return settings.with_changes(all_on_server=True)


def _parse(session_key: str | None) -> tuple[str, str] | None:
    """Return the record's key and its owner; None for the key of a session in a cookie, and for any other text."""
    if session_key is None or len(session_key) != LENGTH or not session_key.isascii():
        return None
    try:
        raw = b85decode(session_key.encode().translate(_FROM_OURS)).hex()
    except ValueError:
        return None
    return raw[:HALF], raw[HALF:]
