"""Django's test clients, with sessions that may need more than one cookie.

Django's own `session`, `login`, `force_login` and `logout` know only one cookie, and put the session key into it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.test import AsyncClient as DjangoAsyncClient
from django.test import Client as DjangoClient

from .clients import SessionInClient
from .engine import SessionStore

__all__ = ["AsyncClient", "Client", "ClientSession", "install"]


class ClientSession(SessionInClient, SessionStore):  # type: ignore[misc]  # the stubs take a SessionBase for a dict
    """The session of a test client; `save` puts its cookies into the client.

    Args:
        session_key: the key of a session that was saved in a client and is still its session. Any other key finds no session.
        client: the client whose cookies are read and written.
    """


class _Sessions:
    cookies: Any

    @property
    def session(self) -> ClientSession:
        """The session of the next request; call its `save` after a change."""
        return ClientSession(client=self)

    async def asession(self) -> ClientSession:
        """Return the session of the next request, as `session` does, and load it."""
        session = ClientSession(client=self)
        await session.aload()
        return session

    def _set_login_cookies(self, request: HttpRequest) -> None:
        """Do nothing: `save` has put the cookies into the client."""


class Client(_Sessions, DjangoClient):
    """`django.test.Client` (`client_class` of a `TestCase`)."""


class AsyncClient(_Sessions, DjangoAsyncClient):
    """`django.test.AsyncClient` (`async_client_class` of a `TestCase`)."""


def install() -> None:
    """Give Django's own test clients the sessions of our clients. This includes the clients of pytest-django's fixtures.

    Call this once, in `conftest.py` or at the start of the tests.
    """
    for client in (DjangoClient, DjangoAsyncClient):
        for name in ("session", "asession", "_set_login_cookies"):
            setattr(client, name, vars(_Sessions)[name])
