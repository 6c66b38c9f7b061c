"""Encrypted sessions for Bottle: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from traceback import format_exc
from typing import Any

import bottle  # pyright: ignore[reportMissingTypeStubs]  # it has no types

from sessionkit.adapters import (
    Extension,
    FrameworkKeys,
    LazyContents,
    Refusal,
    ResponseFields,
    WSGIRequest,
    find_or_open_exchange,
    make_guards,
    register_request,
    register_response,
    store_from_dotted,
)
from sessionkit.wsgi import SessionMiddleware

__all__ = ["SessionKit", "require_session_api", "require_session_page"]


class SessionKit(Extension[bottle.Bottle]):
    """Sessions for a Bottle application: serves `request.session`, and the verbs in every form.

    It is a plugin too: `app.install(SessionKit(store=store))`. In both cases it wraps the whole application as WSGI middleware,
    because cookies that a hook or a plugin of Bottle sets are lost in redirects, in 404 and in 500. If applications are mounted
    into one another, install it on the outermost one, because Bottle serves the routes of the others as its own.

    Args:
        app: the application. If it is made elsewhere, leave it out here and call `init_app` there.
        store: the store; without one it is made from `app.config` (`sessionkit.secret`, `sessionkit.idle`,
            `sessionkit.cookie_name`, …) and the `SESSIONKIT_*` variables.
        **settings: arguments of `SessionStore`, which win over these settings.
    """

    name = "sessionkit"
    api = 2

    def setup(self, app: bottle.Bottle) -> None:
        """Serve an application that installs this as a plugin."""
        self.init_app(app)

    def _serve(self, app: bottle.Bottle) -> None:
        served: Any = app  # Bottle has no types
        inner = served.wsgi

        def with_session(environ: dict[str, Any], start_response: Any) -> Any:
            exchange = find_or_open_exchange(WSGIRequest(environ), gateway.settings)
            if exchange is not None:
                environ["bottle.request.ext.session"] = LazyContents(
                    exchange
                )  # the prefix with which Bottle stores a request's attributes
            return inner(environ, _explain_failure(start_response, environ.get("wsgi.errors")))

        gateway = SessionMiddleware(
            with_session,
            self.store or store_from_dotted(served.config, self.settings),
            framework=FrameworkKeys(),
        )
        served.wsgi = gateway  # looked up at each request

    def apply(self, callback: Any, route: Any) -> Any:
        """Return the route unchanged: the plugin serves the whole application."""
        return callback


def _explain_failure(start_response: Any, log: Any) -> Any:
    """Return a `start_response` that writes an error into the log. Bottle's own line there does not name the error."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        try:
            return start_response(status, headers, exc_info)
        except Exception:
            if log is not None and exc_info is None and not bottle.DEBUG:
                log.write(format_exc())
            raise
        finally:
            # PEP 3333 demands that no circular reference remains.
            exc_info = None

    return start


class BottleRequest(WSGIRequest):
    """A view of a request that Bottle handles."""

    __slots__ = ()

    @property
    def path(self) -> str:
        """The path with the mount point. Bottle puts it into the environ decoded, which is not WSGI, and keeps the path that came."""
        raw = self.holder["bottle.raw_path"]
        if self.holder["PATH_INFO"] != raw.encode("latin-1").decode("utf-8", "ignore"):
            return super().path  # something else has put another one there
        return WSGIRequest({**self.holder, "PATH_INFO": raw}).path


def _view(request: Any) -> Any:
    try:
        environ = request.environ
    except RuntimeError:
        # A thread of one's own has no request.
        return {}
    return BottleRequest(environ) if "bottle.raw_path" in environ else environ


def _fields(response: Any) -> ResponseFields:
    # Bottle's own `items` returns only the last value of each name.
    return ResponseFields(
        response.headers.allitems, response.headers.append, response.headers.__delitem__
    )


def _respond(refusal: Refusal, *_: Any, **__: Any) -> Any:
    return bottle.HTTPResponse(refusal.body.decode(), refusal.status, dict(refusal.headers))


register_request(bottle.BaseRequest, _view)
register_response(bottle.BaseResponse, _fields)
require_session_api, require_session_page = make_guards(
    _respond, find_request=lambda *_, **__: bottle.request
)
