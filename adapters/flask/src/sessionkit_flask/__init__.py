"""Encrypted sessions for Flask: `flask.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from flask import Flask, Request, Response, current_app, json, request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin

from sessionkit.conventions import (
    ConventionalGateway,
    ConventionalSession,
    Kit,
    enter,
    exchange_in,
    leave,
    save,
    tags_of,
)
from sessionkit.frames import clears_frames
from sessionkit.gateway import check_app
from sessionkit.request import WSGIRequest
from sessionkit.required import ApiDecorator, PageDecorator, Refuse, api_guard, page_guard
from sessionkit.tags import Tags
from sessionkit.wsgi import SessionMiddleware

__all__ = ["FlaskSession", "SessionKit", "require_session_api", "require_session_page"]


class FlaskSession(ConventionalSession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """What `flask.session` is: nested changes are saved, nothing is read before it is used."""


class SessionKit(Kit[Flask], SessionInterface):
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
        return tags_of(self.serializer, json)

    def init_app(self, app: Flask) -> None:
        """Serve an application; one object can serve several."""
        check_app(app, self.call)
        front = ConventionalGateway(app, app.wsgi_app, SessionMiddleware, self)
        app.wsgi_app = cast("Any", front)  # type: ignore[method-assign]  # Flask's documented way to put a middleware in
        app.session_interface = self
        app.teardown_request(_leave)

    def open_session(self, app: Flask, request: Request) -> FlaskSession | None:
        """The session object of a request; nothing is decrypted yet. None without a secret key: Flask's `NullSession` says so then."""
        # Flask-SocketIO puts this into the environ of each request, and opens a session for each event.
        of_socket = "flask.app" in request.environ
        exchange = exchange_in(app, WSGIRequest(request.environ), of_socket=of_socket)
        if exchange is None:
            return None
        if not of_socket:
            enter(exchange, request)
        return FlaskSession(exchange)

    @clears_frames
    def save_session(
        self, app: Flask, session: SessionMixin, response: Response
    ) -> None:  # Flask's signature
        """Write the response where no gateway does (`session_transaction()`); else see that the session can be kept."""
        save(session, response)


def _leave(error: BaseException | None = None) -> None:
    """Let what waited for this request context be current again."""
    leave(request)


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
