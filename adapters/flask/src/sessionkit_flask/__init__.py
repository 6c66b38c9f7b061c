"""Encrypted sessions for Flask: `flask.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from flask import Flask, Request, Response, current_app, json, request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin

from sessionkit.adapters import (
    ApiDecorator,
    Extension,
    FlaskFamilyGateway,
    FlaskFamilySession,
    PageDecorator,
    Refuse,
    Tags,
    WSGIRequest,
    api_guard,
    check_app,
    clears_frames,
    enter_context,
    leave_context,
    make_tags,
    open_context_exchange,
    page_guard,
    save_session,
)
from sessionkit.wsgi import SessionMiddleware

__all__ = ["FlaskSession", "SessionKit", "require_session_api", "require_session_page"]


class FlaskSession(FlaskFamilySession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """What `flask.session` is: nested changes are saved, nothing is read before it is used."""


class SessionKit(Extension[Flask], SessionInterface):
    """Sessions for a Flask application: serves `flask.session`, and the verbs in every form.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made from the settings of Flask (`SECRET_KEY`,
            `SECRET_KEY_FALLBACKS`, `SESSION_COOKIE_*`, `PERMANENT_SESSION_LIFETIME`, `SESSION_REFRESH_EACH_REQUEST`).
        **settings: of `SessionStore`, instead of what those settings of Flask say.

    Attributes:
        serializer: keeps tuples, bytes, UUIDs, dates and markup, as in Flask's own session; tags of your own can be registered
            with it (their keys begin with a blank).
    """

    serializer = TaggedJSONSerializer()

    @property
    def tags(self) -> Tags:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # none is set
        """How Flask's own session keeps values that JSON has not."""
        return make_tags(self.serializer, json)

    def init_app(self, app: Flask) -> None:
        """Serve an application; one object can serve several."""
        check_app(app, self.call)
        front = FlaskFamilyGateway(app, app.wsgi_app, SessionMiddleware, self)
        app.wsgi_app = cast("Any", front)  # type: ignore[method-assign]  # Flask's documented way to put a middleware in
        app.session_interface = self
        app.teardown_request(_leave)

    def open_session(self, app: Flask, request: Request) -> FlaskSession | None:
        """The session object of a request; nothing is decrypted yet. None without a secret key: Flask's `NullSession` says so then."""
        # Flask-SocketIO puts this into the environ of each request, and opens a session for each event.
        of_socket = "flask.app" in request.environ
        exchange = open_context_exchange(app, WSGIRequest(request.environ), of_socket=of_socket)
        if exchange is None:
            return None
        if not of_socket:
            enter_context(exchange, request)
        return FlaskSession(exchange)

    @clears_frames
    def save_session(
        self, app: Flask, session: SessionMixin, response: Response
    ) -> None:  # Flask's signature
        """Write the response where no gateway does (`session_transaction()`); else see that the session can be kept."""
        save_session(session, response)


def _leave(error: BaseException | None = None) -> None:
    """Let what waited for this request context be current again."""
    leave_context(request)


def _guarded(refuse: Refuse, view: Any) -> Any:
    @wraps(view)
    def guarded(*args: Any, **named: Any) -> Any:
        refused = refuse(request)
        if refused is not None:
            return Response(refused.body, refused.status, list(refused.headers))
        return current_app.ensure_sync(view)(*args, **named)

    return guarded


require_session_api: ApiDecorator = api_guard(_guarded)
require_session_page: PageDecorator = page_guard(_guarded)
