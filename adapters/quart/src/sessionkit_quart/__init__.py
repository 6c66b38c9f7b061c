"""Encrypted sessions for Quart: `quart.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from quart import Quart, Response, current_app, has_websocket_context, json, request, websocket
from quart.json.tag import TaggedJSONSerializer
from quart.sessions import SessionInterface, SessionMixin

from sessionkit.adapters import (
    ApiDecorator,
    ASGIRequest,
    Extension,
    FlaskFamilyGateway,
    FlaskFamilySession,
    PageDecorator,
    Refuse,
    Tags,
    api_guard,
    check_app,
    enter_context,
    leave_context,
    make_tags,
    open_context_exchange,
    page_guard,
    save_session,
)
from sessionkit.asgi import SessionMiddleware

__all__ = ["QuartSession", "SessionKit", "require_session_api", "require_session_page"]


class QuartSession(FlaskFamilySession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """What `quart.session` is: nested changes are saved, nothing is read before it is used."""


class SessionKit(Extension[Quart], SessionInterface):
    """Sessions for a Quart application: serves `quart.session`, and the verbs in every form, on websockets too.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made from the settings of Quart (`SECRET_KEY`,
            `SECRET_KEY_FALLBACKS`, `SESSION_COOKIE_*`, `PERMANENT_SESSION_LIFETIME`, `SESSION_REFRESH_EACH_REQUEST`).
        **settings: of `SessionStore`, instead of what those settings of Quart say.

    Attributes:
        serializer: keeps tuples, bytes, UUIDs, dates and markup, as in Quart's own session; tags of your own can be registered
            with it (their keys begin with a blank).
    """

    serializer = TaggedJSONSerializer()

    @property
    def tags(self) -> Tags:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # none is set
        """How Quart's own session keeps values that JSON has not."""
        return make_tags(self.serializer, json)

    def init_app(self, app: Quart) -> None:
        """Serve an application; one object can serve several."""
        check_app(app, self.call)
        front = FlaskFamilyGateway(app, app.asgi_app, SessionMiddleware, self)

        async def served(
            scope: Any, receive: Any, send: Any
        ) -> None:  # a coroutine function: asgiref guesses by that
            await front(scope, receive, send)

        app.asgi_app = cast("Any", served)  # type: ignore[method-assign]  # Quart's documented way to put a middleware in
        app.session_interface = cast("Any", self)

        async def left(_: BaseException | None) -> None:  # a plain function would run in a thread
            leave_context(request)

        app.teardown_request(left)

    async def open_session(self, app: Quart, request: Any) -> QuartSession | None:
        """The session object of a request or websocket; nothing is decrypted yet. None without a secret key."""
        exchange = open_context_exchange(app, ASGIRequest(request.scope))
        if exchange is None:
            return None
        if request.scope["type"] == "http":
            enter_context(exchange, request)
        return QuartSession(exchange)

    async def save_session(self, app: Quart, session: SessionMixin, response: Any) -> None:
        """Write the response where no gateway does (`session_transaction()`); else see that the session can be kept."""
        if response is not None:  # None: a websocket has ended
            try:
                save_session(session, response)
            finally:
                del session  # a traceback shows the variables of this frame


def _guarded(refuse: Refuse, view: Any) -> Any:
    @wraps(view)
    async def guarded(*args: Any, **named: Any) -> Any:
        refused = refuse(websocket if has_websocket_context() else request)
        if refused is not None:
            return Response(refused.body, refused.status, dict(refused.headers))
        return await current_app.ensure_async(view)(*args, **named)

    return guarded


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
