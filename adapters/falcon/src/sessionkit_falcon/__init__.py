"""Encrypted sessions for Falcon, WSGI and ASGI: `req.context.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, NoReturn, cast, overload

import falcon
import falcon.asgi

from sessionkit import ConfigurationError, SessionStore, get_session
from sessionkit.dispatch import register_request, register_response
from sessionkit.native import LazyContents, exchange_of
from sessionkit.request import ASGIRequest, RequestInfo, WSGIRequest
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.settings import NativeKeys, Settings

__all__ = ["SessionMiddleware", "require_session_api", "require_session_page"]

KEYS = NativeKeys(dropped=("csrf", "csrf_token"))  # the token of WTForms' SessionCSRF, and what hand-written ones are called


class SessionMiddleware:
    """Puts the session into `req.context.session`, for HTTP and websockets. Put it first, and a gateway around the app.

        app = falcon.App(middleware=[SessionMiddleware(store)])
        application = store.wsgi(app)  # store.asgi(app) around a falcon.asgi.App

    The gateway writes the cookies: into every kind of response, what Falcon answers to an error included, and into the
    acceptance of a websocket, which no middleware of Falcon's can reach.

    Args:
        store: the store.
    """

    def __init__(self, store: SessionStore) -> None:
        self.settings: Settings = store.settings.served_natively(KEYS)

    def process_request(self, req: falcon.Request, resp: object) -> None:
        """Serve a request.

        Raises:
            ConfigurationError: there is no gateway around the application.
        """
        exchange = exchange_of(_info(req), self.settings)
        if exchange is not None and not exchange.owned:
            raise ConfigurationError(
                "nobody would write the session's cookies: serve store.wsgi(app) or store.asgi(app), not the app itself"
            )
        if exchange is not None:
            exchange.serve_natively(self.settings)
        req.context.session = None if exchange is None else LazyContents(exchange)

    async def process_request_async(self, req: falcon.asgi.Request, resp: object) -> None:
        """The same, in an ASGI application."""
        self.process_request(req, resp)

    async def process_request_ws(self, req: falcon.asgi.Request, ws: object) -> None:
        """The same, for a websocket."""
        self.process_request(req, ws)


def _info(req: falcon.Request) -> RequestInfo:
    return ASGIRequest(req.scope) if isinstance(req, falcon.asgi.Request) else WSGIRequest(req.env)


class Fields:
    """The headers of a Falcon response, for the verbs where no gateway writes them."""

    def __init__(self, resp: falcon.Response) -> None:
        self._resp: Any = resp

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them but the cookies of `set_cookie`; `resp.headers` has no Set-Cookie."""
        return [*cast("dict[str, str]", self._resp.headers).items(), *(self._resp._extra_headers or ())]  # noqa: SLF001  # no public way

    def __delitem__(self, name: str, /) -> None:
        if name.lower() == "set-cookie":
            self._resp._extra_headers = [one for one in self._resp._extra_headers or () if one[0] != "set-cookie"]  # noqa: SLF001
        else:
            self._resp.delete_header(name)

    def add(self, name: str, value: str, /) -> None:
        """Add a value."""
        self._resp.append_header(name, value)


register_request(falcon.Request, _info)
register_response(falcon.Response, Fields)


class _Nothing:
    """What a hook gives back, so that it serves responders of both kinds: Falcon awaits it in coroutines only."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


def require_session_api(req: falcon.Request, resp: object, resource: object, params: object) -> _Nothing:
    """A hook for responders of signed-in users: `@falcon.before(require_session_api)`; others get 401 and a JSON body."""
    return _guard(req, api_refusal)


Hook = Callable[[Any, Any, Any, Any], _Nothing]


@overload
def require_session_page(req: falcon.Request, resp: object, resource: object, params: object, /) -> _Nothing: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Hook: ...
def require_session_page(*call: Any, **urls: str) -> Any:
    """A hook for pages of signed-in users: others are sent to the login page, with a `returnTo` that cannot leave the site.

    `@falcon.before(require_session_page)`, or `@falcon.before(require_session_page(login_url="/signin"))`.

    Args:
        *call: request, response, resource and parameters, where it is used bare.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def hook(req: falcon.Request, resp: object, resource: object, params: object) -> _Nothing:
        return _guard(req, lambda: page_refusal(_info(req), **urls))

    return hook(*call) if call else hook


def _guard(req: Any, refusal: Callable[[], Refusal]) -> _Nothing:
    return _Nothing() if get_session(req) is not None else _refuse(refusal())


def _refuse(refused: Refusal) -> NoReturn:
    raise falcon.HTTPStatus(refused.status, headers=dict(refused.headers), text=refused.body.decode())
