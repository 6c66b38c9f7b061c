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
    """An `ISession`: nested changes are saved, nothing is decrypted before it is used."""

    @property
    def created(self) -> int:
        """When the session began, in seconds since the epoch; now, if there is none yet."""
        return int(self.exchange.settings.clock()) if self.stamp is None else self.stamp.created_at

    @property
    def new(self) -> bool:
        """Whether the session is another one than came with the request."""
        return self.exchange.is_new

    def invalidate(self) -> None:
        """End the session; a later assignment begins another."""
        self.exchange.delete()

    def changed(self) -> None:
        """Do nothing: a nested change is saved without this call."""

    def flash(self, msg: Any, queue: str = "", allow_duplicate: bool = True) -> None:
        """Put a message at the end of a queue.

        Args:
            msg: what JSON can say.
            queue: its name.
            allow_duplicate: whether it is put there although it is there already.
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
        """Make a new token against forged requests, for `LegacySessionCSRFStoragePolicy`."""
        self[CSRF_TOKEN] = token = secrets.token_urlsafe(24)
        return token

    def get_csrf_token(self) -> str:
        """Return the token against forged requests; a new one if there is none."""
        return self.get(CSRF_TOKEN) or self.new_csrf_token()


classImplements(PyramidSession, ISession)
