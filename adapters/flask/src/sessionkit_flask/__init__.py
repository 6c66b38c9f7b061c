"""Encrypted sessions for Flask: `flask.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, cast

from flask import Flask, Request, Response, json, request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin

from sessionkit.adapters import (
    FlaskFamilyExtension,
    FlaskFamilySession,
    Refusal,
    WSGIRequest,
    clears_frames,
    make_guards,
)
from sessionkit.wsgi import SessionMiddleware

__all__ = ["FlaskSession", "SessionKit", "require_session_api", "require_session_page"]


class FlaskSession(FlaskFamilySession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """The object behind `flask.session`. Nested changes are saved, and nothing is read before its first use."""


class SessionKit(FlaskFamilyExtension[Flask], SessionInterface):
    """Sessions for a Flask application: serves `flask.session`, and the verbs in every form.

    Args:
        app: the application. If it is made elsewhere, leave it out here and call `init_app` there.
        store: the store; without one it is made from the settings of Flask (`SECRET_KEY`,
            `SECRET_KEY_FALLBACKS`, `SESSION_COOKIE_*`, `PERMANENT_SESSION_LIFETIME`, `SESSION_REFRESH_EACH_REQUEST`).
        **settings: arguments of `SessionStore`, which win over the settings of Flask.

    Attributes:
        serializer: writes tuples, bytes, UUIDs, dates and markup with tags, as in Flask's own session. You can register your
            own tags with it (their keys must begin with a blank).
    """

    serializer = TaggedJSONSerializer()
    json = json

    def _serve(self, app: Flask) -> None:
        # Flask's documented way to add a middleware
        app.wsgi_app = cast("Any", self.make_gateway(app, app.wsgi_app, SessionMiddleware))  # type: ignore[method-assign]
        app.session_interface = self
        app.teardown_request(_leave)

    def open_session(self, app: Flask, request: Request) -> FlaskSession | None:
        """Return the session object of a request; nothing is decrypted yet. Return None without a secret key, as Flask expects."""
        preserve = request.environ.get("werkzeug.debug.preserve_context")
        if preserve is not None:
            preserve(_Preserved(WSGIRequest(request.environ)))
        exchange = self.open_exchange(
            app,
            WSGIRequest(request.environ),
            entered=request,
            socket=_is_event(app, request.environ),
        )
        return None if exchange is None else FlaskSession(exchange)

    @clears_frames
    def save_session(
        self, app: Flask, session: SessionMixin, response: Response
    ) -> None:  # Flask's signature
        """Save the session in the backend, or check that it fits the cookie. If no gateway answers, write it into the response.

        No gateway answers in `session_transaction()`.
        """
        cast("FlaskSession", session).save_into(response)


_preserved: ContextVar[WSGIRequest | None] = ContextVar("sessionkit_flask", default=None)
SessionKit.register_preserved(_preserved.get)


class _Preserved:
    """A context in which the session of a finished request can be read without naming the request.

    Flask's test client enters it together with Flask's own contexts, and so does Werkzeug's debugger, each time that it
    evaluates an expression.

    Args:
        request: the view of the request.
    """

    def __init__(self, request: WSGIRequest) -> None:
        self._request = request
        self._before: WSGIRequest | None = None

    def __enter__(self) -> None:
        self._before = _preserved.get()
        _preserved.set(self._request)

    def __exit__(self, *_: object) -> None:
        _preserved.set(self._before)


def _is_event(app: Flask, environ: dict[str, Any]) -> bool | None:
    """Return whether a request context is that of an event of Flask-SocketIO; None if the environ does not say."""
    if "flask.app" not in environ:  # Flask-SocketIO puts it into the environ of every request
        return False
    middleware = getattr(app.extensions.get("socketio"), "sockio_mw", None)
    path = getattr(middleware, "engineio_path", None)
    return True if path and f"{environ['PATH_INFO']}/".startswith(path) else None


def _leave(_: BaseException | None) -> None:
    SessionKit.leave_context(request)


def _respond(refusal: Refusal, *_: Any, **__: Any) -> Response:
    return Response(refusal.body, refusal.status, list(refusal.headers))


require_session_api, require_session_page = make_guards(
    _respond, find_request=lambda *_, **__: request
)
