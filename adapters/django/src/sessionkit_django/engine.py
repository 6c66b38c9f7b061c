"""The session engine, `SESSION_ENGINE = "sessionkit_django.engine"`: what Django does with a session besides reading and writing."""

from __future__ import annotations

from typing import Any

from sessionkit import NoActiveRequestError
from sessionkit.context import current
from sessionkit.exchange import Exchange
from sessionkit.request import HeaderRequest

from .config import gateway
from .session import DjangoSession

__all__ = ["SessionStore"]

BEGUN = "_session_begun"
"""What `create` puts into an empty session, since one that holds nothing is not kept."""


class SessionStore(DjangoSession):
    """`request.session`: nested changes are saved, nothing is decrypted before it is used, and nothing ever waits.

    Its `session_key` is the session's id, never the token: it is safe in logs and tables, and opens nothing.

    Args:
        session_key: of the current request's session; any other finds nothing.
        exchange: the request's.
    """

    def __init__(self, session_key: str | None = None, *, exchange: Exchange | None = None) -> None:
        super().__init__(exchange or _exchange_with(session_key))

    def flush(self) -> None:
        """A logout: the session is dead, and stays dead in that browser."""
        self.delete()
        self.modified = True

    def cycle_key(self) -> None:
        """The same contents under a new id; the earlier session is dead."""
        self.exchange.rotate()

    def create(self) -> None:
        """A new id, for a visitor of whom nothing is kept yet too."""
        if not self.exchange.rotate():
            self[BEGUN] = True

    def delete(self, session_key: str | None = None) -> None:
        """End the session, if the key is its own or none is given."""
        if session_key in (None, self.session_key):
            self.exchange.delete()

    def exists(self, session_key: str | None = None) -> bool:
        """Whether it is this session's."""
        return session_key is not None and session_key == self.session_key

    def load(self) -> dict[str, Any]:
        """The contents as a plain dict."""
        return self.copy()

    def save(self, must_create: bool = False) -> None:  # SessionBase's signature
        """See that it can be saved, which the response does; a visitor without a session gets one.

        Raises:
            SerializationError, SessionTooLargeError: it cannot be kept.
            ResponseStartedError: the response's headers have gone out.
        """
        self.exchange.writing()
        if self.session_key is None:
            self[BEGUN] = True
        self.exchange.answer(200, ())

    @classmethod
    def clear_expired(cls) -> None:
        """Nothing to do: cookies expire by themselves."""


def _exchange_with(session_key: str | None) -> Exchange:
    """The current request's exchange, if the key is its session's; else one of a request without cookies."""
    settings = gateway().settings
    try:
        found = current() if session_key else None
    except NoActiveRequestError:
        found = None
    if isinstance(found, Exchange) and found.settings.same_store(settings):
        stamp = found.contents.stamp
        if stamp is not None and stamp.id == session_key:
            return found
    return Exchange(settings, HeaderRequest(), owned=False)
