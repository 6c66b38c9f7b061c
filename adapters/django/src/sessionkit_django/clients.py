"""The sessions of test clients, Django's own and ours. `save` puts the cookies of the session into the client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from weakref import WeakValueDictionary

from sessionkit import Exchange
from sessionkit.adapters import HeaderRequest

from .callers import CLIENT, is_asked_by
from .config import gateway
from .responses import Line
from .saving import BEGUN, SETTLE, SavedSession, Steps

__all__ = ["SessionInClient", "make_class_in_client"]

_clients: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""The clients, by the key of the session that was saved in them."""


class SessionInClient(SavedSession):
    """The session of a test client; `save` puts its cookies into the client.

    Args:
        session_key: the key of a session that was saved in a client and is still its session. Any other key finds no session.
        client: the client whose cookies are read and written.
    """

    client: Any = None

    def __init__(self, session_key: str | None = None, *, client: Any = None) -> None:
        if client is None and session_key is not None:
            client = _clients.get(session_key)
        if client is not None:
            self.open(client)
            if session_key is None or session_key == self._key:
                return
        self.client = None
        super().__init__(exchange=Exchange(gateway().settings, HeaderRequest(), owned=False))

    def open(self, client: Any) -> None:
        """Open the session that the client has.

        Args:
            client: whose cookies are read and written.
        """
        self.client = client
        cookies = client.cookies.values()
        header = "; ".join(f"{one.key}={one.coded_value}" for one in cookies)
        exchange = Exchange(gateway().settings, HeaderRequest(header))
        exchange.drive()
        super().__init__(exchange=exchange)

    @property
    def session_key(self) -> str | None:
        """The session's key. Django's client puts it into a cookie, so the client gets the token of the session instead."""
        if self.client is not None and is_asked_by(CLIENT):
            return self._token
        return self._key

    @property
    def _key(self) -> str | None:
        return super().session_key

    @property
    def _token(self) -> str:
        """The token in the client's cookies; empty if there is none."""
        settings, cookies = gateway().settings, self.client.cookies
        if settings.name in cookies and cookies[settings.name].value:
            return str(cookies[settings.name].value)
        chunks: list[str] = []
        while (name := f"{settings.chunk}{len(chunks)}") in cookies:
            chunks.append(cookies[name].value)
        return "".join(chunks)

    def __bool__(self) -> bool:
        """Return True. Otherwise Django's client would log in with another session, which belongs to no client."""
        return self.client is not None or len(self) > 0

    def __iter__(self) -> Iterator[str]:
        # Django's client saves each session that it makes. A test must find the session empty, as with Django's engines.
        return (key for key in super().__iter__() if key != BEGUN)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _save(self, must_create: bool = False) -> Steps:
        yield from super()._save(must_create)
        self._put()

    def _delete(self, session_key: str | None = None) -> Steps:
        """End the session, in the client too. As in Django's own engines, this does not wait for `save`."""
        yield from super()._delete(session_key)
        if self.client is not None:
            yield SETTLE
        self._put()

    def _put(self) -> None:
        """Put the session's cookies into the client, as a response would."""
        if self.client is None:
            return
        for name, value in self.exchange.answer(200, ()).add:
            if name == "Set-Cookie":
                line = Line(value)
                self.client.cookies[line.key] = line
        if self._key is not None:
            _clients[self._key] = self.client


@cache
def make_class_in_client(kind: type[SavedSession]) -> type[SessionInClient]:
    """Return the class of the sessions of test clients for a project's engine.

    Args:
        kind: the `SessionStore` of the engine.
    """
    return type(f"{kind.__name__}InClient", (SessionInClient, kind), {"__module__": __name__})
