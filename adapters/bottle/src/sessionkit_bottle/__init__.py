"""Encrypted sessions for Bottle: `request.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast, overload

import bottle  # pyright: ignore[reportMissingTypeStubs]  # it has no types

from sessionkit import SessionStore, get_session
from sessionkit.conventions import store_of_dotted
from sessionkit.dispatch import register_response
from sessionkit.native import LazyContents, exchange_of
from sessionkit.request import WSGIRequest
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.settings import NativeKeys
from sessionkit.wsgi import SessionMiddleware

__all__ = ["SessionKit", "require_session_api", "require_session_page"]

View = TypeVar("View", bound=Callable[..., Any])

KEYS = NativeKeys(dropped=("csrf", "csrf_token"))  # the token of WTForms' SessionCSRF, and what hand-written ones are called


class SessionKit:
    """Sessions for a Bottle application: serves `request.session`, and the verbs in every form.

    It is a plugin too: `app.install(SessionKit(store=store))`. Either way it stands around the whole application, as
    WSGI middleware: what a hook or a plugin of Bottle sets is lost in redirects, in 404 and in 500. Of applications
    that are mounted into one another the outermost needs it, since Bottle serves their routes as its own.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made from `app.config` (`sessionkit.secret`, `sessionkit.idle`,
            `sessionkit.cookie_name`, …) and the `SESSIONKIT_*` variables.
        **settings: of `SessionStore`, instead of what those say.
    """

    name = "sessionkit"
    api = 2

    def __init__(self, app: bottle.Bottle | None = None, *, store: SessionStore | None = None, **settings: Any) -> None:
        self.store = store
        self.settings = settings
        if app is not None:
            self.init_app(app)

    def init_app(self, app: bottle.Bottle) -> None:
        """Serve an application; one object can serve several.

        Raises:
            AttributeError: it is served already.
        """
        served: Any = app  # Bottle has no types
        store = self.store or store_of_dotted(served.config, self.settings)
        inner = served.wsgi

        def with_session(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            exchange = exchange_of(WSGIRequest(environ), gateway.settings)
            if exchange is not None:
                environ["bottle.request.ext.session"] = LazyContents(exchange)  # where Bottle keeps a request's attributes
            return cast("Iterable[bytes]", inner(environ, start_response))

        gateway = SessionMiddleware(with_session, store, native=KEYS)
        served.wsgi = gateway  # looked up at each request

    setup = init_app

    def apply(self, callback: Any, route: Any) -> Any:
        """Leave a route as it is: the whole application is served."""
        return callback


class Fields:
    """The headers of a response of Bottle's, for the verbs where no gateway writes them."""

    def __init__(self, response: bottle.BaseResponse) -> None:
        self._headers: Any = response.headers

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them; Bottle's own `items` has the last of each name only."""
        return cast("Iterable[tuple[str, str]]", self._headers.allitems())

    def __delitem__(self, name: str, /) -> None:
        if name in self._headers:
            del self._headers[name]

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._headers.append(name, value)


register_response(bottle.BaseResponse, Fields)


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
        return _guarded(view, lambda: page_refusal(WSGIRequest(_environ()), **urls))

    return guard if view is None else guard(view)


def _environ() -> dict[str, Any]:
    return cast("dict[str, Any]", bottle.request.environ)


def _guarded(view: View, refusal: Callable[[], Refusal]) -> View:
    @wraps(view)
    def guarded(*args: Any, **named: Any) -> Any:
        if get_session(_environ()) is None:
            refused = refusal()
            return bottle.HTTPResponse(refused.body.decode(), refused.status, dict(refused.headers))
        return view(*args, **named)

    return cast("View", guarded)
