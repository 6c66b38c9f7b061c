"""The configuration of an application's sessions, and the middleware that it makes."""

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
    """Litestar's session middleware, with the gateway inside it.

    Args:
        app: the application.
        backend: a `SessionKitBackend`.
    """

    def __init__(self, app: Any, backend: SessionKitBackend) -> None:
        store, origins = backend.config.store, backend.config.origins
        # Litestar sends requests that `exclude`, `exclude_opt_key` and `scopes` exclude directly to this; it marks them as excluded.
        left_out: Any = Gateway(app, store, framework=KEYS, origins=origins, exclude="*")
        super().__init__(left_out, backend)
        self.gateway = Gateway(app, store, framework=KEYS, origins=origins)
        self.gateway.show = self.show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        try:
            await self.gateway(cast("Any", scope), cast("Any", receive), cast("Any", send))
        except BaseException:
            del scope  # the cookies are in it, and a traceback shows the variables of this frame
            raise

    def show(self, exchange: Exchange, scope: Any) -> ScopePlace:
        """Put the session of a connection into its scope."""
        if getattr(scope.get("route_handler"), "cache", False):
            _keep_uncached(exchange, scope)
        return ScopePlace(LitestarSession(exchange), scope, exchange, self.backend.contents_of)


def _keep_uncached(exchange: Exchange, scope: Any) -> None:
    """Keep the response of a handler with `cache=` out of Litestar's cache as soon as the session is read.

    That cache runs inside our middleware, and does not see its `Vary` and `Cache-Control`.
    """
    fill = exchange.fill

    def note_and_fill(contents: Mapping[str, Any], **named: Any) -> Session:
        # Litestar does not store a response that is marked as coming from the cache.
        ScopeState.from_scope(scope).is_cached = True
        return fill(contents, **named)

    exchange.fill = note_and_fill


@dataclass
class SessionKitConfig(BaseBackendConfig[SessionKitBackend]):
    """Sessions for a Litestar application: `middleware=[SessionKitConfig(store=store).middleware]`.

    Args:
        store: the store, which says how the cookies are set.
        exclude: patterns of paths that have no session, in Litestar's syntax.
        exclude_opt_key: the key in a handler's `opt` that excludes the handler.
        scopes: the kinds of connections that have a session.
        origins: the values of `Origin` from which websockets are accepted; None accepts all.
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
        """The middleware, for `middleware=[…]` of an application."""
        return DefineMiddleware(SessionMiddleware, backend=SessionKitBackend(self))


# A secret may have been passed as the store, and a traceback shows the variables of frames.
SessionKitConfig.__init__ = clears_frames(SessionKitConfig.__init__)  # type: ignore[method-assign]  # the dataclass made it
