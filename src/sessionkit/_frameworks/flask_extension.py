"""The extension of Flask and Quart: it serves an application through a gateway, and opens its sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._exchange.drivers import aload
from .._exchange.exchange import Exchange
from .._exchange.request import RequestInfo
from .._requests.current import register_preserved
from .._requests.entry import make_current
from .._requests.gateway import Gateway
from .._requests.lookup import UnansweredExchange, find_exchange
from .._session.events import EventKind, logger
from .._session.tags import Tags
from .contents import find_or_open_exchange
from .extension import App, Extension
from .flask_session import KEYS, make_tags
from .flask_settings import complete_config, read_values, store_from_config
from .socket_exchange import SocketExchange

__all__ = ["FlaskFamilyExtension", "FlaskFamilyGateway"]

ENTRY = "sessionkit.entry"
"""The attribute of a request that keeps the entry of its context."""


class FlaskFamilyExtension(Extension[App]):
    """Base of `SessionKit` for Flask and Quart. An adapter's class also inherits from the framework's `SessionInterface`.

    Attributes:
        serializer: the framework's `TaggedJSONSerializer`, which writes values that JSON does not have with tags.
        json: `flask.json` or `quart.json`.
    """

    serializer: Any
    json: Any

    register_preserved: staticmethod[[Callable[[], RequestInfo | None]], None] = staticmethod(
        register_preserved
    )
    """Register the function that returns the request whose context the framework's test client preserves, or None."""

    @property
    def tags(self) -> Tags:
        """The tags with which the framework's own session writes values that JSON does not have."""
        return make_tags(self.serializer, self.json)

    def make_gateway(
        self, app: Any, inner: Callable[..., Any], kind: Callable[..., Gateway]
    ) -> FlaskFamilyGateway:
        """Make the gateway that serves an application, and store it as the application's `extensions["sessionkit"]`.

        Args:
            app: the application.
            inner: the application's own WSGI or ASGI callable.
            kind: `SessionMiddleware`, of WSGI or of ASGI.
        """
        return FlaskFamilyGateway(app, inner, kind, self)

    def open_exchange(
        self, app: Any, view: RequestInfo, *, entered: object = None, socket: bool | None = False
    ) -> Exchange | None:
        """Return the exchange for the session that `open_session` hands out; nothing is decrypted yet.

        If no gateway answers the request, its context may have been pushed inside the request of another visitor. After
        `leave_context`, the other request is the current one again.

        Args:
            app: the application, which this extension serves.
            view: the view of the request.
            entered: the framework's request, in whose context the exchange becomes current.
            socket: whether this is an event of a socket, which has the environ of the socket's handshake; its session is a
                `SocketExchange`. None means that it is an event if no gateway serves the request.

        Returns:
            The exchange, or None on an excluded path and while there is no secret key.
        """
        front = app.extensions["sessionkit"]
        front.is_asked, gateway = True, front.current
        if gateway is None:
            return None
        if socket is not False:
            found = find_exchange(view, gateway.settings)
            if isinstance(found, UnansweredExchange):
                found = None
            if found is None or (socket and isinstance(found, Exchange)):
                event = SocketExchange(gateway.settings, view)
                setattr(entered, ENTRY, make_current(event))
                return event
        exchange = find_or_open_exchange(view, gateway.settings)
        if exchange is not None and not (
            exchange.owned or entered is None or hasattr(entered, ENTRY)
        ):
            setattr(entered, ENTRY, make_current(exchange))
        return exchange

    async def aopen_exchange(
        self, app: Any, view: RequestInfo, *, entered: object = None
    ) -> Exchange | None:
        """Return the exchange as `open_exchange` does, after awaiting the backend, so that its record is loaded.

        Args:
            app: the application, which this extension serves.
            view: the view of the request.
            entered: the framework's request, in whose context the exchange becomes current.
        """
        exchange = self.open_exchange(app, view, entered=entered)
        if exchange is not None:
            await aload(exchange)
        return exchange

    @staticmethod
    def leave_context(request: object) -> None:
        """Undo `open_exchange` at the end of a request context.

        Args:
            request: the framework's request.
        """
        entry = getattr(request, ENTRY, None)
        if entry is not None:
            entry.leave()
            if isinstance(entry.exchange, SocketExchange):
                entry.exchange.leave()


class FlaskFamilyGateway:
    """Serve an application of Flask or Quart through a gateway, and make a new gateway when the application's settings change.

    The settings are read at each request. While there is no secret key, the application is served without sessions.

    Args:
        app: the application; this object becomes its `extensions["sessionkit"]`.
        inner: the application's own WSGI or ASGI callable.
        kind: `SessionMiddleware`, of WSGI or of ASGI.
        kit: the extension; if it has no store, one is made from the application's settings.
    """

    def __init__(
        self,
        app: Any,
        inner: Callable[..., Any],
        kind: Callable[..., Gateway],
        kit: FlaskFamilyExtension[Any],
    ) -> None:
        self._app, self._inner, self._kind, self._kit = app, inner, kind, kit
        self._made: tuple[object, Any] = (None, None)
        self._is_serving = False
        self.is_asked = False
        """Whether the framework has asked for a session."""
        app.extensions["sessionkit"] = self
        if kit.store is not None:
            # A store that cannot be served here raises an error when it is passed, not in the first request.
            self.current  # noqa: B018

    @property
    def current(self) -> Any:
        """The gateway, or None while there is no secret key."""
        given = self._kit.store
        values = (given,) if given is not None else read_values(self._app)
        before, gateway = self._made
        if values != before:
            try:
                store = given or store_from_config(
                    complete_config(self._app),
                    self._kit.settings,
                    for_development=self._app.debug or self._app.testing,
                )
            except BaseException:
                del (
                    values
                )  # they hold the secret key, and a traceback shows the variables of this frame
                raise
            if store is None:
                logger.warning(
                    "SECRET_KEY is not set: the application is served without sessions, and the verbs find no request; "
                    "set app.config['SECRET_KEY'] (`python -m sessionkit secret` makes one), or give SessionKit a store"
                )
            gateway = (
                None
                if store is None
                else self._kind(self._inner, store, framework=replace(KEYS, tags=self._kit.tags))
            )
            self._made = values, gateway
        return gateway

    def __call__(self, *request: Any) -> Any:
        """Serve a request, with the arguments of WSGI or ASGI."""
        try:
            gateway = self.current
            if gateway is None:
                return self._inner(*request)
            if self._is_serving and not self.is_asked and self._is_replaced():
                gateway.settings.warn_once(EventKind.TWO_SESSIONS)
            self._is_serving = True
            return gateway(*request)
        except BaseException:
            del request  # it holds the cookies, and a traceback shows the variables of this frame
            raise

    def _is_replaced(self) -> bool:
        """Return whether another library's sessions are served in the place of ours, and have not asked for ours."""
        return not isinstance(self._app.session_interface, FlaskFamilyExtension)
