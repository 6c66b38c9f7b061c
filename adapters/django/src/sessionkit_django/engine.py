"""The session engine: what `request.session` is. `SESSION_ENGINE = "sessionkit_django.engine"`."""

from __future__ import annotations

from typing import Any

from sessionkit import NoActiveRequestError
from sessionkit.context import current
from sessionkit.exchange import Exchange
from sessionkit.fingerprint import fingerprint, same
from sessionkit.native import LazyContents
from sessionkit.request import HeaderRequest

from .awaited import AwaitedSession
from .config import gateway

__all__ = ["SessionStore"]

BEGUN = "_session_begun"
"""What `create` puts into an empty session, since one that holds nothing is not kept."""


class SessionStore(LazyContents, AwaitedSession):  # type: ignore[misc]  # the stubs take a SessionBase for a dict
    """`request.session`: nested changes are saved, nothing is decrypted before it is used, and nothing ever waits.

    Its `session_key` is the session's id, never the token: it is safe in logs and tables, and opens nothing.

    Args:
        session_key: of the current request's session; any other finds nothing.
        exchange: the request's.
    """

    def __init__(self, session_key: str | None = None, *, exchange: Exchange | None = None) -> None:
        self._clean: bytes | None = None
        LazyContents.__init__(self, exchange or _exchange_with(session_key))
        AwaitedSession.__init__(self, session_key)

    # ---- what Django's own classes keep in attributes

    @property
    def session_key(self) -> str | None:
        """The session's id; None while there is no session."""
        return self.id

    @property
    def _session_key(self) -> str | None:
        return self.id

    @_session_key.setter
    def _session_key(self, value: str | None) -> None: ...

    @property
    def accessed(self) -> bool:
        """Whether it was looked at."""
        return self.exchange.looked_at

    @accessed.setter
    def accessed(self, value: bool) -> None: ...  # pyright: ignore[reportIncompatibleVariableOverride]  # a plain attribute in SessionBase

    @property
    def modified(self) -> bool:
        """Whether it differs from what came, nested values included; to set it is allowed and not needed."""
        if self._marked or self._clean is None:
            return self._marked or self.exchange.changed
        return not same(fingerprint(self.exchange.contents), self._clean)

    @modified.setter
    def modified(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # a plain attribute in SessionBase
        self._marked = value
        if not value and self.exchange.looked_at:
            self._clean = fingerprint(self.exchange.contents)

    def _get_session(self, no_load: bool = False) -> Any:  # SessionBase's signature
        return self.exchange.contents

    async def _aget_session(self, no_load: bool = False) -> Any:
        return self.exchange.contents

    _session = property(_get_session)

    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return not self.exchange.contents

    # ---- ends and new ids

    def flush(self) -> None:
        """A logout: the session is dead, and stays dead in that browser."""
        self.delete()
        self._marked = True

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

    # ---- the store

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

    # ---- when it ends

    def get_session_cookie_age(self) -> int:
        """Seconds that a session lives which does not say so itself."""
        lifetime = gateway().settings.lifetime
        return lifetime.idle or lifetime.absolute or 0

    def get_expire_at_browser_close(self) -> bool:
        """Whether the browser forgets it when it closes."""
        settings = gateway().settings
        return settings.suited(self).cookie.transient


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
