"""Session keys, for frameworks that look up a session by a key in any process: a text that names a record on the server.

A record is found by its key and its owner, 128 bits each. Frameworks store a session key in a column of 40 characters (in Django's
own table and in those of other packages), and two hexadecimal numbers would need 64. To write 256 bits in 40 characters, an
alphabet of 85 characters is needed: that of RFC 1924, but with `./:[]` instead of `%&;<>`, which have a meaning in HTML, URLs,
cookies and SQL. Without capital letters, 68 characters would remain, which hold only 243 bits. A database that ignores case still
distinguishes two keys, because they then still differ in some 240 bits. And a key is decoded before a record is looked up, so the
database does not decide which session a key opens.

A browser cannot use a session key, because its cookie is a sealed pointer. Server code that has the key can read the session.
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
from .._management.listing import has_expired
from .._management.revoking import revoke_session
from .._management.steps import Steps, arun, run
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
        # Server code may keep anonymous sessions on the server, because no browser has them in a cookie.
        self._keeping_all = _keep_all(settings)

    @staticmethod
    def make(exchange: Exchange) -> str | None:
        """Return the key of an exchange's session; None while there is no session.

        Args:
            exchange: the exchange. If no record keeps the session, the result is the session's id: 22 characters, with which
                only the same request finds the session.
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
        """Open the session with this key for server code outside of any request; without a key, begin a new session.

        The session is kept on the server even if it is anonymous. `Exchange.check` saves it on a blocking backend, and `asettle`
        on any backend.

        Args:
            session_key: the key; None, or any text that is not a key of a record, for a new session.
        """
        exchange = Exchange(self._keeping_all, HeaderRequest(), owned=False)
        named = _parse(session_key)
        if named is not None:
            exchange.point_to(*named)
        exchange.drive()
        return exchange

    def exists(self, session_key: str | None) -> Steps[bool]:
        """Return whether a key is the key of a session on the server that has not ended. Pass the result to `run` or `arun`.

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
        """End the session with this key, and return whether there was one. Pass the result to `run` or `arun`.

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
            ConfigurationError: the backend is async.
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
    """Return settings that keep anonymous sessions on the server too. They are cached, because each `SessionStore(key)` needs them."""
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
