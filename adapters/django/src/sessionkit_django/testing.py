"""Django's test clients, with sessions that may need more than one cookie.

`session`, `login`, `force_login` and `logout` of Django's own know one cookie, and take the session key for it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from django.http import HttpRequest
from django.test import AsyncClient as DjangoAsyncClient
from django.test import Client as DjangoClient

from sessionkit import Exchange
from sessionkit.adapters import HeaderRequest

from .config import gateway
from .engine import SETTLE, SessionStore, Steps
from .responses import Line

__all__ = ["AsyncClient", "Client", "ClientSession", "install"]

_clients: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""The clients by the key of the session that was saved in them."""


class ClientSession(SessionStore):
    """The session of a test client; `save` puts its cookies into the client.

    Args:
        session_key: of a session that was saved in a client and is its session still; any other finds nothing.
        client: whose cookies are read and written.
    """

    def __init__(self, session_key: str | None = None, *, client: Any = None) -> None:
        self.client = client
        if client is None and session_key is not None:
            self.client = client = _clients.get(session_key)
        if client is None:
            super().__init__(session_key)
            return
        super().__init__(exchange=_exchange_of(client))
        if session_key is not None and session_key != self.session_key:
            self.client = None
            super().__init__()

    def __bool__(self) -> bool:
        """Return True for a client's: Django's clients would otherwise log in with a session of nobody's."""
        return self.client is not None or len(self) > 0

    def _save(self, must_create: bool = False) -> Steps:
        yield from super()._save(must_create)
        self._put()

    def _delete(self, session_key: str | None = None) -> Steps:
        """End it, in the client too: Django's own engines do not wait for `save` either."""
        yield from super()._delete(session_key)
        if self.client is not None:
            yield SETTLE
        self._put()

    def _put(self) -> None:
        if self.client is None:
            return
        for name, value in self.exchange.answer(200, ()).add:
            if name == "Set-Cookie":
                line = Line(value)
                self.client.cookies[line.key] = line
        if self.session_key is not None:
            _clients[self.session_key] = self.client


def _exchange_of(client: Any) -> Exchange:
    header = "; ".join(f"{one.key}={one.coded_value}" for one in client.cookies.values())
    exchange = Exchange(gateway().settings, HeaderRequest(header))
    exchange.drive()
    return exchange


class _Sessions:
    cookies: Any

    @property
    def session(self) -> ClientSession:
        """The session of the next request; call its `save` after a change."""
        return ClientSession(client=self)

    async def asession(self) -> ClientSession:
        """As `session`."""
        session = ClientSession(client=self)
        await session.aload()
        return session

    def _set_login_cookies(self, request: HttpRequest) -> None:
        """Nothing to do: `save` has done it."""


class Client(_Sessions, DjangoClient):
    """`django.test.Client` (`client_class` of a `TestCase`)."""


class AsyncClient(_Sessions, DjangoAsyncClient):
    """`django.test.AsyncClient` (`async_client_class` of a `TestCase`)."""


def install() -> None:
    """Make Django's own test clients do what ours do, those of pytest-django's fixtures too.

    Call it once, in `conftest.py` or where the tests begin.
    """
    for client in (DjangoClient, DjangoAsyncClient):
        for name in ("session", "asession", "_set_login_cookies"):
            setattr(client, name, vars(_Sessions)[name])
