"""The session backend: `request.session`, `set_session`, `clear_session`, and the methods that Litestar's test clients call."""

from __future__ import annotations

from typing import Any, Protocol, cast

from litestar.connection import ASGIConnection
from litestar.middleware.session.base import BaseSessionBackend
from litestar.response import Response
from litestar.serialization.msgspec_hooks import DEFAULT_TYPE_ENCODERS
from litestar.types import Empty, Message, Scope

from sessionkit import ConfigurationError, Exchange, SessionStore
from sessionkit.adapters import (
    ASGIRequest,
    FrameworkKeys,
    LazyContents,
    ResponseFields,
    Settings,
    aload,
    asettle,
    find_or_open_exchange,
    register_response,
    replace_contents,
    write_response,
)

__all__ = ["KEYS", "LitestarSession", "SessionKitBackend"]

KEYS = FrameworkKeys()

Connection = ASGIConnection[Any, Any, Any, Any]


class LitestarSession(LazyContents):
    """The object behind `request.session`. Nested changes are saved, and nothing is read before its first use."""


# msgspec reads the entries of a dict without calling its methods, so it would write a dict that is filled later as empty.
cast("dict[type, Any]", DEFAULT_TYPE_ENCODERS)[LitestarSession] = dict


class HasStore(Protocol):
    """A session configuration with a store."""

    @property
    def store(self) -> SessionStore:
        """The store."""
        ...


class SessionKitBackend(BaseSessionBackend[Any]):
    """Carries a session between Litestar and sessionkit.

    Args:
        config: the configuration.
    """

    def __init__(self, config: HasStore) -> None:
        super().__init__(cast("Any", config))
        self.settings: Settings = config.store.settings.with_framework(KEYS)

    def get_session_id(self, connection: Connection) -> str | None:
        """Return None, because Litestar calls this before the session is read. The id is `request.session.id`."""
        return None

    async def load_from_connection(self, connection: Connection) -> dict[str, Any]:
        """Return the session. Litestar's test clients call this too, with cookies that no server has received."""
        exchange = self._exchange(connection)
        if exchange is None:
            return {}
        await aload(exchange)
        return cast("dict[str, Any]", LitestarSession(exchange))

    async def store_in_message(
        self, scope_session: Any, message: Message, connection: Connection
    ) -> None:
        """Replace the contents with those that the application has put into the scope. If no gateway answers, write the response.

        Litestar's test clients call this too, with the cookies that they have.
        """
        exchange = self._exchange(connection)
        if exchange is None:
            return
        await aload(exchange)
        if not isinstance(scope_session, LazyContents):
            replace_contents(exchange, self.contents_of(scope_session, connection.scope))
        if not exchange.owned:
            await asettle(exchange)
            write_response(exchange, cast("dict[str, Any]", message)["headers"])

    def contents_of(self, found: Any, scope: Scope) -> Any:
        """Return the contents for a value in the place of the session. A model is serialised as Litestar does it."""
        if found is None or found is Empty:
            return {}
        return self.deserialize_data(cast("Any", self).serialize_data(found, scope))

    def _exchange(self, connection: Connection) -> Exchange | None:
        scope = connection.scope
        if not scope["headers"]:
            # The connection of a test client. A server would have received the client's cookies, by https if they are Secure.
            header = "; ".join(f"{name}={value}" for name, value in connection.cookies.items())
            scope["headers"] = [(b"cookie", header.encode("latin-1"))]
            scope["scheme"] = "https"
        return find_or_open_exchange(ASGIRequest(cast("Any", scope)), self.settings)


def _fields(response: Response[Any]) -> ResponseFields:
    headers = response.headers

    def add(name: str, value: str) -> None:
        if name.lower() == "set-cookie":
            raise ConfigurationError(
                "a Response of Litestar holds one Set-Cookie line, and the session may need several: install the middleware "
                "of sessionkit_litestar, and leave the response out of the call"
            )
        headers[name] = value

    return ResponseFields(headers.items, add, headers.__delitem__)


register_response(cast("type[Response[Any]]", Response), _fields)
