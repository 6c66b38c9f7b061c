"""Django's test clients, with sessions that may need more than one cookie.

`session`, `login`, `force_login` and `logout` of Django's own know one cookie, and take the session key for it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.test import AsyncClient as DjangoAsyncClient
from django.test import Client as DjangoClient

from sessionkit.exchange import Exchange
from sessionkit.request import HeaderRequest

from .config import gateway
from .engine import SessionStore
from .responses import Line

__all__ = ["AsyncClient", "Client", "ClientSession"]


class ClientSession(SessionStore):
    """The session of a test client; `save` puts its cookies into the client.

    Args:
        client: whose cookies are read and written.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        header = "; ".join(f"{one.key}={one.coded_value}" for one in client.cookies.values())
        super().__init__(exchange=Exchange(gateway().settings, HeaderRequest(header), owned=False))

    def __bool__(self) -> bool:
        """Yes: Django's clients would otherwise log in with a session of nobody's."""
        return True

    def save(self, must_create: bool = False) -> None:
        """Put its cookies into the client."""
        super().save(must_create)
        self._put()

    def delete(self, session_key: str | None = None) -> None:
        """End it, in the client too: Django's own engines do not wait for `save` either."""
        super().delete(session_key)
        self._put()

    def _put(self) -> None:
        for name, value in self.exchange.answer(200, ()).add:
            if name == "Set-Cookie":
                line = Line(value)
                self.client.cookies[line.key] = line


class _Sessions:
    cookies: Any

    @property
    def session(self) -> ClientSession:
        """The session of the next request; call its `save` after a change."""
        return ClientSession(self)

    async def asession(self) -> ClientSession:
        """As `session`."""
        return ClientSession(self)

    def _set_login_cookies(self, request: HttpRequest) -> None:
        """Nothing to do: `save` has done it."""


class Client(_Sessions, DjangoClient):
    """`django.test.Client` (`client_class` of a `TestCase`)."""


class AsyncClient(_Sessions, DjangoAsyncClient):
    """`django.test.AsyncClient` (`async_client_class` of a `TestCase`)."""
