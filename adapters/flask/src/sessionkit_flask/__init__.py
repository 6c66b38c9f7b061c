"""Encrypted sessions for Flask: `flask.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from functools import wraps
from typing import Any, cast

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SessionInterface, SessionMixin

from sessionkit import SessionStore
from sessionkit.conventions import KEYS, ConventionalGateway, ConventionalSession
from sessionkit.native import exchange_of
from sessionkit.request import WSGIRequest
from sessionkit.required import ApiDecorator, PageDecorator, Refuse, api_guard, page_guard
from sessionkit.response import write
from sessionkit.wsgi import SessionMiddleware

__all__ = ["FlaskSession", "SessionKit", "require_session_api", "require_session_page"]


class FlaskSession(ConventionalSession, SessionMixin):  # pyright: ignore[reportIncompatibleVariableOverride]  # ours are properties
    """What `flask.session` is: nested changes are saved, nothing is read before it is used."""


class Front:
    """What stands in front of an application: its gateway, or none while there is no secret key (Flask's `NullSession` says so then)."""

    def __init__(self, app: Flask, store: SessionStore | None, settings: dict[str, Any]) -> None:
        self.inner = app.wsgi_app
        self.gateway: ConventionalGateway[SessionMiddleware] = ConventionalGateway(
            cast("dict[str, Any]", app.config),
            lambda store: SessionMiddleware(self.inner, store, native=KEYS),
            store=store,
            settings=settings,
            for_development=lambda: app.debug or app.testing,
        )

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Serve one request."""
        return (self.gateway.current or self.inner)(environ, start_response)


class SessionKit(SessionInterface):
    """Sessions for a Flask application: serves `flask.session`, and the verbs in every form.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made from the settings of Flask (`SECRET_KEY`,
            `SECRET_KEY_FALLBACKS`, `SESSION_COOKIE_*`, `PERMANENT_SESSION_LIFETIME`, `SESSION_REFRESH_EACH_REQUEST`).
        **settings: of `SessionStore`, instead of what those settings of Flask say.
    """

    def __init__(self, app: Flask | None = None, *, store: SessionStore | None = None, **settings: Any) -> None:
        self.store = store
        self.settings = settings
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Serve an application; one object can serve several."""
        app.extensions["sessionkit"] = front = Front(app, self.store, self.settings)
        app.wsgi_app = front  # type: ignore[method-assign]  # Flask's documented way to put a middleware in
        app.session_interface = self

    def open_session(self, app: Flask, request: Request) -> FlaskSession | None:
        """The session object of a request; nothing is decrypted yet."""
        gateway = cast("Front", app.extensions["sessionkit"]).gateway.current
        exchange = None if gateway is None else exchange_of(WSGIRequest(request.environ), gateway.settings)
        return None if exchange is None else FlaskSession(exchange)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # Flask's signature
        """Write the response where no gateway does (`session_transaction()`); else see that the session can be kept."""
        exchange = cast("FlaskSession", session).exchange
        if not exchange.owned:
            write(exchange, response)
        elif response.status_code < 500:  # what fails is rolled back
            # Too large, or no JSON: an error of the application, which its error handlers answer.
            exchange.answer(response.status_code, list(response.headers))


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
