"""Encrypted sessions for Quart: `quart.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from typing import Any, cast

from quart import (
    Quart,
    Response,
    has_request_context,
    has_websocket_context,
    json,
    request,
    websocket,
)
from quart import globals as quart_globals
from quart.json.tag import TaggedJSONSerializer
from quart.sessions import SessionInterface, SessionMixin

from sessionkit.adapters import (
    ASGIRequest,
    FlaskFamilyExtension,
    FlaskFamilySession,
    Refusal,
    make_guards,
)
from sessionkit.asgi import SessionMiddleware

__all__ = ["QuartSession", "SessionKit", "require_session_api", "require_session_page"]


class QuartSession(FlaskFamilySession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """The object behind `quart.session`. Nested changes are saved, and nothing is read before its first use."""


class SessionKit(FlaskFamilyExtension[Quart], SessionInterface):
    """Sessions for a Quart application: serves `quart.session`, and the verbs in every form, on websockets too.

    Args:
        app: the application. If it is made elsewhere, leave it out here and call `init_app` there.
        store: the store; without one it is made from the settings of Quart (`SECRET_KEY`,
            `SECRET_KEY_FALLBACKS`, `SESSION_COOKIE_*`, `PERMANENT_SESSION_LIFETIME`, `SESSION_REFRESH_EACH_REQUEST`).
        **settings: arguments of `SessionStore`, which win over the settings of Quart.

    Attributes:
        serializer: writes tuples, bytes, UUIDs, dates and markup with tags, as in Quart's own session. You can register your
            own tags with it (their keys must begin with a blank).
    """

    serializer = TaggedJSONSerializer()
    json = json

    def _serve(self, app: Quart) -> None:
        gateway = self.make_gateway(app, app.asgi_app, SessionMiddleware)

        async def serve(
            scope: Any, receive: Any, send: Any
        ) -> None:  # a coroutine function, because asgiref recognises an ASGI application by this
            try:
                await gateway(scope, receive, send)
            except BaseException:
                # A traceback shows the variables of this frame, and the scope has the cookies.
                del scope
                raise

        app.asgi_app = cast("Any", serve)  # type: ignore[method-assign]  # Quart's documented way to put a middleware in
        app.session_interface = cast("Any", self)

        async def leave(_: BaseException | None) -> None:  # a plain function would run in a thread
            self.leave_context(request)

        app.teardown_request(leave)

    async def open_session(self, app: Quart, request: Any) -> QuartSession | None:
        """Return the session object of a request or websocket; nothing is decrypted yet. Return None without a secret key."""
        entered = request if request.scope["type"] == "http" else None
        exchange = await self.aopen_exchange(app, ASGIRequest(request.scope), entered=entered)
        return None if exchange is None else QuartSession(exchange)

    async def save_session(self, app: Quart, session: SessionMixin, response: Any) -> None:
        """Save the session in the backend, or check that it fits the cookie. If no gateway answers, write it into the response.

        No gateway answers in `session_transaction()`.
        """
        if response is not None:  # None: a websocket has ended
            try:
                await cast("QuartSession", session).asave_into(response)
            finally:
                del session  # a traceback shows the variables of this frame


# Since Quart 0.23 one context is both the application's and the request's.
_context: Any = getattr(quart_globals, "request_ctx", quart_globals.app_ctx)


def _find_preserved() -> ASGIRequest | None:
    """Return the request of the context that Quart's test client has preserved and set; None if that is not the current one."""
    if not has_request_context():
        return None
    preserved = getattr(_context.app, "_preserved_context", None)
    return ASGIRequest(cast("Any", request.scope)) if _context == preserved else None


SessionKit.register_preserved(_find_preserved)


def _respond(refusal: Refusal, *_: Any, **__: Any) -> Response:
    return Response(refusal.body, refusal.status, dict(refusal.headers))


require_session_api, require_session_page = make_guards(
    _respond, find_request=lambda *_, **__: websocket if has_websocket_context() else request
)
