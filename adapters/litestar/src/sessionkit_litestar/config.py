"""The configuration that an application is given, and the middleware that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from litestar.enums import ScopeType
from litestar.middleware import DefineMiddleware
from litestar.middleware.session.base import BaseBackendConfig
from litestar.middleware.session.base import SessionMiddleware as LitestarsOwn
from litestar.types import Receive, Scope, Scopes, Send
from litestar.utils.scope.state import ScopeState

from sessionkit import Exchange, Session, SessionStore
from sessionkit.adapters import ScopePlace, check_store, clears_frames
from sessionkit.asgi import SessionMiddleware as Gateway

from .backend import KEYS, LitestarSession, SessionKitBackend

__all__ = ["SessionKitConfig", "SessionMiddleware"]


class SessionMiddleware(LitestarsOwn[SessionKitBackend]):
    """Litestar's session middleware with the gateway in it.

    Args:
        app: the application.
        backend: a `SessionKitBackend`.
    """

    def __init__(self, app: Any, backend: SessionKitBackend) -> None:
        store, origins = backend.config.store, backend.config.origins
        # What `exclude`, `exclude_opt_key` and `scopes` leave out Litestar sends straight to this: marked as without a session.
        left_out: Any = Gateway(app, store, framework=KEYS, origins=origins, exclude="*")
        super().__init__(left_out, backend)
        self.gateway = Gateway(app, store, framework=KEYS, origins=origins)
        self.gateway.show = self.show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self.gateway(cast("Any", scope), cast("Any", receive), cast("Any", send))

    def show(self, exchange: Exchange, scope: Any) -> ScopePlace:
        """Put the session of a connection into its scope."""
        if getattr(scope.get("route_handler"), "cache", False):
            _keep_uncached(exchange, scope)
        return ScopePlace(LitestarSession(exchange), scope, exchange, self.backend.contents_of)


def _keep_uncached(exchange: Exchange, scope: Any) -> None:
    """Keep the response of a handler with `cache=` out of Litestar's cache as soon as the session is read.

    That cache stands inside of our middleware, and does not see its `Vary` and `Cache-Control`.
    """
    fill = exchange.fill

    def note_and_fill(contents: Mapping[str, Any], **named: Any) -> Session:
        # Litestar stores no response that is said to come from the cache.
        ScopeState.from_scope(scope).is_cached = True
        return fill(contents, **named)

    exchange.fill = note_and_fill


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
        """Set the fields that Litestar may ask for: `SessionAuth` shows the cookie's name in the OpenAPI page."""
        check_store(self.store, "SessionKitConfig(store=store)")
        settings = self.store.settings
        cookie, lifetime = settings.cookie, settings.lifetime
        self.key, self.path, self.domain = settings.name, cookie.path, cookie.domain
        self.secure, self.httponly, self.samesite = (
            cookie.secure,
            cookie.http_only,
            cast("Any", cookie.same_site.lower()),
        )
        self.max_age = int(cast("Any", lifetime.absolute or lifetime.idle))

    @property
    def middleware(self) -> DefineMiddleware:
        """What to put into `middleware=[…]` of an application."""
        return DefineMiddleware(SessionMiddleware, backend=SessionKitBackend(self))


# A secret may stand in the store's place, and a traceback shows the variables of frames.
SessionKitConfig.__init__ = clears_frames(SessionKitConfig.__init__)  # type: ignore[method-assign]  # the dataclass made it
