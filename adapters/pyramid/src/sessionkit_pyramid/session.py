"""The object behind `request.session`."""

from __future__ import annotations

import secrets
from typing import Any

from pyramid.interfaces import ISession
from zope.interface import classImplements  # pyright: ignore[reportUnknownVariableType]

from sessionkit.adapters import LazyContents

__all__ = ["CSRF_TOKEN", "PyramidSession"]

CSRF_TOKEN = "_csrft_"  # noqa: S105  # a key, and the one that Pyramid's CSRF policies have


class PyramidSession(LazyContents):
    """An `ISession`. Nested changes are saved, and nothing is decrypted before its first use."""

    @property
    def created(self) -> int:
        """When the session began, in seconds since the epoch; the present time if there is no session yet."""
        return int(self.exchange.settings.clock()) if self.stamp is None else self.stamp.created_at

    @property
    def new(self) -> bool:
        """Whether the session is not the one that came with the request."""
        return self.exchange.is_new

    def invalidate(self) -> None:
        """End the session. A later assignment begins a new one."""
        self.exchange.delete()

    def changed(self) -> None:
        """Do nothing: a nested change is saved without this call."""

    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Put a message at the end of a queue.

        Args:
            msg: the message, a JSON value.
            queue: the name of the queue.
            allow_duplicate: whether to add the message even if the queue already has it.
        """
        messages = self.setdefault(f"_f_{queue}", [])
        if allow_duplicate or msg not in messages:
            messages.append(msg)

    def pop_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of a queue, and empty it."""
        found: list[Any] = self.pop(f"_f_{queue}", [])
        return found

    def peek_flash(self, queue: str = "") -> list[Any]:
        """Return the messages of a queue."""
        found: list[Any] = self.get(f"_f_{queue}", [])
        return found

    def new_csrf_token(self) -> str:
        """Make a new CSRF token, for `LegacySessionCSRFStoragePolicy`."""
        self[CSRF_TOKEN] = token = secrets.token_urlsafe(24)
        return token

    def get_csrf_token(self) -> str:
        """Return the CSRF token; make a new one if there is none."""
        return self.get(CSRF_TOKEN) or self.new_csrf_token()


classImplements(PyramidSession, ISession)
