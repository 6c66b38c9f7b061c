"""Encrypted sessions for Sanic: `request.ctx.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast, overload

from sanic import HTTPResponse, Request, Sanic
from sanic.http import Stage
from sanic.log import error_logger
from sanic.response import BaseHTTPResponse, ResponseStream

from sessionkit import SessionKitError, SessionStore
from sessionkit.context import activate, links
from sessionkit.exchange import Exchange
from sessionkit.gateway import Gateway
from sessionkit.native import LazyContents
from sessionkit.request import HOLDER
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.response import commit
from sessionkit.settings import NativeKeys

from .carriers import SanicFields, SanicRequest
from .verbs import create_session, delete_session, get_session, rotate_session, touch_session, update_session

__all__ = [
    "SanicSession", "SessionKit", "create_session", "delete_session", "get_session", "require_session_api", "require_session_page",
    "rotate_session", "touch_session", "update_session",
]  # fmt: skip

Handler = TypeVar("Handler", bound=Callable[..., Any])
Response = BaseHTTPResponse | ResponseStream

KEYS = NativeKeys(dropped=("csrf_token", "_state_*"))  # forms' tokens; OAuth sign-ins that another tab began


class SanicSession(LazyContents):
    """What `request.ctx.session` is: nested changes are saved, nothing is read before it is used."""


class SessionKit:
    """Sessions for a Sanic application: serves `request.ctx.session`, and the verbs in every form.

    Args:
        app: the application; leave it out and call `init_app` where it is made elsewhere.
        store: the store; without one it is made of the `SESSIONKIT_*` variables.
        exclude: globs of paths without sessions; `*` matches a slash too.
    """

    def __init__(self, app: Sanic[Any, Any] | None = None, *, store: SessionStore | None = None, exclude: str | Iterable[str] = ()) -> None:
        self.store = store
        self.exclude = [exclude] if isinstance(exclude, str) else list(exclude)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Sanic[Any, Any]) -> None:
        """Serve an application; one object can serve several."""
        front = _Front(app, self.store or SessionStore.from_env(), exclude=self.exclude, native=KEYS)
        app.add_signal(front.begin, "http.lifecycle.handle")
        app.add_signal(front.handled, "http.handler.after")
        cast("Any", app).register_middleware(front.streamed, "response", priority=sys.maxsize)  # the last of them
        app.add_signal(front.answered, "http.lifecycle.response")
        app.add_signal(front.routed, "http.routing.after")
        app.add_signal(front.closed, "http.lifecycle.complete")


class _Front(Gateway):
    """Begins an exchange before anything else of a request, and answers it when the headers are about to go out."""

    def __init__(self, app: Sanic[Any, Any], store: SessionStore, **settings: Any) -> None:
        super().__init__(app, store, **settings)
        # Where a request keeps, for each store, the response that was answered, and a connection its latest exchange.
        self._answered, self._latest = f"sessionkit.answered {self.settings.name}", f"sessionkit.latest {self.settings.name}"

    async def begin(self, request: Request[Any, Any]) -> None:
        """One task serves a whole connection: the variable must be set for each of its requests."""
        view = SanicRequest(request)
        if self.excluded is not None and self.excluded(view.path):
            activate(self.leave_out(view))
            return
        exchange, owner = self.enter(view)
        activate(view.holder[HOLDER])
        request.ctx.session = SanicSession(exchange)
        if owner and request.conn_info is not None:
            await self.closed(request.conn_info)
            vars(request.conn_info.ctx)[self._latest] = exchange

    async def routed(self, request: Request[Any, Any], handler: object, **_: Any) -> None:
        """Sanic answers the handshake of a websocket before the handler runs, and takes no headers for it: nothing can be saved."""
        exchange = self._exchange(request)
        if exchange is not None and hasattr(handler, "is_websocket"):
            exchange.commit(101)
            tasks = request.app.websocket_tasks
            exchange.reachable = lambda: asyncio.current_task() in tasks

    async def handled(self, request: Request[Any, Any]) -> None:
        """From here on what the handler returned is answered, unless it has responded itself."""
        SanicRequest(request).holder[_HANDLED] = True

    def streamed(self, request: Request[Any, Any], response: Response) -> None:
        """`request.respond()` in a handler: its headers go out with the first `send`, and nothing else tells of them.

        What Sanic's middleware raises it logs and forgets, so what cannot be kept fails the response here.
        """
        exchange = self._exchange(request)
        if exchange is None or (_HANDLED in SanicRequest(request).holder and not isinstance(response, ResponseStream)):
            return
        try:
            self._commit(exchange, request, response)
        except SessionKitError:
            error_logger.exception("the session cannot be saved, and the response becomes a 500")
            response.status = 500
            self._commit(exchange, request, response)

    async def answered(self, request: Request[Any, Any], response: Response) -> None:
        """A response is about to be sent, or a stream is over. Nothing of the application runs after this."""
        exchange = self._exchange(request)
        if exchange is not None:
            self._commit(exchange, request, response)
            exchange.finish()

    async def closed(self, conn_info: Any) -> None:
        """A connection is closed: what was never answered, and the exchange of a websocket, end with it."""
        exchange = None if conn_info is None else cast("dict[str, Exchange]", vars(conn_info.ctx)).get(self._latest)
        if exchange is not None:
            exchange.finish()

    def _exchange(self, request: Request[Any, Any]) -> Exchange | None:
        found = (one for one in links(SanicRequest(request).holder.get(HOLDER)) if one.settings is self.settings)
        return next((one for one in found if isinstance(one, Exchange)), None)

    def _commit(self, exchange: Exchange, request: Request[Any, Any], response: Response) -> None:
        if request.stream is None or request.stream.stage is not Stage.HANDLER:
            return  # the headers have gone out
        holder = SanicRequest(request).holder
        before = holder.get(self._answered)
        # What a ResponseStream makes of itself has its headers; an error's response takes the place of any.
        if before is not response and not (isinstance(before, ResponseStream) and response.status == before.status):
            commit(exchange, response.status, SanicFields(response))
            holder[self._answered] = response


_HANDLED = "sessionkit.handled"


def require_session_api(handler: Handler) -> Handler:
    """A handler for signed-in users: everybody else gets 401 and a JSON body."""
    return _guarded(handler, lambda _: api_refusal())


@overload
def require_session_page(handler: Handler, /) -> Handler: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[Handler], Handler]: ...
def require_session_page(handler: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        handler: the handler, where the decorator is used bare.
        **urls: `login_url` (`/auth/login`), `logout_url` (`/auth/logout`), neither of which is returned to, and
            `default` (`/`), which is instead.
    """

    def guard(handler: Handler) -> Handler:
        return _guarded(handler, lambda request: page_refusal(SanicRequest(request), **urls))

    return guard if handler is None else guard(handler)


def _guarded(handler: Handler, refusal: Callable[[Request[Any, Any]], Refusal]) -> Handler:
    @wraps(handler)
    def guarded(*args: Any, **named: Any) -> Any:
        # the first argument, or the second of a method
        request: Request[Any, Any] = next(cast("Any", arg) for arg in args if isinstance(arg, Request))
        if get_session(request) is not None:
            return handler(*args, **named)
        refused = refusal(request)
        return HTTPResponse(refused.body, refused.status, dict(refused.headers))

    return cast("Handler", guarded)
