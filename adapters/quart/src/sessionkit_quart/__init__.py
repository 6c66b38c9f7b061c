"""Encrypted sessions for Quart: `quart.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast, overload

from quart import Quart, Response, current_app, has_websocket_context, request, websocket
from quart.sessions import SessionInterface, SessionMixin

from sessionkit import SessionStore, get_session
from sessionkit.asgi import SessionMiddleware
from sessionkit.conventions import KEYS, ConventionalGateway, ConventionalSession
from sessionkit.native import exchange_of
from sessionkit.request import ASGIRequest
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.response import write

__all__ = ["QuartSession", "SessionKit", "require_session_api", "require_session_page"]

View = TypeVar("View", bound=Callable[..., Any])


class QuartSession(ConventionalSession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """What `quart.session` is: nested changes are saved, nothing is read before it is used."""


class Front:
    """What stands in front of an application: its gateway, or none while there is no secret key."""

    def __init__(self, app: Quart, store: SessionStore | None, settings: dict[str, Any]) -> None:
        self.inner: Any = app.asgi_app
        self.gateway: ConventionalGateway[SessionMiddleware] = ConventionalGateway(
            cast("dict[str, Any]", app.config),
            lambda store: SessionMiddleware(self.inner, store, native=KEYS),
            store=store,
            settings=settings,
            for_development=lambda: app.debug or app.testing,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        await (self.gateway.current or self.inner)(scope, receive, send)


class SessionKit(SessionInterface):
    """Sessions for a Quart application: serves `quart.session`, and the verbs in every form, on websockets too.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made from the settings of Quart (`SECRET_KEY`,
            `SECRET_KEY_FALLBACKS`, `SESSION_COOKIE_*`, `PERMANENT_SESSION_LIFETIME`, `SESSION_REFRESH_EACH_REQUEST`).
        **settings: of `SessionStore`, instead of what those settings of Quart say.
    """

    def __init__(self, app: Quart | None = None, *, store: SessionStore | None = None, **settings: Any) -> None:
        self.store = store
        self.settings = settings
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Quart) -> None:
        """Serve an application; one object can serve several."""
        app.extensions["sessionkit"] = front = Front(app, self.store, self.settings)
        app.asgi_app = front  # type: ignore[method-assign]  # Quart's documented way to put a middleware in
        app.session_interface = cast("Any", self)

    async def open_session(self, app: Quart, request: Any) -> QuartSession | None:
        """The session object of a request or websocket; nothing is decrypted yet."""
        gateway = cast("Front", app.extensions["sessionkit"]).gateway.current
        exchange = None if gateway is None else exchange_of(ASGIRequest(request.scope), gateway.settings)
        return None if exchange is None else QuartSession(exchange)

    async def save_session(self, app: Quart, session: SessionMixin, response: Any) -> None:
        """Write the response where no gateway does (`session_transaction()`); else see that the session can be kept."""
        exchange = cast("QuartSession", session).exchange
        if response is None:  # a websocket has ended
            return
        if not exchange.owned:
            write(exchange, response)
        elif response.status_code < 500:  # what fails is rolled back
            # Too large, or no JSON: an error of the application, which its error handlers answer.
            exchange.answer(response.status_code, list(response.headers))


def require_session_api(view: View) -> View:
    """A view for signed-in users: everybody else gets 401 and a JSON body."""
    return _guarded(view, api_refusal)


@overload
def require_session_page(view: View, /) -> View: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[View], View]: ...
def require_session_page(view: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        view: the view, where the decorator is used bare.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(view: View) -> View:
        return _guarded(view, lambda: page_refusal(ASGIRequest(_scope()), **urls))

    return guard if view is None else guard(view)


def _scope() -> dict[str, Any]:
    return cast("dict[str, Any]", (websocket if has_websocket_context() else request).scope)


def _guarded(view: View, refusal: Callable[[], Refusal]) -> View:
    @wraps(view)
    async def guarded(*args: Any, **named: Any) -> Any:
        if get_session(_scope()) is None:
            refused = refusal()
            return Response(refused.body, refused.status, dict(refused.headers))
        return await current_app.ensure_async(view)(*args, **named)

    return cast("View", guarded)
