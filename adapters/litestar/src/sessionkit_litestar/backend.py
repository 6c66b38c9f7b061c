"""The session backend: `request.session`, `set_session`, `clear_session`, and what Litestar's test clients ask of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import DefineMiddleware
from litestar.middleware.session.base import BaseBackendConfig, BaseSessionBackend
from litestar.middleware.session.base import SessionMiddleware as LitestarsOwn
from litestar.response import Response
from litestar.serialization.msgspec_hooks import DEFAULT_TYPE_ENCODERS
from litestar.types import Empty, Message, Receive, Scope, Scopes, Send

from sessionkit import ConfigurationError, Exchange, SessionStore
from sessionkit.asgi import SessionMiddleware as Gateway
from sessionkit.dispatch import register_response
from sessionkit.native import LazyContents, exchange_of, replace_contents
from sessionkit.request import ASGIRequest
from sessionkit.response import write
from sessionkit.settings import NativeKeys, Settings

__all__ = ["LitestarSession", "SessionKitBackend", "SessionKitConfig", "SessionMiddleware"]

KEYS = NativeKeys(dropped=("csrf_token", "_state_*"))  # of form libraries; OAuth sign-ins that another tab began
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

Connection = ASGIConnection[Any, Any, Any, Any]


class LitestarSession(LazyContents):
    """What `request.session` is: nested changes are saved, nothing is read before it is used."""


# msgspec takes the entries of a dict without asking it, so that one which reads itself later would be empty.
cast("dict[type, Any]", DEFAULT_TYPE_ENCODERS)[LitestarSession] = dict


class SessionKitBackend(BaseSessionBackend["SessionKitConfig"]):
    """Carries a session between Litestar and sessionkit.

    Args:
        config: the configuration.
    """

    def __init__(self, config: SessionKitConfig) -> None:
        super().__init__(config)
        self.settings: Settings = config.store.settings.served_natively(KEYS)

    def get_session_id(self, connection: Connection) -> str | None:
        """None: Litestar asks before anybody reads the session; `request.session.id` is its id."""
        return None

    async def load_from_connection(self, connection: Connection) -> dict[str, Any]:
        """The session; for Litestar's test clients, too, which hand over cookies that no server has received."""
        if not connection.scope["headers"] and connection.cookies:
            header = "; ".join(f"{name}={value}" for name, value in connection.cookies.items())
            connection.scope["headers"] = [(b"cookie", header.encode("latin-1"))]
        exchange = self._exchange(connection.scope)
        return cast("dict[str, Any]", {} if exchange is None else LitestarSession(exchange))

    async def store_in_message(self, scope_session: Any, message: Message, connection: Connection) -> None:
        """Take over what was put in the place of the session; write the response where no gateway does."""
        exchange = self._exchange(connection.scope)
        if exchange is None:
            return
        if scope_session is None or scope_session is Empty:
            replace_contents(exchange, {})
        elif not isinstance(scope_session, LazyContents):  # models, too: as Litestar would serialise them
            text = cast("Any", self).serialize_data(scope_session, connection.scope)
            replace_contents(exchange, self.deserialize_data(text))
        if not exchange.owned:
            write(exchange, cast("dict[str, Any]", message)["headers"])

    def _exchange(self, scope: Scope) -> Exchange | None:
        return exchange_of(ASGIRequest(cast("Any", scope)), self.settings)


class SessionMiddleware(LitestarsOwn[SessionKitBackend]):
    """Litestar's session middleware with the gateway in it.

    Args:
        app: the application.
        backend: a `SessionKitBackend`.
    """

    def __init__(self, app: Any, backend: SessionKitBackend) -> None:
        super().__init__(app, backend)
        self.gateway = Gateway(self.show, backend.config.store, native=KEYS, origins=backend.config.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self.gateway(cast("Any", scope), cast("Any", receive), cast("Any", send))

    async def show(self, scope: Any, receive: Any, send: Any) -> None:
        """Between the gateway and the application: hand the session out, and take over what was put in its place."""
        connection: Connection = ASGIConnection(scope, receive, send)
        scope["session"] = shown = await self.backend.load_from_connection(connection)

        async def taking_over(message: Any) -> None:
            if message["type"] in _STARTS and scope.get("session") is not shown:
                await self.backend.store_in_message(scope.get("session"), message, connection)
            await send(message)

        await self.app(scope, receive, taking_over)


@dataclass
class SessionKitConfig(BaseBackendConfig[SessionKitBackend]):
    """Sessions for a Litestar application: `middleware=[SessionKitConfig(store=store).middleware]`.

    Args:
        store: the store, which says how the cookies are set.
        exclude: patterns of paths that have no session, as Litestar has them.
        exclude_opt_key: the key of a handler's `opt` that leaves it without.
        scopes: the kinds of connections that have one.
        origins: the values of `Origin` from which websockets are accepted; None does not look.
    """

    _backend_class = SessionKitBackend

    store: SessionStore
    exclude: str | list[str] | None = None
    exclude_opt_key: str = "skip_session"
    scopes: Scopes = field(default_factory=lambda: {ScopeType.HTTP, ScopeType.WEBSOCKET})
    origins: list[str] | None = None

    key: str = field(init=False)
    max_age: int = field(init=False)
    path: str = field(init=False)
    domain: str | None = field(init=False)
    secure: bool = field(init=False)
    httponly: bool = field(init=False)
    samesite: Literal["lax", "strict", "none"] = field(init=False)

    def __post_init__(self) -> None:
        """What Litestar may ask: `SessionAuth` shows the cookie's name in the OpenAPI page."""
        settings = self.store.settings
        cookie, lifetime = settings.cookie, settings.lifetime
        self.key, self.path, self.domain = settings.name, cookie.path, cookie.domain
        self.secure, self.httponly, self.samesite = cookie.secure, cookie.http_only, cast("Any", cookie.same_site.lower())
        self.max_age = int(cast("Any", lifetime.absolute or lifetime.idle))

    @property
    def middleware(self) -> DefineMiddleware:
        """What to put into `middleware=[…]` of an application."""
        return DefineMiddleware(SessionMiddleware, backend=SessionKitBackend(self))


class _Fields:
    """The headers of a Litestar response, one line each."""

    def __init__(self, response: Response[Any]) -> None:
        self.headers = response.headers
        self.items = self.headers.items

    def __delitem__(self, name: str, /) -> None:
        self.headers.pop(name, None)

    def add(self, name: str, value: str, /) -> None:
        if name.lower() == "set-cookie":
            raise ConfigurationError("a Response of Litestar holds one line of each header: install the middleware")
        self.headers[name] = value


register_response(cast("type[Response[Any]]", Response), _Fields)
