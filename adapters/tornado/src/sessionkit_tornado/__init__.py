"""Encrypted sessions for Tornado: `self.session` and the verbs of sessionkit over one session."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, NoReturn, TypeVar, cast, overload
from weakref import WeakKeyDictionary

from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from sessionkit import ConfigurationError, NoActiveRequestError, SessionStore, bind
from sessionkit.context import activate, in_this_task
from sessionkit.exchange import Exchange
from sessionkit.gateway import Gateway
from sessionkit.native import LazyContents
from sessionkit.required import Refusal, api_refusal, page_refusal
from sessionkit.response import commit
from sessionkit.settings import NativeKeys

from .carriers import TornadoFields, TornadoRequest
from .verbs import create_session, delete_session, get_session, rotate_session, touch_session, update_session

__all__ = [
    "SessionMixin", "TornadoSession", "create_session", "delete_session", "get_session", "require_session_api", "require_session_page",
    "rotate_session", "touch_session", "update_session",
]  # fmt: skip

Method = TypeVar("Method", bound=Callable[..., Any])

KEYS = NativeKeys(dropped=("csrf_token", "_state_*"))  # forms' tokens; OAuth sign-ins that another tab began


class TornadoSession(LazyContents):
    """What `self.session` is: nested changes are saved, nothing is read before it is used."""


class SessionMixin(RequestHandler):
    """A handler with a session: `class Index(SessionMixin, RequestHandler)`, or `(SessionMixin, WebSocketHandler)`.

    The store is the application's setting `sessionkit`; without one it is made of `cookie_secret`.
    """

    _exchange: Exchange | None = None

    @property
    def session(self) -> TornadoSession:
        """The session of whoever comes, anonymous or signed in.

        Raises:
            NoActiveRequestError: Tornado has not begun to execute the handler.
        """
        if self._exchange is None:
            raise NoActiveRequestError("the handler has no session before Tornado executes it: use it in prepare, and from there on")
        return TornadoSession(self._exchange)

    def get_current_user(self) -> Any:
        """The `user` of a signed-in user's session: what `self.current_user` and `tornado.web.authenticated` ask for."""
        session = get_session(self)
        return None if session is None else session.get("user")

    async def _execute(self, transforms: Any, *args: bytes, **kwargs: bytes) -> None:
        # Not `prepare`: applications override that without calling ours. This is the task of the request.
        try:
            exchange, _ = _gateway_of(self.application).enter(TornadoRequest(self.request))
        except ConfigurationError as error:
            self.prepare = partial(_fail, error)  # type: ignore[method-assign]  # where Tornado answers with a 500
            await super()._execute(transforms, *args, **kwargs)
            return
        self._exchange = exchange
        activate(exchange)
        if isinstance(self, WebSocketHandler):
            self.on_message = bind(self.on_message)  # Tornado runs a coroutine in a task of its own
        try:
            await super()._execute(transforms, *args, **kwargs)
        finally:
            if self._finished or self._auto_finish:  # else somebody keeps the handler, and finishes it later
                exchange.finish()

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send what was written; the first time the headers too, with what the session has to say."""
        if self._exchange is not None and not self._headers_written:
            commit(self._exchange, self.get_status(), TornadoFields(self._headers))
            if isinstance(self, WebSocketHandler):
                self._exchange.reachable = in_this_task()
        return super().flush(include_footers)


def _fail(error: Exception) -> NoReturn:
    raise error


_gateways: WeakKeyDictionary[Application, tuple[object, Gateway]] = WeakKeyDictionary()


def _gateway_of(application: Application) -> Gateway:
    """The gateway of an application; another one when its settings have changed."""
    settings = application.settings
    given: object = settings.get("sessionkit") or (settings.get("cookie_secret"), settings.get("key_version"))
    known = _gateways.get(application)
    if known is not None and known[0] == given:
        return known[1]
    store = given if isinstance(given, SessionStore) else SessionStore(_secrets_of(settings))
    gateway = Gateway(application, store, native=KEYS)
    _gateways[application] = given, gateway
    return gateway


def _secrets_of(settings: Mapping[str, Any]) -> list[str | bytes]:
    """`cookie_secret`: one secret, or several by their version, of which that of `key_version` seals."""
    secret = settings.get("cookie_secret")
    if not secret:
        raise ConfigurationError("no session store: give the application a setting, sessionkit=SessionStore(...), or a cookie_secret")
    if not isinstance(secret, dict):
        return [secret]
    versions = cast("dict[int, str | bytes]", secret)
    current = settings.get("key_version")
    if current not in versions:
        raise ConfigurationError("cookie_secret is a dict: the setting key_version must name the one that seals")
    return [versions[current], *(one for version, one in versions.items() if version != current)]


def require_session_api(method: Method) -> Method:
    """A handler's method for signed-in users: everybody else gets 401 and a JSON body."""
    return _guarded(method, lambda _: api_refusal())


@overload
def require_session_page(method: Method, /) -> Method: ...
@overload
def require_session_page(*, login_url: str = ..., logout_url: str = ..., default: str = ...) -> Callable[[Method], Method]: ...
def require_session_page(method: Any = None, /, **urls: str) -> Any:
    """A page for signed-in users: everybody else is sent to the login page, with a `returnTo` that cannot leave the site.

    Args:
        method: the handler's method, where the decorator is used bare.
        **urls: `login_url` (the application's setting of that name, else `/auth/login`), `logout_url` (`/auth/logout`),
            neither of which is returned to, and `default` (`/`), which is instead.
    """

    def refusal(handler: RequestHandler) -> Refusal:
        login: str = handler.settings.get("login_url") or "/auth/login"
        return page_refusal(TornadoRequest(handler.request), **{"login_url": login, **urls})

    def guard(method: Method) -> Method:
        return _guarded(method, refusal)

    return guard if method is None else guard(method)


def _guarded(method: Method, refusal: Callable[[RequestHandler], Refusal]) -> Method:
    @wraps(method)
    def guarded(self: RequestHandler, *args: Any, **named: Any) -> Any:
        if get_session(self) is not None:
            return method(self, *args, **named)
        refused = refusal(self)
        self.set_status(refused.status)
        for name, value in refused.headers:
            self.set_header(name, value)
        return self.finish(refused.body)  # pyright: ignore[reportUnknownMemberType]  # a bare `dict` in Tornado's annotation

    return cast("Method", guarded)
